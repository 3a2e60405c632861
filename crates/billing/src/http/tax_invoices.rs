//! Tax invoices (세금계산서).

use ::tax_invoice::{DocumentKey, document};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use platform::{
    BodyProblems, CommonProblems, Data, Json, Path, Problem, Query, Tenant, TenantBilling, TenantTx,
    idempotency::IdempotencyKey,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    BusinessHeader, CardProblems, MoneyHeaders,
    free_text::without_card_number,
    receipts::PAPER_HEADERS,
    view::{TaxInvoiceView, download_url},
};
use crate::{
    Billing, BillingError,
    payment::PaymentId,
    store,
    tax_invoice::{Buyer, NumberCheck, TaxInvoiceStatus},
};

/// Who the invoice is addressed to (공급받는자).
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "businessNumber": "123-45-67890", "companyName": "미소헤어", "ownerName": "김미소", "email": "tax@misohair.com",
}))]
pub(crate) struct RequestTaxInvoice {
    /// The business registration number (사업자등록번호), with hyphens or without.
    #[schema(value_type = String, pattern = r"^[0-9]{3}-?[0-9]{2}-?[0-9]{5}$")]
    business_number: SecretString,
    /// 상호, 1 to 70 characters.
    #[schema(value_type = String, min_length = 1, max_length = 70)]
    company_name: SecretString,
    /// 성명 of the representative, 1 to 30 characters.
    #[schema(value_type = String, min_length = 1, max_length = 30)]
    owner_name: SecretString,
    /// Where the issuer mails it to.
    #[schema(value_type = String, min_length = 3, max_length = 100)]
    email: SecretString,
}

/// A tax invoice that was asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaxInvoiceAnswer {
    #[schema(example = "INV-20260214-001")]
    invoice_id: String,
    #[schema(example = "ISSUED")]
    status: TaxInvoiceStatus,
    #[schema(example = "/api/payments/tax-invoice/INV-20260214-001/download")]
    download_url: String,
}

/// The answer, and what there is to be careful about.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TaxInvoiceRequested {
    data: TaxInvoiceAnswer,
    /// Absent where there is nothing to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

/// Something that was done all the same, and that somebody should know about.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Warning {
    /// `CARD_SLIP_ALREADY_ISSUED`: the payment has a card slip, beside which the law wants no tax invoice.
    #[schema(example = "CARD_SLIP_ALREADY_ISSUED")]
    code: &'static str,
    /// What a shop owner may read, in Korean.
    message: &'static str,
}

const CARD_SLIP_ALREADY_ISSUED: Warning = Warning {
    code: "CARD_SLIP_ALREADY_ISSUED",
    message: "카드 결제로 신용카드매출전표가 이미 발급된 거래입니다. 부가가치세법 제33조 제2항에 따라 세금계산서를 \
              중복으로 발급하지 않는 것이 원칙이므로, 매입세액은 한 번만 공제받으세요.",
};

