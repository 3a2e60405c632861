//! What the pages of the shop's admin read.

use platform::Role;
use serde_json::{Value, json};
use testkit::{Actor, Card, TestApp};

fn ids(list: &Value) -> Vec<i64> {
    let entries = list.as_array().expect("a list");
    entries.iter().filter_map(|entry| entry["paymentId"].as_i64()).collect()
}

async fn listed(actor: &Actor, query: &str) -> Vec<i64> {
    ids(actor.get(&format!("/api/payments?{query}")).await.data())
}

/// Business 1 was declined once (101), then paid February to May (102 to 105) and got April back.
async fn with_a_history() -> TestApp {
    let app = TestApp::start().await;
    let declined = app.registration("BASIC", Card::InsufficientFunds);
    app.owner().post("/api/payments/billing-key", declined).await.problem(402, "CARD_DECLINED");
    app.subscribed().await;
    app.time_passes_until("2026-05-01T10:00").await;
    app.owner().post("/api/payments/104/refund", json!({"reason": "고객 요청"})).await.data();
    app
}

#[tokio::test]
async fn payments_are_read_page_by_page_newest_first() {
    let app = with_a_history().await;
    let owner = app.owner();
    let mut path = "/api/payments?limit=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = owner.get(&path).await;
        pages.push(ids(page.data()));
        let Some(cursor) = page.body["page"]["nextCursor"].as_str() else { break };
        path = format!("/api/payments?limit=2&cursor={cursor}");
    }
    assert_eq!(pages, [vec![105, 104], vec![103, 102], vec![101]]);
    // What is added meanwhile does not shift the pages that follow.
    let first = owner.get("/api/payments?limit=2").await;
    app.time_passes_until("2026-06-01T10:00").await;
    let cursor = first.body["page"]["nextCursor"].as_str().expect("a cursor");
    assert_eq!(listed(&owner, &format!("limit=2&cursor={cursor}")).await, [103, 102]);
}

#[tokio::test]
async fn payments_are_found_by_status() {
    let app = with_a_history().await;
    let owner = app.owner();
    assert_eq!(listed(&owner, "status=FAILED").await, [101]);
    assert_eq!(listed(&owner, "status=SUCCESS").await, [105, 103, 102]);
    assert_eq!(listed(&owner, "status=REFUNDED").await, [104]);
    assert!(listed(&owner, "status=PROCESSING").await.is_empty());
    assert_eq!(listed(&owner, "status=SUCCESS&startDate=2026-03-01&limit=1").await, [105]);
}

#[tokio::test]
async fn payments_are_found_by_korean_days() {
    let app = with_a_history().await;
    let owner = app.owner();
    // Half past eight in the morning of 1 February in Korea is still January by UTC.
    assert_eq!(listed(&owner, "startDate=2026-02-01&endDate=2026-02-01").await, [102, 101]);
    assert!(listed(&owner, "endDate=2026-01-31").await.is_empty());
    assert_eq!(listed(&owner, "startDate=2026-04-01").await, [105, 104]);
    assert_eq!(listed(&owner, "startDate=2026-02-02&endDate=2026-04-01").await, [104, 103]);
    assert!(listed(&owner, "startDate=2026-05-02").await.is_empty());
}

#[tokio::test]
async fn a_question_that_makes_no_sense_is_refused() {
    let app = with_a_history().await;
    for (query, code) in [
        ("limit=0", "INVALID_PARAMETER"),
        ("limit=101", "INVALID_PARAMETER"),
        ("limit=many", "INVALID_PARAMETER"),
        ("status=PAID", "INVALID_PARAMETER"),
        ("startDate=2026-02-30", "INVALID_PARAMETER"),
        ("startDate=2026-03-02&endDate=2026-03-01", "INVALID_PARAMETER"),
        ("cursor=***", "INVALID_CURSOR"),
    ] {
        app.owner().get(&format!("/api/payments?{query}")).await.problem(400, code);
    }
}

