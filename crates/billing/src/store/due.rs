//! What is due: the subscriptions to act on, claimed in batches, and when the next thing is due.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{BusinessId, Krw};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    BillingCycle,
    charge::Attempt,
    invoice::{Invoice, InvoiceId},
    merchant::{Merchant, MerchantAccountId},
    payment::{PaymentId, PaymentReason},
    payment_method::{PaymentMethodId, PaymentMethodStatus},
    plan::{DunningPolicy, WhenExhausted},
    store::column,
    subscription::{Period, Subscription, SubscriptionId, SubscriptionStatus},
};

/// A subscription on which something is due, with all that it takes to decide what.
pub(crate) struct DueSubscription {
    pub subscription: Subscription,
    pub open_invoice: Option<Invoice>,
    /// An error if only a later version knows its provider: that must not hold up the others.
    pub method: sqlx::Result<Option<CardOnFile>>,
    pub plan_name: String,
    pub dunning: DunningPolicy,
}

/// The card that a subscription is charged on.
#[derive(Clone, Debug)]
pub(crate) struct CardOnFile {
    pub id: PaymentMethodId,
    pub merchant: Merchant,
    pub usable: bool,
    /// Sealed; gone once released.
    pub billing_key: Option<String>,
    pub customer_key: String,
}

/// Locks up to `limit` due subscriptions, passing over those that another worker holds.
pub(crate) async fn lock_subscriptions(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<DueSubscription>> {
    let rows = sqlx::query!(
        r#"select s.business_id as "business: BusinessId", s.subscription_id as "id: SubscriptionId", s.plan_code,
                  s.cycle as "cycle: BillingCycle", s.price as "price: Krw", s.status as "status: SubscriptionStatus",
                  s.payment_method_id as "method: PaymentMethodId", s.anchor_on, s.period_from, s.period_until, s.due_at,
                  s.canceled_at,
                  plan.name as plan_name, plan.retry_days, plan.when_exhausted as "when_exhausted: WhenExhausted",
                  m.provider as "provider?", m.merchant_account_id as "account: MerchantAccountId", m.status as "method_status?: PaymentMethodStatus", m.billing_key, m.customer_key as "customer_key?",
                  i.invoice_id as "invoice?: InvoiceId", i.period_from as "invoice_from?", i.period_until as "invoice_until?",
                  i.amount as "invoice_amount?: Krw", i.due_on as "due_on?", i.retries_used as "retries_used?",
                  i.tried as "tried?: Vec<PaymentMethodId>"
           from billing.subscription s
           join billing.plan on plan.code = s.plan_code
           left join billing.payment_method m
               on m.business_id = s.business_id and m.payment_method_id = s.payment_method_id
           left join billing.invoice i
               on i.business_id = s.business_id and i.subscription_id = s.subscription_id and i.status = 'OPEN'
           where s.due_at <= $1
           order by s.due_at limit $2
           for update of s skip locked"#,
        now,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let due = rows.into_iter().map(|row| {
        let business = row.business;
        DueSubscription {
            open_invoice: (|| {
                Some(Invoice {
                    business,
                    id: row.invoice?,
                    subscription: row.id,
                    period: Period { from: row.invoice_from?, until: row.invoice_until? },
                    amount: row.invoice_amount?,
                    due_on: row.due_on?,
                    retries_used: row.retries_used?,
                    tried: row.tried?,
                })
            })(),
            method: (|| {
                let (id, customer_key, status) = (row.method?, row.customer_key?, row.method_status?);
                Some(super::merchant(&row.provider?, row.account).map(|merchant| CardOnFile {
                    id,
                    merchant,
                    usable: status == PaymentMethodStatus::Active,
                    billing_key: row.billing_key,
                    customer_key,
                }))
            })()
            .transpose(),
            plan_name: row.plan_name,
            dunning: DunningPolicy { retry_days: row.retry_days, when_exhausted: row.when_exhausted },
            subscription: Subscription {
                business,
                id: row.id,
                plan_code: row.plan_code,
                cycle: row.cycle,
                price: row.price,
                status: row.status,
                method: row.method,
                anchor_on: row.anchor_on,
                period: Period { from: row.period_from, until: row.period_until },
                due_at: row.due_at,
                canceled_at: row.canceled_at,
            },
        }
    });
    Ok(due.collect())
}

/// A charge of a batch, to be written down.
pub(crate) struct NewCharge {
    pub invoice: Invoice,
    /// The invoice is new and must be written down as well.
    pub invoice_is_new: bool,
    pub reason: PaymentReason,
    pub order_id: String,
    pub plan_code: String,
    pub cycle: BillingCycle,
    pub card: CardOnFile,
    /// There are other cards: which ones were tried is to be remembered.
    pub has_standby: bool,
}

/// A subscription that cannot be dealt with is left alone until `due_at`.
pub(crate) async fn set_aside(
    conn: &mut PgConnection,
    business: BusinessId,
    subscription: SubscriptionId,
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.subscription set due_at = $3
         where business_id = $1 and subscription_id = $2 and due_at is not null",
        business.0,
        subscription.0,
        due_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down a batch of charges: their invoices, their payments, and that nothing else is due
/// meanwhile. A handful of statements however large the batch: at a thousand charges a second the
/// round trips are what counts.
pub(crate) async fn write_down(
    conn: &mut PgConnection,
    charges: &[NewCharge],
    lease: DateTime<Utc>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PaymentId>> {
    let new: Vec<&Invoice> =
        charges.iter().filter(|charge| charge.invoice_is_new).map(|charge| &charge.invoice).collect();
    let splits: Vec<_> = new.iter().map(|invoice| invoice.amount.split_vat()).collect();
    sqlx::query!(
        "insert into billing.invoice
             (business_id, invoice_id, subscription_id, period_from, period_until, amount, supply_amount, vat_amount,
              due_on, status, created_at)
         select fresh.*, 'OPEN', $10
         from unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::date[], $5::date[], $6::bigint[], $7::bigint[],
                     $8::bigint[], $9::date[]) as fresh",
        &column(&new, |invoice| invoice.business.0),
        &column(&new, |invoice| invoice.id.0),
        &column(&new, |invoice| invoice.subscription.0),
        &column(&new, |invoice| invoice.period.from),
        &column(&new, |invoice| invoice.period.until),
        &column(&new, |invoice| invoice.amount.get()),
        &column(&splits, |split| split.supply.get()),
        &column(&splits, |split| split.vat.get()),
        &column(&new, |invoice| invoice.due_on) as &[NaiveDate],
        now,
    )
    .execute(&mut *conn)
    .await?;

    let businesses = column(charges, |charge| charge.invoice.business.0);
    let subscriptions = column(charges, |charge| charge.invoice.subscription.0);
    let reasons: Vec<PaymentReason> = column(charges, |charge| charge.reason);
    let mut rows = sqlx::query!(
        r#"insert into billing.payment
               (business_id, order_id, provider, reason, invoice_id, payment_method_id, plan_code, cycle, amount,
                merchant_account_id, status, due_at, sent_at, created_at)
           select fresh.*, 'PENDING', $11, $12, $12
           from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::text[],
                       $9::bigint[], $10::uuid[]) as fresh
           returning payment_id as "id: PaymentId", order_id"#,
        &businesses,
        &column(charges, |charge| charge.order_id.clone()),
        &column(charges, |charge| charge.card.merchant.provider.as_str().to_owned()),
        &reasons.iter().map(|reason| reason.as_str().to_owned()).collect::<Vec<_>>(),
        &column(charges, |charge| charge.invoice.id.0),
        &column(charges, |charge| charge.card.id.0),
        &column(charges, |charge| charge.plan_code.clone()),
        &column(charges, |charge| charge.cycle.as_str().to_owned()),
        &column(charges, |charge| charge.invoice.amount.get()),
        &column(charges, |charge| charge.card.merchant.account.map(|id| id.0)) as &[Option<Uuid>],
        lease,
        now,
    )
    .fetch_all(&mut *conn)
    .await?;

    let of_several: Vec<&Invoice> =
        charges.iter().filter(|charge| charge.has_standby).map(|charge| &charge.invoice).collect();
    super::invoice::set_tried(&mut *conn, &of_several).await?;
    sqlx::query!(
        "update billing.subscription s set due_at = null
         from unnest($1::bigint[], $2::uuid[]) as claimed (business_id, subscription_id)
         where s.business_id = claimed.business_id and s.subscription_id = claimed.subscription_id",
        &businesses,
        &subscriptions,
    )
    .execute(conn)
    .await?;

    // Nothing promises that rows come back in the order they went in.
    rows.sort_unstable_by(|a, b| a.order_id.cmp(&b.order_id));
    charges
        .iter()
        .map(|charge| {
            let found = rows.binary_search_by(|row| row.order_id.as_str().cmp(&charge.order_id));
            found.map(|index| rows[index].id).map_err(|_| sqlx::Error::RowNotFound)
        })
        .collect()
}

/// An open attempt, with what it takes to send it or to ask about it.
pub(crate) async fn attempt(
    conn: &mut PgConnection,
    business: BusinessId,
    id: PaymentId,
) -> sqlx::Result<Option<Attempt>> {
    Ok(attempts(conn, &[(business, id)]).await?.pop())
}

/// Those of these payments that are open attempts.
pub(crate) async fn attempts(
    conn: &mut PgConnection,
    payments: &[(BusinessId, PaymentId)],
) -> sqlx::Result<Vec<Attempt>> {
    sqlx::query!(
        r#"select p.business_id as "business: BusinessId", p.payment_id as "id: PaymentId", p.order_id, p.provider,
                  p.merchant_account_id as "account: MerchantAccountId", p.amount as "amount: Krw", p.payment_key, p.created_at, p.sent_at, p.checks, plan.name as plan_name,
                  p.cycle as "cycle: BillingCycle", s.status as "subscription_status: SubscriptionStatus",
                  m.billing_key, m.customer_key as "customer_key?", m.payment_method_id as "method?: PaymentMethodId"
           from billing.payment p
           join unnest($1::bigint[], $2::bigint[]) as wanted (business_id, payment_id) using (business_id, payment_id)
           join billing.plan on plan.code = p.plan_code
           join billing.invoice i on i.business_id = p.business_id and i.invoice_id = p.invoice_id
           join billing.subscription s on s.business_id = p.business_id and s.subscription_id = i.subscription_id
           left join billing.payment_method m
               on m.business_id = p.business_id and m.payment_method_id = p.payment_method_id
           where p.status = 'PENDING'"#,
        &column(payments, |(business, _)| business.0),
        &column(payments, |(_, id)| id.0),
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(|row| {
        Ok(Attempt {
            business: row.business,
            payment: row.id,
            order_id: row.order_id,
            merchant: super::merchant(&row.provider, row.account)?,
            amount: row.amount,
            order_name: Attempt::order_name(&row.plan_name, row.cycle),
            means: Attempt::means(row.method, row.billing_key, row.customer_key, row.payment_key),
            written_at: row.created_at,
            sent_at: row.sent_at,
            checks: row.checks,
            wanted: row.subscription_status != SubscriptionStatus::NonRenewing
                && row.subscription_status != SubscriptionStatus::Ended,
        })
    })
    .collect()
}

/// When the next thing of this context is due, whether or not its time has come.
pub(crate) async fn next_at(conn: &mut PgConnection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select min(due_at) from (
             (select due_at from billing.subscription where due_at is not null order by due_at limit 1)
             union all
             (select due_at from billing.payment where due_at is not null order by due_at limit 1)
             union all
             (select due_at from billing.refund where due_at is not null order by due_at limit 1)
             union all
             -- A key that an open charge still needs waits for that charge, which has a due time of its own.
             (select due_at from billing.payment_method method
              where due_at is not null
                and not exists (
                    select from billing.payment
                    where payment.business_id = method.business_id
                      and payment.payment_method_id = method.payment_method_id
                      and payment.status = 'PENDING')
              order by due_at limit 1)
             union all
             (select due_at from billing.tax_invoice where due_at is not null order by due_at limit 1)
             union all
             (select due_at from billing.cash_receipt where due_at is not null order by due_at limit 1)
             union all
             (select due_at from billing.cash_receipt_cancel where due_at is not null order by due_at limit 1)
             union all
             (select due_at from billing.webhook where is_ours and due_at is not null order by due_at limit 1)
             union all
             (select due_at from billing.webhook where not is_ours and due_at is not null order by due_at limit 1)
         ) due",
    )
    .fetch_one(conn)
    .await
}
