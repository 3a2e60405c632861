//! `billing.payment`.

use chrono::{DateTime, Utc};
use kernel::{BusinessId, Krw};
use pg_adapter::Approval;
use sqlx::PgConnection;

use crate::{
    BillingCycle,
    invoice::InvoiceId,
    merchant::{Merchant, MerchantAccountId},
    payment::{CashReceiptKind, Failure, PaidWith, Payment, PaymentId, PaymentReason, PaymentStatus},
    payment_method::PaymentMethodId,
    store::column,
};

/// A checkout to be written down.
pub(crate) struct NewOrder<'a> {
    pub business: BusinessId,
    pub order_id: &'a str,
    pub merchant: Merchant,
    pub customer_key: Option<&'a str>,
    pub plan_code: &'a str,
    pub cycle: BillingCycle,
    pub amount: Krw,
    pub expires_at: DateTime<Utc>,
}

/// Writes a checkout down as REQUESTED.
pub(crate) async fn insert_order(
    conn: &mut PgConnection,
    order: &NewOrder<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<PaymentId> {
    sqlx::query_scalar!(
        r#"insert into billing.payment
               (business_id, order_id, provider, reason, customer_key, plan_code, cycle, amount, status, due_at,
                created_at, merchant_account_id)
           values ($1, $2, $3, 'CHECKOUT', $4, $5, $6, $7, 'REQUESTED', $8, $9, $10)
           returning payment_id as "id: PaymentId""#,
        order.business.0,
        order.order_id,
        order.merchant.provider.as_str(),
        order.customer_key,
        order.plan_code,
        order.cycle as BillingCycle,
        order.amount.get(),
        order.expires_at,
        now,
        order.merchant.account.map(|id| id.0),
    )
    .fetch_one(conn)
    .await
}

struct Row {
    business: BusinessId,
    id: PaymentId,
    order_id: String,
    provider: String,
    account: Option<MerchantAccountId>,
    reason: PaymentReason,
    invoice: Option<InvoiceId>,
    method: Option<PaymentMethodId>,
    customer_key: Option<String>,
    plan_code: String,
    cycle: BillingCycle,
    amount: Krw,
    refunded: Krw,
    status: PaymentStatus,
    payment_key: Option<String>,
    sent_at: Option<DateTime<Utc>>,
    checks: i32,
    failure_class: Option<String>,
    failure_code: Option<String>,
    failure_message: Option<String>,
}

impl Row {
    fn payment(self) -> sqlx::Result<Payment> {
        Ok(Payment {
            business: self.business,
            id: self.id,
            order_id: self.order_id,
            merchant: super::merchant(&self.provider, self.account)?,
            reason: self.reason,
            invoice: self.invoice,
            method: self.method,
            customer_key: self.customer_key,
            plan_code: self.plan_code,
            cycle: self.cycle,
            amount: self.amount,
            refunded: self.refunded,
            status: self.status,
            payment_key: self.payment_key,
            sent_at: self.sent_at,
            checks: self.checks,
            failure: failure(self.failure_class, self.failure_code, self.failure_message),
        })
    }
}

/// The three columns of a failure are all there or all absent.
pub(crate) fn failure(
    class: Option<String>,
    code: Option<String>,
    message: Option<String>,
) -> Option<Failure> {
    Some(Failure { decline_class: class?, provider_code: code?, message: message? })
}

/// Locks the row until the transaction ends, so that two settlements queue up instead of racing.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    business: BusinessId,
    id: PaymentId,
) -> sqlx::Result<Option<Payment>> {
    sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", payment_id as "id: PaymentId", order_id, provider,
                  merchant_account_id as "account: MerchantAccountId", reason as "reason: PaymentReason",
                  invoice_id as "invoice: InvoiceId", payment_method_id as "method: PaymentMethodId",
                  customer_key, plan_code, cycle as "cycle: BillingCycle", amount as "amount: Krw", refunded_amount as "refunded: Krw",
                  status as "status: PaymentStatus", payment_key, sent_at, checks, failure_class, failure_code,
                  failure_message
           from billing.payment where business_id = $1 and payment_id = $2 for update"#,
        business.0,
        id.0,
    )
    .fetch_optional(conn)
    .await?
    .map(Row::payment)
    .transpose()
}

