//! `billing.subscription`.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{BusinessId, Krw};
use pg_adapter::Card;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    BillingCycle,
    payment::{PaymentId, PaymentStatus},
    payment_method::PaymentMethodId,
    store::column,
    subscription::{EndReason, Period, Subscription, SubscriptionId, SubscriptionStatus},
};

pub(crate) async fn insert(
    conn: &mut PgConnection,
    subscription: &Subscription,
    idempotency_key: Option<&str>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into billing.subscription
             (business_id, subscription_id, plan_code, cycle, price, status, payment_method_id, anchor_on,
              period_from, period_until, due_at, idempotency_key, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        subscription.business.0,
        subscription.id.0,
        subscription.plan_code,
        subscription.cycle as BillingCycle,
        subscription.price.get(),
        subscription.status as SubscriptionStatus,
        subscription.method.map(|method| method.0),
        subscription.anchor_on,
        subscription.period.from,
        subscription.period.until,
        subscription.due_at,
        idempotency_key,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How far an interrupted request has come.
pub(crate) struct Started {
    pub method: PaymentMethodId,
    pub card: Card,
    pub payment: PaymentId,
    pub payment_status: PaymentStatus,
}

/// What the request with this key started, if this subscription is its doing.
pub(crate) async fn started_by(
    conn: &mut PgConnection,
    subscription: &Subscription,
    idempotency_key: &str,
) -> sqlx::Result<Option<Started>> {
    let row = sqlx::query!(
        r#"select p.payment_id as "payment: PaymentId", p.status as "payment_status: PaymentStatus",
                  m.payment_method_id as "method: PaymentMethodId", m.card_company as "card_company!",
                  m.card_number as "card_number!"
           from billing.subscription s
           join billing.payment_method m
               on m.business_id = s.business_id and m.payment_method_id = s.payment_method_id
           join billing.invoice i on i.business_id = s.business_id and i.subscription_id = s.subscription_id
           join billing.payment p on p.business_id = s.business_id and p.invoice_id = i.invoice_id
           where s.business_id = $1 and s.subscription_id = $2 and s.idempotency_key = $3 and p.reason = 'FIRST'"#,
        subscription.business.0,
        subscription.id.0,
        idempotency_key,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| Started {
        method: row.method,
        card: Card { company: row.card_company, masked_number: row.card_number },
        payment: row.payment,
        payment_status: row.payment_status,
    }))
}

struct Row {
    business: BusinessId,
    id: SubscriptionId,
    plan_code: String,
    cycle: BillingCycle,
    price: Krw,
    status: SubscriptionStatus,
    method: Option<PaymentMethodId>,
    anchor_on: NaiveDate,
    period_from: NaiveDate,
    period_until: NaiveDate,
    due_at: Option<DateTime<Utc>>,
    canceled_at: Option<DateTime<Utc>>,
}

impl Row {
    fn subscription(self) -> Subscription {
        Subscription {
            business: self.business,
            id: self.id,
            plan_code: self.plan_code,
            cycle: self.cycle,
            price: self.price,
            status: self.status,
            method: self.method,
            anchor_on: self.anchor_on,
            period: Period { from: self.period_from, until: self.period_until },
            due_at: self.due_at,
            canceled_at: self.canceled_at,
        }
    }
}

/// Locks the row until the transaction ends, so that what changes a subscription happens in turn.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    business: BusinessId,
    id: SubscriptionId,
) -> sqlx::Result<Option<Subscription>> {
    let row = sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", subscription_id as "id: SubscriptionId", plan_code,
                  cycle as "cycle: BillingCycle",
                  price as "price: Krw", status as "status: SubscriptionStatus",
                  payment_method_id as "method: PaymentMethodId", anchor_on, period_from, period_until, due_at, canceled_at
           from billing.subscription where business_id = $1 and subscription_id = $2 for update"#,
        business.0,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Row::subscription))
}

/// Locks many, one after the other in the order of their businesses, so that two who do this meet
/// the same ones in the same order.
pub(crate) async fn lock_all(
    conn: &mut PgConnection,
    wanted: &[(BusinessId, SubscriptionId)],
) -> sqlx::Result<Vec<Subscription>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", subscription_id as "id: SubscriptionId", plan_code,
                  cycle as "cycle: BillingCycle",
                  price as "price: Krw", status as "status: SubscriptionStatus",
                  payment_method_id as "method: PaymentMethodId", anchor_on, period_from, period_until, due_at, canceled_at
           from billing.subscription
           join unnest($1::bigint[], $2::uuid[]) as wanted (business_id, subscription_id)
               using (business_id, subscription_id)
           order by business_id
           for update of subscription"#,
        &column(wanted, |(business, _)| business.0),
        &column(wanted, |(_, id)| id.0),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(Row::subscription).collect())
}

