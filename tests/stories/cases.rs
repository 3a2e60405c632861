//! What the machine cannot settle, and what people decide about it.

mod amounts;
mod late;
mod paid;
mod refunds;
mod unanswered;
mod unasked;
mod unknown;

use serde_json::{Value, json};
use testkit::{Charge, Decline, DeclineClass, Outcome, TestApp};

async fn subscribed() -> TestApp {
    let app = TestApp::start().await;
    app.subscribed().await;
    app
}

/// The provider takes the money, and says that it does not.
fn takes_it_and_says_no(app: &TestApp) {
    app.provider.on_charge(async |real, charge: Charge| {
        real.charge(&charge).await;
        Outcome::Declined(Decline {
            class: DeclineClass::RetryLater,
            code: "REJECT_CARD_PAYMENT".to_owned(),
            message: "한도초과 혹은 잔액부족으로 결제에 실패했습니다.".to_owned(),
        })
    });
}

/// The provider tells that something happened to an order.
async fn hears_of(app: &TestApp, order_id: &Value, delivery: &str) {
    let data = json!({"orderId": order_id, "status": "DONE"});
    let body = json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": data}).to_string();
    assert_eq!(app.webhook(delivery, &body).await.status, 200);
    app.sweep().await;
}

/// The renewal of 1 March was taken, called declined, and is heard of; its case.
async fn with_a_late_approval() -> (TestApp, Value) {
    let app = subscribed().await;
    takes_it_and_says_no(&app);
    app.time_passes_until("2026-03-01T10:00").await;
    app.provider.is_itself_again();
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED"]);
    assert_eq!(app.current().await["status"], "PAST_DUE");
    hears_of(&app, &app.payments().await[1]["orderId"], "whtrans_late").await;
    let case = app.the_case().await;
    (app, case)
}

/// Whoever resolved it died before the case could say so.
async fn forgets_the_decision(app: &TestApp) {
    app.sql(
        "update billing.operator_case
         set status = 'OPEN', resolution = null, resolution_note = null, resolved_by = null, resolved_at = null",
    )
    .await;
}

#[tokio::test]
async fn a_case_tells_what_was_found_and_what_can_be_decided() {
    let (app, case) = with_a_late_approval().await;
    let payment = &app.payments().await[1];
    let charge = &app.approved()[1];
    assert_eq!((&case["kind"], &case["status"]), (&json!("LATE_APPROVAL"), &json!("OPEN")));
    assert_eq!((&case["provider"], &case["businessId"]), (&json!("TOSS"), &json!(1)));
    assert_eq!((&case["paymentId"], &case["refundId"]), (&payment["paymentId"], &Value::Null));
    assert_eq!(
        (&case["orderId"], &case["paymentKey"]),
        (&json!(charge.order_id), &json!(charge.payment_key))
    );
    assert_eq!((&case["ourAmount"], &case["theirAmount"]), (&json!(29_000), &json!(29_000)));
    assert_eq!(case["possibleResolutions"], json!(["ADOPT", "REFUND", "WRITE_OFF"]));
    assert!(!case["evidence"].as_str().expect("a text").is_empty());
    let path = format!("/api/admin/cases/{}", case["caseId"].as_str().expect("an id"));
    assert_eq!(app.platform_admin().get(&path).await.data(), &case);
}

#[tokio::test]
async fn who_decided_and_why_is_kept() {
    let (app, case) = with_a_late_approval().await;
    let who = app.platform_admin();
    let me = who.get("/api/me").await.data()["subject"].clone();
    let path = format!("/api/admin/cases/{}/resolve", case["caseId"].as_str().expect("an id"));
    let decision = json!({"resolution": "WRITE_OFF", "reason": "  결제사에서 별도로 정산하기로 함\n"});
    let resolved = who.post(&path, decision).await.data().clone();
    assert_eq!((&resolved["status"], &resolved["resolution"]), (&json!("RESOLVED"), &json!("WRITE_OFF")));
    assert_eq!(resolved["resolutionNote"], "결제사에서 별도로 정산하기로 함");
    assert_eq!(resolved["resolvedBy"], me);
    assert!(
        resolved["resolvedAt"].as_str().is_some_and(|at| at.starts_with("2026-03-01T10:0")),
        "{resolved}"
    );
    assert_eq!(resolved["possibleResolutions"], json!([]));
    assert_eq!(app.the_case().await, resolved);
}

