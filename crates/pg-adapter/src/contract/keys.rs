//! Billing keys.

use secrecy::ExposeSecret;

use super::{
    Fault, Operation, Rig, TestCard, Verdict,
    world::{Payer, approved, declined, fresh, registration, settle_issue},
};
use crate::{DeclineClass, IssueBillingKey, Outcome};

pub(super) async fn a_card_is_registered(rig: &dyn Rig) {
    let issued = approved(rig.gateway().issue_billing_key(&registration(rig, TestCard::Good).await).await);
    assert!(!issued.billing_key.expose_secret().is_empty());
    assert!(!issued.card.company.is_empty(), "the card company can be shown");
    assert!(issued.card.masked_number.contains('*'), "the card number is masked");
}

pub(super) async fn a_lost_answer_to_a_registration_is_repeated(rig: &dyn Rig) -> Verdict {
    let request = registration(rig, TestCard::Good).await;
    rig.break_next(Operation::Issue, Fault::DropResponse).await;
    let lost = rig.gateway().issue_billing_key(&request).await;
    assert!(matches!(lost, Outcome::Unknown(_)), "a lost answer is unknown");

    // Where the key cannot be fetched any more, the payer registers the card once more. The key that
    // nobody knows cannot be charged by anybody.
    if !rig.gateway().capabilities().repeats_issue {
        let again = rig.gateway().issue_billing_key(&request).await;
        assert!(!matches!(again, Outcome::Approved(_)), "the capability says that it is not repeated");
        return Verdict::NotClaimed("repeats_issue");
    }
    let issued = settle_issue(rig, &request).await;
    let again = approved(rig.gateway().issue_billing_key(&request).await);
    assert_eq!(issued.billing_key.expose_secret(), again.billing_key.expose_secret());
    Verdict::Kept
}

/// Where the SDK returns the billing key itself, it is that key again.
pub(super) async fn an_auth_key_never_makes_two_keys(rig: &dyn Rig) {
    let request = registration(rig, TestCard::Good).await;
    let first = approved(rig.gateway().issue_billing_key(&request).await);
    let second = IssueBillingKey { idempotency_key: fresh("issue"), ..request };
    match rig.gateway().issue_billing_key(&second).await {
        Outcome::Approved(again) => {
            assert_eq!(first.billing_key.expose_secret(), again.billing_key.expose_secret());
        }
        refused => _ = declined(refused),
    }
}

pub(super) async fn a_deleted_key_is_gone_for_good(rig: &dyn Rig) {
    let payer = Payer::with(rig, TestCard::Good).await;
    approved(rig.gateway().delete_billing_key(&payer.billing_key).await);
    approved(rig.gateway().delete_billing_key(&payer.billing_key).await);

    let charge = payer.charge();
    let decline = declined(rig.gateway().charge(&charge).await);
    assert_eq!(decline.class, DeclineClass::NewCard);
    assert_eq!(rig.book(&charge.order_id).await, []);
}
