//! Charges, confirms and look-ups at PortOne: what it gets to see, and what is made of what it says.

use chrono::NaiveDate;
use kernel::Krw;
use pg_adapter::{DeclineClass, Lookup, Outcome, PaymentGateway};
use serde_json::{Value, json};

use super::canned::{
    KEY, ORDER, accepted, answering, cancel, cancellation, charge, confirm, declined, failed, holding,
    payment, refusal, unclear, with, without,
};
use crate::canned::{body, ok};

#[tokio::test]
async fn what_cannot_be_understood_is_unknown() {
    for (name, answer) in unclear() {
        let server = answering([answer.clone()]).await;
        let outcome = server.gateway.charge(&charge()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "charge, {name}: {outcome:?}");
        let posts = server.requests().iter().filter(|request| request.starts_with("POST")).count();
        assert_eq!(posts, 1, "{name} is neither followed nor repeated");

        let server = answering([refusal(404, "PAYMENT_NOT_FOUND"), answer.clone()]).await;
        let outcome = server.gateway.confirm(&confirm("token")).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "confirm, {name}: {outcome:?}");

        let server = answering([ok(&payment("PAID")), answer.clone()]).await;
        let outcome = server.gateway.cancel(&cancel()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "cancel, {name}: {outcome:?}");

        let server = answering([accepted(), answer.clone()]).await;
        let outcome = server.gateway.charge(&charge()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "reading back, {name}: {outcome:?}");

        let server = answering([answer.clone()]).await;
        let lookup = server.gateway.find_by_order(ORDER).await;
        assert!(matches!(lookup, Lookup::Unknown(_)), "look-up, {name}: {lookup:?}");

        let server = answering([answer]).await;
        let day = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
        assert!(server.gateway.transactions(day, None).await.is_err(), "list, {name}");
    }
}

#[tokio::test]
async fn a_charge_is_read_back_and_carries_a_quoted_idempotency_key() {
    let server = answering([accepted(), ok(&payment("PAID"))]).await;
    let Outcome::Approved(approval) = server.gateway.charge(&charge()).await else { panic!() };
    assert_eq!((approval.payment_key.as_str(), approval.order_id.as_str()), (ORDER, ORDER));
    assert_eq!((approval.amount, approval.remaining), (charge().amount, charge().amount));
    assert_eq!(approval.approved_at.to_rfc3339(), "2026-11-20T01:00:06.123456+00:00");
    assert_eq!(approval.card.unwrap().company, "현대카드");

    let [post, get] = server.requests().try_into().unwrap();
    assert!(post.starts_with(&format!("POST /payments/{ORDER}/billing-key HTTP/1.1\r\n")), "{post}");
    let head = post.to_ascii_lowercase();
    assert!(head.contains("authorization: portone secret-1\r\n"), "{head}");
    assert!(head.contains(&format!("idempotency-key: \"dangol-charge-of-{ORDER}\"\r\n")), "{head}");
    let expected = json!({
        "storeId": "store-1", "billingKey": KEY, "orderName": "단골 프로 요금제",
        "customer": {"id": "customer-1"}, "amount": {"total": 29_000}, "currency": "KRW",
    });
    assert_eq!(body(&post), expected);
    assert!(get.starts_with(&format!("GET /payments/{ORDER}?storeId=store-1 HTTP/1.1\r\n")), "{get}");
}

