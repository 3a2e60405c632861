//! What belongs together is held, let go on and cancelled together.

use std::sync::Arc;

use chrono::TimeDelta;
use kernel::BusinessId;
use messaging::{BatchState, Enqueueing, Exclusion, FailureClass, NewMessage, Recipient, Settings};
use platform::SystemTx;
use testkit::TestApp;

use super::{fates, received, says, sends, text};

const SHOP: BusinessId = BusinessId(1);
const KIM: &str = "01012345678";

fn of_batch(key: &str) -> NewMessage {
    NewMessage { batch: Some("campaign:1".to_owned()), ..text(key, KIM, "예약이 확정되었습니다.") }
}

async fn in_a_transaction<T>(
    app: &TestApp,
    work: impl AsyncFnOnce(&mut SystemTx) -> Result<T, messaging::MessagingError>,
) -> T {
    let mut tx = SystemTx::begin(app.db()).await.expect("a transaction");
    let answer = work(&mut tx).await.expect("it is done");
    tx.commit().await.expect("a commit");
    answer
}

async fn hold(app: &TestApp) -> BatchState {
    in_a_transaction(app, async |tx| app.app.messaging.hold_batch(tx, SHOP, "campaign:1").await).await
}

async fn resume(app: &TestApp) -> BatchState {
    in_a_transaction(app, async |tx| app.app.messaging.resume_batch(tx, SHOP, "campaign:1").await).await
}

pub(super) async fn cancel(app: &TestApp) -> u64 {
    in_a_transaction(app, async |tx| app.app.messaging.cancel_batch(tx, SHOP, "campaign:1").await).await
}

#[tokio::test]
async fn what_is_held_waits_and_holds_up_nobody_elses() {
    let app = TestApp::start().await;
    says(&app, &[of_batch("a"), text("b", KIM, "다른 안내")]).await;
    assert_eq!(hold(&app).await, BatchState::Held);
    sends(&app).await;
    assert_eq!(fates(&app).await, ["QUEUED", "SENT"]);
    assert_eq!(resume(&app).await, BatchState::Open);
    sends(&app).await;
    assert_eq!(fates(&app).await, ["SENT", "SENT"]);
}

#[tokio::test]
async fn what_is_cancelled_stays_so_also_what_comes_back_or_is_added_later() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(sandbox::Fault::new(sandbox::FaultKind::RateLimited).on(sandbox::Operation::Send));
    says(&app, &[of_batch("a")]).await;
    sends(&app).await;
    assert_eq!(fates(&app).await, ["QUEUED"], "the carrier would not have it now");
    assert_eq!(cancel(&app).await, 1);
    // One that another process had in its hands comes back behind the cancel.
    app.sql("update messaging.delivery set status = 'QUEUED', reason = null, finished_at = null, due_at = now() - interval '1 year'")
        .await;
    assert_eq!(resume(&app).await, BatchState::Cancelled);
    says(&app, &[of_batch("b")]).await;
    app.pass(TimeDelta::hours(1));
    sends(&app).await;
    assert_eq!(fates(&app).await, ["EXCLUDED CANCELLED", "EXCLUDED CANCELLED"]);
    assert_eq!(received(&app, KIM).len(), 0);
}

#[tokio::test]
async fn each_is_answered_for_in_the_order_given() {
    let app = TestApp::start().await;
    let nobody = NewMessage { recipient: Recipient::Customer(999_999), ..of_batch("nobody") };
    let landline = NewMessage { recipient: Recipient::Contact("02-312-3456".into()), ..of_batch("landline") };
    let enqueued = says(&app, &[of_batch("a"), nobody, of_batch("a"), landline]).await;
    let fates: Vec<Enqueueing> = enqueued.iter().map(|enqueued| enqueued.fate).collect();
    assert_eq!(
        fates,
        [
            Enqueueing::Queued,
            Enqueueing::Excluded(Exclusion::ContactGone),
            Enqueueing::AlreadyThere,
            Enqueueing::Failed(FailureClass::BadNumber),
        ]
    );
    assert_eq!(enqueued[2].message, enqueued[0].message);
    let again = says(&app, &[of_batch("a")]).await;
    assert_eq!((again[0].message, again[0].fate), (enqueued[0].message, Enqueueing::AlreadyThere));
}

#[tokio::test]
async fn a_shop_with_many_messages_does_not_keep_another_waiting() {
    let mut app = TestApp::start_with(&["--text-carrier=NHN"]).await;
    // One after the other, so that the order in the inbox is the one in which they were taken.
    app.restarts(|app| {
        let settings = Settings { concurrency: 1, ..(*app.messaging.settings).clone() };
        app.messaging.settings = Arc::new(settings);
    });
    let many: Vec<NewMessage> =
        (0..300).map(|n| text(&format!("many-{n}"), &format!("0102{n:07}"), "같은 안내")).collect();
    says(&app, &many).await;
    let one = NewMessage { business: BusinessId(2), ..text("one", KIM, "다른 가게의 안내") };
    says(&app, &[one]).await;
    sends(&app).await;
    let inbox = app.sandbox.inbox();
    let place = inbox.iter().position(|parcel| parcel.to == KIM).expect("it was sent");
    assert!(place <= 200, "it went out with the first of them, and not behind all: {place}");
    assert_eq!(inbox.len(), 301);
}
