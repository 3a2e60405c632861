//! Card numbers never reach this server's tables, nor anybody behind it.

use sandbox::{Fault, FaultKind};
use serde_json::json;
use testkit::{Answer, TestApp};

use super::registers;

/// The first request of any kind that reaches the provider uses up the fault.
async fn with_a_watched_provider() -> TestApp {
    let app = TestApp::start().await;
    app.sandbox.add_fault(Fault::new(FaultKind::Refuse));
    app
}

async fn nothing_got_through(app: &TestApp) {
    assert_eq!(app.sandbox.faults().len(), 1, "the provider saw a request");
    assert_eq!(app.count("billing.payment_method").await, 0);
    assert_eq!(app.count("billing.payment").await, 0);
}

fn refused(answer: &Answer, number: &str) {
    answer.problem(400, "RAW_CARD_NUMBER_REFUSED");
    assert!(!answer.body.to_string().contains(number), "{number} is repeated");
}

#[tokio::test]
async fn a_raw_card_number_is_refused_and_never_sent_on() {
    let app = with_a_watched_provider().await;
    for number in [
        "4111111111111111",
        "4111-1111-1111-1111",
        "3782 822463 10005",
        "4222222222222",
        "4111.1111.1111.1111",
        "(4111)(1111)(1111)(1111)",
        "[4111/1111/1111/1111]",
    ] {
        for field in ["cardNumber", "authKey"] {
            let mut registration = json!({"plan": "BASIC", "customerKey": "user_1"});
            registration[field] = json!(number);
            refused(&registers(&app, registration.clone()).await, number);
            registration.as_object_mut().expect("an object").remove("plan");
            refused(&app.owner().put("/api/subscriptions/payment-method", registration).await, number);
        }
    }
    nothing_got_through(&app).await;
}

#[tokio::test]
async fn a_card_number_is_no_customer_key() {
    let app = with_a_watched_provider().await;
    for number in [
        "4111111111111111",
        "4111-1111-1111-1111",
        "card.378282246310005",
        "4111.1111.1111.1111",
        "4111_1111_1111_1111",
    ] {
        let mut registration = json!({"plan": "BASIC", "customerKey": number, "authKey": "bln_1"});
        refused(&registers(&app, registration.clone()).await, number);
        registration.as_object_mut().expect("an object").remove("plan");
        refused(&app.owner().put("/api/subscriptions/payment-method", registration).await, number);
    }
    nothing_got_through(&app).await;
}

#[tokio::test]
async fn a_card_number_names_no_order_and_no_payment() {
    let app = with_a_watched_provider().await;
    for number in ["4111111111111111", "4111-1111-1111-1111", "order_378282246310005", "4111_1111_1111_1111"]
    {
        for (order_id, payment_key) in [(number, "tgen_1"), ("order-1", number)] {
            let mut confirmation = json!({"orderId": order_id, "paymentKey": payment_key, "amount": 29_000});
            refused(&app.owner().post("/api/payments/toss/confirm", confirmation.clone()).await, number);
            confirmation["plan"] = json!("BASIC");
            refused(&app.owner().post("/api/payments/confirm", confirmation).await, number);
        }
    }
    nothing_got_through(&app).await;
}
