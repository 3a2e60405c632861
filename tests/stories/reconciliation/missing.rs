//! What we have and the provider has not.

use serde_json::{Value, json};
use testkit::{Approval, Lookup, TestApp, TransactionKind, TransactionPage};

use super::{refunds_part, subscribed};

/// The provider has lost all of it: its list is empty, and it denies every payment.
fn has_lost_everything(app: &TestApp) {
    app.provider.on_transactions(async |_, _| Ok(TransactionPage { transactions: Vec::new(), next: None }));
    app.provider.on_find(async |_, _| Lookup::NotFound);
}

#[tokio::test]
async fn a_payment_that_the_provider_does_not_have_is_missing_and_can_be_written_off() {
    let app = subscribed().await;
    has_lost_everything(&app);
    app.time_passes_until("2026-02-02T06:00").await;
    let compared = app.comparison("2026-02-01").await;
    assert_eq!((&compared["status"], &compared["unexplained"]), (&json!("DIFFERENT"), &json!(1)));
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["paymentId"]), (&json!("MISSING_AT_PROVIDER"), &json!(101)));
    assert_eq!(case["possibleResolutions"], json!(["WRITE_OFF"]));
    for resolution in ["ADOPT", "REFUND"] {
        app.decides(&case, resolution).await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    }
    app.decides(&case, "WRITE_OFF").await.data();
    let balances = app.balances(None).await;
    assert_eq!((balances["WRITE_OFFS"], balances["PROVIDER_RECEIVABLE"]), (29_000, 0));
    assert_eq!((app.violations().await, app.current().await["status"].clone()), (vec![], json!("ACTIVE")));
    assert_eq!(app.compares("2026-02-01").await.data()["status"], "MATCHED");
}

#[tokio::test]
async fn written_off_again_after_a_crash_it_is_written_off_once() {
    let app = subscribed().await;
    has_lost_everything(&app);
    app.time_passes_until("2026-02-02T06:00").await;
    let case = app.the_case().await;
    app.decides(&case, "WRITE_OFF").await.data();
    app.sql(
        "update billing.operator_case set status = 'OPEN', resolution = null, resolution_note = null,
             resolved_by = null, resolved_at = null",
    )
    .await;
    app.decides(&case, "WRITE_OFF").await.data();
    assert_eq!(app.balances(None).await["WRITE_OFFS"], 29_000);
}

#[tokio::test]
async fn what_is_written_off_is_what_the_provider_still_owed() {
    let app = TestApp::start().await;
    app.sql("insert into billing.provider_terms values ('TOSS', 290)").await;
    app.subscribed().await;
    refunds_part(&app, 9_000).await;
    has_lost_everything(&app);
    app.time_passes_until("2026-02-02T06:00").await;
    app.decides(&app.the_case().await, "WRITE_OFF").await.data();
    let balances = app.balances(None).await;
    assert_eq!((balances["WRITE_OFFS"], balances["PROVIDER_RECEIVABLE"]), (20_000 - 580, 0), "{balances:?}");
    assert_eq!(balances.values().sum::<i64>(), 0);
    assert_eq!(app.compares("2026-02-01").await.data()["status"], "MATCHED");
}

#[tokio::test]
async fn a_refund_that_the_provider_does_not_have_writes_nothing_off() {
    let app = subscribed().await;
    refunds_part(&app, 9_000).await;
    app.provider.on_transactions(async |real, (day, after)| {
        let mut page = real.transactions(day, after.as_deref()).await?;
        page.transactions.retain(|row| row.kind == TransactionKind::Charge);
        Ok(page)
    });
    app.provider.on_find(async |real, payment_key: String| match real.find(&payment_key).await {
        Lookup::Approved(theirs) => {
            Lookup::Approved(Approval { cancellations: vec![], remaining: theirs.amount, ..theirs })
        }
        other => other,
    });
    app.time_passes_until("2026-02-02T06:00").await;
    let case = app.the_case().await;
    let refund = app.owner().get("/api/payments/101").await.data()["refunds"][0]["refundId"].clone();
    assert_eq!((&case["kind"], &case["refundId"]), (&json!("MISSING_AT_PROVIDER"), &refund));
    assert_eq!((&case["ourAmount"], &case["theirAmount"]), (&json!(9_000), &Value::Null));
    let before = app.balances(None).await;
    app.decides(&case, "WRITE_OFF").await.data();
    assert_eq!(app.balances(None).await, before, "the provider owes us more, not less");
    assert_eq!(app.compares("2026-02-01").await.data()["status"], "MATCHED");
}
