//! Operator cases: what the machine could not settle, with its evidence, for a person to decide.
//!
//! A case is opened in the transaction that finds the trouble, once for each finding. Resolving it
//! goes through the same code that settles payments and refunds, so that a person can do nothing
//! here that the books would not show.

mod charges;
mod refunds;
mod resolve;

use kernel::{BusinessId, Krw};
use pg_adapter::Approval;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{
    Billing, BillingError,
    merchant::Merchant,
    payment::{Payment, PaymentId},
    refund::{Refund, RefundId},
    store,
};

pub(crate) use resolve::Decision;

kernel::id!(
    /// Something for a person to decide.
    CaseId, "case_"
);

/// What kind of trouble it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CaseKind {
    /// A charge was asked for, and nothing can tell whether it happened.
    ChargeUnknown,
    /// A refund was asked for, and nothing has told for a day whether it happened.
    RefundUnknown,
    /// The provider charged another amount than we asked for.
    AmountDiffers,
    /// The provider charged what we had given up as failed.
    LateApproval,
    /// The provider holds a charge that we never asked for.
    UnknownCharge,
    /// The provider gave back what none of our refunds explains.
    UnknownCancel,
    /// We call something paid or refunded that the provider does not have.
    MissingAtProvider,
    /// Money went back, and the provider would not take it out of the payment's cash receipt.
    ReceiptNotTakenBack,
}

/// What a person decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Resolution {
    /// It is so: our books follow the provider's.
    Adopt,
    /// The provider gives the money back.
    Refund,
    /// It stays as it is in our books: what was unknown did not happen, what is missing is lost.
    WriteOff,
}

impl CaseKind {
    /// What can be decided about such a case.
    pub(crate) fn resolutions(self) -> &'static [Resolution] {
        use Resolution::{Adopt, Refund, WriteOff};
        match self {
            Self::ChargeUnknown | Self::LateApproval => &[Adopt, Refund, WriteOff],
            Self::RefundUnknown | Self::UnknownCancel => &[Adopt, WriteOff],
            Self::AmountDiffers => &[Refund],
            Self::UnknownCharge => &[Refund, WriteOff],
            Self::MissingAtProvider | Self::ReceiptNotTakenBack => &[WriteOff],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CaseStatus {
    Open,
    Resolved,
}

/// Trouble that was found.
pub(crate) struct Finding {
    pub kind: CaseKind,
    /// Tells this finding from others of its kind.
    pub subject: String,
    pub merchant: Merchant,
    pub business: Option<BusinessId>,
    pub payment: Option<PaymentId>,
    pub refund: Option<RefundId>,
    pub order_id: Option<String>,
    pub payment_key: Option<String>,
    pub our_amount: Option<Krw>,
    pub their_amount: Option<Krw>,
    pub evidence: String,
}

/// A case as it is resolved.
pub(crate) struct Case {
    pub id: CaseId,
    pub kind: CaseKind,
    pub status: CaseStatus,
    pub merchant: Merchant,
    pub business: Option<BusinessId>,
    pub payment: Option<PaymentId>,
    pub refund: Option<RefundId>,
    pub order_id: Option<String>,
    pub payment_key: Option<String>,
}

impl Finding {
    /// Trouble with a payment of ours.
    pub(crate) fn about(payment: &Payment, kind: CaseKind, evidence: impl Into<String>) -> Self {
        Self {
            kind,
            subject: format!("payment {}", payment.id),
            merchant: payment.merchant,
            business: Some(payment.business),
            payment: Some(payment.id),
            refund: None,
            order_id: Some(payment.order_id.clone()),
            payment_key: payment.payment_key.clone(),
            our_amount: Some(payment.amount),
            their_amount: None,
            evidence: evidence.into(),
        }
    }

    /// Trouble with a payment of ours that the provider shows otherwise.
    pub(crate) fn against(payment: &Payment, kind: CaseKind, theirs: &Approval, evidence: &str) -> Self {
        Self {
            payment_key: Some(theirs.payment_key.clone()),
            their_amount: Some(theirs.amount),
            ..Self::about(payment, kind, evidence)
        }
    }

    pub(crate) fn about_refund(payment: &Payment, refund: &Refund, evidence: &str) -> Self {
        Self {
            subject: format!("refund {}", refund.id),
            refund: Some(refund.id),
            our_amount: Some(refund.amount),
            ..Self::about(payment, CaseKind::RefundUnknown, evidence)
        }
    }

    /// A refund of ours that the provider does not have.
    pub(crate) fn missing_refund(
        payment: &Payment,
        refund: RefundId,
        amount: Krw,
        evidence: impl Into<String>,
    ) -> Self {
        Self {
            subject: format!("refund {refund}"),
            refund: Some(refund),
            our_amount: Some(amount),
            ..Self::about(payment, CaseKind::MissingAtProvider, evidence)
        }
    }

    /// A refund that the payment's cash receipt does not know of. It says nothing about the money, and so
    /// names no order: a resolved case explains what differs about its order.
    pub(crate) fn kept_receipt(payment: &Payment, refund: RefundId, amount: Krw, code: &str) -> Self {
        Self {
            subject: format!("cash receipt, refund {refund}"),
            refund: Some(refund),
            order_id: None,
            our_amount: Some(amount),
            ..Self::about(
                payment,
                CaseKind::ReceiptNotTakenBack,
                format!("the provider would not take it out of the cash receipt: {code}"),
            )
        }
    }

    /// A charge under the order of a payment of ours, beside the one that paid it.
    pub(crate) fn second_charge(payment: &Payment, theirs: &Approval, evidence: &str) -> Self {
        Self {
            business: Some(payment.business),
            payment: Some(payment.id),
            ..Self::stray(payment.merchant, theirs, evidence)
        }
    }

    /// A charge that we know nothing of.
    pub(crate) fn stray(merchant: Merchant, theirs: &Approval, evidence: &str) -> Self {
        Self {
            kind: CaseKind::UnknownCharge,
            subject: format!("{merchant} {}", theirs.payment_key),
            merchant,
            business: None,
            payment: None,
            refund: None,
            order_id: Some(theirs.order_id.clone()),
            payment_key: Some(theirs.payment_key.clone()),
            our_amount: None,
            their_amount: Some(theirs.amount),
            evidence: evidence.to_owned(),
        }
    }

    pub(crate) fn fingerprint(&self) -> String {
        format!("{:?} {}", self.kind, self.subject)
    }
}

impl Billing {
    /// Opens a case, unless this was found before.
    pub(crate) async fn open_case(
        &self,
        tx: &mut PgConnection,
        finding: &Finding,
    ) -> Result<(), BillingError> {
        let now = self.clock.now();
        if store::case::open(tx, CaseId::new(now), finding, now).await? {
            tracing::error!(
                kind = ?finding.kind, subject = finding.subject, order = finding.order_id,
                evidence = finding.evidence, "an operator has to decide: a case was opened"
            );
        }
        Ok(())
    }
}
