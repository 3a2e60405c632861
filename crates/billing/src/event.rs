//! What billing tells the rest of the platform.

use chrono::NaiveDate;
use kernel::Krw;
use platform::events::Event;
use serde::Serialize;

use crate::{
    payment::{CashReceiptKind, Failure, PaymentId, PaymentReason},
    payment_method::PaymentMethodId,
    refund::RefundId,
    subscription::{EndReason, SubscriptionId},
};

/// What this context's events are about.
pub(crate) const EVENT_NOUNS: [&str; 5] =
    ["cash_receipt", "payment", "payment_method", "subscription", "tax_invoice"];

/// An event of this context. The members of each variant are its published `data`.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(crate) enum BillingEvent {
    PaymentSucceeded {
        payment_id: PaymentId,
        subscription_id: SubscriptionId,
        amount: Krw,
        reason: PaymentReason,
        receipt_url: Option<String>,
        /// When the next payment is due; null if there will be none.
        next_payment_date: Option<NaiveDate>,
    },
    PaymentFailed {
        payment_id: PaymentId,
        subscription_id: SubscriptionId,
        amount: Krw,
        reason: PaymentReason,
        failure: Failure,
        /// When it is tried again by itself; null if it is not.
        next_attempt_date: Option<NaiveDate>,
    },
    PaymentRefunded {
        payment_id: PaymentId,
        refund_id: RefundId,
        amount: Krw,
        remaining_amount: Krw,
        reason: String,
    },
    /// A refund that was under way did not come about; nothing was given back.
    PaymentRefundFailed {
        payment_id: PaymentId,
        refund_id: RefundId,
        amount: Krw,
        message: String,
    },
    SubscriptionStarted {
        subscription_id: SubscriptionId,
        plan: String,
        next_payment_date: Option<NaiveDate>,
    },
    SubscriptionPastDue {
        subscription_id: SubscriptionId,
        amount: Krw,
        /// True if trying again is pointless and the shop has to register another card.
        new_card_needed: bool,
        next_attempt_date: Option<NaiveDate>,
    },
    SubscriptionRecovered {
        subscription_id: SubscriptionId,
    },
    SubscriptionDowngraded {
        subscription_id: SubscriptionId,
        from_plan: String,
        to_plan: &'static str,
    },
    SubscriptionSuspended {
        subscription_id: SubscriptionId,
    },
    SubscriptionCanceled {
        subscription_id: SubscriptionId,
        /// Access lasts until the day before; null if it ended at once.
        access_until: Option<NaiveDate>,
        reason: Option<String>,
    },
    /// It will not renew, and ends in a few days.
    SubscriptionExpiring {
        subscription_id: SubscriptionId,
        plan_name: String,
        /// Access lasts until the day before.
        access_until: NaiveDate,
    },
    SubscriptionEnded {
        subscription_id: SubscriptionId,
        reason: EndReason,
    },
    PaymentMethodReplaced {
        billing_key: PaymentMethodId,
        card_company: String,
        card_number: String,
    },
    /// A card to fall back on was added.
    PaymentMethodAdded {
        billing_key: PaymentMethodId,
        card_company: String,
        card_number: String,
    },
    TaxInvoiceIssued {
        payment_id: PaymentId,
        invoice_id: String,
        amount: Krw,
    },
    /// A refund's modified invoice was issued.
    TaxInvoiceModified {
        payment_id: PaymentId,
        invoice_id: String,
        original_invoice_id: String,
        refund_id: RefundId,
        /// Negative: what it takes back.
        amount: Krw,
    },
    /// The tax service took it.
    TaxInvoiceAccepted {
        payment_id: PaymentId,
        invoice_id: String,
    },
    /// The tax service refused it; it is void.
    TaxInvoiceRejected {
        payment_id: PaymentId,
        invoice_id: String,
        code: Option<String>,
    },
    /// The issuer would not issue it.
    TaxInvoiceRefused {
        payment_id: PaymentId,
        invoice_id: String,
        message: String,
    },
    /// The tax service took a cash receipt that was asked for.
    CashReceiptIssued {
        payment_id: PaymentId,
        #[serde(rename = "type")]
        kind: CashReceiptKind,
        amount: Krw,
        issue_number: Option<String>,
    },
    /// The provider or the tax service would not have it.
    CashReceiptRefused {
        payment_id: PaymentId,
        message: String,
    },
    /// A refund took it back, wholly or in part.
    CashReceiptCanceled {
        payment_id: PaymentId,
        amount: Krw,
        remaining_amount: Krw,
    },
    /// The provider deleted the card's key by itself; the next renewal cannot be charged.
    PaymentMethodUnusable {
        billing_key: PaymentMethodId,
    },
}

impl Event for BillingEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::PaymentSucceeded { .. } => "payment.succeeded",
            Self::PaymentFailed { .. } => "payment.failed",
            Self::PaymentRefunded { .. } => "payment.refunded",
            Self::PaymentRefundFailed { .. } => "payment.refund_failed",
            Self::SubscriptionStarted { .. } => "subscription.started",
            Self::SubscriptionPastDue { .. } => "subscription.past_due",
            Self::SubscriptionRecovered { .. } => "subscription.recovered",
            Self::SubscriptionDowngraded { .. } => "subscription.downgraded",
            Self::SubscriptionSuspended { .. } => "subscription.suspended",
            Self::SubscriptionCanceled { .. } => "subscription.canceled",
            Self::SubscriptionExpiring { .. } => "subscription.expiring",
            Self::SubscriptionEnded { .. } => "subscription.ended",
            Self::TaxInvoiceIssued { .. } => "tax_invoice.issued",
            Self::TaxInvoiceModified { .. } => "tax_invoice.modified",
            Self::TaxInvoiceAccepted { .. } => "tax_invoice.accepted",
            Self::TaxInvoiceRejected { .. } => "tax_invoice.rejected",
            Self::TaxInvoiceRefused { .. } => "tax_invoice.refused",
            Self::CashReceiptIssued { .. } => "cash_receipt.issued",
            Self::CashReceiptRefused { .. } => "cash_receipt.refused",
            Self::CashReceiptCanceled { .. } => "cash_receipt.canceled",
            Self::PaymentMethodReplaced { .. } => "payment_method.replaced",
            Self::PaymentMethodAdded { .. } => "payment_method.added",
            Self::PaymentMethodUnusable { .. } => "payment_method.unusable",
        }
    }
}
