//! Cancels at PortOne: what it gets to see, and what is made of what it says.

use pg_adapter::{Outcome, PaymentGateway};
use serde_json::json;

use super::canned::{answering, cancel, cancellation, declined, holding, payment, refusal};
use crate::canned::{body, ok};

#[tokio::test]
async fn a_cancel_looks_first_and_names_what_is_left() {
    let done = ok(&json!({"cancellation": cancellation("SUCCEEDED", 9_000, "고객 변심 (refund-1)")}));
    let before = holding(json!([cancellation("REQUESTED", 4_000, "다른 환불 (refund-0)")]), 5_000);
    let server = answering([ok(&before), done]).await;
    let Outcome::Approved(made) = server.gateway.cancel(&cancel()).await else { panic!() };
    assert_eq!((made.amount, made.transaction_key.as_str()), (cancel().amount, "cancellation-1"));
    assert_eq!(made.reference.as_deref(), Some("refund-1"));
    let [_, post] = server.requests().try_into().unwrap();
    let expected = json!({
        "storeId": "store-1", "reason": "고객 변심 (refund-1)", "amount": 9_000,
        "currentCancellableAmount": 20_000,
    });
    assert_eq!(body(&post), expected);
    assert!(post.to_ascii_lowercase().contains("idempotency-key: \"dangol-cancel-of-refund-1\"\r\n"));
}

#[tokio::test]
async fn a_cancel_that_is_in_the_payment_already_is_not_sent_again() {
    for (status, approved, declined) in [
        ("SUCCEEDED", true, false),
        ("FAILED", false, true),
        ("REQUESTED", false, false),
        ("NEW", false, false),
    ] {
        let held = holding(json!([cancellation(status, 9_000, "고객 변심 (refund-1)")]), 9_000);
        let server = answering([ok(&held)]).await;
        let outcome = server.gateway.cancel(&cancel()).await;
        assert_eq!(matches!(outcome, Outcome::Approved(_)), approved, "{status}");
        assert_eq!(matches!(outcome, Outcome::Declined(_)), declined, "{status}");
        assert_eq!(server.requests().len(), 1, "{status}: only the look");
    }
}

#[tokio::test]
async fn a_refused_cancel_is_ours_a_no_or_unknown() {
    let look = ok(&payment("PAID"));
    let ours = ok(&holding(json!([cancellation("SUCCEEDED", 9_000, "고객 변심 (refund-1)")]), 9_000));
    let theirs = ok(&holding(json!([cancellation("SUCCEEDED", 9_000, "고객 변심 (refund-2)")]), 9_000));
    for kind in ["PAYMENT_ALREADY_CANCELLED", "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT", "PAYMENT_NOT_PAID"]
    {
        let server = answering([look.clone(), refusal(409, kind), ours.clone()]).await;
        assert!(matches!(server.gateway.cancel(&cancel()).await, Outcome::Approved(_)), "{kind}");
        let server = answering([look.clone(), refusal(409, kind), theirs.clone()]).await;
        let Outcome::Declined(decline) = server.gateway.cancel(&cancel()).await else { panic!("{kind}") };
        assert_eq!(decline.code, kind);
        let server = answering([look.clone(), refusal(409, kind), Vec::new()]).await;
        assert!(matches!(server.gateway.cancel(&cancel()).await, Outcome::Unknown(_)), "{kind}");
    }
    // Something came between the look and the cancel: the next try looks again.
    let server = answering([look.clone(), refusal(409, "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN")]).await;
    assert!(matches!(server.gateway.cancel(&cancel()).await, Outcome::Unknown(_)));
    // The PG could not, or did not answer: 8178 is "too little to settle", an operator's case.
    let server = answering([look.clone(), declined("8178"), look.clone()]).await;
    assert!(matches!(server.gateway.cancel(&cancel()).await, Outcome::Unknown(_)));
    let server = answering([look, declined("8178"), ours]).await;
    assert!(matches!(server.gateway.cancel(&cancel()).await, Outcome::Approved(_)));
}

#[tokio::test]
async fn an_answer_to_another_cancel_is_not_ours() {
    for answer in [
        json!({"cancellation": cancellation("SUCCEEDED", 9_001, "고객 변심 (refund-1)")}),
        json!({"cancellation": cancellation("SUCCEEDED", 9_000, "고객 변심 (refund-2)")}),
        json!({"cancellation": cancellation("SOMETHING_NEW", 9_000, "고객 변심 (refund-1)")}),
        json!({"payment": payment("CANCELLED")}),
        json!({}),
    ] {
        let server = answering([ok(&payment("PAID")), ok(&answer)]).await;
        let outcome = server.gateway.cancel(&cancel()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{answer}: {outcome:?}");
    }
    // PortOne may keep less of the reason than we wrote.
    let cut = json!({"cancellation": cancellation("SUCCEEDED", 9_000, "고객 변")});
    let server = answering([ok(&payment("PAID")), ok(&cut)]).await;
    assert!(matches!(server.gateway.cancel(&cancel()).await, Outcome::Approved(_)));
}
