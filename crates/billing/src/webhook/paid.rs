//! A webhook about what is paid already.

use kernel::Krw;
use pg_adapter::{Approval, Lookup};

use super::act::{Heard, TRIES};
use crate::{
    Billing, BillingError, CaseKind, case::Finding, payment::Payment, refund::unexplained,
    store::webhook::DueWebhook,
};

impl Billing {
    /// Money may have been given back elsewhere, at the provider's console.
    pub(super) async fn look_into_paid(
        &self,
        webhook: &DueWebhook,
        payment: &Payment,
    ) -> Result<Heard, BillingError> {
        let gateway = self.gateway(payment.merchant).await?;
        let payment_key = payment.payment_key.as_deref().ok_or(BillingError::NotFound)?;
        if let Some(another) = webhook.payment_key.as_deref().filter(|_| names_another(webhook, payment)) {
            return match gateway.find(another).await {
                Lookup::Approved(theirs) if is_second_charge(payment, &theirs) => {
                    let evidence = "the provider charged the order a second time";
                    self.leave_to_a_person(&Finding::second_charge(payment, &theirs, evidence)).await
                }
                Lookup::Unknown(_) => Ok(Heard::NoAnswer),
                // Whoever made that up knows the order's number, as its payer does.
                Lookup::Approved(_)
                | Lookup::Failed(_)
                | Lookup::InProgress
                | Lookup::AwaitingDeposit(_)
                | Lookup::NotFound => Ok(Heard::Nothing),
            };
        }
        match gateway.find(payment_key).await {
            // The usual case, as long as nobody gave anything back: there is nothing to write down.
            Lookup::Approved(approval) if shows_what_we_know(payment, &approval) => Ok(Heard::Nothing),
            Lookup::Approved(approval) => {
                self.adopt_cancellations(payment.business, payment.id, &approval).await?;
                Ok(Heard::Nothing)
            }
            Lookup::Unknown(_) => Ok(Heard::NoAnswer),
            // What it has just approved it may not show everywhere yet.
            Lookup::Failed(_) | Lookup::InProgress | Lookup::AwaitingDeposit(_) | Lookup::NotFound
                if webhook.tries < TRIES =>
            {
                Ok(Heard::TooEarly)
            }
            Lookup::Failed(_) | Lookup::InProgress | Lookup::AwaitingDeposit(_) | Lookup::NotFound => {
                let evidence = "the provider denies a payment that it approved, however often it is asked";
                self.leave_to_a_person(&Finding::about(payment, CaseKind::MissingAtProvider, evidence)).await
            }
        }
    }
}

/// The webhook is about the order, and not about the payment that paid it.
pub(super) fn names_another(webhook: &DueWebhook, payment: &Payment) -> bool {
    webhook.payment_key.is_some() && webhook.payment_key != payment.payment_key
}

/// Both are the order's, and of the other one there is something left to give back.
fn is_second_charge(payment: &Payment, theirs: &Approval) -> bool {
    theirs.order_id == payment.order_id
        && payment.payment_key.as_ref() != Some(&theirs.payment_key)
        && theirs.remaining != Krw::ZERO
}

fn shows_what_we_know(payment: &Payment, theirs: &Approval) -> bool {
    theirs.cancellations.is_empty() && unexplained(payment, theirs).is_none()
}
