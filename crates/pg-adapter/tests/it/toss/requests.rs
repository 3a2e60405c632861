//! What Toss gets to see.

use pg_adapter::{IssueBillingKey, Lookup, Outcome, PaymentGateway};

use super::canned::{
    BILLING_KEY, ORDER, PAYMENT, answering, cancel, canceled, charge, confirm, gateway, payment, refusal,
};
use crate::canned::{body, ok, raw};

fn has_header(request: &str, name: &str, value: &str) -> bool {
    request.lines().any(|line| {
        line.split_once(": ").is_some_and(|(key, found)| key.eq_ignore_ascii_case(name) && found == value)
    })
}

#[tokio::test]
async fn a_charge_carries_the_order_as_its_idempotency_key() {
    let toss = answering([ok(&payment("DONE"))]).await;
    let Outcome::Approved(approval) = toss.gateway.charge(&charge()).await else { panic!() };
    assert_eq!((approval.order_id.as_str(), approval.payment_key.as_str()), (ORDER, PAYMENT));
    assert_eq!(approval.amount, charge().amount);
    assert_eq!(approval.approved_at.to_rfc3339(), "2026-11-20T01:00:06+00:00");
    let card = approval.card.unwrap();
    assert_eq!((card.company.as_str(), card.masked_number.as_str()), ("현대카드", "43301234****123*"));
    assert!(approval.receipt_url.unwrap().starts_with("https://dashboard.tosspayments.com/"));

    let [request] = toss.requests().try_into().unwrap();
    assert!(request.starts_with("POST /v1/billing/Zx1-abc_def%3D HTTP/1.1\r\n"), "{request}");
    // The secret key with the colon after it.
    assert!(has_header(&request, "authorization", "Basic dGVzdF9za18xOg=="), "{request}");
    assert!(has_header(&request, "idempotency-key", ORDER));
    assert!(has_header(&request, "content-type", "application/json"));
    let expected = serde_json::json!({"customerKey": "customer-1", "amount": 29_000, "orderId": ORDER,
        "orderName": "단골 프로 요금제"});
    assert_eq!(body(&request), expected);
}

#[tokio::test]
async fn a_confirm_carries_the_order_as_its_idempotency_key() {
    let toss = answering([ok(&payment("DONE"))]).await;
    assert!(matches!(toss.gateway.confirm(&confirm()).await, Outcome::Approved(_)));
    let [request] = toss.requests().try_into().unwrap();
    assert!(request.starts_with("POST /v1/payments/confirm HTTP/1.1\r\n"));
    assert!(has_header(&request, "idempotency-key", ORDER));
    assert_eq!(
        body(&request),
        serde_json::json!({"paymentKey": PAYMENT, "orderId": ORDER, "amount": 29_000})
    );
}

#[tokio::test]
async fn a_registration_carries_its_own_key() {
    let billing = serde_json::json!({"mId": "tshop0001", "customerKey": "customer-1", "method": "카드",
        "authenticatedAt": "2026-11-20T10:00:00+09:00", "billingKey": BILLING_KEY,
        "card": {"issuerCode": "W1", "acquirerCode": null, "number": "43301234****123*", "cardType": "미확인"},
        "transfers": null, "easyPay": null});
    let account = serde_json::json!({"customerKey": "customer-1", "billingKey": BILLING_KEY, "card": null,
        "transfers": [{"bankName": "신한은행", "bankAccountNumber": "110****1234"}]});
    let other = serde_json::json!({"customerKey": "customer-2", "billingKey": BILLING_KEY});
    let toss = answering([ok(&billing), ok(&account), ok(&other)]).await;
    let request = IssueBillingKey {
        auth_key: "auth-1".to_owned().into(),
        customer_key: "customer-1".to_owned(),
        idempotency_key: "issue-1".to_owned(),
    };
    for company in ["우리카드", "신한은행"] {
        let Outcome::Approved(issued) = toss.gateway.issue_billing_key(&request).await else { panic!() };
        assert_eq!(issued.card.company, company);
        assert_eq!(secrecy::ExposeSecret::expose_secret(&issued.billing_key), BILLING_KEY);
    }
    assert!(matches!(toss.gateway.issue_billing_key(&request).await, Outcome::Unknown(_)));
    let sent = &toss.requests()[0];
    assert!(sent.starts_with("POST /v1/billing/authorizations/issue HTTP/1.1\r\n"));
    assert!(has_header(sent, "idempotency-key", "issue-1"));
    assert_eq!(body(sent), serde_json::json!({"authKey": "auth-1", "customerKey": "customer-1"}));
}

