//! What somebody gives back at the provider's console, without asking us.

use serde_json::json;

use super::{refunds, refunds_part, subscribed};

#[tokio::test]
async fn what_is_cancelled_at_the_providers_console_is_adopted() {
    let app = subscribed().await;
    let payment = app.cancels_at_the_console(&app.approved()[0].payment_key, Some(9_000)).await;
    assert_eq!(payment["balanceAmount"], 20_000);
    app.deliver(&app.sandbox.webhooks()).await;
    app.sweep().await;
    let detail = app.owner().get("/api/payments/101").await;
    assert_eq!(
        (&detail.data()["refundedAmount"], &detail.data()["status"]),
        (&json!(9_000), &json!("PARTIAL_REFUNDED"))
    );
    assert_eq!(detail.data()["refunds"][0]["reason"], "결제사에서 취소됨");

    // Heard of once more, it is still the same refund.
    let webhook = app.sandbox.webhooks().remove(0);
    app.webhook("whtrans_again", &webhook.body).await;
    app.sweep().await;
    assert_eq!(app.count("billing.refund").await, 1);
    // And only the rest can be given back.
    assert_eq!(
        refunds_part(&app, 101, 20_001).await.problem(422, "VALIDATION_FAILED")["refundableAmount"],
        20_000
    );
    assert_eq!(refunds(&app, 101).await.data()["remainingAmount"], 0);
    assert_eq!(app.provider_totals(), (29_000, 29_000));
}

#[tokio::test]
async fn a_full_cancel_at_the_console_ends_the_access() {
    let app = subscribed().await;
    app.cancels_at_the_console(&app.approved()[0].payment_key, None).await;
    app.deliver(&app.sandbox.webhooks()).await;
    app.sweep().await;
    let current = app.current().await;
    assert_eq!((&current["plan"], &current["endReason"]), (&json!("FREE"), &json!("REFUNDED")));
    assert_eq!(app.each_payments("status").await, ["REFUNDED"]);
}

#[tokio::test]
async fn a_refund_of_what_was_cancelled_at_the_console_unheard_of_is_refused() {
    let app = subscribed().await;
    app.cancels_at_the_console(&app.approved()[0].payment_key, None).await;
    refunds(&app, 101).await.problem(409, "REFUND_REFUSED");
    assert_eq!(app.provider_totals(), (29_000, 29_000));
    app.deliver(&app.sandbox.webhooks()).await;
    app.sweep().await;
    assert_eq!(app.each_payments("status").await, ["REFUNDED"]);
}
