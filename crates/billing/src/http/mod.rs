//! The routes of billing. Only these files know axum and the shapes of the API.

pub(crate) mod cases;
mod cash_receipts;
mod checkout;
mod free_text;
mod merchant_accounts;
pub(crate) mod payment_methods;
mod payments;
mod plans;
pub(crate) mod providers;
mod receipts;
pub(crate) mod reconciliations;
mod refunds;
mod subscriptions;
mod tax_invoices;
pub(crate) mod view;
mod webhooks;

use axum::extract::FromRef;
use platform::{Problem, idempotency::Idempotency};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Billing;

/// Everything that billing answers. `idempotency` guards the routes that move money.
pub fn router<S>(idempotency: &Idempotency) -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Billing: FromRef<S>,
{
    let moves_money = OpenApiRouter::new()
        .routes(routes!(subscriptions::register_billing_key))
        .routes(routes!(payment_methods::replace_payment_method))
        .routes(routes!(payment_methods::add_payment_method))
        .routes(routes!(subscriptions::cancel_subscription))
        .routes(routes!(checkout::create_order))
        .routes(routes!(checkout::confirm_order))
        .routes(routes!(checkout::confirm_and_subscribe))
        .routes(routes!(payments::retry_payment))
        .routes(routes!(refunds::refund_payment))
        .routes(routes!(refunds::partially_refund_payment))
        .routes(routes!(tax_invoices::request_tax_invoice))
        .routes(routes!(cash_receipts::request_cash_receipt))
        .route_layer(axum::middleware::from_fn_with_state(idempotency.clone(), platform::idempotency::layer));
    OpenApiRouter::new()
        .routes(routes!(plans::list_plans))
        .routes(routes!(subscriptions::get_current_subscription))
        .routes(routes!(subscriptions::list_subscription_events))
        .routes(routes!(payment_methods::list_payment_methods))
        .routes(routes!(payment_methods::remove_payment_method))
        .routes(routes!(providers::get_payment_route))
        .routes(routes!(providers::list_providers))
        .routes(routes!(providers::get_routes))
        .routes(routes!(providers::set_routes))
        .routes(routes!(payments::list_payments))
        .routes(routes!(payments::get_payment))
        .routes(routes!(payments::run_billing))
        .routes(routes!(receipts::get_receipt))
        .routes(routes!(receipts::get_receipt_page))
        .routes(routes!(cash_receipts::get_cash_receipt))
        .routes(routes!(tax_invoices::get_tax_invoice))
        .routes(routes!(tax_invoices::download_tax_invoice))
        .routes(routes!(webhooks::receive_webhook))
        .routes(routes!(webhooks::receive_merchant_webhook))
        .routes(routes!(merchant_accounts::list_merchant_accounts))
        .routes(routes!(merchant_accounts::create_merchant_account))
        .routes(routes!(merchant_accounts::change_merchant_credentials))
        .routes(routes!(merchant_accounts::retire_merchant_account))
        .routes(routes!(cases::list_cases))
        .routes(routes!(cases::get_case))
        .routes(routes!(cases::resolve_case))
        .routes(routes!(reconciliations::list_reconciliations))
        .routes(routes!(reconciliations::reconcile_day))
        .routes(routes!(reconciliations::list_ledger_balances))
        .merge(moves_money)
}

/// The header that makes a request safe to repeat, as every money-moving operation documents it.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described; the idempotency layer reads it")]
pub(crate) struct MoneyHeaders {
    /// Makes the request safe to repeat: the same key with the same body gets the stored answer,
    /// with another body a 422 `IDEMPOTENCY_KEY_REUSED`, while it still runs a 409 `IDEMPOTENCY_KEY_IN_USE`.
    #[param(rename = "Idempotency-Key", required = false, max_length = 255)]
    idempotency_key: Option<String>,
    /// Which business, for a caller who manages several.
    #[param(rename = "X-Business-Id", required = false)]
    business: Option<i64>,
}

/// The header with which a caller who manages several businesses picks one.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described; the permission extractor reads it")]
pub(crate) struct BusinessHeader {
    /// Which business, for a caller who manages several.
    #[param(rename = "X-Business-Id", required = false)]
    business: Option<i64>,
}

/// In place of the usual 400 where a body may hold a card number.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(crate) enum CardProblems {
    /// `RAW_CARD_NUMBER_REFUSED`: a card number was sent, which never belongs here. Also `MALFORMED_JSON`,
    /// `NUL_CHARACTER`, `UNREADABLE_BODY`, `BUSINESS_REQUIRED`, `INVALID_PARAMETER`, `INVALID_IDEMPOTENCY_KEY`:
    /// the request cannot be understood.
    #[response(status = 400, content_type = "application/problem+json")]
    RawCardNumber(Problem),
}