#[tokio::test]
async fn a_payment_shows_what_it_paid_for_and_with_which_card() {
    let app = with_a_history().await;
    let payment = app.owner().get("/api/payments/103").await;
    let expected = json!({
        "paymentId": 103, "provider": "TOSS", "reason": "RENEWAL", "plan": "BASIC", "billingCycle": "MONTHLY",
        "amount": 29_000, "supplyAmount": 26_364, "vatAmount": 2_636, "refundedAmount": 0, "status": "SUCCESS",
        "cardCompany": "삼성카드", "cardNumber": "****-****-****-000*", "failure": null,
        "period": {"from": "2026-03-01", "until": "2026-04-01"}, "refunds": [],
    });
    for (member, value) in expected.as_object().expect("members") {
        assert_eq!(&payment.data()[member], value, "{member}");
    }
    assert!(payment.data()["receiptUrl"].is_string());
    assert!(payment.data()["requestedAt"].as_str().is_some_and(|at| at.ends_with("+09:00")));
    assert_eq!(payment.data()["attempts"][0]["paymentId"], 103);
}

#[tokio::test]
async fn a_payment_shows_the_other_attempts_and_its_refunds() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.card_becomes(Card::InsufficientFunds);
    app.time_passes_until("2026-03-04T09:00").await;
    app.card_becomes(Card::Good);
    app.time_passes_until("2026-03-04T10:00").await;
    let part = json!({"amount": 9_000, "reason": "부분 환불 요청"});
    app.owner().patch("/api/payments/103/partial-refund", part).await.data();

    let payment = app.owner().get("/api/payments/103").await;
    let attempts = payment.data()["attempts"].as_array().expect("a list");
    let told: Vec<_> =
        attempts.iter().map(|attempt| (ids(&json!([attempt]))[0], &attempt["status"])).collect();
    assert_eq!(told, [(102, &json!("FAILED")), (103, &json!("PARTIAL_REFUNDED"))]);
    assert_eq!(attempts[0]["failure"]["providerCode"], "REJECT_CARD_PAYMENT");
    assert_ne!(attempts[0]["orderId"], attempts[1]["orderId"]);
    let refund = &payment.data()["refunds"][0];
    assert_eq!((&refund["amount"], &refund["status"]), (&json!(9_000), &json!("SUCCESS")));
    assert_eq!(refund["reason"], "부분 환불 요청");
    // From the failed attempt one sees the same story.
    let failed = app.owner().get("/api/payments/102").await;
    assert_eq!(failed.data()["attempts"], payment.data()["attempts"]);
    assert_eq!(failed.data()["refunds"], json!([]));
}

#[tokio::test]
async fn what_is_past_due_has_a_next_attempt_and_no_next_payment() {
    let app = TestApp::start().await;
    app.subscribed().await;
    assert_eq!(app.current().await["nextPaymentDate"], "2026-03-01");
    app.card_becomes(Card::InsufficientFunds);
    app.time_passes_until("2026-03-01T12:00").await;
    let current = app.current().await;
    assert_eq!((&current["status"], &current["nextPaymentDate"]), (&json!("PAST_DUE"), &Value::Null));
    assert_eq!(current["openInvoice"]["nextAttemptAt"], "2026-03-04T10:00:00+09:00");
    app.card_becomes(Card::Good);
    app.time_passes_until("2026-03-04T10:00").await;
    let current = app.current().await;
    assert_eq!((&current["nextPaymentDate"], &current["openInvoice"]), (&json!("2026-04-01"), &Value::Null));
}

#[tokio::test]
async fn the_payment_of_another_business_does_not_exist() {
    let app = with_a_history().await;
    app.owner_of(2).get("/api/payments/102").await.problem(404, "NOT_FOUND");
    app.owner().get("/api/payments/999").await.problem(404, "NOT_FOUND");
    app.owner().get("/api/payments/first").await.problem(404, "NOT_FOUND");
    assert!(listed(&app.owner_of(2), "").await.is_empty());
}

