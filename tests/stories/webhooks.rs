//! What the provider tells us unasked, and what others pretend that it does.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::http::Method;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use kernel::Clock;
use sandbox::{Fault, FaultKind, Operation, TossSwitches, WebhookTiming};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use testkit::{Answer, Card, TestApp};
use tokio::sync::Notify;

/// The owner of business 1 pays BASIC in the window and confirms.
async fn pays_once(app: &TestApp) -> Answer {
    let order = app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await;
    let order_id = order.data()["orderId"].as_str().expect("an order id").to_owned();
    let payment_key = app.pays_in_the_window(&order_id, 29_000, Card::Good);
    let confirmation = json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000});
    app.owner().post("/api/payments/toss/confirm", confirmation).await
}

fn forged(order_id: &Value) -> String {
    let data = json!({
        "orderId": order_id, "paymentKey": "tgen_forged", "status": "DONE", "totalAmount": 29_000,
        "approvedAt": "2026-02-01T08:30:00+09:00", "secret": "ps_forged",
    });
    json!({"eventType": "PAYMENT_STATUS_CHANGED", "createdAt": "2026-02-01T08:30:00.000000", "data": data})
        .to_string()
}

/// All that a webhook could change: the books, the subscription, and what happened.
async fn state(app: &TestApp) -> Value {
    json!([app.payments().await, app.current().await, app.story().await])
}

#[tokio::test]
async fn repeated_reordered_and_late_webhooks_change_nothing() {
    let app = TestApp::start().await;
    pays_once(&app).await.data();
    let part = json!({"amount": 15_000, "reason": "부분 환불 요청"});
    app.owner().patch("/api/payments/101/partial-refund", part).await.data();
    let expected = state(&app).await;
    let mut webhooks = app.sandbox.webhooks();
    assert_eq!(webhooks.len(), 2, "a confirm and a cancel");

    webhooks.reverse();
    app.deliver(&webhooks).await;
    app.deliver(&webhooks).await;
    app.sweep().await;
    assert_eq!(state(&app).await, expected);
    assert_eq!(app.count("billing.webhook").await, 2, "each is stored once");

    // The same news once more as new deliveries, a week later.
    app.pass(TimeDelta::days(7));
    for (number, webhook) in webhooks.iter().enumerate() {
        app.webhook(&format!("whtrans_late_{number}"), &webhook.body).await;
    }
    app.sweep().await;
    assert_eq!(state(&app).await, expected);
    assert_eq!(app.provider_totals(), (29_000, 15_000));
}

/// KCP's and Bootpay's ids can be guessed.
#[tokio::test]
async fn a_delivery_id_that_somebody_used_first_does_not_silence_the_real_news() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let payment = app.approved()[0].clone();
    let body = forged(&json!(payment.order_id)).replace("tgen_forged", &payment.payment_key);
    assert_eq!(app.webhook("whtrans_guessed", &body).await.status, 200);
    app.sweep().await;
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 0, "it is done with");

    app.cancels_at_the_console(&payment.payment_key, Some(9_000)).await;
    let asked = counts_questions(&app);
    for _ in 0..3 {
        assert_eq!(app.webhook("whtrans_guessed", &body).await.status, 200);
    }
    app.sweep().await;
    assert_eq!(app.each_payments("status").await, ["PARTIAL_REFUNDED"]);
    assert_eq!(asked.load(Ordering::Relaxed), 1, "those that waited together are one question");
    app.time_passes_until("2026-02-02T00:00").await;
    assert_eq!(asked.load(Ordering::Relaxed), 1, "and nobody goes on asking");
    assert_eq!(app.count("billing.webhook").await, 1);
}

#[tokio::test]
async fn a_webhook_that_comes_again_while_it_is_acted_on_is_acted_on_once_more() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let payment = app.approved()[0].clone();
    let body = forged(&json!(payment.order_id)).replace("tgen_forged", &payment.payment_key);
    assert_eq!(app.webhook("whtrans_1", &body).await.status, 200);
    let (is_asking, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (asking, going) = (Arc::clone(&is_asking), Arc::clone(&go_on));
    app.provider.on_find(move |real, payment_key: String| {
        let (asking, going) = (Arc::clone(&asking), Arc::clone(&going));
        async move {
            let shown = real.find(&payment_key).await;
            asking.notify_one();
            going.notified().await;
            shown
        }
    });
    let meanwhile = async {
        is_asking.notified().await;
        app.provider.is_itself_again();
        app.cancels_at_the_console(&payment.payment_key, Some(9_000)).await;
        app.pass(TimeDelta::seconds(1));
        assert_eq!(app.webhook("whtrans_1", &body).await.status, 200);
        go_on.notify_one();
    };
    let (acted, ()) = tokio::join!(app.app.billing.act_on_webhooks(), meanwhile);
    acted.expect("the webhooks are acted on");
    app.app.billing.act_on_webhooks().await.expect("the webhooks are acted on");
    assert_eq!(app.each_payments("status").await, ["PARTIAL_REFUNDED"]);
}