/// Locks many open attempts, passing over those that are settled or that somebody is settling now:
/// whoever waits for one row while holding many makes everybody behind them wait as well, or forever.
pub(crate) async fn lock_open(
    conn: &mut PgConnection,
    attempts: &[(BusinessId, PaymentId)],
) -> sqlx::Result<Vec<Payment>> {
    sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", payment_id as "id: PaymentId", order_id, provider,
                  merchant_account_id as "account: MerchantAccountId", reason as "reason: PaymentReason",
                  invoice_id as "invoice: InvoiceId", payment_method_id as "method: PaymentMethodId",
                  customer_key, plan_code, cycle as "cycle: BillingCycle", amount as "amount: Krw", refunded_amount as "refunded: Krw",
                  status as "status: PaymentStatus", payment_key, sent_at, checks, failure_class, failure_code,
                  failure_message
           from billing.payment
           join unnest($1::bigint[], $2::bigint[]) as wanted (business_id, payment_id)
               using (business_id, payment_id)
           where status = 'PENDING'
           for update of payment skip locked"#,
        &column(attempts, |(business, _)| business.0),
        &column(attempts, |(_, id)| id.0),
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Row::payment)
    .collect()
}

/// The payment that goes by this order id, if it is this business's.
pub(crate) async fn id_of_order(
    conn: &mut PgConnection,
    business: BusinessId,
    order_id: &str,
) -> sqlx::Result<Option<PaymentId>> {
    sqlx::query_scalar!(
        r#"select payment_id as "id: PaymentId" from billing.payment where business_id = $1 and order_id = $2"#,
        business.0,
        order_id,
    )
    .fetch_optional(conn)
    .await
}

/// Whose payment goes by this order id.
pub(crate) async fn owner_of_order(
    conn: &mut PgConnection,
    order_id: &str,
) -> sqlx::Result<Option<(BusinessId, PaymentId)>> {
    let row = sqlx::query!(
        r#"select business_id as "business: BusinessId", payment_id as "id: PaymentId"
           from billing.payment where order_id = $1"#,
        order_id,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.business, row.id)))
}

/// The payments that go by these order ids, whosever they are. For webhooks, which do not say.
pub(crate) async fn of_orders(conn: &mut PgConnection, order_ids: &[String]) -> sqlx::Result<Vec<Payment>> {
    sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", payment_id as "id: PaymentId", order_id, provider,
                  merchant_account_id as "account: MerchantAccountId", reason as "reason: PaymentReason",
                  invoice_id as "invoice: InvoiceId", payment_method_id as "method: PaymentMethodId",
                  customer_key, plan_code, cycle as "cycle: BillingCycle", amount as "amount: Krw", refunded_amount as "refunded: Krw",
                  status as "status: PaymentStatus", payment_key, sent_at, checks, failure_class, failure_code,
                  failure_message
           from billing.payment where order_id = any($1)"#,
        order_ids,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Row::payment)
    .collect()
}

/// The open attempt to pay an invoice.
pub(crate) async fn open_of_invoice(
    conn: &mut PgConnection,
    business: BusinessId,
    invoice: InvoiceId,
) -> sqlx::Result<Option<PaymentId>> {
    sqlx::query_scalar!(
        r#"select payment_id as "id: PaymentId" from billing.payment
           where business_id = $1 and invoice_id = $2 and status = 'PENDING'"#,
        business.0,
        invoice.0,
    )
    .fetch_optional(conn)
    .await
}

