//! What can go wrong here, and how it looks as a [`Problem`].

use std::fmt;

use axum::http::StatusCode;
use kernel::Krw;
use pg_adapter::{ConnectError, CredentialsRefused, DeclineClass, Provider, UnknownProvider, WebhookRefused};
use platform::{Problem, VaultError};

use crate::{
    cash_receipt::CashReceiptRefusal,
    payment::{Failure, PaymentId, class_name},
    plan::Plan,
    refund::RefundFailure,
    tax_invoice::TaxInvoiceRefusal,
};

/// A move that a state does not allow. Where a request asked for it, a more telling error comes
/// first; this one means that two of our own steps disagree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a {what} that is {state} cannot {attempted}")]
pub struct IllegalMove {
    what: &'static str,
    state: String,
    attempted: String,
}

impl IllegalMove {
    pub(crate) fn new(what: &'static str, state: &impl fmt::Debug, attempted: &impl fmt::Debug) -> Self {
        Self { what, state: format!("{state:?}"), attempted: format!("{attempted:?}") }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    #[error("no plan `{0}`")]
    UnknownPlan(String),
    #[error("plan {} is not sold in that cycle", .0.code)]
    NotForSale(Box<Plan>),
    #[error("a raw card number was sent")]
    RawCardNumber,
    #[error("{field}: {code}")]
    InvalidField { field: &'static str, code: &'static str, message: &'static str },
    #[error(transparent)]
    UnknownProvider(#[from] UnknownProvider),
    #[error("no credentials for {0}")]
    ProviderNotConfigured(Provider),
    #[error("credentials: {0}")]
    CredentialsRefused(#[from] CredentialsRefused),
    #[error("no connection can be made with these credentials: {0}")]
    NoConnection(#[from] ConnectError),
    #[error("another worker took the comparison over")]
    ComparisonTakenOver,
    #[error("the business has a contract with this provider already")]
    MerchantAccountExists,
    #[error("the business has a subscription already")]
    AlreadySubscribed,
    #[error("the business has no subscription")]
    NoSubscription,
    #[error("no such thing, or not this business's")]
    NotFound,
    /// The provider's final no.
    #[error("declined: {}", .failure.provider_code)]
    Declined { payment: Option<PaymentId>, failure: Failure },
    /// The provider refused because of us: asking for another card would send the payer in circles.
    #[error("we ask wrongly: {}", .failure.provider_code)]
    SetUpWrongly { payment: Option<PaymentId>, failure: Failure },
    /// The provider could not be reached or gave no usable answer, and certainly nothing was charged.
    #[error("provider unavailable: {0}")]
    ProviderUnavailable(String),
    #[error("the amount is not {expected}")]
    AmountMismatch { expected: Krw },
    #[error("the order is for something else")]
    OrderMismatch,
    #[error("the checkout is over")]
    CheckoutOver,
    #[error("another attempt is open")]
    PaymentInProgress,
    #[error("nothing is owed")]
    NothingToPay,
    #[error("the card will not work again")]
    CardUnusable,
    #[error("the card is registered already")]
    CardAlreadyRegistered,
    #[error("the business has a card at this provider")]
    HasCardAtProvider,
    #[error("the subscription is charged on this card")]
    CardInUse,
    #[error("the subscription does not renew")]
    NotRenewing,
    #[error("the idempotency key belongs to another refund")]
    IdempotencyKeyReused,
    #[error("the payment cannot be refunded")]
    NotRefundable,
    #[error("nothing, or less, is to be refunded")]
    NothingToRefund,
    #[error("another refund of the payment is open")]
    RefundInProgress,
    #[error("only {remaining} is left to refund")]
    RefundExceeds { remaining: Krw },
    #[error("the provider refused the refund: {}", .0.code)]
    RefundRefused(RefundFailure),
    #[error("the case is resolved already")]
    CaseResolved,
    #[error("somebody else is deciding the case")]
    CaseBeingDecided,
    #[error("the case cannot be resolved like that")]
    ResolutionNotPossible,
    #[error("this installation issues no tax invoices")]
    TaxInvoicesNotOffered,
    #[error("the payment was not paid")]
    NotPaid,
    #[error("the payment has the tax invoice {0}")]
    TaxInvoiceExists(String),
    #[error("the payment has a card slip")]
    CardSlipIssued,
    #[error("the payment has a cash receipt")]
    CashReceiptIssued,
    #[error("the provider issues no cash receipts on request")]
    CashReceiptsNotOffered,
    #[error("what the payment was paid with calls for no cash receipt of ours")]
    CashReceiptNotCalledFor,
    #[error("the provider issues cash receipts about whole payments alone")]
    NoCashReceiptForTheRest,
    #[error("all of the payment went back")]
    FullyRefunded,
    #[error("the provider refused the cash receipt: {}", .0.code)]
    CashReceiptRefused(CashReceiptRefusal),
    #[error("all of the payment went back")]
    NothingToInvoice,
    #[error("the time to issue a tax invoice is over")]
    TaxInvoiceTooLate,
    #[error("the issuer refused the tax invoice: {}", .refusal.code)]
    TaxInvoiceRefused { number: String, refusal: TaxInvoiceRefusal },
    #[error("the tax invoice is not issued")]
    TaxInvoiceNotIssued,
    #[error("a tax invoice cannot be read: {0}")]
    UnreadableDocument(String),
    #[error(transparent)]
    WebhookRefused(#[from] WebhookRefused),
    /// By a process that ends: the provider sends it again.
    #[error("storing the webhook was interrupted")]
    WebhookNotStored,
    #[error(transparent)]
    IllegalMove(#[from] IllegalMove),
    #[error("a stored secret cannot be opened")]
    Vault(#[from] VaultError),
    #[error("billing database failed")]
    Db(#[from] sqlx::Error),
}

impl BillingError {
    /// The provider's final no to a charge of a card.
    pub(crate) fn declined(payment: Option<PaymentId>, failure: Failure) -> Self {
        if failure.decline_class == class_name(DeclineClass::OurBug) {
            Self::SetUpWrongly { payment, failure }
        } else {
            Self::Declined { payment, failure }
        }
    }
}

fn explained(problem: Problem, payment: Option<PaymentId>, failure: Failure) -> Problem {
    let problem =
        problem.with("declineClass", failure.decline_class).with("providerCode", failure.provider_code);
    match payment {
        Some(payment) => problem.with("paymentId", payment.0),
        None => problem,
    }
}

impl From<BillingError> for Problem {
    fn from(error: BillingError) -> Self {
        use BillingError as E;
        let payment_required =
            |code, detail: &str| Self::new(StatusCode::PAYMENT_REQUIRED, code, "Payment required", detail);
        let unavailable = |code, detail: &str| {
            Self::new(StatusCode::SERVICE_UNAVAILABLE, code, "Provider unavailable", detail)
        };
        match error {
            E::UnknownPlan(_) => Self::invalid_field("plan", "UNKNOWN_PLAN", "존재하지 않는 요금제입니다."),
            E::NotForSale(plan) if plan.is_sold() => Self::invalid_field(
                "billingCycle",
                "NOT_FOR_SALE",
                "이 결제 주기로는 판매하지 않는 요금제입니다.",
            ),
            E::NotForSale(_) => {
                Self::invalid_field("plan", "NOT_FOR_SALE", "결제 없이 이용하는 요금제입니다.")
            }
            E::RawCardNumber => Self::new(
                StatusCode::BAD_REQUEST,
                "RAW_CARD_NUMBER_REFUSED",
                "Raw card number refused",
                "카드 번호를 직접 보낼 수 없습니다. 결제창에서 받은 인증 값을 보내 주세요.",
            ),
            E::InvalidField { field, code, message } => Self::invalid_field(field, code, message),
            E::UnknownProvider(_) => {
                Self::invalid_field("provider", "UNKNOWN_PROVIDER", "지원하지 않는 결제사입니다.")
            }
            E::ProviderNotConfigured(_) => Self::invalid_field(
                "provider",
                "PROVIDER_NOT_CONFIGURED",
                "이 결제사는 현재 사용할 수 없습니다.",
            ),
            E::CredentialsRefused(refused) => match refused {
                CredentialsRefused::Missing(name) => Self::invalid_field(
                    &format!("credentials.{name}"),
                    "REQUIRED",
                    "결제사와 계약할 때 받은 값을 입력해 주세요.",
                ),
                CredentialsRefused::Unknown(name) => Self::invalid_field(
                    &format!("credentials.{name}"),
                    "UNKNOWN_FIELD",
                    "이 결제사의 연동 정보가 아닙니다.",
                ),
            },
            // The text names which value is wrong and how, and none of them.
            E::NoConnection(error) => Self::invalid_field(
                "credentials",
                "INVALID_CREDENTIALS",
                format!("연동 정보를 사용할 수 없습니다: {error}"),
            ),
            E::MerchantAccountExists => {
                Self::conflict("MERCHANT_ACCOUNT_EXISTS", "이 결제사와 계약한 가맹점 계정이 이미 있습니다.")
            }
            E::AlreadySubscribed => Self::conflict("ALREADY_SUBSCRIBED", "이미 구독 중입니다."),
            E::NoSubscription => Self::new(
                StatusCode::NOT_FOUND,
                "NO_SUBSCRIPTION",
                "Not found",
                "구독 중인 요금제가 없습니다.",
            ),
            E::NotFound => Self::not_found("요청한 항목을 찾을 수 없습니다."),
            E::Declined { payment, failure } => {
                explained(payment_required("CARD_DECLINED", &failure.message), payment, failure)
            }
            E::SetUpWrongly { payment, failure } => {
                tracing::error!(code = failure.provider_code, "the provider says that we ask wrongly");
                explained(unavailable("PAYMENT_SET_UP_WRONGLY", &failure.message), payment, failure)
            }
            E::ProviderUnavailable(reason) => {
                tracing::warn!(reason, "payment provider unavailable");
                unavailable(
                    "PROVIDER_UNAVAILABLE",
                    "결제사와 연결되지 않아 결제하지 않았습니다. 잠시 후 다시 시도해 주세요.",
                )
            }
            E::AmountMismatch { expected } => Self::invalid_field(
                "amount",
                "AMOUNT_MISMATCH",
                format!("결제 금액이 주문 금액({expected})과 다릅니다."),
            )
            .with("expectedAmount", expected.get()),
            E::OrderMismatch => Self::conflict("ORDER_MISMATCH", "주문 정보가 결제 정보와 다릅니다."),
            E::CheckoutOver => Self::conflict("CHECKOUT_OVER", "이미 끝난 주문입니다. 다시 주문해 주세요."),
            E::PaymentInProgress => Self::conflict(
                "PAYMENT_IN_PROGRESS",
                "결제 결과를 확인하고 있습니다. 확인이 끝난 뒤 다시 시도해 주세요.",
            ),
            E::NothingToPay => Self::conflict("NOTHING_TO_PAY", "미납된 금액이 없습니다."),
            E::CardUnusable => {
                Self::conflict("CARD_UNUSABLE", "사용할 수 없는 카드입니다. 결제 카드를 변경해 주세요.")
            }
            E::CardAlreadyRegistered => Self::conflict(
                "CARD_ALREADY_REGISTERED",
                "이미 등록된 카드입니다. 다른 카드를 등록해 주세요.",
            ),
            E::HasCardAtProvider => Self::conflict(
                "CARD_AT_PROVIDER_EXISTS",
                "이 결제사에 등록된 카드가 이미 있습니다. 다른 결제사의 카드를 등록해 주세요.",
            ),
            E::CardInUse => Self::conflict(
                "CARD_IN_USE",
                "현재 결제에 사용 중인 카드입니다. 먼저 다른 카드로 변경해 주세요.",
            ),
            E::NotRenewing => {
                Self::conflict("NOT_RENEWING", "해지가 예약되었거나 자동결제가 아닌 구독입니다.")
            }
            E::IdempotencyKeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "IDEMPOTENCY_KEY_REUSED",
                "Idempotency key reused",
                "이 Idempotency-Key는 다른 요청에 이미 사용되었습니다.",
            ),
            E::NotRefundable => Self::conflict("NOT_REFUNDABLE", "환불할 수 없는 결제입니다."),
            E::NothingToRefund => {
                Self::invalid_field("amount", "INVALID_AMOUNT", "환불 금액은 1원 이상이어야 합니다.")
            }
            E::RefundInProgress => Self::conflict(
                "REFUND_IN_PROGRESS",
                "이 결제의 다른 환불을 처리하고 있습니다. 처리가 끝난 뒤 다시 시도해 주세요.",
            ),
            E::RefundExceeds { remaining } => Self::invalid_field(
                "amount",
                "REFUND_EXCEEDS_PAYMENT",
                format!("환불할 수 있는 금액은 {remaining}입니다."),
            )
            .with("refundableAmount", remaining.get()),
            E::RefundRefused(failure) => {
                Self::conflict("REFUND_REFUSED", failure.message).with("providerCode", failure.code)
            }
            E::CaseResolved => Self::conflict("CASE_RESOLVED", "이미 처리된 건입니다."),
            E::CaseBeingDecided => Self::conflict(
                "CASE_BEING_DECIDED",
                "다른 담당자가 처리하고 있는 건입니다. 잠시 후 확인해 주세요.",
            ),
            E::ResolutionNotPossible => Self::conflict(
                "RESOLUTION_NOT_POSSIBLE",
                "이 건은 그렇게 처리할 수 없습니다. 가능한 처리 방법과 결제사의 거래 상태를 확인해 주세요.",
            ),
            E::WebhookRefused(refused) => {
                tracing::warn!(%refused, "webhook refused");
                match refused {
                    WebhookRefused::Malformed(_) => {
                        Self::bad_request("MALFORMED_WEBHOOK", "웹훅 본문을 읽을 수 없습니다.")
                    }
                    WebhookRefused::Stale => Self::new(
                        StatusCode::UNAUTHORIZED,
                        "STALE_WEBHOOK",
                        "Unauthorized",
                        "웹훅의 서명 시각이 허용 범위를 벗어났습니다.",
                    ),
                    WebhookRefused::BadSignature => Self::new(
                        StatusCode::UNAUTHORIZED,
                        "BAD_SIGNATURE",
                        "Unauthorized",
                        "웹훅 서명이 올바르지 않습니다.",
                    ),
                }
            }
            E::TaxInvoicesNotOffered => Self::conflict(
                "TAX_INVOICES_NOT_OFFERED",
                "세금계산서를 발행하지 않는 서비스입니다. 결제 영수증을 이용해 주세요.",
            ),
            E::NotPaid => Self::conflict("NOT_PAID", "결제가 완료되지 않았습니다."),
            E::TaxInvoiceExists(number) => {
                Self::conflict("TAX_INVOICE_EXISTS", "이미 세금계산서를 발행한 결제입니다.")
                    .with("invoiceId", number)
            }
            E::CardSlipIssued => Self::conflict(
                "CARD_SLIP_ALREADY_ISSUED",
                "카드로 결제하여 신용카드매출전표가 발급된 거래입니다. 매출전표로 매입세액을 공제받을 수 있습니다.",
            ),
            E::CashReceiptIssued => {
                Self::conflict("CASH_RECEIPT_ALREADY_ISSUED", "현금영수증이 발급된 결제입니다.")
            }
            E::CashReceiptsNotOffered => Self::conflict(
                "CASH_RECEIPTS_NOT_OFFERED",
                "이 결제사를 통해서는 현금영수증을 발급할 수 없습니다.",
            ),
            E::CashReceiptNotCalledFor => {
                Self::conflict("CASH_RECEIPT_NOT_CALLED_FOR", "현금영수증 발급 대상이 아닌 결제 수단입니다.")
            }
            E::NoCashReceiptForTheRest => Self::conflict(
                "NO_CASH_RECEIPT_FOR_THE_REST",
                "이 결제사를 통해서는 일부 환불된 결제의 현금영수증을 발급할 수 없습니다.",
            ),
            E::FullyRefunded => Self::conflict("FULLY_REFUNDED", "전액 환불되어 발급할 금액이 없습니다."),
            E::CashReceiptRefused(refusal) => {
                Self::conflict("CASH_RECEIPT_REFUSED", refusal.message).with("providerCode", refusal.code)
            }
            E::NothingToInvoice => {
                Self::conflict("NOTHING_TO_INVOICE", "전액 환불되어 발행할 금액이 없습니다.")
            }
            E::TaxInvoiceTooLate => Self::conflict(
                "TAX_INVOICE_TOO_LATE",
                "세금계산서 발급 기한(결제한 달의 다음 달 10일)이 지났습니다.",
            ),
            E::TaxInvoiceRefused { number, refusal } => {
                Self::conflict("TAX_INVOICE_REFUSED", refusal.message)
                    .with("invoiceId", number)
                    .with("providerCode", refusal.code)
            }
            E::TaxInvoiceNotIssued => {
                Self::conflict("TAX_INVOICE_NOT_ISSUED", "발행되지 않았거나 효력이 없는 세금계산서입니다.")
            }
            E::ComparisonTakenOver => {
                Self::conflict("RECONCILIATION_RUNNING", "이미 대사를 진행하고 있습니다.")
            }
            E::IllegalMove(_) | E::Vault(_) | E::UnreadableDocument(_) | E::WebhookNotStored => {
                Self::internal(&error)
            }
            E::Db(error) => error.into(),
        }
    }
}
