//! Providers whose cancels have to follow one another, because each names what is left before it.

use chrono::TimeDelta;
use sandbox::{Fault, FaultKind, Operation};
use testkit::{Capabilities, TestApp};

use super::{refunds, refunds_part, subscribed};

async fn settled(app: &TestApp) {
    app.pass(TimeDelta::minutes(2));
    app.sweep().await;
}

#[tokio::test]
async fn where_cancels_go_in_turn_a_refund_waits_for_the_one_before_it() {
    let app = subscribed().await;
    app.provider.declares(|as_it_is| Capabilities { cancels_in_turn: true, ..as_it_is });
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Cancel));
    assert_eq!(refunds_part(&app, 101, 9_000).await.status, 202);
    refunds_part(&app, 101, 5_000).await.problem(409, "REFUND_IN_PROGRESS");
    refunds(&app, 101).await.problem(409, "REFUND_IN_PROGRESS");

    settled(&app).await;
    assert_eq!(refunds_part(&app, 101, 5_000).await.data()["remainingAmount"], 15_000);
    assert_eq!(app.provider_totals(), (29_000, 14_000));
}

#[tokio::test]
async fn elsewhere_a_refund_need_not_wait() {
    let app = subscribed().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Cancel));
    assert_eq!(refunds_part(&app, 101, 9_000).await.status, 202);
    assert_eq!(refunds_part(&app, 101, 5_000).await.status, 200);
    settled(&app).await;
    assert_eq!(app.provider_totals(), (29_000, 14_000));
}