/// REQUESTED becomes PENDING: the payer confirmed, and the provider is about to be asked.
pub(crate) async fn confirm(
    conn: &mut PgConnection,
    payment: &Payment,
    invoice: InvoiceId,
    payment_key: &str,
    lease: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment
         set status = 'PENDING', invoice_id = $3, payment_key = $4, due_at = $5, sent_at = $6
         where business_id = $1 and payment_id = $2 and status = 'REQUESTED'",
        payment.business.0,
        payment.id.0,
        invoice.0,
        payment_key,
        lease,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// PENDING becomes SUCCESS, for as many as were approved together.
pub(crate) async fn approve(
    conn: &mut PgConnection,
    approved: &[(Payment, Approval)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let card = |(_, approval): &(Payment, Approval)| approval.card.clone();
    let receipt = |(_, approval): &(Payment, Approval)| approval.cash_receipt.clone();
    sqlx::query!(
        "update billing.payment
         set status = 'SUCCESS', payment_key = approved.payment_key, card_company = approved.card_company,
             card_number = approved.card_number, receipt_url = approved.receipt_url,
             approved_at = approved.approved_at, settled_at = $8, due_at = null, paid_with = approved.paid_with,
             cash_receipt_kind = approved.cash_receipt_kind, cash_receipt_number = approved.cash_receipt_number,
             cash_receipt_url = approved.cash_receipt_url
         from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
                     $9::text[], $10::text[], $11::text[], $12::text[])
             as approved (business_id, payment_id, payment_key, card_company, card_number, receipt_url, approved_at,
                          paid_with, cash_receipt_kind, cash_receipt_number, cash_receipt_url)
         where payment.business_id = approved.business_id and payment.payment_id = approved.payment_id
           and payment.status = 'PENDING'",
        &column(approved, |(payment, _)| payment.business.0),
        &column(approved, |(payment, _)| payment.id.0),
        &column(approved, |(_, approval)| approval.payment_key.clone()),
        &column(approved, |one| card(one).map(|card| card.company)) as &[Option<String>],
        &column(approved, |one| card(one).map(|card| card.display_number())) as &[Option<String>],
        &column(approved, |(_, approval)| approval.receipt_url.clone()) as &[Option<String>],
        &column(approved, |(_, approval)| approval.approved_at),
        now,
        &column(approved, |(_, approval)| PaidWith::of(approval.paid_with).map(|with| with.as_str().to_owned()))
            as &[Option<String>],
        &column(approved, |one| receipt(one).map(|it| CashReceiptKind::of(it.kind).as_str().to_owned()))
            as &[Option<String>],
        &column(approved, |one| receipt(one).map(|it| it.issue_number)) as &[Option<String>],
        &column(approved, |one| receipt(one).and_then(|it| it.url)) as &[Option<String>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// PENDING becomes FAILED.
pub(crate) async fn decline(
    conn: &mut PgConnection,
    payment: &Payment,
    failure: &Failure,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment
         set status = 'FAILED', failure_class = $3, failure_code = $4, failure_message = $5, settled_at = $6,
             due_at = null
         where business_id = $1 and payment_id = $2 and status = 'PENDING'",
        payment.business.0,
        payment.id.0,
        failure.decline_class,
        failure.provider_code,
        failure.message,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// FAILED becomes PENDING again, to be approved in the same transaction.
pub(crate) async fn reopen(
    conn: &mut PgConnection,
    payment: &Payment,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment
         set status = 'PENDING', failure_class = null, failure_code = null, failure_message = null,
             settled_at = null, due_at = $3
         where business_id = $1 and payment_id = $2 and status = 'FAILED'",
        payment.business.0,
        payment.id.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Still PENDING; ask again at `due_at`.
pub(crate) async fn postpone(
    conn: &mut PgConnection,
    payment: &Payment,
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment set due_at = $3
         where business_id = $1 and payment_id = $2 and status = 'PENDING'",
        payment.business.0,
        payment.id.0,
        due_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down that the charge is about to be sent once more. From now on a sending that did not
/// arrive proves nothing about the others, also where a webhook was the reason to ask and no due time.
pub(crate) async fn mark_sent(
    conn: &mut PgConnection,
    payment: &Payment,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment set sent_at = $3, checks = greatest(checks, 1)
         where business_id = $1 and payment_id = $2 and status = 'PENDING'",
        payment.business.0,
        payment.id.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Adds a completed refund to the payment.
pub(crate) async fn record_refund(
    conn: &mut PgConnection,
    payment: &Payment,
    refunded: Krw,
    status: PaymentStatus,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment set refunded_amount = $3, status = $4
         where business_id = $1 and payment_id = $2",
        payment.business.0,
        payment.id.0,
        refunded.get(),
        status as PaymentStatus,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes open attempts whose outcome is to be asked for, for this worker until `lease`.
pub(crate) async fn claim_open(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<(BusinessId, PaymentId)>> {
    let rows = sqlx::query!(
        r#"update billing.payment
           set due_at = $2, checks = payment.checks + 1
           from (
               select business_id, payment_id from billing.payment
               where due_at <= $1 and status = 'PENDING'
               order by due_at limit $3 for update skip locked
           ) due
           where payment.business_id = due.business_id and payment.payment_id = due.payment_id
           returning payment.business_id as "business: BusinessId", payment.payment_id as "id: PaymentId""#,
        now,
        lease,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.business, row.id)).collect())
}

/// Closes checkouts that nobody confirmed in time.
pub(crate) async fn expire_requested(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let expired = sqlx::query!(
        "update billing.payment set status = 'EXPIRED', due_at = null, settled_at = $1
         where due_at <= $1 and status = 'REQUESTED'",
        now,
    )
    .execute(conn)
    .await?;
    Ok(expired.rows_affected())
}
