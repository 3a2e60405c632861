//! `billing.tax_invoice` and `billing.tax_invoice_count`.

use ::tax_invoice::{ConfirmationNumber, DocumentKey, ModifyReason, Standing};
use chrono::{DateTime, NaiveDate, Utc};
use kernel::{BusinessId, Krw, VatSplit};
use sqlx::PgConnection;

use crate::{
    payment::PaymentId,
    refund::RefundId,
    tax_invoice::{Modifies, TaxInvoiceRefusal, TaxInvoiceStatus, WrittenInvoice},
};

/// One more tax invoice of that day: which of the day's it is. Locks the count until the transaction
/// ends, so whoever else writes one down waits, and a number that is not used is given out again.
pub(crate) async fn count_one(conn: &mut PgConnection, day: NaiveDate) -> sqlx::Result<i32> {
    sqlx::query_scalar!(
        "insert into billing.tax_invoice_count (day, count) values ($1, 1)
         on conflict (day) do update set count = tax_invoice_count.count + 1
         returning count",
        day,
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    invoice: &WrittenInvoice,
    due_at: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    let modifies = invoice.modifies.as_ref();
    sqlx::query!(
        "insert into billing.tax_invoice
             (business_id, number, payment_id, original, refund_id, modify_code, status, write_date, supply_amount,
              vat_amount, content, idempotency_key, due_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        invoice.business.0,
        invoice.number.as_str(),
        invoice.payment.0,
        modifies.map(|modifies| modifies.original.as_str()),
        modifies.map(|modifies| modifies.refund.0),
        modifies.map(|modifies| i16::from(modifies.reason.code())),
        invoice.status as TaxInvoiceStatus,
        invoice.write_date,
        invoice.amount.supply.get(),
        invoice.amount.vat.get(),
        invoice.content,
        invoice.idempotency_key,
        due_at,
        invoice.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Row {
    business: BusinessId,
    number: String,
    payment: PaymentId,
    original: Option<String>,
    refund: Option<RefundId>,
    modify_code: Option<i16>,
    status: TaxInvoiceStatus,
    write_date: NaiveDate,
    supply: Krw,
    vat: Krw,
    content: Option<String>,
    confirmation_number: Option<String>,
    refusal_code: Option<String>,
    refusal_message: Option<String>,
    tax_service_code: Option<String>,
    idempotency_key: Option<String>,
    checks: i32,
    created_at: DateTime<Utc>,
    issued_at: Option<DateTime<Utc>>,
    sent_at: Option<DateTime<Utc>>,
    answered_at: Option<DateTime<Utc>>,
}

impl Row {
    fn invoice(self) -> sqlx::Result<WrittenInvoice> {
        let confirmation = self.confirmation_number.map(|number| number.parse::<ConfirmationNumber>());
        Ok(WrittenInvoice {
            business: self.business,
            number: key(&self.number)?,
            payment: self.payment,
            modifies: match (self.original, self.refund, self.modify_code) {
                (Some(original), Some(refund), Some(code)) => {
                    Some(Modifies { original: key(&original)?, refund, reason: reason(code)? })
                }
                _ => None,
            },
            status: self.status,
            write_date: self.write_date,
            amount: VatSplit { supply: self.supply, vat: self.vat },
            content: self.content,
            confirmation_number: confirmation.transpose().map_err(undecodable)?,
            refusal: (|| {
                Some(TaxInvoiceRefusal { code: self.refusal_code?, message: self.refusal_message? })
            })(),
            tax_service_code: self.tax_service_code,
            idempotency_key: self.idempotency_key,
            checks: self.checks,
            created_at: self.created_at,
            issued_at: self.issued_at,
            sent_at: self.sent_at,
            answered_at: self.answered_at,
        })
    }
}

fn key(text: &str) -> sqlx::Result<DocumentKey> {
    text.parse().map_err(undecodable)
}

fn reason(code: i16) -> sqlx::Result<ModifyReason> {
    let reason = u8::try_from(code).ok().and_then(ModifyReason::from_code);
    reason.ok_or_else(|| sqlx::Error::Decode(format!("no modifyCode {code}").into()))
}

fn undecodable(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(Box::new(error))
}

pub(crate) async fn get(
    conn: &mut PgConnection,
    business: BusinessId,
    number: &DocumentKey,
) -> sqlx::Result<Option<WrittenInvoice>> {
    sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", number, payment_id as "payment: PaymentId", original,
                  refund_id as "refund: RefundId", modify_code, status as "status: TaxInvoiceStatus", write_date,
                  supply_amount as "supply: Krw", vat_amount as "vat: Krw", content, confirmation_number,
                  refusal_code, refusal_message, tax_service_code, idempotency_key, checks, created_at, issued_at,
                  sent_at, answered_at
           from billing.tax_invoice where business_id = $1 and number = $2"#,
        business.0,
        number.as_str(),
    )
    .fetch_optional(conn)
    .await?
    .map(Row::invoice)
    .transpose()
}

/// Locks the row until the transaction ends, so that two answers queue up instead of racing.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    business: BusinessId,
    number: &DocumentKey,
) -> sqlx::Result<Option<WrittenInvoice>> {
    sqlx::query_scalar!(
        r#"select true as "locked!" from billing.tax_invoice where business_id = $1 and number = $2 for update"#,
        business.0,
        number.as_str(),
    )
    .fetch_optional(&mut *conn)
    .await?;
    get(conn, business, number).await
}

/// All of a payment, modified ones included, in the order they were written down.
pub(crate) async fn of_payment(
    conn: &mut PgConnection,
    business: BusinessId,
    payment: PaymentId,
) -> sqlx::Result<Vec<WrittenInvoice>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", number, payment_id as "payment: PaymentId", original,
                  refund_id as "refund: RefundId", modify_code, status as "status: TaxInvoiceStatus", write_date,
                  supply_amount as "supply: Krw", vat_amount as "vat: Krw", content, confirmation_number,
                  refusal_code, refusal_message, tax_service_code, idempotency_key, checks, created_at, issued_at,
                  sent_at, answered_at
           from billing.tax_invoice where business_id = $1 and payment_id = $2
           order by created_at, length(number), number"#,
        business.0,
        payment.0,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::invoice).collect()
}

