//! `billing.refund`.

use chrono::{DateTime, Utc};
use kernel::{BusinessId, Krw};
use pg_adapter::Cancellation;
use sqlx::PgConnection;

use crate::{
    payment::PaymentId,
    refund::{Refund, RefundFailure, RefundId, RefundStatus},
};

pub(crate) async fn insert(
    conn: &mut PgConnection,
    refund: &Refund,
    idempotency_key: Option<&str>,
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into billing.refund
             (business_id, refund_id, payment_id, amount, reason, remaining_before, idempotency_key, status, due_at,
              created_at)
         values ($1, $2, $3, $4, $5, $6, $7, 'PENDING', $8, $9)",
        refund.business.0,
        refund.id.0,
        refund.payment.0,
        refund.amount.get(),
        refund.reason,
        refund.remaining_before.get(),
        idempotency_key,
        due_at,
        refund.created_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

struct Row {
    id: RefundId,
    payment: PaymentId,
    amount: Krw,
    reason: String,
    status: RefundStatus,
    remaining_before: Krw,
    created_at: DateTime<Utc>,
    checks: i32,
    failure_code: Option<String>,
    failure_message: Option<String>,
}

impl Row {
    fn refund(self, business: BusinessId) -> Refund {
        Refund {
            business,
            id: self.id,
            payment: self.payment,
            amount: self.amount,
            reason: self.reason,
            status: self.status,
            remaining_before: self.remaining_before,
            created_at: self.created_at,
            checks: self.checks,
            failure: (|| Some(RefundFailure { code: self.failure_code?, message: self.failure_message? }))(),
        }
    }
}

pub(crate) async fn get(
    conn: &mut PgConnection,
    business: BusinessId,
    id: RefundId,
) -> sqlx::Result<Option<Refund>> {
    let row = sqlx::query_as!(
        Row,
        r#"select refund_id as "id: RefundId", payment_id as "payment: PaymentId", amount as "amount: Krw", reason,
                  status as "status: RefundStatus", remaining_before as "remaining_before: Krw", created_at, checks,
                  failure_code, failure_message
           from billing.refund where business_id = $1 and refund_id = $2"#,
        business.0,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.refund(business)))
}

/// The refund that an earlier, interrupted run of the same request wrote down.
pub(crate) async fn of_request(
    conn: &mut PgConnection,
    business: BusinessId,
    payment: PaymentId,
    idempotency_key: &str,
) -> sqlx::Result<Option<Refund>> {
    let row = sqlx::query_as!(
        Row,
        r#"select refund_id as "id: RefundId", payment_id as "payment: PaymentId", amount as "amount: Krw", reason,
                  status as "status: RefundStatus", remaining_before as "remaining_before: Krw", created_at, checks,
                  failure_code, failure_message
           from billing.refund where business_id = $1 and payment_id = $2 and idempotency_key = $3"#,
        business.0,
        payment.0,
        idempotency_key,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.refund(business)))
}

/// How much of a payment is promised to refunds that are still open. Read with the payment locked.
pub(crate) async fn open_amount(
    conn: &mut PgConnection,
    business: BusinessId,
    payment: PaymentId,
) -> sqlx::Result<Krw> {
    sqlx::query_scalar!(
        r#"select coalesce(sum(amount), 0)::bigint as "amount!: Krw"
           from billing.refund where business_id = $1 and payment_id = $2 and status = 'PENDING'"#,
        business.0,
        payment.0,
    )
    .fetch_one(conn)
    .await
}

/// Becomes SUCCESS. The caller holds the payment's lock and has made sure of the move.
pub(crate) async fn complete(
    conn: &mut PgConnection,
    refund: &Refund,
    cancellation: &Cancellation,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.refund
         set status = 'SUCCESS', transaction_key = $3, settled_at = $4, due_at = null, failure_code = null,
             failure_message = null, canceled_at = $5
         where business_id = $1 and refund_id = $2 and status <> 'SUCCESS'",
        refund.business.0,
        refund.id.0,
        cancellation.transaction_key,
        now,
        cancellation.canceled_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// PENDING becomes FAILED.
pub(crate) async fn fail(
    conn: &mut PgConnection,
    refund: &Refund,
    code: &str,
    message: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.refund
         set status = 'FAILED', failure_code = $3, failure_message = $4, settled_at = $5, due_at = null
         where business_id = $1 and refund_id = $2 and status = 'PENDING'",
        refund.business.0,
        refund.id.0,
        code,
        message,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Still PENDING; ask again at `due_at`.
pub(crate) async fn postpone(
    conn: &mut PgConnection,
    refund: &Refund,
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.refund set due_at = $3 where business_id = $1 and refund_id = $2 and status = 'PENDING'",
        refund.business.0,
        refund.id.0,
        due_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes open refunds whose outcome is to be asked for, for this worker until `lease`.
pub(crate) async fn claim_open(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<(BusinessId, RefundId)>> {
    let rows = sqlx::query!(
        r#"update billing.refund
           set due_at = $2, checks = refund.checks + 1
           from (
               select business_id, refund_id from billing.refund
               where due_at <= $1 order by due_at limit $3 for update skip locked
           ) due
           where refund.business_id = due.business_id and refund.refund_id = due.refund_id
           returning refund.business_id as "business: BusinessId", refund.refund_id as "id: RefundId""#,
        now,
        lease,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.business, row.id)).collect())
}

/// Writes down a completed cancel that was not asked for by us; false if it is known already.
pub(crate) async fn adopt(
    conn: &mut PgConnection,
    refund: &Refund,
    cancellation: &Cancellation,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into billing.refund
             (business_id, refund_id, payment_id, amount, reason, remaining_before, status, transaction_key,
              created_at, settled_at, canceled_at)
         values ($1, $2, $3, $4, $5, $6, 'SUCCESS', $7, $8, $9, $10) on conflict do nothing",
        refund.business.0,
        refund.id.0,
        refund.payment.0,
        refund.amount.get(),
        refund.reason,
        refund.remaining_before.get(),
        cancellation.transaction_key,
        refund.created_at,
        now,
        cancellation.canceled_at,
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}
