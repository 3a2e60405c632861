//! Decisions about money that went back, or did not.

use pg_adapter::{Approval, Cancel, Lookup, Outcome};
use platform::SystemTx;

use super::{
    Case, Resolution,
    resolve::{Decision, did_not_happen},
};
use crate::{
    Billing, BillingError,
    payment::Payment,
    refund::{Refund, RefundStatus, unexplained},
    store,
};

impl Billing {
    /// While the provider answers, what it shows is how it is. Where it does not, the operator's own
    /// eyes have to do.
    pub(super) async fn resolve_unknown_refund(
        &self,
        case: &Case,
        decision: &Decision,
    ) -> Result<(), BillingError> {
        let payment = self.payment_of(case).await?;
        let refund = self.refund_of(case).await?;
        if refund.status != RefundStatus::Pending {
            // The machine goes on asking while a case waits, and was told.
            return Ok(());
        }
        let cancel = refund.cancel(&payment)?;
        let shown = self.gateway(case.merchant).await?.find(&cancel.payment_key).await;
        let outcome = match (shown, decision.resolution) {
            (Lookup::Approved(theirs), Resolution::Adopt) => {
                return self.adopt_shown(&payment, &refund, &cancel, &theirs).await;
            }
            (Lookup::Approved(theirs), _) if theirs.made_by(&cancel).is_some() => {
                return Err(BillingError::ResolutionNotPossible);
            }
            (_, Resolution::Adopt) => Outcome::Approved(refund.by_hand()),
            (_, Resolution::Refund | Resolution::WriteOff) => Outcome::Declined(did_not_happen()),
        };
        self.settle_refund(&refund, outcome).await?;
        Ok(())
    }

    /// What went back is our refund, or another: then ours failed, and the other stands in its place.
    async fn adopt_shown(
        &self,
        payment: &Payment,
        refund: &Refund,
        cancel: &Cancel,
        theirs: &Approval,
    ) -> Result<(), BillingError> {
        if let Some(made) = theirs.made_by(cancel).filter(|made| made.amount == refund.amount) {
            self.settle_refund(refund, Outcome::Approved(made)).await?;
            return Ok(());
        }
        if unexplained(payment, theirs).is_none() {
            return Err(BillingError::ResolutionNotPossible);
        }
        self.settle_refund(refund, Outcome::Declined(did_not_happen())).await?;
        self.adopt_all(payment, theirs).await
    }

    /// The provider gave back more than our refunds explain: the difference becomes a refund of ours.
    pub(super) async fn resolve_unknown_cancel(
        &self,
        case: &Case,
        decision: &Decision,
    ) -> Result<(), BillingError> {
        if decision.resolution == Resolution::WriteOff {
            return Ok(());
        }
        let payment = self.payment_of(case).await?;
        let theirs = self.theirs(case, decision).await?;
        self.adopt_all(&payment, &theirs).await
    }

    /// Afterwards our books say of what went back what the provider says.
    async fn adopt_all(&self, payment: &Payment, theirs: &Approval) -> Result<(), BillingError> {
        if !theirs.cancellations.is_empty() {
            self.adopt_cancellations(payment.business, payment.id, theirs).await?;
        }
        let mut tx = SystemTx::begin(&self.db).await?;
        let payment = store::payment::lock(&mut tx, payment.business, payment.id)
            .await?
            .ok_or(BillingError::NotFound)?;
        self.adopt_difference(&mut tx, &payment, theirs).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn refund_of(&self, case: &Case) -> Result<Refund, BillingError> {
        let (business, refund) = case.business.zip(case.refund).ok_or(BillingError::NotFound)?;
        let mut tx = SystemTx::begin(&self.db).await?;
        let refund = store::refund::get(&mut tx, business, refund).await?.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        Ok(refund)
    }
}
