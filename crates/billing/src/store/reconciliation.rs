//! `billing.reconciliation` and the lines that are compared.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{KoreanTime, Krw};
use pg_adapter::{Provider, Transaction, TransactionKind};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    http::reconciliations::{ReconciliationView, SideView},
    merchant::{Merchant, MerchantAccountId},
    reconciliation::{ComparedDay, Occasion, ReconciliationStatus},
    refund::RefundId,
    store::column,
};

/// Part of a key here, so the platform's is the nil id and not null.
fn account(merchant: Merchant) -> Uuid {
    merchant.account.map_or(Uuid::nil(), |id| id.0)
}

/// Takes a day for this worker until `lease`, with nothing of an earlier attempt left. False if
/// another one has it.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    compared: &ComparedDay,
    occasion: Occasion,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let claimed = sqlx::query!(
        "insert into billing.reconciliation as known
             (provider, merchant_account_id, day, status, due_at, started_at, scheduled)
         values ($1, $6, $2, 'RUNNING', $4, $3, $5)
         on conflict (provider, merchant_account_id, day) do update
         set status = 'RUNNING', failure = null, due_at = $4, started_at = $3, finished_at = null,
             tries = known.tries + 1, scheduled = known.scheduled or excluded.scheduled
         where known.status <> 'RUNNING' or known.due_at <= $3",
        compared.merchant.provider.as_str(),
        compared.day,
        now,
        lease,
        occasion == Occasion::Schedule,
        account(compared.merchant),
    )
    .execute(&mut *conn)
    .await?;
    // Otherwise the lines are another worker's, who is comparing them.
    let is_ours = claimed.rows_affected() == 1;
    if is_ours {
        delete_lines(conn, compared).await?;
    }
    Ok(is_ours)
}

async fn delete_lines(conn: &mut PgConnection, compared: &ComparedDay) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from billing.reconciliation_line
         where provider = $1 and merchant_account_id = $3 and day = $2",
        compared.merchant.provider.as_str(),
        compared.day,
        account(compared.merchant),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The last day that was compared because its time had come, or is being.
pub(crate) async fn last_day(conn: &mut PgConnection, merchant: Merchant) -> sqlx::Result<Option<NaiveDate>> {
    sqlx::query_scalar!(
        "select max(day) from billing.reconciliation
         where provider = $1 and merchant_account_id = $2 and scheduled",
        merchant.provider.as_str(),
        account(merchant),
    )
    .fetch_one(conn)
    .await
}

/// The days that are to be tried again by now: those that failed, and those whose worker died.
pub(crate) async fn to_try_again(
    conn: &mut PgConnection,
    merchant: Merchant,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<NaiveDate>> {
    sqlx::query_scalar!(
        "select day from billing.reconciliation
         where provider = $1 and merchant_account_id = $3 and due_at <= $2 order by day",
        merchant.provider.as_str(),
        now,
        account(merchant),
    )
    .fetch_all(conn)
    .await
}

pub(crate) async fn tries(conn: &mut PgConnection, compared: &ComparedDay) -> sqlx::Result<i32> {
    sqlx::query_scalar!(
        "select tries from billing.reconciliation where provider = $1 and merchant_account_id = $3 and day = $2",
        compared.merchant.provider.as_str(),
        compared.day,
        account(compared.merchant),
    )
    .fetch_one(conn)
    .await
}

/// Still at it. False if somebody else has taken the day over, who is to finish it.
pub(crate) async fn renew(
    conn: &mut PgConnection,
    compared: &ComparedDay,
    lease: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let renewed = sqlx::query!(
        "update billing.reconciliation set due_at = $4
         where provider = $1 and merchant_account_id = $3 and day = $2 and status = 'RUNNING' and started_at = $5",
        compared.merchant.provider.as_str(),
        compared.day,
        account(compared.merchant),
        lease,
        compared.claimed_at,
    )
    .execute(conn)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// RUNNING becomes FAILED.
pub(crate) async fn fail(
    conn: &mut PgConnection,
    compared: &ComparedDay,
    failure: &str,
    again: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.reconciliation set status = 'FAILED', failure = $3, due_at = $4
         where provider = $1 and merchant_account_id = $5 and day = $2 and status = 'RUNNING'",
        compared.merchant.provider.as_str(),
        compared.day,
        failure,
        again,
        account(compared.merchant),
    )
    .execute(&mut *conn)
    .await?;
    delete_lines(conn, compared).await
}

/// Adds a page of the provider's list. A row that comes twice is one row.
pub(crate) async fn add_lines(
    conn: &mut PgConnection,
    compared: &ComparedDay,
    transactions: &[Transaction],
) -> sqlx::Result<()> {
    let kind = |transaction: &Transaction| match transaction.kind {
        TransactionKind::Charge => "CHARGE".to_owned(),
        TransactionKind::Cancel => "CANCEL".to_owned(),
    };
    sqlx::query!(
        "insert into billing.reconciliation_line
             (provider, merchant_account_id, day, transaction_key, payment_key, order_id, kind, amount)
         select $1, $8, $2, line.*
         from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]) as line
         on conflict do nothing",
        compared.merchant.provider.as_str(),
        compared.day,
        &column(transactions, |line| line.transaction_key.clone()),
        &column(transactions, |line| line.payment_key.clone()),
        &column(transactions, |line| line.order_id.clone()),
        &column(transactions, kind),
        &column(transactions, |line| line.amount.get()),
        account(compared.merchant),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Tells the planner how long the list is that was just copied. Left to itself it learns that minutes
/// later, and until then compares a hundred thousand lines as if there were one.
pub(crate) async fn analyze_lines(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("analyze billing.reconciliation_line").execute(conn).await?;
    Ok(())
}

/// Who has what the other has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Side {
    Theirs,
    Ours,
}

