//! What breaks between us and Popbill, and that it breaks nothing more.

use std::time::Duration;

use sandbox::{Fault, FaultKind, Moment, Operation};
use tax_invoice::{InvoiceState, Lookup, Outcome, TaxInvoiceIssuer as _, popbill::Popbill};

use crate::rig::{Rig, TOO_LONG, config, document_key, issued};

/// Every breakage that leaves open whether the request was carried out.
fn leaving_doubt() -> Vec<FaultKind> {
    vec![
        FaultKind::DropResponse,
        FaultKind::Refuse,
        FaultKind::Truncated,
        FaultKind::RateLimited,
        FaultKind::Error500(Moment::BeforeProcessing),
        FaultKind::Error500(Moment::AfterProcessing),
        FaultKind::Html502(Moment::BeforeProcessing),
        FaultKind::Html502(Moment::AfterProcessing),
        FaultKind::Delay { before: TOO_LONG, after: Duration::ZERO },
        FaultKind::Delay { before: Duration::ZERO, after: TOO_LONG },
    ]
}

#[tokio::test]
async fn a_broken_issue_happens_once() {
    let rig = Rig::start().await;
    for (index, fault) in leaving_doubt().into_iter().enumerate() {
        let key = format!("INV-{index}");
        let invoice = rig.invoice(&key);
        rig.breaks_next_issue(fault.clone());
        match rig.popbill.issue(&invoice).await {
            Outcome::Unknown(_) => {}
            // An error body of Popbill's is followed by a look-up, which may know already.
            Outcome::Issued(_) => assert!(matches!(fault, FaultKind::Error500(Moment::AfterProcessing))),
            other => panic!("{fault:?} left {other:?}"),
        }
        let first = rig.settles(&invoice).await.unwrap();
        assert_eq!(rig.issued(&invoice).await, first, "{fault:?}");
        assert_eq!(rig.found(&key).await.confirmation_number, Some(first.confirmation_number));
        assert_eq!(rig.documents(), index + 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_settled_by_looking_the_key_up() {
    let rig = Rig::start().await;
    let invoice = rig.invoice("INV-1");
    rig.breaks_next_issue(FaultKind::DropResponse);
    assert!(matches!(rig.popbill.issue(&invoice).await, Outcome::Unknown(_)));
    let found = rig.found("INV-1").await;
    assert_eq!(found.state, InvoiceState::Issued);
    assert_eq!(Some(rig.issued(&invoice).await.confirmation_number), found.confirmation_number);
}

#[tokio::test]
async fn while_the_look_up_is_broken_a_refusal_is_not_believed() {
    let rig = Rig::start().await;
    let invoice = rig.invoice("INV-1");
    for lookup in leaving_doubt() {
        rig.breaks_next_issue(FaultKind::Decline { code: "-11002031".to_owned() });
        rig.breaks(Fault::new(lookup.clone()).on(Operation::Lookup));
        let outcome = rig.popbill.issue(&invoice).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{lookup:?}: {outcome:?}");
    }
    assert_eq!(rig.documents(), 0);
}

#[tokio::test]
async fn a_broken_withdrawal_ends_withdrawn() {
    let rig = Rig::start().await;
    for (index, fault) in leaving_doubt().into_iter().enumerate() {
        let key = format!("INV-{index}");
        rig.issued(&rig.invoice(&key)).await;
        rig.breaks(Fault::new(fault.clone()).on(Operation::Cancel));
        let outcome = rig.popbill.withdraw(&document_key(&key)).await;
        assert!(matches!(outcome, Outcome::Unknown(_) | Outcome::Issued(())), "{fault:?}: {outcome:?}");
        // A delayed one may still be under way, and would then find the work done.
        for _ in 0..40 {
            if matches!(rig.popbill.withdraw(&document_key(&key)).await, Outcome::Issued(())) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(rig.state(&key).await, InvoiceState::Withdrawn, "{fault:?}");
    }
}

#[tokio::test]
async fn nobody_listening_is_not_sent() {
    // The port of a listener that is gone again.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let nobody = format!("http://{port}");
    let rig = Rig::start().await;
    let invoice = rig.invoice("INV-1");
    let key = document_key("INV-1");
    let without_tokens = Popbill::new(config(&nobody, &rig.sandbox.popbill_base_url())).unwrap();
    let without_api = Popbill::new(config(&rig.sandbox.linkhub_base_url(), &nobody)).unwrap();
    for popbill in [without_tokens, without_api] {
        assert!(matches!(popbill.issue(&invoice).await, Outcome::NotSent(_)));
        assert!(matches!(popbill.withdraw(&key).await, Outcome::NotSent(_)));
        assert!(matches!(popbill.find(&key).await, Lookup::Unknown(_)));
        assert!(popbill.pdf(&key).await.is_err());
    }
    assert_eq!(rig.documents(), 0);
    issued(rig.popbill.issue(&invoice).await);
}