#[tokio::test]
async fn an_accepted_charge_must_be_ours_and_paid_in_won() {
    for body in [
        json!({}),
        json!([]),
        payment("READY"),
        payment("PAY_PENDING"),
        payment("VIRTUAL_ACCOUNT_ISSUED"),
        payment("FAILED"),
        payment("SOMETHING_NEW"),
        with("/id", json!("order-of-somebody-else")),
        with("/storeId", json!("store-2")),
        with("/currency", json!("USD")),
        with("/currency", json!("CURRENCY_KRW")),
        with("/amount/total", json!(29_000.5)),
        with("/amount/total", json!("29000")),
        with("/amount/total", json!(-1)),
        with("/amount/total", json!(1e300)),
        with("/amount/cancelled", json!(29_001)),
        with("/channel/type", json!("SOMETHING_NEW")),
        with("/paidAt", json!("yesterday")),
        without("status"),
        without("id"),
        without("amount"),
        without("currency"),
        without("channel"),
    ] {
        let server = answering([accepted(), ok(&body)]).await;
        let outcome = server.gateway.charge(&charge()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{body}: {outcome:?}");
    }
    // It failed, says the payment, and that it was accepted: no word to rely upon.
    let server = answering([accepted(), ok(&failed("TOSSPAYMENTS", "REJECT_CARD_PAYMENT"))]).await;
    assert!(matches!(server.gateway.charge(&charge()).await, Outcome::Unknown(_)));
}

#[tokio::test]
async fn what_only_decorates_may_be_missing_or_odd() {
    for body in [
        with("/method", Value::Null),
        with("/method", json!("card")),
        with("/method", json!({"type": "PaymentMethodNextYear"})),
        with("/method/card", json!({"issuer": 7})),
        with("/receiptUrl", json!(7)),
        with("/channel/pgProvider", Value::Null),
        with("/version", json!("V3")),
        without("paidAt"),
        without("method"),
        without("storeId"),
        without("receiptUrl"),
    ] {
        let server = answering([accepted(), ok(&body)]).await;
        let Outcome::Approved(approval) = server.gateway.charge(&charge()).await else { panic!("{body}") };
        assert_eq!(approval.amount, charge().amount);
        assert_eq!(approval.approved_at.timestamp() / 60, 1_795_136_400 / 60, "{body}");
    }
}

/// A refusal may be about the second sending of a charge whose first went through.
#[tokio::test]
async fn after_any_refusal_the_payment_has_the_last_word() {
    for refused in [
        declined("REJECT_CARD_PAYMENT"),
        declined("WORD_OF_TOMORROW"),
        refusal(409, "ALREADY_PAID"),
        refusal(409, "BILLING_KEY_ALREADY_DELETED"),
        refusal(400, "INVALID_REQUEST"),
    ] {
        let server = answering([refused.clone(), ok(&payment("PAID"))]).await;
        assert!(matches!(server.gateway.charge(&charge()).await, Outcome::Approved(_)));
        for unread in [Vec::new(), refusal(500, "X"), ok(&payment("READY"))] {
            let server = answering([refused.clone(), unread]).await;
            assert!(matches!(server.gateway.charge(&charge()).await, Outcome::Unknown(_)));
        }
    }
    // Paid, it said: then a payment that was not is no answer.
    for contrary in [refusal(404, "PAYMENT_NOT_FOUND"), ok(&failed("TOSSPAYMENTS", "X"))] {
        let server = answering([refusal(409, "ALREADY_PAID"), contrary]).await;
        assert!(matches!(server.gateway.charge(&charge()).await, Outcome::Unknown(_)));
    }
}

#[tokio::test]
async fn a_decline_is_read_in_the_words_of_its_pg() {
    for (provider, code, class) in [
        ("TOSSPAYMENTS", "REJECT_CARD_PAYMENT", DeclineClass::RetryLater),
        ("TOSSPAYMENTS", "INVALID_STOPPED_CARD", DeclineClass::NewCard),
        ("KCP_V2", "CC54", DeclineClass::NewCard),
        ("KCP_V2", "8181", DeclineClass::Fraud),
        ("KCP_V2", "CC72", DeclineClass::Temporary),
        // The same digits mean something else elsewhere, or nothing that we know.
        ("NICE_V2", "8181", DeclineClass::RetryLater),
        ("INICIS_V2", "01", DeclineClass::RetryLater),
    ] {
        let server = answering([declined(code), ok(&failed(provider, code))]).await;
        let Outcome::Declined(decline) = server.gateway.charge(&charge()).await else { panic!("{code}") };
        assert_eq!((decline.class, decline.code.as_str()), (class, code), "{provider}");
        assert!(decline.message.ends_with('.'));
    }
    // Where a decline leaves no payment behind, only an unmistakable code is a no.
    for (code, is_no) in [("REJECT_CARD_PAYMENT", true), ("CC10", true), ("8181", false), ("", false)] {
        let server = answering([declined(code), refusal(404, "PAYMENT_NOT_FOUND")]).await;
        let outcome = server.gateway.charge(&charge()).await;
        assert_eq!(matches!(outcome, Outcome::Declined(_)), is_no, "{code}: {outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Unknown(_)), !is_no, "{code}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_confirm_looks_first_and_tells_what_it_expects() {
    let server = answering([ok(&payment("PAID"))]).await;
    assert!(matches!(server.gateway.confirm(&confirm(ORDER)).await, Outcome::Approved(_)));
    assert_eq!(server.requests().len(), 1, "paid in the window: nothing to confirm");

    let confirmed = ok(&json!({"pgTxId": "tviva1", "paidAt": "2026-11-20T01:00:06Z"}));
    let server = answering([ok(&payment("READY")), confirmed, ok(&payment("PAID"))]).await;
    assert!(matches!(server.gateway.confirm(&confirm("token-1")).await, Outcome::Approved(_)));
    let [_, post, _] = server.requests().try_into().unwrap();
    assert!(post.starts_with(&format!("POST /payments/{ORDER}/confirm HTTP/1.1\r\n")));
    let expected = json!({
        "storeId": "store-1", "paymentToken": "token-1", "totalAmount": 29_000, "currency": "KRW",
        "isTest": false,
    });
    assert_eq!(body(&post), expected);

    for (kind, status) in [("INFORMATION_MISMATCH", 409), ("INVALID_PAYMENT_TOKEN", 400)] {
        let ready = ok(&payment("READY"));
        let server = answering([ready.clone(), refusal(status, kind), ready]).await;
        let Outcome::Declined(decline) = server.gateway.confirm(&confirm("token-1")).await else { panic!() };
        assert_eq!((decline.class, decline.code.as_str()), (DeclineClass::OurBug, kind));
    }
    let server = answering([ok(&failed("TOSSPAYMENTS", "FDS_ERROR"))]).await;
    let Outcome::Declined(decline) = server.gateway.confirm(&confirm(ORDER)).await else { panic!() };
    assert_eq!(decline.class, DeclineClass::Fraud);
}

#[tokio::test]
async fn every_state_of_a_payment_has_its_word() {
    let look = async |body: Value| answering([ok(&body)]).await.gateway.find_by_order(ORDER).await;
    for status in ["PAID", "PARTIAL_CANCELLED", "CANCELLED"] {
        assert!(matches!(look(payment(status)).await, Lookup::Approved(_)), "{status}");
    }
    for status in ["READY", "PAY_PENDING"] {
        assert!(matches!(look(payment(status)).await, Lookup::InProgress), "{status}");
    }
    // The word of the list's filter, never of a payment.
    assert!(matches!(look(payment("PENDING")).await, Lookup::Unknown(_)));
    assert!(
        matches!(look(payment("VIRTUAL_ACCOUNT_ISSUED")).await, Lookup::AwaitingDeposit(id) if id == ORDER)
    );
    assert!(matches!(look(failed("TOSSPAYMENTS", "X")).await, Lookup::Failed(_)));
    assert!(matches!(look(with("/channel/type", json!("TEST"))).await, Lookup::Failed(_)));
    let server = answering([refusal(404, "PAYMENT_NOT_FOUND")]).await;
    assert!(matches!(server.gateway.find("a/b?c").await, Lookup::NotFound));
    assert!(server.requests()[0].starts_with("GET /payments/a%2Fb%3Fc?storeId=store-1 "));

    let held = json!([
        cancellation("SUCCEEDED", 9_000, "고객 변심 (refund-1)"),
        cancellation("REQUESTED", 1_000, "고객 변심 (refund-2)"),
        cancellation("FAILED", 1_000, "콘솔에서 취소 (고객 요청)"),
    ]);
    let Lookup::Approved(approval) = look(holding(held, 9_000)).await else { panic!() };
    assert_eq!((approval.amount, approval.remaining), (Krw::won(29_000), Krw::won(20_000)));
    let [done] = approval.cancellations.try_into().unwrap();
    assert_eq!((done.amount, done.reference.as_deref()), (Krw::won(9_000), Some("refund-1")));

    // Cancelled before anybody paid into it.
    let mut account = payment("CANCELLED");
    account.as_object_mut().unwrap().remove("paidAt");
    account["method"] = json!({"type": "PaymentMethodVirtualAccount", "accountNumber": "X1"});
    assert!(matches!(look(account).await, Lookup::Failed(_)));
}
