//! Carrying out what a person decided.
//!
//! Whoever decides takes the case first, so that two who decide differently do not both act. Then the
//! provider is asked before anything is written, with no transaction open. Every step can be taken
//! again: a cancel made here carries the case's id, and what is settled already stays so. Thus
//! deciding the same again after a crash comes to the same.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use kernel::Krw;
use pg_adapter::{Approval, Cancel, Decline, DeclineClass, Lookup, Outcome};
use platform::SystemTx;

use super::{Case, CaseId, CaseKind, CaseStatus, Resolution};
use crate::{Billing, BillingError, ledger::Posting, payment::Payment, store};

/// What somebody decided about a case, and why.
pub(crate) struct Decision {
    pub resolution: Resolution,
    pub note: String,
    /// `sub` of the operator.
    pub by: String,
    pub payment_key: Option<String>,
}

/// How long whoever decides has a case alone: longer than the calls that a decision makes may take.
const CLAIM: TimeDelta = TimeDelta::minutes(5);

/// Who resolved a case where no person did.
const MACHINE: &str = "the machine";

impl Billing {
    /// Does what was decided, and closes the case.
    pub(crate) async fn resolve_case(&self, id: CaseId, decision: &Decision) -> Result<(), BillingError> {
        let (case, claimed_until) = self.claim_case(id, decision).await?;
        let carried_out = self.do_as_decided(&case, decision).await;
        let mut tx = SystemTx::begin(&self.db).await?;
        if let Err(error) = carried_out {
            store::case::give_up(&mut tx, id, claimed_until).await?;
            tx.commit().await?;
            return Err(error);
        }
        let now = self.clock.now();
        let Decision { resolution, note, by, .. } = decision;
        let is_first = store::case::resolve(&mut tx, id, *resolution, note, by, now).await?;
        tx.commit().await?;
        if !is_first {
            return Err(BillingError::CaseResolved);
        }
        tracing::info!(case = %id, ?resolution, "a case was resolved");
        Ok(())
    }

    /// The case, which nobody else decides until then.
    async fn claim_case(
        &self,
        id: CaseId,
        decision: &Decision,
    ) -> Result<(Case, DateTime<Utc>), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let case = store::case::get(&mut tx, id).await?.ok_or(BillingError::NotFound)?;
        if case.status == CaseStatus::Resolved {
            return Err(BillingError::CaseResolved);
        }
        if !case.kind.resolutions().contains(&decision.resolution) {
            return Err(BillingError::ResolutionNotPossible);
        }
        let now = self.clock.now();
        // The microseconds are what the database keeps of it.
        let until = (now + CLAIM).trunc_subsecs(6);
        if !store::case::claim(&mut tx, id, until, now).await? {
            return Err(BillingError::CaseBeingDecided);
        }
        tx.commit().await?;
        Ok((case, until))
    }

    async fn do_as_decided(&self, case: &Case, decision: &Decision) -> Result<(), BillingError> {
        match case.kind {
            CaseKind::ChargeUnknown => self.resolve_unknown_charge(case, decision).await,
            CaseKind::AmountDiffers => self.give_back_and_decline(case, decision).await,
            CaseKind::LateApproval => self.resolve_late_approval(case, decision).await,
            CaseKind::UnknownCharge => self.resolve_stray_charge(case, decision).await,
            CaseKind::RefundUnknown => self.resolve_unknown_refund(case, decision).await,
            CaseKind::UnknownCancel => self.resolve_unknown_cancel(case, decision).await,
            CaseKind::MissingAtProvider => self.write_off_missing(case).await,
            // Done by hand in the provider's console, which our books know nothing of.
            CaseKind::ReceiptNotTakenBack => Ok(()),
        }
    }

    /// Closes the cases about charges and refunds whose outcome came to be known meanwhile.
    pub(crate) async fn resolve_settled_cases(&self) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let resolved = store::case::resolve_settled(&mut tx, MACHINE, self.clock.now()).await?;
        tx.commit().await?;
        for case in resolved {
            tracing::info!(%case, "what a case was about is known now: it is resolved");
        }
        Ok(())
    }

    /// What the provider still owes us for the payment will not come. Where it is a refund that the
    /// provider does not have, it owes us more than our books say, and nothing is lost.
    async fn write_off_missing(&self, case: &Case) -> Result<(), BillingError> {
        if case.refund.is_some() {
            return Ok(());
        }
        let (business, payment) = case.business.zip(case.payment).ok_or(BillingError::NotFound)?;
        let mut tx = SystemTx::begin(&self.db).await?;
        let payment =
            store::payment::lock(&mut tx, business, payment).await?.ok_or(BillingError::NotFound)?;
        let owed = store::ledger::owed_for(&mut tx, &payment).await?;
        store::ledger::post(&mut tx, &Posting::write_off(&payment, owed), self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The payment that the case is about, as our books have it now.
    pub(super) async fn payment_of(&self, case: &Case) -> Result<Payment, BillingError> {
        let (business, payment) = case.business.zip(case.payment).ok_or(BillingError::NotFound)?;
        let mut tx = SystemTx::begin(&self.db).await?;
        let payment =
            store::payment::lock(&mut tx, business, payment).await?.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        Ok(payment)
    }

    /// The payment as the provider shows it: by the key that the operator read in its console, or the
    /// one that the case knows. It is the payment of the case's order, and no other.
    pub(super) async fn theirs(&self, case: &Case, decision: &Decision) -> Result<Approval, BillingError> {
        let named = decision.payment_key.as_deref().or(case.payment_key.as_deref());
        let payment_key = named.ok_or(BillingError::InvalidField {
            field: "paymentKey",
            code: "REQUIRED",
            message: "결제사 관리자에서 확인한 거래번호가 필요합니다.",
        })?;
        match self.gateway(case.merchant).await?.find(payment_key).await {
            Lookup::Approved(theirs) if case.order_id.as_ref() == Some(&theirs.order_id) => Ok(theirs),
            Lookup::Unknown(reason) => Err(BillingError::ProviderUnavailable(reason)),
            Lookup::Approved(_)
            | Lookup::Failed(_)
            | Lookup::InProgress
            | Lookup::AwaitingDeposit(_)
            | Lookup::NotFound => Err(not_this_payment()),
        }
    }

    /// Cancels all that is left. Done twice, it is one cancel.
    pub(super) async fn give_back(&self, case: &Case, theirs: &Approval) -> Result<(), BillingError> {
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
        match self.gateway(case.merchant).await?.cancel(&cancel).await {
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

pub(super) fn not_this_payment() -> BillingError {
    BillingError::InvalidField {
        field: "paymentKey",
        code: "NOT_THIS_PAYMENT",
        message: "결제사에 이 주문의 승인된 결제가 아닙니다. 거래번호를 확인해 주세요.",
    }
}

pub(super) fn did_not_happen() -> Decline {
    Decline {
        class: DeclineClass::Temporary,
        code: "WRITTEN_OFF".to_owned(),
        message: "결제사 확인 결과 처리되지 않은 거래입니다.".to_owned(),
    }
}
