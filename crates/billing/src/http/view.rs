//! The bodies that billing answers with.

use kernel::{KoreanTime, Krw};
use serde::Serialize;
use utoipa::ToSchema;

use chrono::NaiveDate;

use super::providers::ProviderName;
use crate::{
    BillingCycle,
    invoice::InvoiceId,
    payment::{CashReceiptKind, Failure, PaidWith, PaymentId, PaymentReason, PaymentStatus},
    payment_method::PaymentMethodId,
    refund::{RefundId, RefundStatus},
    subscription::{EndReason, Period, SubscriptionId, SubscriptionStatus},
    tax_invoice::{TaxInvoiceStatus, WrittenInvoice},
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
    #[schema(value_type = ProviderName)]
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
    #[schema(value_type = ProviderName)]
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
    /// With what it was paid; null if it was not, or if the provider does not say.
    pub paid_with: Option<PaidWith>,
    /// The provider's own receipt page.
    pub receipt_url: Option<String>,
    /// The cash receipt (현금영수증) that came along with it, or that was asked for and issued.
    pub cash_receipt: Option<CashReceiptView>,
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
    /// In the order they were asked for, modified ones included.
    pub tax_invoices: Vec<TaxInvoiceView>,
}

/// A cash receipt (현금영수증).
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CashReceiptView {
    #[serde(rename = "type")]
    pub kind: CashReceiptKind,
    /// The tax service's number of it.
    #[schema(example = "000000001")]
    pub issue_number: String,
    pub receipt_url: Option<String>,
}

impl CashReceiptView {
    pub(crate) fn of(
        kind: Option<CashReceiptKind>,
        issue_number: Option<String>,
        receipt_url: Option<String>,
    ) -> Option<Self> {
        Some(Self { kind: kind?, issue_number: issue_number?, receipt_url })
    }
}

/// A tax invoice (세금계산서) of a payment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaxInvoiceView {
    #[schema(example = "INV-20260214-001")]
    pub invoice_id: String,
    #[schema(example = 101)]
    pub payment_id: PaymentId,
    #[schema(example = "ISSUED")]
    pub status: TaxInvoiceStatus,
    /// The legal date of the document (작성일자).
    #[schema(example = "2026-02-14")]
    pub write_date: NaiveDate,
    /// Value of supply (공급가액); negative on a modified invoice that takes something back.
    #[schema(example = 26364)]
    pub supply_amount: Krw,
    /// VAT (세액).
    #[schema(example = 2636)]
    pub vat_amount: Krw,
    /// The tax service's number of it (국세청 승인번호), from the issue on.
    pub confirmation_number: Option<String>,
    /// Of a modified invoice (수정세금계산서).
    pub modification: Option<ModificationView>,
    /// Why it was not issued.
    pub refusal_message: Option<String>,
    /// The tax service's own word about it, such as `SUC001`.
    pub tax_service_code: Option<String>,
    pub requested_at: KoreanTime,
    pub issued_at: Option<KoreanTime>,
    /// When it went to the tax service.
    pub sent_at: Option<KoreanTime>,
    /// When the tax service answered.
    pub answered_at: Option<KoreanTime>,
    /// Null while there is nothing to download.
    #[schema(example = "/api/payments/tax-invoice/INV-20260214-001/download")]
    pub download_url: Option<String>,
}

/// What a modified tax invoice modifies.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ModificationView {
    #[schema(example = "INV-20260214-001")]
    pub original_invoice_id: String,
    pub refund_id: RefundId,
    /// The tax service's reason code (수정사유), 1 to 6.
    #[schema(example = 4)]
    pub reason_code: u8,
    /// In its words.
    #[schema(example = "계약의 해제")]
    pub reason: &'static str,
}

impl From<WrittenInvoice> for TaxInvoiceView {
    fn from(invoice: WrittenInvoice) -> Self {
        Self {
            download_url: invoice.status.is_issued().then(|| download_url(&invoice)),
            payment_id: invoice.payment,
            status: invoice.status,
            write_date: invoice.write_date,
            supply_amount: invoice.amount.supply,
            vat_amount: invoice.amount.vat,
            confirmation_number: invoice.confirmation_number.map(|number| number.to_string()),
            modification: invoice.modifies.map(|modifies| ModificationView {
                original_invoice_id: modifies.original.to_string(),
                refund_id: modifies.refund,
                reason_code: modifies.reason.code(),
                reason: modifies.reason.as_korean(),
            }),
            refusal_message: invoice.refusal.map(|refusal| refusal.message),
            tax_service_code: invoice.tax_service_code,
            requested_at: KoreanTime(invoice.created_at),
            issued_at: invoice.issued_at.map(KoreanTime),
            sent_at: invoice.sent_at.map(KoreanTime),
            answered_at: invoice.answered_at.map(KoreanTime),
            invoice_id: invoice.number.to_string(),
        }
    }
}

pub(crate) fn download_url(invoice: &WrittenInvoice) -> String {
    format!("/api/payments/tax-invoice/{}/download", invoice.number)
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