/// PENDING becomes ISSUED; `look_at` is when its state is looked at.
pub(crate) async fn record_issued(
    conn: &mut PgConnection,
    invoice: &WrittenInvoice,
    confirmation: &ConfirmationNumber,
    look_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.tax_invoice
         set status = 'ISSUED', confirmation_number = $3, issued_at = $4, due_at = $5, checks = 0
         where business_id = $1 and number = $2 and status = 'PENDING'",
        invoice.business.0,
        invoice.number.as_str(),
        confirmation.as_str(),
        now,
        look_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What the issuer says of an issued one. The caller made sure of the move.
pub(crate) async fn record_standing(
    conn: &mut PgConnection,
    invoice: &WrittenInvoice,
    status: TaxInvoiceStatus,
    standing: &Standing,
    look_at: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.tax_invoice
         set status = $3, sent_at = coalesce($4, sent_at), answered_at = coalesce($5, answered_at),
             tax_service_code = coalesce($6, tax_service_code), due_at = $7
         where business_id = $1 and number = $2",
        invoice.business.0,
        invoice.number.as_str(),
        status as TaxInvoiceStatus,
        standing.sent_at,
        standing.answered_at,
        standing.tax_service_code,
        look_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// WAITING or PENDING becomes REFUSED.
pub(crate) async fn refuse(
    conn: &mut PgConnection,
    invoice: &WrittenInvoice,
    refusal: &TaxInvoiceRefusal,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.tax_invoice
         set status = 'REFUSED', refusal_code = $3, refusal_message = $4, due_at = null
         where business_id = $1 and number = $2 and status in ('WAITING', 'PENDING')",
        invoice.business.0,
        invoice.number.as_str(),
        refusal.code,
        refusal.message,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// WAITING becomes PENDING, due now.
pub(crate) async fn release(
    conn: &mut PgConnection,
    invoice: &WrittenInvoice,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.tax_invoice set status = 'PENDING', due_at = $3
         where business_id = $1 and number = $2 and status = 'WAITING'",
        invoice.business.0,
        invoice.number.as_str(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// As it was; look again at `due_at`.
pub(crate) async fn postpone(
    conn: &mut PgConnection,
    invoice: &WrittenInvoice,
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.tax_invoice set due_at = $3
         where business_id = $1 and number = $2 and due_at is not null",
        invoice.business.0,
        invoice.number.as_str(),
        due_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes those that are to be asked for or looked at, for this worker until `lease`.
pub(crate) async fn claim_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<WrittenInvoice>> {
    let rows = sqlx::query_as!(
        Row,
        r#"update billing.tax_invoice
           set due_at = $2, checks = tax_invoice.checks + 1
           from (
               select business_id, number from billing.tax_invoice
               where due_at <= $1 order by due_at limit $3 for update skip locked
           ) due
           where tax_invoice.business_id = due.business_id and tax_invoice.number = due.number
           returning tax_invoice.business_id as "business: BusinessId", tax_invoice.number,
                     payment_id as "payment: PaymentId", original, refund_id as "refund: RefundId", modify_code,
                     status as "status: TaxInvoiceStatus", write_date, supply_amount as "supply: Krw",
                     vat_amount as "vat: Krw", content, confirmation_number, refusal_code, refusal_message,
                     tax_service_code, idempotency_key, checks, created_at, issued_at, sent_at, answered_at"#,
        now,
        lease,
        limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Row::invoice).collect()
}
