//! By whose contract a business is charged.

use sandbox::{Fault, FaultKind, Operation, Provider::Toss};
use serde_json::{Value, json};
use testkit::{Card, TestApp};

use super::{SALON, at_toss, changes_credentials, id, registers, retires, whose, with_a_contract};

/// One payment in Toss's window, confirmed.
async fn pays_once(app: &TestApp) -> Value {
    let order = app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await;
    let order_id = order.data()["orderId"].as_str().expect("an order id").to_owned();
    let payment_key = app.pays_in_the_window(&order_id, 29_000, Card::Good);
    let confirmation = json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000});
    app.owner().post("/api/payments/toss/confirm", confirmation).await.data().clone()
}

#[tokio::test]
async fn a_business_with_a_contract_is_charged_and_refunded_by_it_and_all_others_by_the_platforms() {
    let (app, _) = with_a_contract().await;
    app.subscribes_at(Toss).await;
    app.owner_of(2).post("/api/payments/billing-key", app.registration("BASIC", Card::Good)).await.data();
    assert_eq!(whose(&app).await, ["salon", "platform"]);
    app.time_passes_until("2026-03-01T10:05").await;
    let mut whose = whose(&app).await;
    whose.sort_unstable();
    assert_eq!(whose, ["platform", "platform", "salon", "salon"]);

    let part = json!({"amount": 15_000, "reason": "부분 환불 요청"});
    app.owner().patch("/api/payments/101/partial-refund", part).await.data();
    app.owner().post("/api/subscriptions/cancel", json!({})).await.data();
    app.time_passes_until("2026-04-01T10:05").await;
    let released = app.count("billing.payment_method where business_id = 1 and status = 'RELEASED'").await;
    assert_eq!(released, 1, "Toss lets nobody delete the key but the salon");
    app.books_are_right().await;
}

