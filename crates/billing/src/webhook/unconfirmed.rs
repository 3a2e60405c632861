//! Paid in the provider's window, and never confirmed.
//!
//! Some windows take the money before anybody confirms, and the payer may close the browser then. The
//! webhook is all that tells, and the order is what a confirm would have made of it.

use kernel::Krw;
use pg_adapter::{Approval, Outcome};
use platform::TenantTx;

use super::act::Heard;
use crate::{
    Billing, BillingError, CaseKind,
    approval::Answer,
    case::Finding,
    payment::{Payment, PaymentStatus},
    store,
};

impl Billing {
    /// The provider shows an order as paid that nobody confirmed. If it cannot be confirmed any more,
    /// somebody has to give the money back.
    pub(super) async fn confirm_what_was_paid(
        &self,
        order: &Payment,
        theirs: Approval,
    ) -> Result<Heard, BillingError> {
        if theirs.remaining == Krw::ZERO {
            return Ok(Heard::Nothing);
        }
        let refused = if theirs.amount == order.amount && theirs.remaining == theirs.amount {
            match self.confirm_as_if_asked(order, &theirs).await {
                Ok(()) => {
                    let outcome = Outcome::Approved(theirs);
                    let answer = Answer { business: order.business, payment: order.id, outcome };
                    return Ok(Heard::Answer(Box::new(answer)));
                }
                Err(BillingError::AlreadySubscribed) => "the business has a subscription already",
                Err(BillingError::NotForSale(_) | BillingError::UnknownPlan(_)) => {
                    "it is not for sale any more"
                }
                Err(error) => return Err(error),
            }
        } else {
            "not for the amount of the order"
        };
        let evidence = format!("the order was paid in the window and not confirmed: {refused}");
        self.leave_to_a_person(&Finding::against(order, CaseKind::LateApproval, &theirs, &evidence)).await
    }

    /// As if the payer had confirmed just now: PENDING, with a subscription to pay for. There is nothing to
    /// ask for any more; the approval that is there settles it, now or when the reconciler finds it.
    async fn confirm_as_if_asked(&self, order: &Payment, theirs: &Approval) -> Result<(), BillingError> {
        let mut tx = TenantTx::begin(&self.db, order.business).await?;
        let order =
            store::payment::lock(&mut tx, order.business, order.id).await?.ok_or(BillingError::NotFound)?;
        // Confirmed or expired meanwhile: settling it knows what that means.
        if order.status != PaymentStatus::Requested {
            return Ok(());
        }
        self.write_down_confirm(&mut tx, &order, &theirs.payment_key).await?;
        tx.commit().await?;
        Ok(())
    }
}