#[tokio::test]
async fn a_flood_of_forged_orders_delays_nobodys_real_webhook() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Confirm));
    assert_eq!(pays_once(&app).await.status, 202);
    for number in 0..40 {
        let body = forged(&json!(format!("dg_invented_{number}")));
        assert_eq!(app.webhook(&format!("whtrans_{number}"), &body).await.status, 200);
    }
    // They were looked for here often enough: the provider is asked about them next.
    app.sql("update billing.webhook set tries = 8").await;
    app.pass(TimeDelta::seconds(6));
    app.deliver(&app.sandbox.webhooks()).await;
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&asked);
    app.provider.on_find_by_order(move |real, order_id: String| {
        noted.lock().expect("nobody panicked").push(order_id.clone());
        async move { real.find_by_order(&order_id).await }
    });
    app.app.billing.act_on_webhooks().await.expect("the webhooks are acted on");
    assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
    let asked = asked.lock().expect("nobody panicked");
    assert_eq!((asked.len(), &asked[0]), (41, &app.approved()[0].order_id), "the real one first");
}

#[tokio::test]
async fn what_was_acted_on_is_forgotten_after_a_quarter_and_a_repeat_after_that_changes_nothing() {
    let app = TestApp::start().await;
    pays_once(&app).await.data();
    app.deliver(&app.sandbox.webhooks()).await;
    app.sweep().await;
    let paid = app.payments().await;
    app.pass(TimeDelta::days(89));
    app.sweep().await;
    assert_eq!(app.count("billing.webhook").await, 1);
    app.pass(TimeDelta::days(2));
    app.sweep().await;
    assert_eq!(app.count("billing.webhook").await, 0);
    app.deliver(&app.sandbox.webhooks()).await;
    app.sweep().await;
    assert_eq!(app.payments().await, paid);
    assert_eq!((app.count("billing.webhook").await, app.provider_totals()), (1, (29_000, 0)));
}

#[tokio::test]
async fn a_webhook_that_overtakes_the_answer_changes_nothing() {
    let app = TestApp::start().await;
    app.listens().await;
    let early = TossSwitches { webhook_timing: WebhookTiming::BeforeAnswer, ..TossSwitches::default() };
    app.sandbox.set_toss_switches(early);
    assert_eq!(pays_once(&app).await.data()["status"], "SUCCESS");
    let webhooks = app.sandbox.webhooks();
    assert!(webhooks[0].is_delivered(), "{:?}", webhooks[0].attempts);
    let expected = state(&app).await;
    app.time_passes_until("2026-02-02T00:00").await;
    assert_eq!(state(&app).await, expected);
    assert_eq!(app.provider_totals(), (29_000, 0));
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 0, "all are dealt with");
}

#[tokio::test]
async fn a_webhook_acted_on_before_the_answer_waits_for_it() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Confirm));
    assert_eq!(pays_once(&app).await.status, 202);
    app.deliver(&app.sandbox.webhooks()).await;
    // The asker may still be waiting: for a moment it is left alone.
    app.app.billing.act_on_webhooks().await.expect("the webhooks are acted on");
    assert_eq!(app.each_payments("status").await, ["PROCESSING"]);
    app.pass(TimeDelta::seconds(31));
    app.app.billing.act_on_webhooks().await.expect("the webhooks are acted on");
    assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
}

#[tokio::test]
async fn a_webhook_settles_what_is_open_without_waiting_for_its_time() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Confirm));
    assert_eq!(pays_once(&app).await.status, 202);
    app.pass(TimeDelta::seconds(6));
    app.sweep().await;
    assert_eq!(app.each_payments("status").await, ["PROCESSING"], "its time has not come");
    app.deliver(&app.sandbox.webhooks()).await;
    app.sweep().await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
    assert_eq!(app.current().await["status"], "NON_RENEWING");
    assert_eq!(app.provider_totals(), (29_000, 0));
}