#[tokio::test]
async fn what_was_paid_in_the_window_is_confirmed_by_the_contract_of_the_order() {
    let (app, contract) = with_a_contract().await;
    assert_eq!(pays_once(&app).await["status"], "SUCCESS");
    assert_eq!(whose(&app).await, ["salon"]);
    retires(&app, &contract).await.data();
    let all = json!({"reason": "고객 요청"});
    assert_eq!(app.owner().post("/api/payments/101/refund", all).await.data()["status"], "REFUNDED");
    app.books_are_right().await;
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_by_the_same_contract() {
    let (app, contract) = with_a_contract().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
    let registration = app.registration("BASIC", Card::Good);
    let unknown = app.owner().post("/api/payments/billing-key", registration).await;
    assert_eq!(unknown.status, 202, "{}", unknown.body);
    // Even if it is retired meanwhile.
    retires(&app, &contract).await.data();
    app.time_passes_until("2026-02-01T10:00").await;
    assert_eq!(app.current().await["status"], "ACTIVE");
    assert_eq!((app.charges(), whose(&app).await), (1, vec!["salon"]));
    assert_eq!(app.cases().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_card_stays_with_its_contract_until_another_has_paid_by_the_new_one() {
    let app = TestApp::start().await;
    app.subscribes_at(Toss).await;
    at_toss(&app).await;
    app.time_passes_until("2026-03-01T10:05").await;
    assert_eq!(whose(&app).await, ["platform", "platform"], "the card is the platform's");

    let new = app.new_card_at(Toss, Card::Good).await;
    app.owner().put("/api/subscriptions/payment-method", new).await.data();
    app.sweep().await;
    assert_eq!(app.deleted_keys(), 0, "the old one is kept until the new one has paid");
    app.time_passes_until("2026-04-01T10:05").await;
    assert_eq!(whose(&app).await, ["platform", "platform", "salon"]);
    assert_eq!(app.deleted_keys(), 1);
}

#[tokio::test]
async fn a_retired_contract_gets_no_new_card_and_keeps_those_that_it_has() {
    let (app, contract) = with_a_contract().await;
    app.subscribes_at(Toss).await;
    let retired = retires(&app, &contract).await.data().clone();
    assert_eq!((&retired["status"], &retired["cards"]), (&json!("RETIRED"), &json!(1)));
    assert_eq!(retires(&app, &contract).await.data()["status"], "RETIRED", "twice is once");
    app.time_passes_until("2026-03-01T10:05").await;
    assert_eq!(whose(&app).await, ["salon", "salon"]);

    let new = app.new_card_at(Toss, Card::Good).await;
    app.owner().put("/api/subscriptions/payment-method", new).await.data();
    app.time_passes_until("2026-04-01T10:05").await;
    assert_eq!(whose(&app).await, ["salon", "salon", "platform"]);
    let again = registers(&app, 1, "TOSS", json!({"secretKey": SALON})).await;
    assert_ne!(again.data()["merchantAccountId"], contract["merchantAccountId"]);
}

#[tokio::test]
async fn a_key_that_is_replaced_is_used_from_the_next_request_on() {
    let app = TestApp::start().await;
    // A key that Toss does not take: our mistake, and no card is declined for it.
    let contract =
        registers(&app, 1, "TOSS", json!({"secretKey": "wrong_sk_salon.0000"})).await.data().clone();
    let registration = app.registration("BASIC", Card::Good);
    let refused = app.owner().post("/api/payments/billing-key", registration).await;
    refused.problem(503, "PAYMENT_SET_UP_WRONGLY");
    changes_credentials(&app, &contract, json!({"secretKey": SALON})).await.data();
    app.subscribes_at(Toss).await;
    changes_credentials(&app, &contract, json!({"secretKey": "test_sk_salon.0001"})).await.data();
    app.time_passes_until("2026-03-01T10:05").await;
    assert_eq!(whose(&app).await, ["salon", "salon"]);
}

#[tokio::test]
async fn a_key_that_does_not_show_what_was_paid_is_another_contract() {
    let (app, contract) = with_a_contract().await;
    app.subscribes_at(Toss).await;
    for (key, code) in [("test_sk_another.0000", "OTHER_CONTRACT"), ("wrong_sk_salon.0000", "NOT_VERIFIED")] {
        changes_credentials(&app, &contract, json!({"secretKey": key})).await.invalid("credentials", code);
    }
    app.time_passes_until("2026-03-01T10:05").await;
    assert_eq!(whose(&app).await, ["salon", "salon"], "nothing was changed");
}

#[tokio::test]
async fn a_business_is_led_to_the_provider_that_it_has_a_contract_with() {
    let app = TestApp::start().await;
    app.rules_are(None, &[(sandbox::Provider::Kcp, 1, 1)]).await;
    let contract = at_toss(&app).await;
    let route = app.owner().get("/api/payments/route").await.data().clone();
    assert_eq!(route["provider"], "TOSS");
    assert_eq!(route["windows"]["TOSS"], json!({"clientKey": "test_ck_salon.0000"}));
    assert_eq!(app.led_to(2).await, "KCP");
    // Its own rules come first.
    app.rules_are(Some(1), &[(sandbox::Provider::PortOne, 1, 1)]).await;
    assert_eq!(app.led_to(1).await, "PORTONE");
    app.rules_are(Some(1), &[]).await;
    retires(&app, &contract).await.data();
    assert_eq!(app.led_to(1).await, "KCP");
}

#[tokio::test]
async fn each_contract_has_a_list_of_its_own_which_is_compared_by_itself() {
    let (app, contract) = with_a_contract().await;
    app.subscribes_at(Toss).await;
    app.owner_of(2).post("/api/payments/billing-key", app.registration("PRO", Card::Good)).await.data();
    app.time_passes_until("2026-02-02T06:00").await;
    let compared = app.compared().await;
    let figures: Vec<_> = compared
        .iter()
        .map(|one| {
            json!([one["merchantAccountId"], one["status"], one["theirs"]["charged"], one["ours"]["charged"]])
        })
        .collect();
    let salons = json!([contract["merchantAccountId"], "MATCHED", 29_000, 29_000]);
    assert_eq!(figures, [salons, json!([null, "MATCHED", 59_000, 59_000])]);
    assert_eq!(app.cases().await, Vec::<Value>::new());

    // In pages of one they are the same.
    let list = "/api/admin/reconciliations?provider=TOSS&limit=1";
    let first = app.platform_admin().get(list).await;
    let cursor = first.body["page"]["nextCursor"].as_str().expect("a second page");
    let second = app.platform_admin().get(&format!("{list}&cursor={cursor}")).await;
    assert_eq!([&second.data()[0], &first.data()[0]], [&compared[0], &compared[1]]);
}

/// What the salon takes under an order id of ours is the salon's, and pays nothing of ours.
#[tokio::test]
async fn a_list_speaks_of_its_own_contract_alone() {
    let (app, contract) = with_a_contract().await;
    let order = app.owner_of(2).post("/api/payments/toss/order", json!({"plan": "BASIC"})).await;
    let order_id = order.data()["orderId"].as_str().expect("an order id").to_owned();
    let payment_key = app.pays_in_the_window(&order_id, 29_000, Card::Good);
    let confirmed = reqwest::Client::new()
        .post(format!("{}/v1/payments/confirm", app.sandbox.toss_base_url()))
        .basic_auth(SALON, Some(""))
        .json(&json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000}))
        .send()
        .await
        .expect("the provider answers");
    assert_eq!(confirmed.status(), 200);
    app.time_passes_until("2026-02-02T06:00").await;
    let case = app.the_case().await;
    assert_eq!(
        (&case["kind"], &case["merchantAccountId"]),
        (&json!("UNKNOWN_CHARGE"), &json!(id(&contract)))
    );
    assert_eq!(app.count("billing.payment where status = 'SUCCESS'").await, 0);
}

#[tokio::test]
async fn a_contract_is_compared_from_its_first_day_to_the_last_of_its_money() {
    let app = TestApp::start().await;
    app.it_is("2026-02-01T08:30");
    let contract = at_toss(&app).await;
    assert_eq!(pays_once(&app).await["status"], "SUCCESS");
    retires(&app, &contract).await.data();
    app.time_passes_until("2026-02-03T06:00").await;
    let days = app.platform_admin().get("/api/admin/reconciliations?provider=TOSS").await;
    let of_contract = days.data().as_array().expect("a list").iter();
    let of_contract = of_contract.filter(|one| one["merchantAccountId"] == contract["merchantAccountId"]);
    let of_contract: Vec<_> = of_contract.map(|one| (&one["day"], &one["theirs"]["charges"])).collect();
    assert_eq!(of_contract, [(&json!("2026-02-02"), &json!(0)), (&json!("2026-02-01"), &json!(1))]);
}

#[tokio::test]
async fn money_that_somebody_took_with_a_businesss_key_is_a_case_of_its_contract() {
    let (app, contract) = with_a_contract().await;
    let payment_key = app.pays_in_the_window("order-of-nobody", 7_000, Card::Good);
    let confirmed = reqwest::Client::new()
        .post(format!("{}/v1/payments/confirm", app.sandbox.toss_base_url()))
        .basic_auth(SALON, Some(""))
        .json(&json!({"paymentKey": payment_key, "orderId": "order-of-nobody", "amount": 7_000}))
        .send()
        .await
        .expect("the provider answers");
    assert_eq!(confirmed.status(), 200);
    app.time_passes_until("2026-02-02T06:00").await;
    let case = app.the_case().await;
    assert_eq!(case["merchantAccountId"], id(&contract));
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.given_back(&json!("order-of-nobody")), [7_000]);
    let wanted = json!({"provider": "TOSS", "day": "2026-02-01", "merchantAccountId": id(&contract)});
    let again = app.platform_admin().post("/api/admin/reconciliations", wanted).await;
    assert_eq!(again.data()["status"], "MATCHED");
}
