//! `billing.operator_case`.

use chrono::{DateTime, Utc};
use kernel::{BusinessId, KoreanTime, Krw};
use sqlx::PgConnection;

use crate::{
    case::{Case, CaseId, CaseKind, CaseStatus, Finding, Resolution},
    http::cases::CaseView,
    merchant::MerchantAccountId,
    payment::PaymentId,
    refund::RefundId,
};

/// False if this was found before.
pub(crate) async fn open(
    conn: &mut PgConnection,
    id: CaseId,
    finding: &Finding,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let opened = sqlx::query!(
        "insert into billing.operator_case
             (case_id, kind, fingerprint, provider, business_id, payment_id, refund_id, order_id, payment_key,
              our_amount, their_amount, evidence, opened_at, merchant_account_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing",
        id.0,
        finding.kind as CaseKind,
        finding.fingerprint(),
        finding.merchant.provider.as_str(),
        finding.business.map(|id| id.0),
        finding.payment.map(|id| id.0),
        finding.refund.map(|id| id.0),
        finding.order_id,
        finding.payment_key,
        finding.our_amount.map(Krw::get),
        finding.their_amount.map(Krw::get),
        finding.evidence,
        now,
        finding.merchant.account.map(|id| id.0),
    )
    .execute(conn)
    .await?;
    Ok(opened.rows_affected() == 1)
}

pub(crate) async fn get(conn: &mut PgConnection, id: CaseId) -> sqlx::Result<Option<Case>> {
    sqlx::query!(
        r#"select kind as "kind: CaseKind", status as "status: CaseStatus", provider,
                  merchant_account_id as "account: MerchantAccountId", business_id as "business: BusinessId", payment_id as "payment: PaymentId",
                  refund_id as "refund: RefundId", order_id, payment_key
           from billing.operator_case where case_id = $1"#,
        id.0,
    )
    .fetch_optional(conn)
    .await?
    .map(|row| {
        Ok(Case {
            id,
            kind: row.kind,
            status: row.status,
            merchant: super::merchant(&row.provider, row.account)?,
            business: row.business,
            payment: row.payment,
            refund: row.refund,
            order_id: row.order_id,
            payment_key: row.payment_key,
        })
    })
    .transpose()
}

/// Takes an open case until then, to carry out a decision about it. False if somebody else has it.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    id: CaseId,
    until: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let claimed = sqlx::query!(
        "update billing.operator_case set claimed_until = $2
         where case_id = $1 and status = 'OPEN' and (claimed_until is null or claimed_until <= $3)",
        id.0,
        until,
        now,
    )
    .execute(conn)
    .await?;
    Ok(claimed.rows_affected() == 1)
}