/// Locks the subscription of a business that is not over.
pub(crate) async fn lock_live(
    conn: &mut PgConnection,
    business: BusinessId,
) -> sqlx::Result<Option<Subscription>> {
    let row = sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", subscription_id as "id: SubscriptionId", plan_code,
                  cycle as "cycle: BillingCycle",
                  price as "price: Krw", status as "status: SubscriptionStatus",
                  payment_method_id as "method: PaymentMethodId", anchor_on, period_from, period_until, due_at, canceled_at
           from billing.subscription where business_id = $1 and status <> 'ENDED' for update"#,
        business.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(Row::subscription))
}

/// Writes back what a move changed: status, period and the next action.
pub(crate) async fn update(conn: &mut PgConnection, subscription: &Subscription) -> sqlx::Result<()> {
    update_all(conn, std::slice::from_ref(subscription)).await
}

/// The same for many with one statement.
pub(crate) async fn update_all(conn: &mut PgConnection, subscriptions: &[Subscription]) -> sqlx::Result<()> {
    let statuses: Vec<SubscriptionStatus> = column(subscriptions, |subscription| subscription.status);
    sqlx::query!(
        "update billing.subscription
         set status = changed.status, payment_method_id = changed.payment_method_id,
             period_from = changed.period_from, period_until = changed.period_until, due_at = changed.due_at
         from unnest($1::bigint[], $2::uuid[], $3::text[], $4::uuid[], $5::date[], $6::date[], $7::timestamptz[])
             as changed (business_id, subscription_id, status, payment_method_id, period_from, period_until, due_at)
         where subscription.business_id = changed.business_id
           and subscription.subscription_id = changed.subscription_id",
        &column(subscriptions, |subscription| subscription.business.0),
        &column(subscriptions, |subscription| subscription.id.0),
        &column(&statuses, |status| status.as_str().to_owned()),
        &column(subscriptions, |subscription| subscription.method.map(|method| method.0)) as &[Option<Uuid>],
        &column(subscriptions, |subscription| subscription.period.from),
        &column(subscriptions, |subscription| subscription.period.until),
        &column(subscriptions, |subscription| subscription.due_at) as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn end(
    conn: &mut PgConnection,
    subscription: &Subscription,
    reason: EndReason,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.subscription
         set status = 'ENDED', due_at = null, end_reason = $3, ended_at = $4
         where business_id = $1 and subscription_id = $2",
        subscription.business.0,
        subscription.id.0,
        reason as EndReason,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Remembers that and why the business cancelled.
pub(crate) async fn record_cancel(
    conn: &mut PgConnection,
    subscription: &Subscription,
    reason: Option<&str>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.subscription set cancel_reason = $3, canceled_at = $4
         where business_id = $1 and subscription_id = $2",
        subscription.business.0,
        subscription.id.0,
        reason,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A subscription that is about to end.
pub(crate) struct Ending {
    pub business: BusinessId,
    pub subscription: SubscriptionId,
    pub plan_name: String,
    /// The first day without it.
    pub ends_on: NaiveDate,
    pub canceled_at: Option<DateTime<Utc>>,
}

/// Those that will not renew and end by a day, each once.
pub(crate) async fn tell_ends(conn: &mut PgConnection, ends_by: NaiveDate) -> sqlx::Result<Vec<Ending>> {
    sqlx::query_as!(
        Ending,
        r#"update billing.subscription s set told_end_on = period_until
           from billing.plan
           where plan.code = s.plan_code and s.status = 'NON_RENEWING' and s.period_until <= $1
             and s.told_end_on is distinct from s.period_until
           returning s.business_id as "business: BusinessId", s.subscription_id as "subscription: SubscriptionId",
                     plan.name as plan_name, s.period_until as ends_on, s.canceled_at"#,
        ends_by,
    )
    .fetch_all(conn)
    .await
}

/// The first day on which one ends that was not told yet.
pub(crate) async fn next_end_to_be_told(conn: &mut PgConnection) -> sqlx::Result<Option<NaiveDate>> {
    sqlx::query_scalar!(
        "select min(period_until) from billing.subscription
         where status = 'NON_RENEWING' and told_end_on is distinct from period_until"
    )
    .fetch_one(conn)
    .await
}
