//! Cancels that the provider shows: ours, of which we did not know that they came about, and those
//! that somebody made elsewhere (the provider's console).

use kernel::{BusinessId, Krw};
use pg_adapter::{Approval, Cancellation};
use platform::SystemTx;
use sqlx::PgConnection;

use super::{Refund, RefundId, RefundMove, RefundStatus};
use crate::{
    Billing, BillingError, CaseKind,
    case::Finding,
    payment::{Payment, PaymentId},
    store,
};

impl Billing {
    /// Writes down what was given back: the money is gone, so our books say so as well.
    pub(crate) async fn adopt_cancellations(
        &self,
        business: BusinessId,
        payment: PaymentId,
        approval: &Approval,
    ) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        for cancellation in &approval.cancellations {
            let payment = store::payment::lock(&mut tx, business, payment).await?;
            let payment = payment.ok_or(BillingError::NotFound)?;
            if !payment.status.is_paid() {
                continue;
            }
            match ours(&mut tx, &payment, cancellation).await? {
                Some(refund) if refund.amount == cancellation.amount => {
                    self.discover(&mut tx, &payment, &refund, cancellation).await?;
                }
                // Another amount than we asked for went back: there is a case about it while it is open,
                // and once it failed this is one more.
                Some(refund) if refund.status != RefundStatus::Failed => {}
                Some(_) | None => self.adopt(&mut tx, &payment, cancellation).await?,
            }
        }
        self.look_for_unexplained(&mut tx, business, payment, approval).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Less is left at the provider than our books explain. An open refund may be the reason, and
    /// settles by itself; otherwise a person has to look.
    async fn look_for_unexplained(
        &self,
        tx: &mut PgConnection,
        business: BusinessId,
        payment: PaymentId,
        theirs: &Approval,
    ) -> Result<(), BillingError> {
        let payment = store::payment::lock(tx, business, payment).await?.ok_or(BillingError::NotFound)?;
        let has_open_refund = store::refund::open_amount(tx, business, payment.id).await?.is_positive();
        let Some(missing) = unexplained(&payment, theirs).filter(|_| !has_open_refund) else { return Ok(()) };
        if !payment.status.is_paid() {
            return Ok(());
        }
        let evidence = format!("the provider gave back {missing} that none of our refunds explains");
        let mut finding = Finding::against(&payment, CaseKind::UnknownCancel, theirs, &evidence);
        finding.subject = format!("{} remaining {}", finding.subject, theirs.remaining.get());
        self.open_case(tx, &finding).await
    }

    /// Where the provider tells only what is left: what is missing beyond our refunds is one more.
    pub(crate) async fn adopt_difference(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        theirs: &Approval,
    ) -> Result<(), BillingError> {
        let Some(amount) = unexplained(payment, theirs) else { return Ok(()) };
        let cancellation = Cancellation {
            amount,
            transaction_key: format!("{}-{}", theirs.payment_key, theirs.remaining.get()),
            reference: None,
            canceled_at: None,
        };
        self.adopt(tx, payment, &cancellation).await
    }

    /// A refund of ours came about, whatever we believed of it.
    async fn discover(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        refund: &Refund,
        cancellation: &Cancellation,
    ) -> Result<(), BillingError> {
        if refund.status == RefundStatus::Success {
            return Ok(());
        }
        if refund.status == RefundStatus::Failed {
            tracing::error!(refund = %refund.id, "the provider gave back what it had refused to");
        }
        refund.status.after(RefundMove::Discover)?;
        store::refund::complete(tx, refund, cancellation, self.clock.now()).await?;
        self.write_refunded(tx, payment, refund).await
    }

    /// Somebody gave money back without asking us.
    async fn adopt(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        cancellation: &Cancellation,
    ) -> Result<(), BillingError> {
        let now = self.clock.now();
        let refund = Refund {
            business: payment.business,
            id: RefundId::new(now),
            payment: payment.id,
            amount: cancellation.amount,
            reason: "결제사에서 취소됨".to_owned(),
            status: RefundStatus::Success,
            remaining_before: payment.amount.checked_sub(payment.refunded).unwrap_or(cancellation.amount),
            created_at: cancellation.canceled_at.unwrap_or(now),
            checks: 0,
            failure: None,
        };
        if store::refund::adopt(tx, &refund, cancellation, now).await? {
            self.write_refunded(tx, payment, &refund).await?;
        }
        Ok(())
    }
}

/// What the provider gave back beyond what our books say.
pub(crate) fn unexplained(payment: &Payment, theirs: &Approval) -> Option<Krw> {
    let left = payment.amount.checked_sub(payment.refunded)?;
    left.checked_sub(theirs.remaining).filter(|missing| missing.is_positive())
}

/// The refund of ours that made a cancel. Somebody else's reason may end in brackets too.
async fn ours(
    tx: &mut PgConnection,
    payment: &Payment,
    cancellation: &Cancellation,
) -> Result<Option<Refund>, BillingError> {
    let reference = cancellation.reference.as_deref().and_then(|text| text.parse::<RefundId>().ok());
    let Some(id) = reference else { return Ok(None) };
    let refund = store::refund::get(tx, payment.business, id).await?;
    Ok(refund.filter(|refund| refund.payment == payment.id))
}
