//! What breaks between us and the provider, and that it breaks nothing more.

use std::time::Duration;

use super::{
    Fault, Moment, Movement, Operation, Rig, TestCard, Verdict,
    confirms::authenticated,
    world::{
        PRICE, Payer, approved, assert_book, cancel_of, charges_repeat, declined, fresh, fresh_order,
        registration, settle_cancel, settle_charge, settle_issue,
    },
};
use crate::{Cancel, Confirm, DeclineClass, Lookup, Outcome};

#[track_caller]
pub(super) fn assert_unknown<T>(fault: Fault, outcome: &Outcome<T>) {
    let got = match outcome {
        Outcome::Unknown(_) => return,
        Outcome::Approved(_) => "approved".to_owned(),
        Outcome::Declined(decline) => format!("declined with {}", decline.code),
        Outcome::NotSent(reason) => format!("not sent: {reason}"),
    };
    panic!("{fault:?} must be unknown, and was {got}");
}

pub(super) async fn nobody_listening_is_not_sent(rig: &dyn Rig) {
    let gateway = rig.unreachable();
    let payer = Payer::with(rig, TestCard::Good).await;
    let charge = payer.charge();
    let issue = registration(rig, TestCard::Good).await;
    let confirm = Confirm { payment_key: fresh("payment"), order_id: fresh_order(), amount: PRICE };
    let cancel = Cancel {
        payment_key: fresh("payment"),
        amount: PRICE,
        reason: "취소".to_owned(),
        reference: fresh("refund"),
        remaining_before: PRICE,
    };
    assert!(matches!(gateway.charge(&charge).await, Outcome::NotSent(_)));
    assert!(matches!(gateway.issue_billing_key(&issue).await, Outcome::NotSent(_)));
    assert!(matches!(gateway.confirm(&confirm).await, Outcome::NotSent(_)));
    assert!(matches!(gateway.cancel(&cancel).await, Outcome::NotSent(_)));
    assert!(matches!(gateway.delete_billing_key(&payer.billing_key).await, Outcome::NotSent(_)));
    assert!(matches!(gateway.find_by_order(&charge.order_id).await, Lookup::Unknown(_)));

    approved(rig.gateway().charge(&charge).await);
    assert_book(rig, &charge.order_id, &[Movement::Charge(PRICE)]).await;
}

pub(super) async fn a_broken_charge_happens_once(rig: &dyn Rig) -> Verdict {
    let payer = Payer::with(rig, TestCard::Good).await;
    for fault in Fault::LEAVING_DOUBT {
        let charge = payer.charge();
        rig.break_next(Operation::Charge, *fault).await;
        assert_unknown(*fault, &rig.gateway().charge(&charge).await);
        // Then only an operator can tell, and nothing is ever sent again.
        if !charges_repeat(rig) {
            let book = rig.book(&charge.order_id).await;
            assert!(book.is_empty() || book == [Movement::Charge(PRICE)], "{fault:?}: {book:?}");
            continue;
        }
        let approval = settle_charge(rig, &charge).await.expect("a good card pays in the end");
        assert_eq!(approval.amount, PRICE, "{fault:?}");
        assert_book(rig, &charge.order_id, &[Movement::Charge(PRICE)]).await;
    }
    Verdict::with(&[("repeats_charge", charges_repeat(rig))])
}

pub(super) async fn a_broken_decline_stays_a_decline(rig: &dyn Rig) -> Verdict {
    let payer = Payer::with(rig, TestCard::InsufficientFunds).await;
    for fault in [Fault::DropResponse, Fault::Late(Moment::AfterActing), Fault::Truncated] {
        let charge = payer.charge();
        rig.break_next(Operation::Charge, fault).await;
        assert_unknown(fault, &rig.gateway().charge(&charge).await);
        assert_book(rig, &charge.order_id, &[]).await;
        if !charges_repeat(rig) {
            continue;
        }
        let decline = settle_charge(rig, &charge).await.expect_err("an empty account does not pay");
        assert_eq!(decline.class, DeclineClass::RetryLater, "{fault:?}");
        assert_book(rig, &charge.order_id, &[]).await;
    }
    Verdict::with(&[("repeats_charge", charges_repeat(rig))])
}

pub(super) async fn a_broken_confirm_happens_once(rig: &dyn Rig) -> Verdict {
    for fault in Fault::LEAVING_DOUBT {
        let request = authenticated(rig, TestCard::Good).await;
        rig.break_next(Operation::Confirm, *fault).await;
        assert_unknown(*fault, &rig.gateway().confirm(&request).await);
        if !charges_repeat(rig) {
            let book = rig.book(&request.order_id).await;
            assert!(book.is_empty() || book == [Movement::Charge(PRICE)], "{fault:?}: {book:?}");
            continue;
        }
        for _ in 0..40 {
            if matches!(rig.gateway().confirm(&request).await, Outcome::Approved(_)) {
                break;
            }
            if matches!(rig.gateway().find_by_order(&request.order_id).await, Lookup::Approved(_)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        assert_book(rig, &request.order_id, &[Movement::Charge(PRICE)]).await;
    }
    Verdict::with(&[("repeats_charge", charges_repeat(rig))])
}

pub(super) async fn a_broken_cancel_happens_once(rig: &dyn Rig) {
    for fault in Fault::LEAVING_DOUBT {
        let payment = Payer::paid(rig).await;
        let cancel = cancel_of(&payment, PRICE);
        rig.break_next(Operation::Cancel, *fault).await;
        assert_unknown(*fault, &rig.gateway().cancel(&cancel).await);

        let cancellation = settle_cancel(rig, &cancel).await;
        assert_eq!(cancellation.reference, Some(cancel.reference), "{fault:?}");
        assert_book(rig, &payment.order_id, &[Movement::Charge(PRICE), Movement::Cancel(PRICE)]).await;
    }
}

pub(super) async fn a_broken_registration_ends_with_a_key(rig: &dyn Rig) -> Verdict {
    for fault in Fault::LEAVING_DOUBT {
        let request = registration(rig, TestCard::Good).await;
        rig.break_next(Operation::Issue, *fault).await;
        assert_unknown(*fault, &rig.gateway().issue_billing_key(&request).await);
        let request = if rig.gateway().capabilities().repeats_issue {
            request
        } else {
            registration(rig, TestCard::Good).await
        };
        let issued = settle_issue(rig, &request).await;
        let payer = Payer { customer_key: request.customer_key, billing_key: issued.billing_key };
        approved(rig.gateway().charge(&payer.charge()).await);
    }
    Verdict::with(&[("repeats_issue", rig.gateway().capabilities().repeats_issue)])
}

pub(super) async fn a_broken_deletion_ends_with_a_deleted_key(rig: &dyn Rig) {
    for fault in Fault::LEAVING_DOUBT {
        let payer = Payer::with(rig, TestCard::Good).await;
        rig.break_next(Operation::Delete, *fault).await;
        // An empty body can neither be cut short nor be in a wrong charset: then it is a success.
        let outcome = rig.gateway().delete_billing_key(&payer.billing_key).await;
        if !matches!((fault, &outcome), (Fault::Truncated | Fault::WrongCharset, Outcome::Approved(()))) {
            assert_unknown(*fault, &outcome);
        }
        for _ in 0..40 {
            if matches!(rig.gateway().delete_billing_key(&payer.billing_key).await, Outcome::Approved(())) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        assert_eq!(
            declined(rig.gateway().charge(&payer.charge()).await).class,
            DeclineClass::NewCard,
            "{fault:?}"
        );
    }
}
