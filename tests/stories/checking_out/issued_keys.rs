//! Providers that issue a billing key along with a payment in their window.

use chrono::TimeDelta;
use kernel::Krw;
use serde_json::{Value, json};
use testkit::{
    Approval, Card, Confirm, Decline, DeclineClass, IssueBillingKey, IssuedBillingKey, Lookup, Outcome,
    TestApp,
};

use super::orders;

/// The owner of business 1 orders BASIC, pays in the window and agrees there to be charged monthly.
/// Answers with the confirmation. From now on the payment comes with the key.
async fn agrees_in_the_window(app: &TestApp) -> Value {
    let order = orders(&app.owner()).await;
    let (order_id, customer_key) = (&order["orderId"], &order["customerKey"]);
    let (order_id, customer_key) = (order_id.as_str().expect("an id"), customer_key.as_str().expect("a key"));
    let payment_key = app.pays_in_the_window(order_id, 29_000, Card::Good);
    comes_along(app, issued(app, customer_key).await);
    json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000})
}

/// A key of the provider's for this customer, of which billing has not heard.
async fn issued(app: &TestApp, customer_key: &str) -> IssuedBillingKey {
    let auth_key = app.sandbox.billing_auth(customer_key, Card::Good.number()).expect("an auth key");
    let request = IssueBillingKey {
        auth_key: auth_key.into(),
        customer_key: customer_key.to_owned(),
        idempotency_key: format!("window_{customer_key}"),
    };
    match app.provider.real().issue_billing_key(&request).await {
        Outcome::Approved(issued) => issued,
        other => panic!("no key was issued: {other:?}"),
    }
}

/// The provider hands the key over with the payment, whether it is confirmed or looked up.
fn comes_along(app: &TestApp, issued: IssuedBillingKey) {
    let with_key = move |approval| Approval { billing_key: Some(issued.clone()), ..approval };
    let with_key_found = with_key.clone();
    app.provider.on_confirm(move |real, confirm| {
        let with_key = with_key.clone();
        async move {
            match real.confirm(&confirm).await {
                Outcome::Approved(approval) => Outcome::Approved(with_key(approval)),
                other => other,
            }
        }
    });
    app.provider.on_find_by_order(move |real, order_id| {
        let with_key = with_key_found.clone();
        async move {
            match real.find_by_order(&order_id).await {
                Lookup::Approved(approval) => Lookup::Approved(with_key(approval)),
                other => other,
            }
        }
    });
}

/// A month later the key is charged. The provider would refuse it with another customer's key.
async fn renews(app: &TestApp) {
    let current = app.current().await;
    assert_eq!((&current["status"], &current["nextPaymentDate"]), (&json!("ACTIVE"), &json!("2026-03-01")));
    let card = &current["paymentMethod"];
    assert_eq!((&card["cardCompany"], &card["isUsable"]), (&json!("삼성카드"), &json!(true)));
    assert_eq!(card["cardNumber"], "****-****-****-000*");
    app.time_passes_until("2026-03-01T10:00").await;
    assert_eq!(app.each_payments("reason").await, ["CHECKOUT", "RENEWAL"]);
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
    assert_eq!(app.provider_totals(), (58_000, 0));
    assert_eq!(app.current().await["nextPaymentDate"], "2026-04-01");
    assert_eq!(app.deleted_keys(), 0);
}

#[tokio::test]
async fn a_key_that_comes_with_the_payment_makes_the_subscription_renew() {
    for path in ["/api/payments/confirm", "/api/payments/toss/confirm"] {
        let app = TestApp::start().await;
        let mut confirmation = agrees_in_the_window(&app).await;
        if path == "/api/payments/confirm" {
            confirmation["plan"] = json!("BASIC");
        }
        let answer = app.owner().post(path, confirmation).await;
        let subscription = &answer.data()["subscription"];
        assert_eq!(
            (&subscription["status"], &subscription["nextBillingDate"]),
            (&json!("ACTIVE"), &json!("2026-03-01")),
            "{path}"
        );
        assert_eq!(app.story().await, ["payment.succeeded", "subscription.started"]);
        renews(&app).await;
    }
}

