//! The bodies that billing answers with.

use kernel::{KoreanTime, Krw};
use serde::Serialize;
use utoipa::ToSchema;

use chrono::NaiveDate;

use crate::{
    BillingCycle,
    invoice::InvoiceId,
    payment::{Failure, PaymentId, PaymentReason, PaymentStatus},
    payment_method::PaymentMethodId,
    refund::{RefundId, RefundStatus},
    subscription::{EndReason, Period, SubscriptionId, SubscriptionStatus},
};

/// How a business's subscription stands.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CurrentSubscription {
    /// Null if the business never had one.
    pub subscription_id: Option<SubscriptionId>,
    pub status: Option<SubscriptionStatus>,
    /// The plan in force now: the subscribed one while its period is paid or pursued, else `FREE`.
    #[schema(example = "BASIC")]
    pub plan: String,
    #[schema(example = "베이직")]
    pub plan_name: String,
    /// What the plan in force unlocks.
    #[schema(example = json!(["EXPORTS", "CRM"]))]
    pub features: Vec<String>,
    /// The plan of the subscription, also where it is not in force any more.
    #[schema(example = "BASIC")]
    pub subscribed_plan: Option<String>,
    pub billing_cycle: Option<BillingCycle>,
    /// Won per period, VAT included.
    #[schema(example = 29000)]
    pub amount: Option<Krw>,
    pub current_period: Option<Period>,
    /// Null if there will be no further payment, and while one is owed: see `openInvoice`.
    #[schema(example = "2026-03-14")]
    pub next_payment_date: Option<NaiveDate>,
    /// For one that does not renew: the first day without access.
    pub access_until: Option<NaiveDate>,
    pub payment_method: Option<CardView>,
    /// What is owed and not paid yet.
    pub open_invoice: Option<OpenInvoiceView>,
    pub canceled_at: Option<KoreanTime>,
    pub cancel_reason: Option<String>,
    pub end_reason: Option<EndReason>,
    pub ended_at: Option<KoreanTime>,
}

/// A card on file.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CardView {
    pub billing_key: PaymentMethodId,
    #[schema(example = "TOSS")]
    pub provider: String,
    #[schema(example = "삼성카드")]
    pub card_company: String,
    #[schema(example = "****-****-****-1234")]
    pub card_number: String,
    /// False if the provider said that it will not work again: ask for another card.
    pub is_usable: bool,
}

/// An invoice that is not paid yet.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OpenInvoiceView {
    pub invoice_id: InvoiceId,
    #[schema(example = 29000)]
    pub amount: Krw,
    #[schema(example = 26364)]
    pub supply_amount: Krw,
    #[schema(example = 2636)]
    pub vat_amount: Krw,
    pub period: Period,
    #[schema(example = "2026-03-14")]
    pub due_date: NaiveDate,
    /// When the machine acts next: tries again, or gives up.
    pub next_attempt_at: Option<KoreanTime>,
    /// A charge is under way and its outcome not known yet.
    pub payment_in_progress: bool,
    pub last_payment_id: Option<PaymentId>,
    pub last_failure: Option<Failure>,
}

/// A payment: one attempt to collect money.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentView {
    #[schema(example = 101)]
    pub payment_id: PaymentId,
    #[schema(example = "dg5f0c7a1e9b3d4c2f8a6e0d1b2c3f4a5e")]
    pub order_id: String,
    #[schema(example = "TOSS")]
    pub provider: String,
    pub reason: PaymentReason,
    #[schema(example = "BASIC")]
    pub plan: String,
    pub billing_cycle: BillingCycle,
    #[schema(example = 29000)]
    pub amount: Krw,
    /// Value of supply (공급가액).
    #[schema(example = 26364)]
    pub supply_amount: Krw,
    /// VAT (부가세).
    #[schema(example = 2636)]
    pub vat_amount: Krw,
    #[schema(example = 0)]
    pub refunded_amount: Krw,
    pub status: PaymentStatus,
    #[schema(example = "삼성카드")]
    pub card_company: Option<String>,
    #[schema(example = "****-****-****-1234")]
    pub card_number: Option<String>,
    /// The provider's own receipt page.
    pub receipt_url: Option<String>,
    pub failure: Option<Failure>,
    /// The days that it pays for.
    pub period: Option<Period>,
    pub requested_at: KoreanTime,
    pub paid_at: Option<KoreanTime>,
}

/// A payment with all that belongs to it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentDetail {
    #[serde(flatten)]
    pub payment: PaymentView,
    /// Every attempt to pay the same invoice, this one included, oldest first.
    pub attempts: Vec<AttemptView>,
    /// Oldest first.
    pub refunds: Vec<RefundView>,
}

/// One attempt to pay an invoice.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttemptView {
    #[schema(example = 101)]
    pub payment_id: PaymentId,
    pub order_id: String,
    pub reason: PaymentReason,
    pub status: PaymentStatus,
    pub failure: Option<Failure>,
    pub requested_at: KoreanTime,
    pub settled_at: Option<KoreanTime>,
}

/// One refund of a payment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefundView {
    pub refund_id: RefundId,
    #[schema(example = 15000)]
    pub amount: Krw,
    #[schema(example = "고객 요청")]
    pub reason: String,
    pub status: RefundStatus,
    pub failure_message: Option<String>,
    pub requested_at: KoreanTime,
    pub settled_at: Option<KoreanTime>,
}