#[tokio::test]
async fn a_cancel_looks_first_and_carries_our_reference() {
    let toss = answering([ok(&payment("DONE")), ok(&canceled("고객 변심 (refund-1)"))]).await;
    let Outcome::Approved(cancellation) = toss.gateway.cancel(&cancel()).await else { panic!() };
    assert_eq!(cancellation.reference.as_deref(), Some("refund-1"));
    assert_eq!((cancellation.amount, cancellation.transaction_key.as_str()), (cancel().amount, "txrd_a01k"));

    let [look, cancel] = toss.requests().try_into().unwrap();
    assert!(look.starts_with(&format!("GET /v1/payments/{PAYMENT} HTTP/1.1\r\n")));
    assert!(cancel.starts_with(&format!("POST /v1/payments/{PAYMENT}/cancel HTTP/1.1\r\n")));
    assert!(has_header(&cancel, "idempotency-key", "refund-1"));
    let expected = serde_json::json!({"cancelReason": "고객 변심 (refund-1)", "cancelAmount": 9_000});
    assert_eq!(body(&cancel), expected);
}

/// The idempotency key is forgotten after 15 days, and a second partial cancel would go through.
#[tokio::test]
async fn a_cancel_that_was_made_long_ago_is_not_sent_again() {
    let toss = answering([ok(&canceled("고객 변심 (refund-1)"))]).await;
    assert!(matches!(toss.gateway.cancel(&cancel()).await, Outcome::Approved(_)));
    assert_eq!(toss.requests().len(), 1, "only the look");
}

#[tokio::test]
async fn a_deletion_is_a_delete_without_a_body() {
    let toss = answering([raw("200 OK", "", b"")]).await;
    let outcome = toss.gateway.delete_billing_key(&BILLING_KEY.to_owned().into()).await;
    assert!(matches!(outcome, Outcome::Approved(())));
    let [request] = toss.requests().try_into().unwrap();
    assert!(request.starts_with("DELETE /v1/billing/Zx1-abc_def%3D HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_look_up_encodes_the_order() {
    let toss = answering([refusal(404, "NOT_FOUND_PAYMENT")]).await;
    assert!(matches!(toss.gateway.find_by_order("a/b?c").await, Lookup::NotFound));
    assert!(toss.requests()[0].starts_with("GET /v1/payments/orders/a%2Fb%3Fc HTTP/1.1\r\n"));
}

#[tokio::test]
async fn what_can_only_be_wrong_is_not_sent() {
    let toss = answering([]).await;
    for billing_key in ["", ".", ".."] {
        let mut request = charge();
        request.billing_key = billing_key.to_owned().into();
        assert!(matches!(toss.gateway.charge(&request).await, Outcome::Declined(_)));
        assert!(matches!(toss.gateway.delete_billing_key(&request.billing_key).await, Outcome::Declined(_)));
    }
    for reference in ["", "환불", "a b", "(a)", &"r".repeat(101)] {
        let mut request = cancel();
        request.reference = reference.to_owned();
        assert!(matches!(toss.gateway.cancel(&request).await, Outcome::Declined(_)));
    }
    for order_id in ["", "a\r\nb", &"o".repeat(301)] {
        let mut request = charge();
        request.order_id = order_id.to_owned();
        assert!(matches!(toss.gateway.charge(&request).await, Outcome::Declined(_)));
    }
    assert!(toss.requests().is_empty());
}

#[tokio::test]
async fn no_text_for_operators_contains_a_billing_key() {
    let nobody = gateway("http://127.0.0.1:1");
    let Outcome::NotSent(reason) = nobody.charge(&charge()).await else { panic!() };
    assert!(!reason.contains("Zx1"), "{reason}");
    let silent = answering([]).await;
    let Outcome::Unknown(reason) = silent.gateway.charge(&charge()).await else { panic!() };
    assert!(!reason.contains("Zx1"), "{reason}");
}