#[tokio::test]
async fn a_key_whose_answer_was_lost_is_found_with_the_payment() {
    let app = TestApp::start().await;
    let confirmation = agrees_in_the_window(&app).await;
    app.provider.on_confirm(async |real, confirm| {
        real.confirm(&confirm).await;
        Outcome::Unknown("the answer got lost".to_owned())
    });
    let answer = app.owner().post("/api/payments/toss/confirm", confirmation).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(answer.data()["subscription"]["nextBillingDate"], Value::Null);
    app.pass(TimeDelta::seconds(15));
    app.sweep().await;
    renews(&app).await;
}

#[tokio::test]
async fn a_subscription_that_began_with_a_checkouts_key_is_cancelled_like_any_other() {
    let app = TestApp::start().await;
    let confirmation = agrees_in_the_window(&app).await;
    app.owner().post("/api/payments/toss/confirm", confirmation).await.data();
    app.owner().post("/api/subscriptions/cancel", json!({})).await.data();
    app.time_passes_until("2026-03-02T00:00").await;
    assert_eq!(app.current().await["endReason"], "CANCELED");
    assert_eq!((app.charges(), app.deleted_keys()), (1, 1));
}

/// The provider said no and confirmed it all the same: the order is declined, the subscription over.
#[tokio::test]
async fn a_key_that_comes_when_the_subscription_is_over_is_deleted() {
    let app = TestApp::start().await;
    let confirmation = agrees_in_the_window(&app).await;
    app.provider.on_confirm(async |real, confirm| {
        real.confirm(&confirm).await;
        Outcome::Declined(Decline {
            class: DeclineClass::RetryLater,
            code: "REJECT_CARD_PAYMENT".to_owned(),
            message: "한도초과 혹은 잔액부족으로 결제에 실패했습니다.".to_owned(),
        })
    });
    let answer = app.owner().post("/api/payments/toss/confirm", confirmation).await;
    answer.problem(402, "CARD_DECLINED");
    app.deliver(&app.sandbox.webhooks()).await;
    app.time_passes_until("2026-02-02T00:00").await;
    assert_eq!(app.each_payments("status").await, ["FAILED"]);
    assert_eq!(app.deleted_keys(), 1);
}

#[tokio::test]
async fn a_key_that_comes_with_another_amount_is_deleted_once_that_was_given_back() {
    let app = TestApp::start().await;
    let order = orders(&app.owner()).await;
    let (order_id, customer_key) = (&order["orderId"], &order["customerKey"]);
    let (order_id, customer_key) = (order_id.as_str().expect("an id"), customer_key.as_str().expect("a key"));
    let payment_key = app.pays_in_the_window(order_id, 2_900, Card::Good);
    comes_along(&app, issued(&app, customer_key).await);
    app.provider.on_confirm(async |real, confirm| {
        real.confirm(&Confirm { amount: Krw::won(2_900), ..confirm }).await;
        Outcome::Unknown("the answer got lost".to_owned())
    });
    let confirmation = json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000});
    let answer = app.owner().post("/api/payments/toss/confirm", confirmation).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    app.cancels_at_the_console(&app.approved()[0].payment_key, None).await;
    app.time_passes_until("2026-02-02T00:00").await;
    assert_eq!(app.each_payments("status").await, ["FAILED"]);
    assert_eq!(app.deleted_keys(), 1);
}

#[tokio::test]
async fn a_key_that_another_business_holds_stays_with_it() {
    let app = TestApp::start().await;
    let confirmation = agrees_in_the_window(&app).await;
    app.owner().post("/api/payments/toss/confirm", confirmation).await.data();
    // The same key comes along with another business's payment: two shops of one owner, and one card.
    let order = orders(&app.owner_of(2)).await;
    let order_id = order["orderId"].as_str().expect("an id");
    let payment_key = app.pays_in_the_window(order_id, 29_000, Card::Good);
    let confirmation = json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000});
    let other = app.owner_of(2).post("/api/payments/toss/confirm", confirmation).await;
    assert_eq!(other.data()["subscription"]["status"], "NON_RENEWING", "{}", other.body);

    // The other's is over after its month, and the first is charged on.
    app.time_passes_until("2026-03-01T10:00").await;
    assert_eq!(app.deleted_keys(), 0);
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
    assert_eq!(app.provider_totals(), (3 * 29_000, 0));
}
