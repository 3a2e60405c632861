//! `billing.cash_receipt` and `billing.cash_receipt_cancel`.

use chrono::{DateTime, Utc};
use kernel::{BusinessId, Krw};
use pg_adapter::IssuedCashReceipt;
use sqlx::PgConnection;

use crate::{
    cash_receipt::{
        CancelStatus, CashReceipt, CashReceiptId, CashReceiptRefusal, CashReceiptStatus, ReceiptCancel,
    },
    payment::{CashReceiptKind, PaymentId},
    refund::RefundId,
};

pub(crate) async fn insert(
    conn: &mut PgConnection,
    receipt: &CashReceipt,
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into billing.cash_receipt
             (business_id, cash_receipt_id, payment_id, kind, amount, status, identity_number, idempotency_key, due_at,
              created_at)
         values ($1, $2, $3, $4, $5, 'REQUESTED', $6, $7, $8, $9)",
        receipt.business.0,
        receipt.id.0,
        receipt.payment.0,
        receipt.kind as CashReceiptKind,
        receipt.amount.get(),
        receipt.identity_number,
        receipt.idempotency_key,
        due_at,
        receipt.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Row {
    business: BusinessId,
    id: CashReceiptId,
    payment: PaymentId,
    kind: CashReceiptKind,
    amount: Krw,
    canceled: Krw,
    status: CashReceiptStatus,
    identity_number: Option<String>,
    receipt_key: Option<String>,
    issue_number: Option<String>,
    receipt_url: Option<String>,
    refusal_code: Option<String>,
    refusal_message: Option<String>,
    idempotency_key: Option<String>,
    checks: i32,
    created_at: DateTime<Utc>,
    taken_at: Option<DateTime<Utc>>,
    issued_at: Option<DateTime<Utc>>,
    canceled_at: Option<DateTime<Utc>>,
}

impl From<Row> for CashReceipt {
    fn from(row: Row) -> Self {
        Self {
            business: row.business,
            id: row.id,
            payment: row.payment,
            kind: row.kind,
            amount: row.amount,
            canceled: row.canceled,
            status: row.status,
            identity_number: row.identity_number,
            receipt_key: row.receipt_key,
            issue_number: row.issue_number,
            receipt_url: row.receipt_url,
            refusal: (|| Some(CashReceiptRefusal { code: row.refusal_code?, message: row.refusal_message? }))(
            ),
            idempotency_key: row.idempotency_key,
            checks: row.checks,
            created_at: row.created_at,
            taken_at: row.taken_at,
            issued_at: row.issued_at,
            canceled_at: row.canceled_at,
        }
    }
}

pub(crate) async fn get(
    conn: &mut PgConnection,
    business: BusinessId,
    id: CashReceiptId,
) -> sqlx::Result<Option<CashReceipt>> {
    let row = sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", cash_receipt_id as "id: CashReceiptId",
                  payment_id as "payment: PaymentId", kind as "kind: CashReceiptKind", amount as "amount: Krw",
                  canceled_amount as "canceled: Krw", status as "status: CashReceiptStatus", identity_number,
                  receipt_key, issue_number, receipt_url, refusal_code, refusal_message, idempotency_key, checks,
                  created_at, taken_at, issued_at, canceled_at
           from billing.cash_receipt where business_id = $1 and cash_receipt_id = $2"#,
        business.0,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(CashReceipt::from))
}

/// Locks the row until the transaction ends, so that two answers queue up instead of racing. Whoever asks
/// holds the payment's lock.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    business: BusinessId,
    id: CashReceiptId,
) -> sqlx::Result<Option<CashReceipt>> {
    sqlx::query_scalar!(
        r#"select true as "locked!" from billing.cash_receipt
           where business_id = $1 and cash_receipt_id = $2 for update"#,
        business.0,
        id.0,
    )
    .fetch_optional(&mut *conn)
    .await?;
    get(conn, business, id).await
}

/// All of a payment, in the order they were asked for.
pub(crate) async fn of_payment(
    conn: &mut PgConnection,
    business: BusinessId,
    payment: PaymentId,
) -> sqlx::Result<Vec<CashReceipt>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", cash_receipt_id as "id: CashReceiptId",
                  payment_id as "payment: PaymentId", kind as "kind: CashReceiptKind", amount as "amount: Krw",
                  canceled_amount as "canceled: Krw", status as "status: CashReceiptStatus", identity_number,
                  receipt_key, issue_number, receipt_url, refusal_code, refusal_message, idempotency_key, checks,
                  created_at, taken_at, issued_at, canceled_at
           from billing.cash_receipt where business_id = $1 and payment_id = $2
           order by created_at, cash_receipt_id"#,
        business.0,
        payment.0,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(CashReceipt::from).collect())
}