/// Issue a tax invoice for a payment
///
/// Files an electronic tax invoice (전자세금계산서) for what is left of the payment, dated on the day it was
/// made. Its `status` then walks from `ISSUED` over `SENT` to `ACCEPTED` or `REJECTED`, within the next
/// business day; a later refund issues the modified invoice by itself. The payment shows all of them.
///
/// A payment has one tax invoice. After one that was `REFUSED`, `REJECTED` or `WITHDRAWN` another may be asked for.
#[utoipa::path(
    post, path = "/api/payments/{paymentId}/tax-invoice", operation_id = "requestTaxInvoice", tag = "papers",
    security(("bearer" = [])), params(("paymentId" = i64, Path, example = 101), MoneyHeaders),
    request_body = RequestTaxInvoice,
    responses(
        (status = 200, description = "Issued", body = TaxInvoiceRequested),
        (status = 202, description = "Not known yet (`PROCESSING`); settled later", body = TaxInvoiceRequested),
        (status = 404, description = "`NOT_FOUND`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`NOT_PAID`, `TAX_INVOICE_EXISTS` with `invoiceId`, `NOTHING_TO_INVOICE`: all of it went back, \
            `TAX_INVOICE_TOO_LATE`: the 10th of the month after the payment is over, `CARD_SLIP_ALREADY_ISSUED` where the operator refuses \
            tax invoices beside card slips, `CASH_RECEIPT_ALREADY_ISSUED`, `TAX_INVOICE_REFUSED` with `invoiceId` and `providerCode`, \
            `TAX_INVOICES_NOT_OFFERED`, `IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: `INVALID_BUSINESS_NUMBER`, `INVALID_LENGTH`, `INVALID_TEXT`, `INVALID_EMAIL`; \
            `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, CardProblems,
    ),
)]
pub(crate) async fn request_tax_invoice(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    key: Option<Extension<IdempotencyKey>>,
    Path(id): Path<PaymentId>,
    Json(body): Json<RequestTaxInvoice>,
) -> Result<Response, Problem> {
    let check = billing.tax_invoicing.as_ref().map_or(NumberCheck::Format, |it| it.number_check);
    let buyer = body.buyer(check)?;
    let key = key.as_ref().map(|Extension(key)| key.0.as_str());
    let requested = billing.request_tax_invoice(tenant.business, id, buyer, key).await?;
    let invoice = requested.invoice;
    let code = match invoice.status {
        TaxInvoiceStatus::Waiting | TaxInvoiceStatus::Pending => StatusCode::ACCEPTED,
        TaxInvoiceStatus::Issued
        | TaxInvoiceStatus::Sent
        | TaxInvoiceStatus::Accepted
        | TaxInvoiceStatus::Rejected
        | TaxInvoiceStatus::Withdrawn => StatusCode::OK,
        TaxInvoiceStatus::Refused => {
            let number = invoice.number.to_string();
            let refusal = invoice.refusal.ok_or(BillingError::TaxInvoiceNotIssued)?;
            return Err(BillingError::TaxInvoiceRefused { number, refusal }.into());
        }
    };
    let answer = TaxInvoiceRequested {
        data: TaxInvoiceAnswer {
            download_url: download_url(&invoice),
            status: invoice.status,
            invoice_id: invoice.number.to_string(),
        },
        warnings: requested.warns_of_card_slip.then_some(CARD_SLIP_ALREADY_ISSUED).into_iter().collect(),
    };
    Ok((code, Json(answer)).into_response())
}

impl RequestTaxInvoice {
    fn buyer(self, check: NumberCheck) -> Result<Buyer, Problem> {
        let number = self.business_number.expose_secret().trim().parse().ok();
        let number = number.filter(|number| check.passes(*number)).ok_or_else(|| {
            Problem::invalid_field(
                "businessNumber",
                "INVALID_BUSINESS_NUMBER",
                "올바른 사업자등록번호가 아닙니다.",
            )
        })?;
        Ok(Buyer {
            number,
            company: line("companyName", &self.company_name, 70)?,
            owner: line("ownerName", &self.owner_name, 30)?.into(),
            email: mail_address(&self.email)?.into(),
        })
    }
}

/// One line of text for a document.
fn line(field: &str, text: &SecretString, longest: usize) -> Result<String, Problem> {
    let text = text.expose_secret().trim();
    if !(1..=longest).contains(&text.chars().count()) {
        let message = format!("1자에서 {longest}자 사이여야 합니다.");
        return Err(Problem::invalid_field(field, "INVALID_LENGTH", message));
    }
    if text.chars().any(char::is_control) {
        return Err(Problem::invalid_field(field, "INVALID_TEXT", "사용할 수 없는 문자가 들어 있습니다."));
    }
    without_card_number(text)?;
    Ok(text.to_owned())
}

/// What can be an address; whether anybody reads it nobody can know.
fn mail_address(text: &SecretString) -> Result<String, Problem> {
    let text = text.expose_secret().trim();
    let is_plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_graphic() && !b"@,;:<>()[]\\\"".contains(&byte))
    };
    let is_address = text.len() <= 100
        && text.split_once('@').is_some_and(|(person, host)| {
            is_plain(person)
                && is_plain(host)
                && host.contains('.')
                && host.split('.').all(|part| !part.is_empty())
        });
    if !is_address {
        return Err(Problem::invalid_field("email", "INVALID_EMAIL", "올바른 이메일 주소가 아닙니다."));
    }
    without_card_number(text)?;
    Ok(text.to_owned())
}