/// Something that only one side has.
pub(crate) struct Difference {
    pub side: Side,
    pub kind: TransactionKind,
    pub order_id: String,
    pub payment_key: String,
    pub transaction_key: Option<String>,
    pub amount: Krw,
    /// Ours, where money that went back is what differs.
    pub refund: Option<RefundId>,
}

pub(crate) async fn differences(
    conn: &mut PgConnection,
    compared: &ComparedDay,
    offset: i64,
    limit: i64,
) -> sqlx::Result<Vec<Difference>> {
    let rows = sqlx::query!(
        r#"select side as "side!: Side", kind as "kind!", order_id as "order_id!", payment_key as "payment_key!",
                  transaction_key, amount as "amount!: Krw", refund_id as "refund: RefundId"
           from billing.reconciliation_differences($1, $7, $2, $3, $4)
           order by order_id, kind, transaction_key offset $5 limit $6"#,
        compared.merchant.provider.as_str(),
        compared.day,
        compared.since,
        compared.until,
        offset,
        limit,
        account(compared.merchant),
    )
    .fetch_all(conn)
    .await?;
    let differences = rows.into_iter().map(|row| Difference {
        side: row.side,
        kind: if row.kind == "CHARGE" { TransactionKind::Charge } else { TransactionKind::Cancel },
        order_id: row.order_id,
        payment_key: row.payment_key,
        transaction_key: row.transaction_key,
        amount: row.amount,
        refund: row.refund,
    });
    Ok(differences.collect())
}

pub(crate) async fn count_differences(conn: &mut PgConnection, compared: &ComparedDay) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from billing.reconciliation_differences($1, $2, $3, $4, $5)"#,
        compared.merchant.provider.as_str(),
        account(compared.merchant),
        compared.day,
        compared.since,
        compared.until,
    )
    .fetch_one(conn)
    .await
}

/// How a comparison ended.
pub(crate) struct Finished {
    pub unexplained: i64,
}

