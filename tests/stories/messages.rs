//! A message reaches a person once, lawfully, whatever dies in between.

mod advertising;
mod batches;
mod carriers;
mod last_moment;
mod mails;
mod refusing;
mod sending;

use kernel::BusinessId;
use messaging::{Channel, Content, Enqueued, Mail, NewMessage, Purpose, Recipient, Speaker, Text};
use platform::SystemTx;
use sandbox::Parcel;
use testkit::TestApp;

/// Something that the salon tells a customer about a visit.
pub(crate) fn text(key: &str, to: &str, said: &str) -> NewMessage {
    NewMessage {
        business: BusinessId(1),
        dedup_key: key.to_owned(),
        batch: None,
        spoken_by: Speaker::Business,
        purpose: Purpose::Information,
        channel: Channel::Sms,
        recipient: Recipient::Contact(to.into()),
        content: Content::Text(Text::new(said)),
        not_before: None,
        not_after: None,
    }
}

/// Something that the platform writes to the salon.
pub(crate) fn mail(key: &str, to: &str, subject: &str) -> NewMessage {
    let content = Mail {
        subject: subject.to_owned(),
        text: "안녕하세요, 단골입니다.".to_owned(),
        html: "<p>안녕하세요, 단골입니다.</p>".to_owned(),
        unsubscribe_url: None,
    };
    NewMessage {
        spoken_by: Speaker::Platform,
        channel: Channel::Email,
        content: Content::Mail(content),
        ..text(key, to, "")
    }
}

/// Somebody says it, in a transaction of their own.
pub(crate) async fn says(app: &TestApp, messages: &[NewMessage]) -> Vec<Enqueued> {
    let mut tx = SystemTx::begin(app.db()).await.expect("a transaction");
    let enqueued = app.app.messaging.enqueue(&mut tx, messages).await.expect("messages are written down");
    tx.commit().await.expect("a commit");
    enqueued
}

/// What is due is sent, as the worker does every second.
pub(crate) async fn sends(app: &TestApp) {
    app.app.messaging.sweep().await.expect("messages are sent");
}

/// What somebody was sent, oldest first.
pub(crate) fn received(app: &TestApp, to: &str) -> Vec<Parcel> {
    app.sandbox.inbox().into_iter().filter(|parcel| parcel.to == to).collect()
}

/// What was said so far does not count.
pub(crate) async fn forgets_what_was_said(app: &TestApp) {
    app.sql("with how_it_stands as (delete from messaging.delivery) delete from messaging.message").await;
}

/// How the messages stand, in the order in which they were said: status, and why.
pub(crate) async fn fates(app: &TestApp) -> Vec<String> {
    app.texts(
        "select concat_ws(' ', status, reason, delivered_by)
         from messaging.message join messaging.delivery using (business_id, message_id) order by created_at, dedup_key",
    )
    .await
}