#[tokio::test]
async fn a_case_is_decided_once() {
    let (app, case) = with_a_late_approval().await;
    app.decides(&case, "ADOPT").await.data();
    for resolution in ["ADOPT", "REFUND", "WRITE_OFF"] {
        app.decides(&case, resolution).await.problem(409, "CASE_RESOLVED");
    }
    assert_eq!(app.the_case().await["resolution"], "ADOPT");
    assert_eq!(app.provider_totals(), (58_000, 0));
}

#[tokio::test]
async fn a_decision_needs_a_reason() {
    let (app, case) = with_a_late_approval().await;
    for reason in ["", "  ", "\u{3000}", &"가".repeat(501)] {
        let decision = json!({"resolution": "WRITE_OFF", "reason": reason});
        let problem = app.decides_about(&case, decision).await;
        assert_eq!(problem.problem(422, "VALIDATION_FAILED")["errors"][0]["field"], "reason");
    }
    let card = json!({"resolution": "WRITE_OFF", "reason": "카드 4111-1111-1111-1111"});
    app.decides_about(&case, card).await.problem(400, "RAW_CARD_NUMBER_REFUSED");
    assert_eq!(app.the_case().await["status"], "OPEN");
    let longest = json!({"resolution": "WRITE_OFF", "reason": "가".repeat(500)});
    app.decides_about(&case, longest).await.data();
}

#[tokio::test]
async fn owners_neither_see_cases_nor_decide_them() {
    let (app, case) = with_a_late_approval().await;
    let path = format!("/api/admin/cases/{}", case["caseId"].as_str().expect("an id"));
    app.owner().get("/api/admin/cases").await.problem(403, "PERMISSION_REQUIRED");
    app.owner().get(&path).await.problem(403, "PERMISSION_REQUIRED");
    let decision = json!({"resolution": "ADOPT", "reason": "내가 결제했음"});
    app.owner().post(&format!("{path}/resolve"), decision).await.problem(403, "PERMISSION_REQUIRED");
    assert_eq!(app.the_case().await["status"], "OPEN");
}

#[tokio::test]
async fn a_case_that_does_not_exist_is_not_found() {
    let app = TestApp::start().await;
    let nobodys = json!({"caseId": "case_0199f6b2c0de7a52a0f1d2c3b4a59687"});
    app.decides(&nobodys, "REFUND").await.problem(404, "NOT_FOUND");
    app.platform_admin()
        .get("/api/admin/cases/case_0199f6b2c0de7a52a0f1d2c3b4a59687")
        .await
        .problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn cases_come_in_pages_newest_first_and_are_filtered() {
    let app = subscribed().await;
    app.sweep().await;
    for n in 1..=3 {
        app.charges_at_the_console(&format!("console-{n}"), 1_000 * n).await;
    }
    takes_it_and_says_no(&app);
    app.time_passes_until("2026-03-02T06:00").await;
    app.provider.is_itself_again();
    let all = app.cases().await;
    let kinds: Vec<_> = all.iter().map(|case| case["kind"].clone()).collect();
    assert_eq!(kinds, ["UNKNOWN_CHARGE", "UNKNOWN_CHARGE", "UNKNOWN_CHARGE", "LATE_APPROVAL"]);
    app.decides(&all[1], "WRITE_OFF").await.data();

    let admin = app.platform_admin();
    let ids = |answer: &testkit::Answer| -> Vec<Value> {
        let list = answer.data().as_array().expect("a list").iter();
        list.map(|case| case["caseId"].clone()).collect()
    };
    let (mut paged, mut query) = (Vec::new(), "?limit=3".to_owned());
    for pages_left in [true, false] {
        let page = admin.get(&format!("/api/admin/cases{query}")).await;
        paged.extend(ids(&page));
        let cursor = &page.body["page"]["nextCursor"];
        assert_eq!(cursor.is_string(), pages_left, "{}", page.body);
        query = format!("?limit=3&cursor={}", cursor.as_str().unwrap_or_default());
    }
    let newest_first: Vec<_> = all.iter().rev().map(|case| case["caseId"].clone()).collect();
    assert_eq!(paged, newest_first);
    for (query, expected) in [
        ("status=OPEN", vec![3, 2, 0]),
        ("status=RESOLVED", vec![1]),
        ("kind=LATE_APPROVAL", vec![3]),
        ("kind=UNKNOWN_CHARGE&status=OPEN", vec![2, 0]),
        ("kind=REFUND_UNKNOWN", vec![]),
    ] {
        let found = ids(&admin.get(&format!("/api/admin/cases?{query}")).await);
        let expected: Vec<_> = expected.into_iter().map(|n: usize| all[n]["caseId"].clone()).collect();
        assert_eq!(found, expected, "{query}");
    }
}