/// RUNNING becomes MATCHED or DIFFERENT, with the totals of both sides.
pub(crate) async fn finish(
    conn: &mut PgConnection,
    compared: &ComparedDay,
    found: u64,
    now: DateTime<Utc>,
) -> sqlx::Result<Finished> {
    let unexplained = count_differences(&mut *conn, compared).await?;
    sqlx::query!(
        "with theirs as (
             select count(*) filter (where kind = 'CHARGE') as charges,
                    coalesce(sum(amount) filter (where kind = 'CHARGE'), 0) as charged,
                    count(*) filter (where kind = 'CANCEL') as cancels,
                    coalesce(sum(amount) filter (where kind = 'CANCEL'), 0) as canceled
             from billing.reconciliation_line
             where provider = $1 and merchant_account_id = $8 and day = $2
         ), our_charges as (
             select count(*) as charges, coalesce(sum(amount), 0) as charged
             from billing.payment
             where provider = $1 and coalesce(merchant_account_id, '00000000-0000-0000-0000-000000000000') = $8
               and approved_at >= $3 and approved_at < $4
               and status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED')
         ), our_cancels as (
             select count(*) as cancels, coalesce(sum(refund.amount), 0) as canceled
             from billing.refund
             join billing.payment on payment.business_id = refund.business_id and payment.payment_id = refund.payment_id
             where refund.status = 'SUCCESS' and payment.provider = $1
               and coalesce(payment.merchant_account_id, '00000000-0000-0000-0000-000000000000') = $8
               and coalesce(refund.canceled_at, refund.settled_at) >= $3
               and coalesce(refund.canceled_at, refund.settled_at) < $4
         )
         update billing.reconciliation
         set status = case when $6::bigint = 0 then 'MATCHED' else 'DIFFERENT' end, found = $5, unexplained = $6,
             their_charges = theirs.charges, their_charged = theirs.charged,
             their_cancels = theirs.cancels, their_canceled = theirs.canceled,
             our_charges = our_charges.charges, our_charged = our_charges.charged,
             our_cancels = our_cancels.cancels, our_canceled = our_cancels.canceled,
             due_at = null, finished_at = $7
         from theirs, our_charges, our_cancels
         where provider = $1 and merchant_account_id = $8 and day = $2 and status = 'RUNNING'",
        compared.merchant.provider.as_str(),
        compared.day,
        compared.since,
        compared.until,
        i64::try_from(found).unwrap_or(i64::MAX),
        unexplained,
        now,
        account(compared.merchant),
    )
    .execute(&mut *conn)
    .await?;
    delete_lines(conn, compared).await?;
    Ok(Finished { unexplained })
}

/// Which comparisons are wanted.
pub(crate) struct ReconciliationFilter {
    pub provider: Option<Provider>,
    pub status: Option<ReconciliationStatus>,
    /// No other than this one.
    pub only: Option<ComparedDay>,
    /// Before this day, or on it and of a later provider or account.
    pub before: Option<Listed>,
    pub limit: i64,
}

/// A comparison's place in the list.
pub(crate) struct Listed {
    pub day: NaiveDate,
    pub provider: String,
    pub account: Uuid,
}

/// Newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &ReconciliationFilter,
) -> sqlx::Result<Vec<ReconciliationView>> {
    let rows = sqlx::query!(
        r#"select provider, merchant_account_id as account, day, status as "status: ReconciliationStatus", found, unexplained, failure,
                  their_charges, their_charged as "their_charged: Krw", their_cancels,
                  their_canceled as "their_canceled: Krw", our_charges, our_charged as "our_charged: Krw",
                  our_cancels, our_canceled as "our_canceled: Krw", started_at as "started_at: KoreanTime",
                  finished_at as "finished_at: KoreanTime", due_at as "due_at: KoreanTime"
           from billing.reconciliation
           where ($1::text is null or provider = $1) and ($2::text is null or status = $2)
             and ($3::date is null or day = $3) and ($4::uuid is null or merchant_account_id = $4)
             and ($5::date is null or day < $5 or day = $5 and (provider, merchant_account_id) > ($6, $7))
           order by day desc, provider, merchant_account_id limit $8"#,
        filter.only.map_or(filter.provider, |only| Some(only.merchant.provider)).map(Provider::as_str),
        filter.status as Option<ReconciliationStatus>,
        filter.only.map(|only| only.day),
        filter.only.map(|only| account(only.merchant)),
        filter.before.as_ref().map(|before| before.day),
        filter.before.as_ref().map(|before| before.provider.as_str()),
        filter.before.as_ref().map(|before| before.account),
        filter.limit,
    )
    .fetch_all(conn)
    .await?;
    let comparisons = rows.into_iter().map(|row| ReconciliationView {
        provider: row.provider,
        merchant_account_id: (!row.account.is_nil()).then_some(MerchantAccountId(row.account)),
        day: row.day,
        status: row.status,
        theirs: SideView {
            charges: row.their_charges,
            charged: row.their_charged,
            cancels: row.their_cancels,
            canceled: row.their_canceled,
        },
        ours: SideView {
            charges: row.our_charges,
            charged: row.our_charged,
            cancels: row.our_cancels,
            canceled: row.our_canceled,
        },
        found: row.found,
        unexplained: row.unexplained,
        failure: row.failure,
        started_at: row.started_at,
        finished_at: row.finished_at,
        next_attempt_at: row.due_at.filter(|_| row.status == ReconciliationStatus::Failed),
    });
    Ok(comparisons.collect())
}