#[tokio::test]
async fn the_price_list_is_public_and_cheapest_first() {
    let app = TestApp::start().await;
    let plans = app.anonymous().get("/api/plans").await;
    let plans = plans.data().as_array().expect("a list");
    let prices: Vec<_> =
        plans.iter().map(|plan| (&plan["code"], &plan["monthlyAmount"], &plan["yearlyAmount"])).collect();
    assert_eq!(
        json!(prices),
        json!([
            ["FREE", 0, null],
            ["PERSONAL", 7_900, 94_800],
            ["BASIC", 29_000, 290_000],
            ["PRO", 59_000, 590_000],
            ["ENTERPRISE", 149_000, 1_490_000],
        ])
    );
    assert_eq!(plans[3]["features"], json!(["EXPORTS", "CRM"]));
    assert_eq!(plans[3]["dunning"], json!({"retryDays": [3, 7], "whenExhausted": "DOWNGRADE"}));
}

#[tokio::test]
async fn a_caller_learns_who_they_are() {
    let app = TestApp::start().await;
    let owner = app.owner().get("/api/me").await;
    assert_eq!(owner.data()["platformAdmin"], false);
    assert_eq!(
        owner.data()["businesses"],
        json!([{
            "businessId": 1, "name": "미소헤어", "role": "OWNER",
            "permissions": [
                "tenant:billing", "tenant:reports", "tenant:exports", "tenant:crm", "tenant:booking",
                "tenant:personal-data", "tenant:audit",
            ],
        }])
    );
    let staff = app.member(2, Role::Staff).get("/api/me").await;
    assert_eq!(staff.data()["businesses"][0]["permissions"], json!(["tenant:booking"]));
    let admin = app.platform_admin().get("/api/me").await;
    assert_eq!((&admin.data()["platformAdmin"], &admin.data()["businesses"]), (&json!(true), &json!([])));
    app.anonymous().get("/api/me").await.problem(401, "AUTHENTICATION_REQUIRED");
    app.signed_out_owner().get("/api/me").await.problem(401, "TOKEN_EXPIRED");
}

#[tokio::test]
async fn an_owner_of_several_says_which_business_is_meant() {
    let app = TestApp::start().await;
    let owner = app.owner_of_all(&[1, 2]);
    owner.get("/api/subscriptions/current").await.problem(400, "BUSINESS_REQUIRED");
    let registration = app.registration("BASIC", Card::Good);
    let second = owner.clone().with_header("X-Business-Id", "2");
    second.post("/api/payments/billing-key", registration).await.data();
    let current = second.get("/api/subscriptions/current").await;
    assert_eq!(current.data()["plan"], "BASIC");
    let first = owner.clone().with_header("X-Business-Id", "1");
    assert_eq!(first.get("/api/subscriptions/current").await.data()["plan"], "FREE");
    let strange = owner.with_header("X-Business-Id", "3");
    strange.get("/api/subscriptions/current").await.problem(403, "PERMISSION_REQUIRED");
}

#[tokio::test]
async fn only_the_owner_sees_the_money() {
    let app = with_a_history().await;
    for role in [Role::Manager, Role::Staff, Role::Customer] {
        app.member(1, role).get("/api/payments").await.problem(403, "PERMISSION_REQUIRED");
    }
}

#[tokio::test]
async fn events_are_read_page_by_page_newest_first() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.time_passes_until("2026-03-01T10:00").await;
    let page = app.owner().get("/api/subscriptions/current/events?limit=2").await;
    let kinds = |list: &Value| {
        list.as_array().expect("a list").iter().map(|event| event["type"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(kinds(page.data()), ["payment.succeeded", "subscription.started"]);
    assert_eq!(page.data()[0]["data"]["reason"], "RENEWAL");
    assert_eq!(page.data()[0]["data"]["nextPaymentDate"], "2026-04-01");
    let cursor = page.body["page"]["nextCursor"].as_str().expect("a cursor");
    let rest = app.owner().get(&format!("/api/subscriptions/current/events?cursor={cursor}")).await;
    assert_eq!(kinds(rest.data()), ["payment.succeeded"]);
    assert_eq!(rest.body["page"]["nextCursor"], Value::Null);
}
