//! Decisions about charges: adopted, given back, or left as they are.

use kernel::Krw;
use pg_adapter::{Approval, Decline, DeclineClass, Lookup, Outcome};
use platform::SystemTx;

use super::{
    Case, Resolution,
    resolve::{Decision, did_not_happen, not_this_payment},
};
use crate::{Billing, BillingError, PaymentMove, charge::Settlement, payment::Payment, store};

impl Billing {
    pub(super) async fn resolve_unknown_charge(
        &self,
        case: &Case,
        decision: &Decision,
    ) -> Result<(), BillingError> {
        match decision.resolution {
            Resolution::Adopt => self.adopt_charge(case, decision).await,
            Resolution::Refund => self.give_back_and_decline(case, decision).await,
            Resolution::WriteOff => {
                let payment = self.payment_of(case).await?;
                self.settle(payment.business, payment.id, Outcome::Declined(did_not_happen())).await?;
                Ok(())
            }
        }
    }

    pub(super) async fn resolve_late_approval(
        &self,
        case: &Case,
        decision: &Decision,
    ) -> Result<(), BillingError> {
        match decision.resolution {
            Resolution::Adopt => self.adopt_late(case, decision).await,
            Resolution::Refund => self.give_back_and_decline(case, decision).await,
            Resolution::WriteOff => Ok(()),
        }
    }

    pub(super) async fn resolve_stray_charge(
        &self,
        case: &Case,
        decision: &Decision,
    ) -> Result<(), BillingError> {
        match decision.resolution {
            Resolution::Refund => {
                let theirs = self.theirs(case, decision).await?;
                // The order may be that of a payment of ours, which stays.
                if case.payment_key.as_ref() != Some(&theirs.payment_key) {
                    return Err(not_this_payment());
                }
                self.give_back(case, &theirs).await
            }
            Resolution::Adopt | Resolution::WriteOff => Ok(()),
        }
    }

    /// The provider gives all of it back, and the attempt failed.
    pub(super) async fn give_back_and_decline(
        &self,
        case: &Case,
        decision: &Decision,
    ) -> Result<(), BillingError> {
        let payment = self.payment_of(case).await?;
        let theirs = self.theirs(case, decision).await?;
        self.give_back(case, &theirs).await?;
        let given_back = Outcome::Declined(was_given_back());
        match self.settle(payment.business, payment.id, given_back).await? {
            Settlement::Declined(_) | Settlement::Open => Ok(()),
            // The machine goes on asking while a case waits, and had settled it as paid.
            Settlement::Paid => self.adopt_given_back(case, &theirs.payment_key).await,
        }
    }

    /// The payment was paid by what went back now, so it is refunded. Where the provider gives no
    /// answer, its webhook or the daily reconciliation tells.
    async fn adopt_given_back(&self, case: &Case, payment_key: &str) -> Result<(), BillingError> {
        let payment = self.payment_of(case).await?;
        if payment.payment_key.as_deref() != Some(payment_key) {
            return Ok(());
        }
        if let Lookup::Approved(theirs) = self.gateway(case.merchant).await?.find(payment_key).await {
            self.adopt_cancellations(payment.business, payment.id, &theirs).await?;
        }
        Ok(())
    }

    /// The open attempt was approved.
    async fn adopt_charge(&self, case: &Case, decision: &Decision) -> Result<(), BillingError> {
        let payment = self.payment_of(case).await?;
        let theirs = self.theirs(case, decision).await?;
        must_pay(&theirs, &payment)?;
        match self.settle(payment.business, payment.id, Outcome::Approved(theirs.clone())).await? {
            Settlement::Paid => self.adopt_cancellations(payment.business, payment.id, &theirs).await,
            // It was given up meanwhile: as a late approval it is another case by now.
            Settlement::Declined(_) | Settlement::Open => Err(BillingError::ResolutionNotPossible),
        }
    }

    /// What was given up pays the invoice after all, if nothing else has paid it since.
    async fn adopt_late(&self, case: &Case, decision: &Decision) -> Result<(), BillingError> {
        let payment = self.payment_of(case).await?;
        let theirs = self.theirs(case, decision).await?;
        must_pay(&theirs, &payment)?;
        self.reopen_and_approve(&payment, &theirs).await?;
        self.adopt_cancellations(payment.business, payment.id, &theirs).await
    }

    async fn reopen_and_approve(&self, payment: &Payment, theirs: &Approval) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let mut payment = store::payment::lock(&mut tx, payment.business, payment.id)
            .await?
            .ok_or(BillingError::NotFound)?;
        // Somebody decided the same, and did not get as far as closing the case.
        if payment.status.is_paid() {
            return must_pay(theirs, &payment);
        }
        let invoice = payment.invoice.ok_or(BillingError::ResolutionNotPossible)?;
        let is_owed = store::invoice::is_open(&mut tx, payment.business, invoice).await?
            && store::payment::open_of_invoice(&mut tx, payment.business, invoice).await?.is_none();
        if !is_owed {
            return Err(BillingError::ResolutionNotPossible);
        }
        payment.status = payment.status.after(PaymentMove::Reopen)?;
        store::payment::reopen(&mut tx, &payment, self.clock.now()).await?;
        self.write_approvals(&mut tx, vec![(payment, theirs.clone())]).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The provider's payment is worth what we asked for, something of it is left, and no other has paid
/// ours already.
fn must_pay(theirs: &Approval, ours: &Payment) -> Result<(), BillingError> {
    let is_paid_by_another = ours.status.is_paid() && ours.payment_key.as_ref() != Some(&theirs.payment_key);
    if is_paid_by_another || theirs.amount != ours.amount || theirs.remaining == Krw::ZERO {
        return Err(BillingError::ResolutionNotPossible);
    }
    Ok(())
}

fn was_given_back() -> Decline {
    Decline {
        class: DeclineClass::Temporary,
        code: "GIVEN_BACK".to_owned(),
        message: "확인되지 않은 결제가 전액 취소되었습니다. 다시 결제해 주세요.".to_owned(),
    }
}
