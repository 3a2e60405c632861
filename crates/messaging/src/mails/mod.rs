//! Mail to businesses about their subscription: one for each event, to where they want to be written to.
//!
//! An event is reacted to in the transaction that remembers how far the consumer has come, and the mail's key is the event's
//! id: it is enqueued once, and from there on sent once. Who was erased is forgotten here as well.

mod letter;
mod words;

use std::{collections::HashMap, time::Duration};

use chrono::TimeDelta;
use futures::FutureExt;
use kernel::BusinessId;
use platform::{
    SystemTx,
    events::{Consumer, Happened},
};
use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    Channel, Content, Messaging, MessagingError, NewMessage, Purpose, Recipient, Speaker,
    store::{self, contact::BillingContact},
};

/// As it is registered in this context's migrations.
pub const CONSUMER: Consumer =
    Consumer { name: "messaging.mails", nouns: &["customer", "payment", "renewal", "subscription"] };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Erased {
    customer_id: i64,
}

/// Nobody wants to read a week later that a payment failed.
const WORTH_READING_FOR: TimeDelta = TimeDelta::days(3);

/// How long a transaction that goes on is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

impl Messaging {
    /// Enqueues the mails about all that happened. Answers with how many events that were.
    pub async fn react(&self) -> Result<usize, MessagingError> {
        let messaging = self.clone();
        Ok(CONSUMER
            .consume(&self.db, &move |tx, events| {
                let messaging = messaging.clone();
                async move { messaging.write_mails(tx, events).await }.boxed()
            })
            .await?)
    }

    /// The same until nothing is left that was committed before, which may take the patience to let an older
    /// transaction end or another process finish. For a clock that was moved, where everything has to be done by the answer.
    pub async fn react_to_all(&self) -> Result<(), MessagingError> {
        let patience = Instant::now() + PATIENCE;
        loop {
            self.react().await?;
            if !CONSUMER.is_behind(&self.db).await? || Instant::now() >= patience {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn write_mails(&self, tx: &mut SystemTx, events: &[Happened]) -> sqlx::Result<()> {
        let erased: Vec<(BusinessId, i64)> = events
            .iter()
            .filter(|event| event.kind == "customer.erased")
            .filter_map(|event| Some((event.business, event.read::<Erased>()?.customer_id)))
            .collect();
        if !erased.is_empty() {
            store::message::forget_customers(tx, &erased, self.clock.now()).await?;
        }
        let mut businesses: Vec<i64> = events.iter().map(|event| event.business.0).collect();
        businesses.sort_unstable();
        businesses.dedup();
        let contacts = store::contact::of_businesses(tx, &businesses).await?;
        let mails: Vec<NewMessage> =
            events.iter().filter_map(|event| self.mail_about(event, &contacts)).collect();
        match self.enqueue(tx, &mails).await {
            Ok(_) => Ok(()),
            Err(MessagingError::Db(error)) => Err(error),
            Err(error) => Err(sqlx::Error::Decode(error.into())),
        }
    }

    /// `None` for what nobody is written to about, and for who said no address.
    fn mail_about(
        &self,
        event: &Happened,
        contacts: &HashMap<BusinessId, BillingContact>,
    ) -> Option<NewMessage> {
        let contact = contacts.get(&event.business)?;
        let letter = words::about(event, &contact.name, &self.settings.shop_url)?;
        let address = contact.address(&self.vault).inspect_err(|error| {
            tracing::error!(business = %event.business, %error, "an address cannot be opened; nobody is written to");
        });
        Some(NewMessage {
            business: event.business,
            dedup_key: format!("event:{}", event.id),
            batch: None,
            spoken_by: Speaker::Platform,
            purpose: Purpose::Information,
            channel: Channel::Email,
            recipient: Recipient::Contact(address.ok()?),
            content: Content::Mail(letter.into_mail()),
            not_before: None,
            not_after: Some(event.at + WORTH_READING_FOR),
        })
    }
}
