//! Tokens: signed for, shared, renewed.

use chrono::TimeDelta;
use reqwest::Method;
use sandbox::{Fault, FaultKind, Moment, Operation};
use serde_json::{Value, json};
use tax_invoice::{
    Lookup, Outcome, TaxInvoiceIssuer as _,
    popbill::{Popbill, PopbillConfigError},
};

use crate::{
    canned::{Canned, ok, refusal},
    invoices::invoice,
    rig::{Rig, config, document_key, issued},
};

#[tokio::test]
async fn one_token_serves_many_requests_at_once() {
    let missing = || refusal(400, -11_000_000);
    let popbill = Canned::answering((0..5).map(|_| missing())).await;
    let key = document_key("INV-1");
    let look = || popbill.adapter.find(&key);
    let (a, b, c, d) = tokio::join!(look(), look(), look(), look());
    for lookup in [a, b, c, d, look().await] {
        assert!(matches!(lookup, Lookup::NotFound), "{lookup:?}");
    }
    assert_eq!((popbill.tokens(), popbill.requests().len()), (1, 5));
}

#[tokio::test]
async fn a_token_that_is_not_believed_is_renewed_once() {
    let unauthorized = || refusal(401, -99_999);
    let number = "202604014100000000000001";
    let success = ok(&json!({"code": 1, "message": "발행", "ntsConfirmNum": number}));
    let popbill = Canned::answering([unauthorized(), success]).await;
    let invoice = invoice("INV-1", "2026-04-01".parse().unwrap());
    assert_eq!(issued(popbill.adapter.issue(&invoice).await).confirmation_number.as_str(), number);
    assert_eq!(popbill.tokens(), 2);
    assert!(popbill.requests()[0].contains("authorization: Bearer token-1"));
    assert!(popbill.requests()[1].contains("authorization: Bearer token-2"));

    let popbill = Canned::answering([unauthorized(), unauthorized(), unauthorized()]).await;
    assert!(matches!(popbill.adapter.issue(&invoice).await, Outcome::Unknown(_)));
    assert_eq!(popbill.requests().len(), 2, "it does not go on for ever");
}

#[tokio::test]
async fn a_token_that_expired_at_popbill_is_renewed_without_anybody_noticing() {
    let rig = Rig::start().await;
    rig.issued(&rig.invoice("INV-1")).await;
    rig.clock.advance(TimeDelta::hours(1));
    rig.issued(&rig.invoice("INV-2")).await;
    rig.control(Method::POST, "sessions/end", Value::Null).await;
    rig.issued(&rig.invoice("INV-3")).await;
    assert_eq!(rig.documents(), 3);
}

#[tokio::test]
async fn a_token_without_a_readable_end_serves_one_request() {
    let rig = Rig::start().await;
    rig.switch(json!({"sessionMinutes": 0})).await;
    // It has expired before it is used; Popbill says so, and so does the next one.
    assert!(matches!(rig.popbill.issue(&rig.invoice("INV-1")).await, Outcome::Unknown(_)));
    assert_eq!(rig.documents(), 0);
}

#[tokio::test]
async fn a_wrong_signature_sends_nothing() {
    let rig = Rig::start().await;
    let stranger = rig.with(|config| config.link_id = "STRANGER".to_owned());
    let forger = rig.with(|config| config.secret_key = "b3RoZXIta2V5".to_owned().into());
    for popbill in [stranger, forger] {
        let outcome = popbill.issue(&rig.invoice("INV-1")).await;
        assert!(matches!(&outcome, Outcome::NotSent(reason) if reason.contains("401")), "{outcome:?}");
    }
    assert_eq!(rig.documents(), 0);
}

#[tokio::test]
async fn a_machine_whose_clock_is_wrong_signs_with_linkhubs_time() {
    let rig = Rig::start().await;
    rig.clock.advance(TimeDelta::days(4_000));
    rig.issued(&rig.invoice("INV-1")).await;
}

#[tokio::test]
async fn from_any_address_is_signed_for_as_well() {
    let rig = Rig::start().await;
    let popbill = rig.with(|config| {
        config.from_any_address = true;
        config.user_id = Some("billing".to_owned());
    });
    issued(popbill.issue(&rig.invoice("INV-1")).await);
}

#[tokio::test]
async fn whatever_breaks_on_the_way_to_a_token_nothing_was_sent() {
    let rig = Rig::start().await;
    for fault in [
        FaultKind::DropResponse,
        FaultKind::Truncated,
        FaultKind::RateLimited,
        FaultKind::Error500(Moment::AfterProcessing),
        FaultKind::Html502(Moment::BeforeProcessing),
        FaultKind::Decline { code: "-99003008".to_owned() },
    ] {
        rig.breaks(Fault::new(fault.clone()).on(Operation::Token));
        let outcome = rig.popbill.issue(&rig.invoice("INV-1")).await;
        assert!(matches!(outcome, Outcome::NotSent(_)), "{fault:?}: {outcome:?}");
    }
    assert_eq!(rig.documents(), 0);
    rig.issued(&rig.invoice("INV-1")).await;
}

#[tokio::test]
async fn a_silent_linkhub_is_waited_for_once_by_all() {
    // Takes connections into its queue and never answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let popbill = Popbill::new(config(&silent, &silent)).unwrap();
    let key = document_key("INV-1");
    let started = std::time::Instant::now();
    let look = || popbill.find(&key);
    let lookups = tokio::join!(look(), look(), look(), look());
    assert!(matches!(lookups.0, Lookup::Unknown(_)) && matches!(lookups.3, Lookup::Unknown(_)));
    assert!(started.elapsed() < 2 * crate::rig::TOO_LONG, "{:?}", started.elapsed());
}

#[test]
fn a_configuration_that_cannot_work_is_refused_at_once() {
    let good = || config("http://127.0.0.1:1", "http://127.0.0.1:1");
    assert!(Popbill::new(good()).is_ok());
    let mut bad = good();
    bad.secret_key = "not base64!".to_owned().into();
    assert!(matches!(Popbill::new(bad), Err(PopbillConfigError::SecretKey)));
    for url in ["", "ftp://x", "popbill", "mailto:a@b"] {
        assert!(
            matches!(Popbill::new(config(url, "http://a")), Err(PopbillConfigError::BaseUrl(_))),
            "{url}"
        );
        assert!(
            matches!(Popbill::new(config("http://a", url)), Err(PopbillConfigError::BaseUrl(_))),
            "{url}"
        );
    }
    let mut bad = good();
    bad.link_id = "a\nb".to_owned();
    assert!(matches!(Popbill::new(bad), Err(PopbillConfigError::Name)));
    assert!(!format!("{:?}", good()).contains("MDEy"), "the secret key is nobody's to read");
}
