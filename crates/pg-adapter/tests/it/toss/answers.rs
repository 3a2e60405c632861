//! What is made of what Toss says.

use chrono::NaiveDate;
use pg_adapter::{DeclineClass, Lookup, Outcome, PaymentGateway, TransactionKind};
use serde_json::{Value, json};

use super::canned::{
    BILLING_KEY, ORDER, PAYMENT, answering, cancel, canceled, charge, confirm, payment, refusal,
};
use crate::canned::{SILENCE, ok, raw};

fn with(field: &str, value: Value) -> Value {
    let mut payment = payment("DONE");
    payment[field] = value;
    payment
}

fn without(field: &str) -> Value {
    let mut payment = payment("DONE");
    payment.as_object_mut().unwrap().remove(field);
    payment
}

/// Everything that no gateway can understand, whatever it asked.
fn unclear() -> Vec<(&'static str, Vec<u8>)> {
    let whole = payment("DONE").to_string();
    let html = b"<html><body>502 Bad Gateway</body></html>";
    // 한도 in EUC-KR.
    let foreign =
        [b"{\"code\":\"REJECT_CARD_PAYMENT\",\"message\":\"".as_slice(), b"\xc7\xd1\xb5\xb5\"}"].concat();
    vec![
        ("no answer", Vec::new()),
        ("silence", SILENCE.to_vec()),
        ("not http", b"hello\r\n\r\n".to_vec()),
        ("half a head", b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        ("half a body", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"paymentKey\"".to_vec()),
        ("half a document", raw("200 OK", "", &whole.as_bytes()[..whole.len() / 2])),
        ("an empty 200", raw("200 OK", "", b"")),
        ("an html 200", raw("200 OK", "content-type: text/html\r\n", html)),
        ("a redirect", raw("302 Found", "location: /v1/elsewhere\r\n", b"")),
        ("an error page", raw("502 Bad Gateway", "content-type: text/html\r\n", html)),
        ("too many requests", raw("429 Too Many Requests", "", b"slow down")),
        ("an error without a code", raw("400 Bad Request", "", b"{\"message\":\"no\"}")),
        ("an error in another charset", raw("403 Forbidden", "", &foreign)),
        ("half an error", raw("403 Forbidden", "", b"{\"code\":\"REJECT_CARD_PAYMENT\",\"mess")),
        ("an unknown code", refusal(400, "SOMETHING_NEW")),
        ("a wrong url", refusal(404, "NOT_FOUND_HTTP_METHOD")),
        ("an internal error", refusal(500, "FAILED_INTERNAL_SYSTEM_PROCESSING")),
        ("a no from a broken server", refusal(500, "REJECT_CARD_PAYMENT")),
        ("still running", refusal(409, "IDEMPOTENT_REQUEST_PROCESSING")),
        ("called too often", refusal(403, "FORBIDDEN_CONSECUTIVE_REQUEST")),
        ("an error of the institution", refusal(400, "PROVIDER_ERROR")),
    ]
}

#[tokio::test]
async fn what_cannot_be_understood_is_unknown() {
    for (name, answer) in unclear() {
        let toss = answering([answer.clone()]).await;
        let outcome = toss.gateway.charge(&charge()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "charge, {name}: {outcome:?}");
        assert_eq!(toss.requests().len(), 1, "{name} is neither followed nor repeated");

        let toss = answering([answer.clone()]).await;
        let outcome = toss.gateway.confirm(&confirm()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "confirm, {name}: {outcome:?}");

        let toss = answering([ok(&payment("DONE")), answer.clone()]).await;
        let outcome = toss.gateway.cancel(&cancel()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "cancel, {name}: {outcome:?}");

        let toss = answering([answer]).await;
        let lookup = toss.gateway.find_by_order(ORDER).await;
        assert!(matches!(lookup, Lookup::Unknown(_)), "look-up, {name}: {lookup:?}");
    }
}

#[tokio::test]
async fn the_raw_code_is_kept_for_operators() {
    let toss = answering([refusal(400, "SOMETHING_NEW")]).await;
    let Outcome::Unknown(reason) = toss.gateway.charge(&charge()).await else { panic!() };
    assert!(reason.contains("SOMETHING_NEW") && reason.contains("400"), "{reason}");
}

#[tokio::test]
async fn an_accepted_charge_must_say_that_it_is_ours_and_done() {
    for body in [
        json!({}),
        json!([]),
        payment("READY"),
        payment("IN_PROGRESS"),
        payment("WAITING_FOR_DEPOSIT"),
        payment("SOMETHING_NEW"),
        with("orderId", json!("order-of-somebody-else")),
        with("totalAmount", json!(29_000.5)),
        with("totalAmount", json!("29000")),
        with("totalAmount", json!(-1)),
        with("totalAmount", json!(1e300)),
        with("currency", json!("USD")),
        with("approvedAt", json!("yesterday")),
        with("failure", json!({"code": "REJECT_CARD_PAYMENT", "message": "거절"})),
        with("cancels", json!([{"cancelAmount": 1}])),
        without("status"),
        without("orderId"),
        without("paymentKey"),
        without("totalAmount"),
    ] {
        let toss = answering([ok(&body)]).await;
        let outcome = toss.gateway.charge(&charge()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{body}: {outcome:?}");
    }
}

#[tokio::test]
async fn what_only_decorates_may_be_missing_or_odd() {
    for body in [
        with("totalAmount", json!(29_000.0)),
        with("approvedAt", json!("2026-11-20T10:00:06")),
        with("approvedAt", json!("2026-11-20T10:00:06.12345")),
        with("approvedAt", Value::Null),
        with("card", Value::Null),
        with("card", json!("현대카드")),
        with("card", json!({"issuerCode": "??", "number": null})),
        with("receipt", json!({})),
        with("failure", json!({})),
        with("type", json!("SOMETHING_NEW")),
        without("currency"),
        without("cancels"),
        without("card"),
        without("receipt"),
        without("version"),
    ] {
        let toss = answering([ok(&body)]).await;
        let Outcome::Approved(approval) = toss.gateway.charge(&charge()).await else { panic!("{body}") };
        assert_eq!(approval.amount, charge().amount);
        assert_eq!(approval.approved_at.timestamp() / 60, 1_795_136_400 / 60, "{body}");
    }
}

#[tokio::test]
async fn an_aborted_charge_is_declined() {
    let mut aborted = payment("ABORTED");
    aborted["failure"] = json!({"code": "INVALID_CARD_EXPIRATION", "message": "유효기간"});
    for (body, class) in [
        (aborted, DeclineClass::NewCard),
        (payment("ABORTED"), DeclineClass::RetryLater),
        (payment("EXPIRED"), DeclineClass::Temporary),
    ] {
        let toss = answering([ok(&body), ok(&body)]).await;
        let Outcome::Declined(decline) = toss.gateway.charge(&charge()).await else { panic!() };
        assert_eq!(decline.class, class);
        let Lookup::Failed(decline) = toss.gateway.find_by_order(ORDER).await else { panic!() };
        assert_eq!(decline.class, class);
    }
}

#[tokio::test]
async fn an_order_that_was_charged_before_is_looked_up() {
    let before = refusal(400, "DUPLICATED_ORDER_ID");
    let toss = answering([before.clone(), ok(&payment("DONE"))]).await;
    assert!(matches!(toss.gateway.charge(&charge()).await, Outcome::Approved(_)));
    assert!(toss.requests()[1].starts_with(&format!("GET /v1/payments/orders/{ORDER} ")));

    let toss = answering([before.clone(), ok(&payment("ABORTED"))]).await;
    assert!(matches!(toss.gateway.charge(&charge()).await, Outcome::Declined(_)));

    for second in
        [refusal(404, "NOT_FOUND_PAYMENT"), refusal(500, "COMMON_ERROR"), ok(&payment("READY")), Vec::new()]
    {
        let toss = answering([before.clone(), second]).await;
        assert!(matches!(toss.gateway.charge(&charge()).await, Outcome::Unknown(_)));
    }
}

#[tokio::test]
async fn a_payment_that_was_confirmed_before_counts_only_for_its_own_order() {
    let before = refusal(400, "ALREADY_PROCESSED_PAYMENT");
    let toss = answering([before.clone(), ok(&payment("DONE"))]).await;
    assert!(matches!(toss.gateway.confirm(&confirm()).await, Outcome::Approved(_)));

    let toss = answering([before.clone(), ok(&with("orderId", json!("order-long-paid")))]).await;
    let Outcome::Declined(decline) = toss.gateway.confirm(&confirm()).await else { panic!() };
    assert_eq!(decline.code, "ALREADY_PROCESSED_PAYMENT");

    let toss = answering([before, refusal(404, "NOT_FOUND_PAYMENT")]).await;
    assert!(matches!(toss.gateway.confirm(&confirm()).await, Outcome::Unknown(_)));

    // Paid through another window: the order is paid, once.
    let toss = answering([refusal(400, "DUPLICATED_ORDER_ID"), ok(&payment("DONE"))]).await;
    assert!(matches!(toss.gateway.confirm(&confirm()).await, Outcome::Approved(_)));
    assert!(toss.requests()[1].starts_with(&format!("GET /v1/payments/orders/{ORDER} ")));
}

#[tokio::test]
async fn a_cancel_that_finds_nothing_left_is_ours_or_declined() {
    for code in ["ALREADY_CANCELED_PAYMENT", "NOT_CANCELABLE_AMOUNT", "NOT_MATCHES_REFUNDABLE_AMOUNT"] {
        let look = ok(&payment("DONE"));
        let ours = ok(&canceled("고객 변심 (refund-1)"));
        let toss = answering([look.clone(), refusal(403, code), ours]).await;
        assert!(matches!(toss.gateway.cancel(&cancel()).await, Outcome::Approved(_)), "{code}");

        let theirs = ok(&canceled("고객 변심 (refund-2)"));
        let toss = answering([look.clone(), refusal(403, code), theirs]).await;
        let Outcome::Declined(decline) = toss.gateway.cancel(&cancel()).await else { panic!("{code}") };
        assert_eq!(decline.code, code);

        let toss = answering([look, refusal(403, code), Vec::new()]).await;
        assert!(matches!(toss.gateway.cancel(&cancel()).await, Outcome::Unknown(_)), "{code}");
    }
}

#[tokio::test]
async fn a_cancel_whose_reason_was_rewritten_is_the_latest_transaction() {
    let look = ok(&payment("DONE"));
    let toss = answering([look.clone(), ok(&canceled("고객 변심"))]).await;
    let Outcome::Approved(cancellation) = toss.gateway.cancel(&cancel()).await else { panic!() };
    assert_eq!(cancellation.reference.as_deref(), Some("refund-1"));

    let mut other_amount = canceled("고객 변심");
    other_amount["cancels"][0]["cancelAmount"] = json!(9_001);
    let mut running = canceled("고객 변심 (refund-1)");
    running["cancels"][0]["cancelStatus"] = json!("IN_PROGRESS");
    let mut other_payment = canceled("고객 변심 (refund-1)");
    other_payment["paymentKey"] = json!("somebody-elses");
    for body in [other_amount, running, other_payment, canceled("고객 변심 (refund-2)"), payment("DONE")]
    {
        let toss = answering([look.clone(), ok(&body)]).await;
        let outcome = toss.gateway.cancel(&cancel()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{body}: {outcome:?}");
    }
}

#[tokio::test]
async fn every_state_of_a_payment_has_its_word() {
    let look = async |body: Value| answering([ok(&body)]).await.gateway.find_by_order(ORDER).await;
    for status in ["DONE", "CANCELED", "PARTIAL_CANCELED"] {
        assert!(matches!(look(payment(status)).await, Lookup::Approved(_)), "{status}");
    }
    for status in ["READY", "IN_PROGRESS"] {
        assert!(matches!(look(payment(status)).await, Lookup::InProgress), "{status}");
    }
    let waiting = look(payment("WAITING_FOR_DEPOSIT")).await;
    assert!(matches!(&waiting, Lookup::AwaitingDeposit(key) if key == PAYMENT), "{waiting:?}");
    for status in ["ABORTED", "EXPIRED"] {
        assert!(matches!(look(payment(status)).await, Lookup::Failed(_)), "{status}");
    }
    assert!(matches!(look(payment("SOMETHING_NEW")).await, Lookup::Unknown(_)));

    let mut unpaid = payment("CANCELED");
    unpaid["approvedAt"] = Value::Null;
    unpaid["virtualAccount"] = json!({"accountNumber": "X1"});
    assert!(matches!(look(unpaid).await, Lookup::Failed(_)), "nobody ever paid into it");

    let Lookup::Approved(approval) = look(canceled("고객 변심 (refund-1)")).await else { panic!() };
    let [cancellation] = approval.cancellations.try_into().unwrap();
    assert_eq!(cancellation.reference.as_deref(), Some("refund-1"));
    let Lookup::Approved(approval) = look(canceled("콘솔에서 취소 (고객 요청)")).await else {
        panic!()
    };
    assert_eq!(approval.cancellations[0].reference, None);
}

#[tokio::test]
async fn only_one_code_means_that_there_is_no_such_payment() {
    for (status, code, found) in [
        (404, "NOT_FOUND_PAYMENT", false),
        (404, "NOT_FOUND_HTTP_METHOD", true),
        (404, "NOT_FOUND", true),
        (401, "UNAUTHORIZED_KEY", true),
    ] {
        let toss = answering([refusal(status, code)]).await;
        let lookup = toss.gateway.find_by_order(ORDER).await;
        assert_eq!(matches!(lookup, Lookup::Unknown(_)), found, "{code}: {lookup:?}");
        assert_eq!(matches!(lookup, Lookup::NotFound), !found, "{code}: {lookup:?}");
    }
}

#[tokio::test]
async fn a_deleted_key_is_told_from_a_wrong_url() {
    let delete = async |answer: Vec<u8>| {
        answering([answer]).await.gateway.delete_billing_key(&BILLING_KEY.to_owned().into()).await
    };
    for code in ["ALREADY_REMOVED_BILLING_KEY", "BILLING_KEY_NOT_FOUND", "NOT_FOUND_BILLING"] {
        assert!(matches!(delete(refusal(400, code)).await, Outcome::Approved(())), "{code}");
    }
    assert!(matches!(delete(refusal(404, "NOT_FOUND_HTTP_METHOD")).await, Outcome::Declined(_)));
    assert!(matches!(delete(refusal(404, "SOMETHING_NEW")).await, Outcome::Unknown(_)));
    assert!(matches!(delete(raw("404 Not Found", "", b"nginx")).await, Outcome::Unknown(_)));
    assert!(matches!(delete(raw("200 OK", "", b"<html></html>")).await, Outcome::Unknown(_)));
}

#[tokio::test]
async fn a_wrong_secret_key_is_our_bug() {
    for (status, code) in
        [(401, "UNAUTHORIZED_KEY"), (400, "INVALID_API_KEY"), (403, "INCORRECT_BASIC_AUTH_FORMAT")]
    {
        let toss = answering([refusal(status, code)]).await;
        let Outcome::Declined(decline) = toss.gateway.charge(&charge()).await else { panic!() };
        assert_eq!(decline.class, DeclineClass::OurBug);
    }
}

/// An earlier sending of the cancel may have arrived while the key was still right.
#[tokio::test]
async fn a_look_before_a_cancel_that_is_refused_says_nothing_about_the_cancel() {
    for code in ["UNAUTHORIZED_KEY", "FORBIDDEN_CONSECUTIVE_REQUEST", "NOT_FOUND_PAYMENT"] {
        let toss = answering([refusal(403, code)]).await;
        assert!(matches!(toss.gateway.cancel(&cancel()).await, Outcome::Unknown(_)), "{code}");
    }
}

#[tokio::test]
async fn a_row_of_the_transaction_list_is_money_that_moved() {
    let row = |status: &str, amount: i64, key: &str| {
        json!({
            "mId": "tshop0001", "transactionKey": key, "paymentKey": PAYMENT, "orderId": ORDER, "method": "카드",
            "customerKey": null, "useEscrow": false, "receiptUrl": "https://example.invalid", "status": status,
            "transactionAt": "2026-11-20T10:00:05+09:00", "currency": "KRW", "amount": amount,
        })
    };
    let day = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let list = async |rows: Value| answering([ok(&rows)]).await.gateway.transactions(day, None).await;

    // The sign of a cancel was never seen, and an account that waits for a deposit has a row of nothing.
    let rows = json!([
        row("DONE", 29_000, "t1"),
        row("PARTIAL_CANCELED", 9_000, "t2"),
        row("CANCELED", -20_000, "t3"),
        row("WAITING_FOR_DEPOSIT", 0, "t4"),
    ]);
    let page = list(rows).await.unwrap();
    let moved: Vec<_> = page.transactions.iter().map(|t| (t.kind, t.amount.get())).collect();
    let expected = [
        (TransactionKind::Charge, 29_000),
        (TransactionKind::Cancel, 9_000),
        (TransactionKind::Cancel, 20_000),
    ];
    assert_eq!(moved, expected);
    assert_eq!(page.next, None);

    for unreadable in [json!({}), json!([{"amount": 1}]), json!([row("SOMETHING_NEW", 1, "t1")])] {
        assert!(list(unreadable.clone()).await.is_err(), "{unreadable}");
    }
}