/// The provider has it; nobody needs the identity number any more. `look_at`: the tax service has not
/// answered, and then it may have.
pub(crate) async fn record_taken(
    conn: &mut PgConnection,
    receipt: &CashReceipt,
    status: CashReceiptStatus,
    taken: &IssuedCashReceipt,
    look_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.cash_receipt
         set status = $3, receipt_key = $4, issue_number = coalesce($5, issue_number),
             receipt_url = coalesce($6, receipt_url), taken_at = coalesce(taken_at, $7),
             issued_at = case when $3 = 'ISSUED' then $7 end, due_at = $8, identity_number = null, checks = 0
         where business_id = $1 and cash_receipt_id = $2",
        receipt.business.0,
        receipt.id.0,
        status as CashReceiptStatus,
        taken.receipt_key,
        taken.issue_number,
        taken.url,
        now,
        look_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn refuse(
    conn: &mut PgConnection,
    receipt: &CashReceipt,
    refusal: &CashReceiptRefusal,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.cash_receipt
         set status = 'REFUSED', refusal_code = $3, refusal_message = $4, due_at = null, identity_number = null
         where business_id = $1 and cash_receipt_id = $2",
        receipt.business.0,
        receipt.id.0,
        refusal.code,
        refusal.message,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// So much of it was taken back in all.
pub(crate) async fn record_canceled(
    conn: &mut PgConnection,
    receipt: &CashReceipt,
    status: CashReceiptStatus,
    canceled: Krw,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.cash_receipt set status = $3, canceled_amount = $4, canceled_at = $5, due_at = null
         where business_id = $1 and cash_receipt_id = $2",
        receipt.business.0,
        receipt.id.0,
        status as CashReceiptStatus,
        canceled.get(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// As it was; look again at `due_at`.
pub(crate) async fn postpone(
    conn: &mut PgConnection,
    receipt: &CashReceipt,
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.cash_receipt set due_at = $3
         where business_id = $1 and cash_receipt_id = $2 and due_at is not null",
        receipt.business.0,
        receipt.id.0,
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
) -> sqlx::Result<Vec<CashReceipt>> {
    let rows = sqlx::query_as!(
        Row,
        r#"update billing.cash_receipt receipt
           set due_at = $2, checks = receipt.checks + 1
           from (
               select business_id, cash_receipt_id from billing.cash_receipt
               where due_at <= $1 order by due_at limit $3 for update skip locked
           ) due
           where receipt.business_id = due.business_id and receipt.cash_receipt_id = due.cash_receipt_id
           returning receipt.business_id as "business: BusinessId", receipt.cash_receipt_id as "id: CashReceiptId",
                     payment_id as "payment: PaymentId", kind as "kind: CashReceiptKind", amount as "amount: Krw",
                     canceled_amount as "canceled: Krw", status as "status: CashReceiptStatus", identity_number,
                     receipt_key, issue_number, receipt_url, refusal_code, refusal_message, idempotency_key, checks,
                     created_at, taken_at, issued_at, canceled_at"#,
        now,
        lease,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(CashReceipt::from).collect())
}

pub(crate) async fn insert_cancel(
    conn: &mut PgConnection,
    cancel: &ReceiptCancel,
    due_at: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into billing.cash_receipt_cancel
             (business_id, cash_receipt_id, refund_id, amount, status, due_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)",
        cancel.business.0,
        cancel.receipt.0,
        cancel.refund.0,
        cancel.amount.get(),
        cancel.status as CancelStatus,
        due_at,
        cancel.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// All cancels of a receipt, in the order they were written down.
pub(crate) async fn cancels(
    conn: &mut PgConnection,
    business: BusinessId,
    receipt: CashReceiptId,
) -> sqlx::Result<Vec<ReceiptCancel>> {
    sqlx::query_as!(
        ReceiptCancel,
        r#"select business_id as "business: BusinessId", cash_receipt_id as "receipt: CashReceiptId",
                  refund_id as "refund: RefundId", amount as "amount: Krw", status as "status: CancelStatus", checks,
                  created_at, sent_at
           from billing.cash_receipt_cancel where business_id = $1 and cash_receipt_id = $2
           order by created_at, refund_id"#,
        business.0,
        receipt.0,
    )
    .fetch_all(conn)
    .await
}

/// The caller made sure of the move. `refusal` is why, of one that was refused.
pub(crate) async fn settle_cancel(
    conn: &mut PgConnection,
    cancel: &ReceiptCancel,
    status: CancelStatus,
    refusal: Option<&str>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.cash_receipt_cancel
         set status = $4, refusal_code = $5, settled_at = $6, due_at = null
         where business_id = $1 and cash_receipt_id = $2 and refund_id = $3",
        cancel.business.0,
        cancel.receipt.0,
        cancel.refund.0,
        status as CancelStatus,
        refusal,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// WAITING becomes PENDING, due now; PENDING is asked for again at `due_at`.
pub(crate) async fn set_cancel_due(
    conn: &mut PgConnection,
    cancel: &ReceiptCancel,
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.cash_receipt_cancel set status = 'PENDING', due_at = $4
         where business_id = $1 and cash_receipt_id = $2 and refund_id = $3 and status in ('WAITING', 'PENDING')",
        cancel.business.0,
        cancel.receipt.0,
        cancel.refund.0,
        due_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes those that are to be asked for, for this worker until `lease`, and says that they are being sent.
pub(crate) async fn claim_cancels(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<ReceiptCancel>> {
    sqlx::query_as!(
        ReceiptCancel,
        r#"update billing.cash_receipt_cancel cancel
           set due_at = $2, checks = cancel.checks + 1, sent_at = coalesce(cancel.sent_at, $1)
           from (
               select business_id, cash_receipt_id, refund_id from billing.cash_receipt_cancel
               where due_at <= $1 order by due_at limit $3 for update skip locked
           ) due
           where cancel.business_id = due.business_id and cancel.cash_receipt_id = due.cash_receipt_id
             and cancel.refund_id = due.refund_id
           returning cancel.business_id as "business: BusinessId", cancel.cash_receipt_id as "receipt: CashReceiptId",
                     cancel.refund_id as "refund: RefundId", amount as "amount: Krw",
                     status as "status: CancelStatus", checks, created_at, sent_at"#,
        now,
        lease,
        limit,
    )
    .fetch_all(conn)
    .await
}
