//! Where documents stand, and looking at them.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use tax_invoice::{InvoiceState, Lookup, TaxInvoiceIssuer as _, Unavailable, View};

use crate::rig::{Rig, document_key};

#[tokio::test]
async fn a_document_is_issued_sent_and_accepted() {
    let rig = Rig::start().await;
    let number = rig.issued(&rig.invoice("INV-1")).await.confirmation_number;
    let issued = rig.found("INV-1").await;
    assert_eq!((issued.state, issued.state_code.as_str()), (InvoiceState::Issued, "300"));
    assert_eq!(issued.confirmation_number, Some(number));
    assert_eq!(issued.amount, rig.invoice("INV-1").total());
    assert_eq!((issued.sent_at, issued.tax_service_code), (None, None));

    let mut state = issued.state;
    let mut seen = vec![state];
    for _ in 0..48 {
        rig.clock.advance(TimeDelta::minutes(59));
        state = state.after(rig.state("INV-1").await).unwrap();
        if seen.last() != Some(&state) {
            seen.push(state);
        }
    }
    assert_eq!(seen.first(), Some(&InvoiceState::Issued));
    assert_eq!(seen.last(), Some(&InvoiceState::Accepted));
    let accepted = rig.found("INV-1").await;
    assert_eq!(accepted.tax_service_code.as_deref(), Some("SUC001"));
    assert!(accepted.issued_at < accepted.sent_at && accepted.sent_at < accepted.answered_at);
}

#[tokio::test]
async fn every_code_of_popbill_has_its_state() {
    let rig = Rig::start().await;
    rig.issued(&rig.invoice("INV-1")).await;
    rig.control(Method::POST, "reject", json!({"mgtKey": "INV-1", "code": "SYN004"})).await;
    // Issued on Wednesday 1 April at 08:30 in Korea, so filed on Thursday at 15:00.
    for (time, state, code) in [
        ("2026-04-01T20:00:00+09:00", InvoiceState::Issued, "300"),
        ("2026-04-02T09:00:00+09:00", InvoiceState::Issued, "301"),
        ("2026-04-02T15:05:00+09:00", InvoiceState::Issued, "302"),
        ("2026-04-02T15:15:00+09:00", InvoiceState::Sent, "303"),
        ("2026-04-02T15:35:00+09:00", InvoiceState::Rejected, "305"),
    ] {
        rig.clock.set(time.parse().unwrap());
        let found = rig.found("INV-1").await;
        assert_eq!((found.state, found.state_code.as_str()), (state, code), "{time}");
    }
    assert_eq!(rig.found("INV-1").await.tax_service_code.as_deref(), Some("SYN004"));
}

#[tokio::test]
async fn what_is_not_there_is_not_found_in_either_of_two_codes() {
    let rig = Rig::start().await;
    for code in [-11_000_000, -11_000_001] {
        rig.switch(json!({"missingDocumentCode": code})).await;
        assert!(matches!(rig.popbill.find(&document_key("INV-9")).await, Lookup::NotFound));
    }
    rig.switch(json!({"missingDocumentCode": -11_000_002})).await;
    assert!(matches!(rig.popbill.find(&document_key("INV-9")).await, Lookup::Unknown(_)));
}

#[tokio::test]
async fn many_are_asked_for_at_once_and_answered_in_order() {
    let rig = Rig::start().await;
    for key in ["INV-1", "INV-2", "INV-3"] {
        rig.issued(&rig.invoice(key)).await;
    }
    rig.accepts("INV-2").await;
    let keys = ["INV-3", "INV-9", "INV-2", "INV-1"].map(document_key);
    let lookups = rig.popbill.find_all(&keys).await;
    let states: Vec<_> = lookups
        .iter()
        .map(|(_, lookup)| match lookup {
            Lookup::Found(standing) => Some(standing.state),
            _ => None,
        })
        .collect();
    let (issued, accepted) = (Some(InvoiceState::Issued), Some(InvoiceState::Accepted));
    assert_eq!(states, [issued, None, accepted, issued]);
    assert!(lookups.iter().zip(&keys).all(|((key, _), asked)| key == asked));

    rig.switch(json!({"partialLists": true})).await;
    let found = rig.popbill.find_all(&keys).await;
    assert_eq!(found.iter().filter(|(_, lookup)| matches!(lookup, Lookup::Unknown(_))).count(), 2);
    assert!(rig.popbill.find_all(&[]).await.is_empty());
}

#[tokio::test]
async fn nothing_depends_on_what_the_reference_leaves_open() {
    let rig = Rig::start().await;
    rig.switch(json!({"noNumberInAnswers": true, "plainNumbers": true, "unknownFields": true})).await;
    let invoice = rig.invoice("INV-1");
    let first = rig.issued(&invoice).await;
    assert_eq!(rig.issued(&invoice).await, first);
    rig.accepts("INV-1").await;
    let found = rig.found("INV-1").await;
    assert_eq!((found.state, found.amount), (InvoiceState::Accepted, invoice.total()));
    assert_eq!(found.confirmation_number, Some(first.confirmation_number));
}

#[tokio::test]
async fn a_document_can_be_looked_at() {
    let rig = Rig::start().await;
    let number = rig.issued(&rig.invoice("INV-1")).await.confirmation_number;
    let (key, missing) = (document_key("INV-1"), document_key("INV-9"));
    for view in [View::Page, View::Print, View::PrintForBuyer, View::Mail] {
        let url = rig.popbill.view(&key, view).await.unwrap();
        assert!(url.as_str().contains("INV-1"), "{url}");
    }
    assert!(rig.popbill.pdf(&key).await.unwrap().starts_with(b"%PDF-"));
    assert!(rig.popbill.xml(&key).await.unwrap().contains(number.as_str()));
    assert_eq!(rig.popbill.view(&missing, View::Print).await, Err(Unavailable::NotFound));
    assert_eq!(rig.popbill.pdf(&missing).await, Err(Unavailable::NotFound));
    assert_eq!(rig.popbill.xml(&missing).await, Err(Unavailable::NotFound));
}