/// Gives a case back that was taken until then, to be decided anew.
pub(crate) async fn give_up(conn: &mut PgConnection, id: CaseId, until: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.operator_case set claimed_until = null
         where case_id = $1 and status = 'OPEN' and claimed_until = $2",
        id.0,
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Resolves the cases about unknown outcomes that are known by now, with what was found. Those that a
/// person is deciding are left to that person.
pub(crate) async fn resolve_settled(
    conn: &mut PgConnection,
    by: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<CaseId>> {
    sqlx::query_scalar!(
        r#"update billing.operator_case
           set status = 'RESOLVED', resolution = found.resolution, resolution_note = found.note, resolved_by = $1,
               resolved_at = $2, claimed_until = null
           from (
               select unknown.case_id,
                      case when payment.status = 'FAILED' then 'WRITE_OFF' else 'ADOPT' end as resolution,
                      'the provider told later what became of the charge: payment ' || payment.payment_id || ' is '
                          || payment.status || coalesce(' (' || payment.failure_code || ')', ' as ' || payment.payment_key, '')
                          as note
               from billing.operator_case unknown
               join billing.payment using (business_id, payment_id)
               where unknown.status = 'OPEN' and unknown.kind = 'CHARGE_UNKNOWN' and payment.status <> 'PENDING'
               union all
               select unknown.case_id,
                      case when refund.status = 'FAILED' then 'WRITE_OFF' else 'ADOPT' end,
                      'the provider told later what became of the refund: it is ' || refund.status
                          || coalesce(' (' || refund.failure_code || ')', ' as ' || refund.transaction_key, '')
               from billing.operator_case unknown
               join billing.refund using (business_id, refund_id)
               where unknown.status = 'OPEN' and unknown.kind = 'REFUND_UNKNOWN' and refund.status <> 'PENDING'
           ) found
           where operator_case.case_id = found.case_id and operator_case.status = 'OPEN'
             and (operator_case.claimed_until is null or operator_case.claimed_until <= $2)
           returning operator_case.case_id as "id: CaseId""#,
        by,
        now,
    )
    .fetch_all(conn)
    .await
}

/// OPEN becomes RESOLVED. False if somebody else was faster.
pub(crate) async fn resolve(
    conn: &mut PgConnection,
    id: CaseId,
    resolution: Resolution,
    note: &str,
    by: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let resolved = sqlx::query!(
        "update billing.operator_case
         set status = 'RESOLVED', resolution = $2, resolution_note = $3, resolved_by = $4, resolved_at = $5,
             claimed_until = null
         where case_id = $1 and status = 'OPEN'",
        id.0,
        resolution as Resolution,
        note,
        by,
        now,
    )
    .execute(conn)
    .await?;
    Ok(resolved.rows_affected() == 1)
}

/// Which cases are wanted.
pub(crate) struct CaseFilter {
    pub status: Option<CaseStatus>,
    pub kind: Option<CaseKind>,
    /// Older than this one.
    pub before: Option<CaseId>,
    /// No other than this one.
    pub only: Option<CaseId>,
    pub limit: i64,
}

/// Newest first.
pub(crate) async fn list(conn: &mut PgConnection, filter: &CaseFilter) -> sqlx::Result<Vec<CaseView>> {
    let rows = sqlx::query!(
        r#"select case_id as "id: CaseId", kind as "kind: CaseKind", status as "status: CaseStatus", provider,
                  merchant_account_id as "account: MerchantAccountId", business_id as "business: BusinessId", payment_id as "payment: PaymentId",
                  refund_id as "refund: RefundId", order_id, payment_key, our_amount as "our_amount: Krw",
                  their_amount as "their_amount: Krw", evidence, resolution as "resolution: Resolution",
                  resolution_note, resolved_by, opened_at as "opened_at: KoreanTime",
                  resolved_at as "resolved_at: KoreanTime",
                  exists (
                      select from billing.payment join billing.invoice using (business_id, invoice_id)
                      where payment.business_id = operator_case.business_id
                        and payment.payment_id = operator_case.payment_id
                        -- The second, where the decision was carried out and could not be written down.
                        and (invoice.status = 'OPEN'
                             or payment.status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED'))
                  ) as "has_invoice_to_pay!"
           from billing.operator_case
           where ($1::text is null or status = $1) and ($2::text is null or kind = $2)
             and ($3::uuid is null or case_id < $3) and ($4::uuid is null or case_id = $4)
           order by case_id desc limit $5"#,
        filter.status as Option<CaseStatus>,
        filter.kind as Option<CaseKind>,
        filter.before.map(|id| id.0),
        filter.only.map(|id| id.0),
        filter.limit,
    )
    .fetch_all(conn)
    .await?;
    let cases = rows.into_iter().map(|row| CaseView {
        case_id: row.id,
        possible_resolutions: match row.status {
            CaseStatus::Open => possible(row.kind, row.has_invoice_to_pay),
            CaseStatus::Resolved => Vec::new(),
        },
        kind: row.kind,
        status: row.status,
        provider: row.provider,
        merchant_account_id: row.account,
        business_id: row.business,
        payment_id: row.payment,
        refund_id: row.refund,
        order_id: row.order_id,
        payment_key: row.payment_key,
        our_amount: row.our_amount,
        their_amount: row.their_amount,
        evidence: row.evidence,
        opened_at: row.opened_at,
        resolution: row.resolution,
        resolution_note: row.resolution_note,
        resolved_by: row.resolved_by,
        resolved_at: row.resolved_at,
    });
    Ok(cases.collect())
}

/// A late approval is adopted by paying its invoice with it, where there is one.
fn possible(kind: CaseKind, has_invoice_to_pay: bool) -> Vec<Resolution> {
    let is_possible = |resolution: &Resolution| {
        kind != CaseKind::LateApproval || has_invoice_to_pay || *resolution != Resolution::Adopt
    };
    kind.resolutions().iter().copied().filter(is_possible).collect()
}