#[tokio::test]
async fn webhooks_that_arrive_at_once_are_stored_once_each_and_wake_the_worker_once() {
    let app = TestApp::start().await;
    let body = forged(&json!("dg_nobody_knows"));
    let deliveries: Vec<_> = (0..40).map(|number| format!("whtrans_{}", number % 30)).collect();
    let answers = join_all(deliveries.iter().map(|delivery| app.webhook(delivery, &body))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(app.count("billing.webhook").await, 30);
    assert_eq!(app.count("graphile_worker.jobs where task_identifier = 'act_on_webhooks'").await, 1);
}

#[tokio::test]
async fn a_webhook_that_cannot_be_stored_holds_up_no_other() {
    let app = TestApp::start().await;
    let refusal = "alter table billing.webhook add check (delivery_id <> 'whtrans_7')";
    sqlx::query(refusal).execute(&app.superuser().await).await.expect("the check is added");
    let body = forged(&json!("dg_nobody_knows"));
    let deliveries: Vec<_> = (0..20).map(|number| format!("whtrans_{number}")).collect();
    let answers = join_all(deliveries.iter().map(|delivery| app.webhook(delivery, &body))).await;
    for (number, answer) in answers.iter().enumerate() {
        assert_eq!(answer.status, if number == 7 { 500 } else { 200 }, "{number}");
    }
    assert_eq!(app.count("billing.webhook").await, 19);
}

#[tokio::test]
async fn a_forged_webhook_does_not_pay_an_order() {
    let app = TestApp::start().await;
    app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await.data();
    let expected = state(&app).await;
    let order_id = app.payments().await[0]["orderId"].clone();
    assert_eq!(app.webhook("whtrans_forged", &forged(&order_id)).await.status, 200);
    app.sweep().await;
    assert_eq!(state(&app).await, expected);
    assert_eq!(app.each_payments("status").await, ["REQUESTED"]);
}

#[tokio::test]
async fn a_forged_webhook_does_not_settle_an_open_payment() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(Fault::new(FaultKind::Refuse).on(Operation::Charge).until_cleared());
    let answer = app.owner().post("/api/payments/billing-key", app.registration("BASIC", Card::Good)).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    let order_id = app.payments().await[0]["orderId"].clone();
    for number in 0..3 {
        app.pass(TimeDelta::seconds(31));
        app.webhook(&format!("whtrans_forged_{number}"), &forged(&order_id)).await;
        app.app.billing.act_on_webhooks().await.expect("the webhooks are acted on");
        assert_eq!(app.each_payments("status").await, ["PROCESSING"]);
    }
    assert_eq!((&app.current().await["plan"], app.charges()), (&json!("FREE"), 0));
    // Its real outcome is not spoiled either.
    app.sandbox.clear_faults();
    app.time_passes_until("2026-02-01T12:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
    assert_eq!(app.provider_totals(), (29_000, 0));
}

#[tokio::test]
async fn a_forged_cancel_gives_nothing_back() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let order_id = app.payments().await[0]["orderId"].clone();
    let data = json!({
        "orderId": order_id, "status": "CANCELED",
        "cancels": [{"cancelAmount": 29_000, "transactionKey": "forged", "canceledAt": "2026-02-01T09:00:00+09:00"}],
    });
    let body = json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": data}).to_string();
    assert_eq!(app.webhook("whtrans_forged", &body).await.status, 200);
    app.sweep().await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
    assert_eq!(app.current().await["status"], "ACTIVE");
}

#[tokio::test]
async fn webhooks_about_one_payment_make_us_ask_a_few_times_a_minute_and_none_is_lost() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let payment = app.approved()[0].clone();
    let asked = counts_questions(&app);
    // A payer knows the order id, and may make up the rest.
    for number in 0..20 {
        let data =
            json!({"orderId": payment.order_id, "paymentKey": format!("tgen_{number}"), "status": "DONE"});
        let body = json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": data}).to_string();
        assert_eq!(app.webhook(&format!("whtrans_{number}"), &body).await.status, 200);
    }
    app.cancels_at_the_console(&payment.payment_key, Some(9_000)).await;
    app.deliver(&app.sandbox.webhooks()).await;
    app.sweep().await;
    assert_eq!(asked.load(Ordering::Relaxed), 5);
    app.pass(TimeDelta::seconds(30));
    app.sweep().await;
    assert_eq!(asked.load(Ordering::Relaxed), 5, "the minute is not over");
    app.time_passes_until("2026-02-01T09:00").await;
    assert_eq!(app.each_payments("status").await, ["PARTIAL_REFUNDED"]);
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 0, "all had their turn");
}

