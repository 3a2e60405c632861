//! Carrying out what a person decided.
//!
//! The provider is asked before anything is written, with no transaction open. A cancel made here
//! carries the case's id, so that deciding the same twice, or again after a crash, is one cancel.

use kernel::Krw;
use pg_adapter::{Approval, Cancel, Decline, DeclineClass, Lookup, Outcome};
use platform::SystemTx;

use super::{Case, CaseId, CaseKind, CaseStatus, Resolution};
use crate::{Billing, BillingError, PaymentMove, ledger::Posting, payment::Payment, store};

/// What somebody decided about a case, and why.
pub(crate) struct Decision {
    pub resolution: Resolution,
    pub note: String,
    /// `sub` of the operator.
    pub by: String,
    pub payment_key: Option<String>,
}

impl Billing {
    /// Does what was decided, and closes the case.
    pub(crate) async fn resolve_case(&self, id: CaseId, decision: &Decision) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let case = store::case::lock(&mut tx, id).await?.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        if case.status == CaseStatus::Resolved {
            return Err(BillingError::CaseResolved);
        }
        if !case.kind.resolutions().contains(&decision.resolution) {
            return Err(BillingError::ResolutionNotPossible);
        }
        match case.kind {
            CaseKind::ChargeUnknown => self.resolve_unknown_charge(&case, decision).await?,
            CaseKind::AmountDiffers => self.give_back_and_decline(&case, decision).await?,
            CaseKind::LateApproval => self.resolve_late_approval(&case, decision).await?,
            CaseKind::UnknownCharge => self.resolve_stray_charge(&case, decision).await?,
            CaseKind::RefundUnknown => self.resolve_unknown_refund(&case, decision).await?,
            CaseKind::UnknownCancel => self.resolve_unknown_cancel(&case, decision).await?,
            CaseKind::MissingAtProvider => self.write_off_missing(&case).await?,
        }
        let mut tx = SystemTx::begin(&self.db).await?;
        let now = self.clock.now();
        store::case::resolve(&mut tx, id, decision.resolution, &decision.note, &decision.by, now).await?;
        tx.commit().await?;
        tracing::info!(case = %id, resolution = ?decision.resolution, "a case was resolved");
        Ok(())
    }

    async fn resolve_unknown_charge(&self, case: &Case, decision: &Decision) -> Result<(), BillingError> {
        match decision.resolution {
            Resolution::Adopt => {
                let payment = self.payment_of(case).await?;
                let theirs = self.theirs(case, decision).await?;
                must_be(&theirs, &payment)?;
                if theirs.amount != payment.amount {
                    return Err(BillingError::ResolutionNotPossible);
                }
                self.settle(payment.business, payment.id, Outcome::Approved(theirs)).await?;
                Ok(())
            }
            Resolution::Refund => self.give_back_and_decline(case, decision).await,
            Resolution::WriteOff => {
                let payment = self.payment_of(case).await?;
                self.settle(payment.business, payment.id, Outcome::Declined(did_not_happen())).await?;
                Ok(())
            }
        }
    }

    /// The provider gives all of it back, and the attempt failed.
    async fn give_back_and_decline(&self, case: &Case, decision: &Decision) -> Result<(), BillingError> {
        let payment = self.payment_of(case).await?;
        let theirs = self.theirs(case, decision).await?;
        must_be(&theirs, &payment)?;
        self.give_back(case, &theirs).await?;
        self.settle(payment.business, payment.id, Outcome::Declined(was_given_back())).await?;
        Ok(())
    }

    async fn resolve_late_approval(&self, case: &Case, decision: &Decision) -> Result<(), BillingError> {
        let payment = self.payment_of(case).await?;
        let theirs = self.theirs(case, decision).await?;
        must_be(&theirs, &payment)?;
        match decision.resolution {
            Resolution::Adopt => self.approve_late(&payment, theirs).await,
            Resolution::Refund => self.give_back(case, &theirs).await,
            Resolution::WriteOff => Ok(()),
        }
    }

    /// What was given up pays the invoice after all, if nothing else has paid it since.
    async fn approve_late(&self, payment: &Payment, theirs: Approval) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let mut payment = store::payment::lock(&mut tx, payment.business, payment.id)
            .await?
            .ok_or(BillingError::NotFound)?;
        let invoice = payment.invoice.ok_or(BillingError::ResolutionNotPossible)?;
        let is_owed = store::invoice::is_open(&mut tx, payment.business, invoice).await?
            && store::payment::open_of_invoice(&mut tx, payment.business, invoice).await?.is_none();
        if !is_owed || theirs.amount != payment.amount {
            return Err(BillingError::ResolutionNotPossible);
        }
        payment.status = payment.status.after(PaymentMove::Reopen)?;
        store::payment::reopen(&mut tx, &payment, self.clock.now()).await?;
        self.write_approvals(&mut tx, vec![(payment, theirs)]).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn resolve_stray_charge(&self, case: &Case, decision: &Decision) -> Result<(), BillingError> {
        match decision.resolution {
            Resolution::Refund => {
                let theirs = self.theirs(case, decision).await?;
                self.give_back(case, &theirs).await
            }
            Resolution::Adopt | Resolution::WriteOff => Ok(()),
        }
    }

    async fn resolve_unknown_refund(&self, case: &Case, decision: &Decision) -> Result<(), BillingError> {
        let refund = case.refund.zip(case.business).ok_or(BillingError::NotFound)?;
        let mut tx = SystemTx::begin(&self.db).await?;
        let refund = store::refund::get(&mut tx, refund.1, refund.0).await?.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        let outcome = match decision.resolution {
            Resolution::Adopt => Outcome::Approved(refund.by_hand()),
            Resolution::Refund | Resolution::WriteOff => Outcome::Declined(did_not_happen()),
        };
        self.settle_refund(&refund, outcome).await?;
        Ok(())
    }

    /// The provider gave back more than our refunds explain: the difference becomes a refund of ours.
    async fn resolve_unknown_cancel(&self, case: &Case, decision: &Decision) -> Result<(), BillingError> {
        if decision.resolution == Resolution::WriteOff {
            return Ok(());
        }
        let payment = self.payment_of(case).await?;
        let theirs = self.theirs(case, decision).await?;
        must_be(&theirs, &payment)?;
        self.adopt_cancellations(payment.business, payment.id, &theirs).await?;
        let mut tx = SystemTx::begin(&self.db).await?;
        let payment = store::payment::lock(&mut tx, payment.business, payment.id)
            .await?
            .ok_or(BillingError::NotFound)?;
        self.adopt_difference(&mut tx, &payment, &theirs).await?;
        tx.commit().await?;
        Ok(())
    }

    /// What the provider owes us will not come.
    async fn write_off_missing(&self, case: &Case) -> Result<(), BillingError> {
        let payment = self.payment_of(case).await?;
        let left = payment.amount.checked_sub(payment.refunded).unwrap_or(Krw::ZERO);
        let mut tx = SystemTx::begin(&self.db).await?;
        store::ledger::post(&mut tx, &Posting::write_off(&payment, left), self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn payment_of(&self, case: &Case) -> Result<Payment, BillingError> {
        let (business, payment) = case.business.zip(case.payment).ok_or(BillingError::NotFound)?;
        let mut tx = SystemTx::begin(&self.db).await?;
        let payment =
            store::payment::lock(&mut tx, business, payment).await?.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        Ok(payment)
    }

    /// The payment as the provider shows it: by the key that the operator read in its console, or the
    /// one that the case knows.
    async fn theirs(&self, case: &Case, decision: &Decision) -> Result<Approval, BillingError> {
        let named = decision.payment_key.as_deref().or(case.payment_key.as_deref());
        let payment_key = named.ok_or(BillingError::InvalidField {
            field: "paymentKey",
            code: "REQUIRED",
            message: "결제사 관리자에서 확인한 거래번호가 필요합니다.",
        })?;
        match self.gateway(case.provider)?.find(payment_key).await {
            Lookup::Approved(theirs) => Ok(theirs),
            Lookup::Unknown(reason) => Err(BillingError::ProviderUnavailable(reason)),
            Lookup::Failed(_) | Lookup::InProgress | Lookup::AwaitingDeposit(_) | Lookup::NotFound => {
                Err(not_this_payment())
            }
        }
    }

    /// Cancels all that is left. Done twice, it is one cancel.
    async fn give_back(&self, case: &Case, theirs: &Approval) -> Result<(), BillingError> {
        if theirs.remaining == Krw::ZERO {
            return Ok(());
        }
        let cancel = Cancel {
            payment_key: theirs.payment_key.clone(),
            amount: theirs.remaining,
            reason: "확인되지 않은 결제 취소".to_owned(),
            reference: case.id.to_string(),
            remaining_before: theirs.remaining,
        };
        match self.gateway(case.provider)?.cancel(&cancel).await {
            Outcome::Approved(_) => Ok(()),
            Outcome::Declined(decline) => {
                tracing::error!(case = %case.id, code = decline.code, "the provider refused to give a payment back");
                Err(BillingError::ResolutionNotPossible)
            }
            Outcome::NotSent(reason) | Outcome::Unknown(reason) => {
                Err(BillingError::ProviderUnavailable(reason))
            }
        }
    }
}

/// The provider's payment is for our order, and no other.
fn must_be(theirs: &Approval, ours: &Payment) -> Result<(), BillingError> {
    if theirs.order_id == ours.order_id { Ok(()) } else { Err(not_this_payment()) }
}

fn not_this_payment() -> BillingError {
    BillingError::InvalidField {
        field: "paymentKey",
        code: "NOT_THIS_PAYMENT",
        message: "결제사에 이 주문의 승인된 결제가 아닙니다. 거래번호를 확인해 주세요.",
    }
}

fn did_not_happen() -> Decline {
    Decline {
        class: DeclineClass::Temporary,
        code: "WRITTEN_OFF".to_owned(),
        message: "결제사 확인 결과 처리되지 않은 거래입니다.".to_owned(),
    }
}

fn was_given_back() -> Decline {
    Decline {
        class: DeclineClass::Temporary,
        code: "GIVEN_BACK".to_owned(),
        message: "확인되지 않은 결제가 전액 취소되었습니다. 다시 결제해 주세요.".to_owned(),
    }
}