/// Get a tax invoice
///
/// How it stands.
#[utoipa::path(
    get, path = "/api/payments/tax-invoice/{invoiceId}", operation_id = "getTaxInvoice", tag = "papers",
    security(("bearer" = [])), params(("invoiceId" = String, Path, example = "INV-20260214-001"), BusinessHeader),
    responses(
        (status = 200, description = "The tax invoice", body = Data<TaxInvoiceView>),
        (status = 404, description = "`NOT_FOUND`: no such invoice, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_tax_invoice(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Path(number): Path<String>,
) -> Result<Json<Data<TaxInvoiceView>>, Problem> {
    let number = named(&number)?;
    let mut tx = TenantTx::begin(&billing.db, tenant.business).await?;
    let invoice = store::tax_invoice::get(&mut tx, tenant.business, &number).await?;
    tx.commit().await?;
    Ok(Data::json(invoice.ok_or(BillingError::NotFound)?.into()))
}

/// In which form a tax invoice is wanted.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PaperFormat {
    /// A page that prints on A4.
    Html,
    /// For programs.
    Xml,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DownloadQuery {
    /// Without it the `Accept` header decides, and `html` is meant otherwise.
    #[param(inline)]
    format: Option<PaperFormat>,
}

/// Download a tax invoice
///
/// A page to print, with the fields of the official form (세금계산서 별지 서식), or an XML of the same content. The
/// signed original is what the issuer filed with the tax service, where the shop finds it by its confirmation number.
#[utoipa::path(
    get, path = "/api/payments/tax-invoice/{invoiceId}/download", operation_id = "downloadTaxInvoice", tag = "papers",
    security(("bearer" = [])),
    params(("invoiceId" = String, Path, example = "INV-20260214-001"), DownloadQuery, BusinessHeader),
    responses(
        (status = 200, description = "The document", content((String = "text/html"), (String = "application/xml"))),
        (status = 404, description = "`NOT_FOUND`: no such invoice, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`TAX_INVOICE_NOT_ISSUED`: not issued yet, or void", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn download_tax_invoice(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Query(query): Query<DownloadQuery>,
    Path(number): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let number = named(&number)?;
    let mut tx = TenantTx::begin(&billing.db, tenant.business).await?;
    let invoice = store::tax_invoice::get(&mut tx, tenant.business, &number).await?;
    let invoice = invoice.ok_or(BillingError::NotFound)?;
    let original = match &invoice.modifies {
        Some(modifies) => store::tax_invoice::get(&mut tx, tenant.business, &modifies.original).await?,
        None => None,
    };
    tx.commit().await?;
    if !invoice.status.is_issued() {
        return Err(BillingError::TaxInvoiceNotIssued.into());
    }
    let content = billing.document(&invoice, original.as_ref())?;
    let confirmation = invoice.confirmation_number.as_ref();
    let (content_type, extension, paper) = match query.format.unwrap_or_else(|| wanted(&headers)) {
        PaperFormat::Html => ("text/html; charset=utf-8", "html", document::html(&content, confirmation)),
        PaperFormat::Xml => ("application/xml; charset=utf-8", "xml", document::xml(&content, confirmation)),
    };
    let disposition = format!("attachment; filename=\"{}.{extension}\"", invoice.number);
    let headers =
        [(header::CONTENT_TYPE, content_type.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((PAPER_HEADERS, headers, paper).into_response())
}

/// What cannot be a number names nothing.
fn named(number: &str) -> Result<DocumentKey, BillingError> {
    number.parse().map_err(|_| BillingError::NotFound)
}

/// XML where it is named and HTML is not.
fn wanted(headers: &HeaderMap) -> PaperFormat {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let names = |kind: &str| {
        accepted.split(',').any(|part| part.split(';').next().unwrap_or_default().trim() == kind)
    };
    if (names("application/xml") || names("text/xml")) && !names("text/html") {
        PaperFormat::Xml
    } else {
        PaperFormat::Html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_person_and_a_host() {
        for good in ["tax@misohair.com", "a.b+c@x.co.kr"] {
            assert_eq!(mail_address(&good.into()).unwrap(), good);
        }
        for bad in
            ["", "tax", "@x.kr", "tax@", "tax@host", "a b@x.kr", "a@b@x.kr", "a@x..kr", "<a@x.kr>", "가@x.kr"]
        {
            assert!(mail_address(&bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn xml_is_for_whoever_names_it() {
        let format = |accept: &'static str| {
            wanted(&HeaderMap::from_iter([(header::ACCEPT, header::HeaderValue::from_static(accept))]))
        };
        for html in ["", "*/*", "text/html,application/xml;q=0.9,*/*;q=0.8", "application/json"] {
            assert!(matches!(format(html), PaperFormat::Html), "{html}");
        }
        assert!(matches!(format("application/xml"), PaperFormat::Xml));
        assert!(matches!(format("text/xml; q=1"), PaperFormat::Xml));
    }
}