/// How often the provider is asked about a payment.
fn counts_questions(app: &TestApp) -> Arc<AtomicUsize> {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    app.provider.on_find(move |real, payment_key: String| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move { real.find(&payment_key).await }
    });
    asked
}

#[tokio::test]
async fn webhooks_about_invented_orders_make_us_ask_a_limited_number_of_times_a_minute() {
    let app = TestApp::start().await;
    let asked: Arc<Mutex<Vec<DateTime<Utc>>>> = Arc::default();
    let (noted, clock) = (Arc::clone(&asked), app.clock.clone());
    app.provider.on_find_by_order(move |real, order_id: String| {
        noted.lock().expect("nobody panicked").push(clock.now());
        async move { real.find_by_order(&order_id).await }
    });
    for number in 0..150 {
        let body = forged(&json!(format!("dg_invented_{number}")));
        assert_eq!(app.webhook(&format!("whtrans_{number}"), &body).await.status, 200);
    }
    app.time_passes_until("2026-02-03T00:00").await;
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 0, "all had their turn");
    let asked = asked.lock().expect("nobody panicked");
    assert_eq!(asked.len(), 150);
    for turn in [60, 120] {
        let pause = asked[turn] - asked[turn - 60];
        assert!(pause > TimeDelta::seconds(59), "question {turn} came {pause} after the sixtieth before it");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_parsed() {
    let app = TestApp::start().await;
    // No provider could make anything of it, which nobody gets to find out.
    let body = vec![b'{'; 1024 * 1024 + 1];
    for provider in ["toss", "portone", "kcp", "bootpay"] {
        let path = format!("/api/webhooks/{provider}");
        app.anonymous().send(Method::POST, &path, Some(body.clone())).await.problem(413, "BODY_TOO_LARGE");
    }
    assert_eq!(app.count("billing.webhook").await, 0);
}

#[tokio::test]
async fn a_webhook_about_a_failed_payment_is_looked_into_and_changes_nothing_that_is_right() {
    let app = TestApp::start().await;
    let order = app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await;
    let order_id = order.data()["orderId"].as_str().expect("an order id").to_owned();
    let payment_key = app.pays_in_the_window(&order_id, 29_000, Card::InsufficientFunds);
    let confirmation = json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000});
    let declined = app.owner().post("/api/payments/toss/confirm", confirmation).await;
    declined.problem(402, "CARD_DECLINED");
    let expected = state(&app).await;
    app.deliver(&app.sandbox.webhooks()).await;
    // Strikes whoever looks the payment up: as long as nobody could, the webhook is not done with.
    app.sandbox.add_fault(Fault::new(FaultKind::Refuse).on(Operation::Lookup));
    app.sweep().await;
    assert_eq!(app.sandbox.faults(), [], "the provider was asked");
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 1);
    app.time_passes_until("2026-02-01T12:00").await;
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 0);
    assert_eq!(state(&app).await, expected);
    assert_eq!((app.each_payments("status").await, app.charges()), (vec![json!("FAILED")], 0));
}

#[tokio::test]
async fn news_that_nobody_understands_are_kept() {
    let app = TestApp::start().await;
    for kind in ["METHOD_UPDATED", "SOMETHING_NEW"] {
        let answer = app.webhook(kind, &json!({"eventType": kind, "data": {"a": 1}}).to_string()).await;
        assert_eq!(answer.status, 200);
    }
    let unknown_order = forged(&json!("dg_nobody_knows"));
    assert_eq!(app.webhook("whtrans_unknown_order", &unknown_order).await.status, 200);
    app.time_passes_until("2026-02-03T00:00").await;
    assert_eq!(app.count("billing.webhook").await, 3);
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 0, "put aside in the end");
}

#[tokio::test]
async fn what_is_no_webhook_is_refused() {
    let app = TestApp::start().await;
    for body in
        ["", "{", "[]", "<html>", r#"{"orderId":"order-1"}"#, r#"{"eventType":"PAYMENT_STATUS_CHANGED"}"#]
    {
        app.webhook("whtrans_1", body).await.problem(400, "MALFORMED_WEBHOOK");
    }
    let somebody = app.anonymous().post("/api/webhooks/paypal", json!({"eventType": "X"})).await;
    somebody.problem(404, "NOT_FOUND");
    assert_eq!(app.count("billing.webhook").await, 0);
}

#[tokio::test]
async fn a_key_that_the_provider_deleted_is_not_charged_again() {
    let app = TestApp::start().await;
    let started = app.subscribed().await;
    let key = app.billing_key(&started["billingKey"]).await;
    let url = format!("{}/v1/billing/{}", app.sandbox.toss_base_url(), key.expose_secret());
    let deletion = reqwest::Client::new().delete(url).basic_auth("test_sk_console", Some("")).send().await;
    assert_eq!(deletion.expect("the provider answers").status(), 200);
    app.deliver(&app.sandbox.webhooks()).await;
    app.sweep().await;
    let current = app.current().await;
    assert_eq!(
        (&current["status"], &current["paymentMethod"]["isUsable"]),
        (&json!("ACTIVE"), &json!(false))
    );

    app.time_passes_until("2026-03-01T10:00").await;
    assert_eq!(app.current().await["status"], "PAST_DUE");
    assert_eq!(app.sandbox.book().len(), 1, "the renewal was not sent");
    assert_eq!(app.story().await[2..], ["payment_method.unusable", "subscription.past_due"]);
    let replacement = json!({"authKey": app.auth_key(Card::Good), "customerKey": "user_1"});
    app.owner().put("/api/subscriptions/payment-method", replacement).await.data();
    assert_eq!((&app.current().await["status"], app.charges()), (&json!("ACTIVE"), 2));
}

#[tokio::test]
async fn the_deletion_of_a_key_that_nobody_holds_changes_nothing() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let body = json!({"eventType": "BILLING_DELETED", "data": {"billingKey": "guessed=", "reason": null}});
    assert_eq!(app.webhook("whtrans_forged", &body.to_string()).await.status, 200);
    app.sweep().await;
    assert_eq!(app.current().await["paymentMethod"]["isUsable"], true);
    app.time_passes_until("2026-03-01T10:00").await;
    assert_eq!(app.charges(), 2);
}

/// Where bodies are forms, it may hide behind the percent sign.
#[tokio::test]
async fn a_character_that_no_id_has_is_refused_and_no_error_of_ours() {
    let app = TestApp::start().await;
    let site = "site_cd=A52Q7&tno=26112000000001&order_no=ORDER1&tx_cd=TX00";
    for (provider, form) in [
        ("kcp", format!("{site}&noti_id=N%001")),
        ("bootpay", "receipt_id=65f0&order_id=SUB2026&status=20&cancelled_price=1%00".to_owned()),
    ] {
        let path = format!("/api/webhooks/{provider}");
        let answer = app.anonymous().send(Method::POST, &path, Some(form.into_bytes())).await;
        answer.problem(400, "MALFORMED_WEBHOOK");
    }
    assert_eq!(app.count("billing.webhook").await, 0);
}

/// What else is answered comes again, for days.
#[tokio::test]
async fn each_provider_is_answered_as_it_wants_to_be() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    let api = |provider: &str| Some(format!("http://{address}/api/webhooks/{provider}"));
    app.sandbox.set_portone_webhook_url(api("portone"));
    app.sandbox.set_kcp_webhook_url(api("kcp"));
    app.sandbox.set_bootpay_webhook_url(api("bootpay"));
    for (path, order) in [
        ("toss/webhooks", json!({"eventType": "BILLING_DELETED", "data": {"billingKey": "nobodys"}})),
        ("portone/webhooks", json!({"type": "BillingKey.Issued", "data": {}})),
        ("kcp/notifications", json!({"txCd": "TX00", "orderNo": "dgnobodys", "tno": "26112000000001"})),
        (
            "bootpay/webhooks",
            json!({"body": {"receipt_id": "nobodys", "order_id": "dgnobodys", "status": 1}}),
        ),
    ] {
        let url = format!("{}/_sandbox/{path}", app.sandbox.base_url());
        let sent = reqwest::Client::new().post(url).json(&order).send().await.expect("the sandbox answers");
        let sent: Value = sent.json().await.expect("what came of it");
        assert_eq!(sent["delivered"], true, "{path}: {sent}");
    }
}
