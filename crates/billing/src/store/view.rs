//! What the API shows: reads that join several tables into one answer.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{BusinessId, KoreanTime, Krw};
use pg_adapter::Provider;
use sqlx::PgConnection;

use crate::{
    BillingCycle,
    http::payment_methods::KeptCard,
    http::providers::FiguresView,
    http::view::{
        AttemptView, CardView, CashReceiptView, CurrentSubscription, OpenInvoiceView, PaymentDetail,
        PaymentView, RefundView, TaxInvoiceView,
    },
    invoice::InvoiceId,
    payment::{CashReceiptKind, PaidWith, PaymentId, PaymentReason, PaymentStatus},
    payment_method::{PaymentMethodId, PaymentMethodStatus, Standby},
    plan::FREE,
    refund::{RefundId, RefundStatus},
    store::payment::failure,
    subscription::{EndReason, Period, SubscriptionId, SubscriptionStatus},
};

/// The subscription of a business with its plan, card and open invoice; after the last one ended,
/// that one. One statement, because every page of the shop's admin asks for it.
pub(crate) async fn current(
    conn: &mut PgConnection,
    business: BusinessId,
) -> sqlx::Result<CurrentSubscription> {
    let row = sqlx::query!(
        r#"select s.subscription_id as "id?: SubscriptionId", s.plan_code as "subscribed_plan?",
                  s.cycle as "cycle?: BillingCycle", s.price as "price?: Krw", s.status as "status?: SubscriptionStatus",
                  s.period_from as "period_from?", s.period_until as "period_until?", s.due_at, s.canceled_at as "canceled_at: KoreanTime", s.cancel_reason,
                  s.end_reason as "end_reason: EndReason", s.ended_at as "ended_at: KoreanTime",
                  plan.code as plan_code, plan.name as plan_name, plan.features,
                  m.payment_method_id as "method?: PaymentMethodId", m.provider as "provider?", m.card_company,
                  m.card_number, m.status as "method_status?: PaymentMethodStatus",
                  i.invoice_id as "invoice?: InvoiceId", i.amount as "invoice_amount?: Krw",
                  i.supply_amount as "supply?: Krw", i.vat_amount as "vat?: Krw",
                  i.period_from as "invoice_from?", i.period_until as "invoice_until?", i.due_on as "due_on?",
                  p.payment_id as "payment?: PaymentId", p.status as "payment_status?: PaymentStatus", p.failure_class, p.failure_code, p.failure_message
           from (select 1) one
           left join lateral (
               select * from billing.subscription
               where business_id = $1 and end_reason is distinct from 'DECLINED'
               order by (status <> 'ENDED') desc, subscription_id desc limit 1
           ) s on true
           join billing.plan
               on plan.code = case when s.status in ('ACTIVE', 'PAST_DUE', 'NON_RENEWING') then s.plan_code else $2 end
           left join billing.payment_method m
               on m.business_id = $1 and m.payment_method_id = s.payment_method_id and s.status <> 'ENDED'
           left join billing.invoice i
               on i.business_id = $1 and i.subscription_id = s.subscription_id and i.status = 'OPEN'
           left join lateral (
               select payment_id, status, failure_class, failure_code, failure_message from billing.payment
               where business_id = $1 and invoice_id = i.invoice_id order by payment_id desc limit 1
           ) p on true"#,
        business.0,
        FREE,
    )
    .fetch_one(conn)
    .await?;

    // What is owed already is no next payment: the open invoice says when it is tried again.
    let renews = row.status == Some(SubscriptionStatus::Active);
    let period = row.period_from.zip(row.period_until).map(|(from, until)| Period { from, until });
    let is_paying = row.status.is_some_and(SubscriptionStatus::grants_access);
    let attempt_is_open = row.payment_status == Some(PaymentStatus::Pending);
    Ok(CurrentSubscription {
        subscription_id: row.id,
        status: row.status,
        plan: row.plan_code,
        plan_name: row.plan_name,
        features: row.features,
        subscribed_plan: row.subscribed_plan,
        billing_cycle: row.cycle,
        amount: row.price,
        current_period: period.filter(|_| is_paying),
        next_payment_date: row.period_until.filter(|_| renews),
        access_until: row.period_until.filter(|_| row.status == Some(SubscriptionStatus::NonRenewing)),
        payment_method: (|| {
            Some(CardView {
                billing_key: row.method?,
                provider: row.provider?,
                card_company: row.card_company?,
                card_number: row.card_number?,
                is_usable: row.method_status? == PaymentMethodStatus::Active,
            })
        })(),
        open_invoice: (|| {
            Some(OpenInvoiceView {
                invoice_id: row.invoice?,
                amount: row.invoice_amount?,
                supply_amount: row.supply?,
                vat_amount: row.vat?,
                period: Period { from: row.invoice_from?, until: row.invoice_until? },
                due_date: row.due_on?,
                next_attempt_at: row.due_at.filter(|_| !attempt_is_open).map(KoreanTime),
                payment_in_progress: attempt_is_open,
                last_payment_id: row.payment,
                last_failure: failure(row.failure_class, row.failure_code, row.failure_message),
            })
        })(),
        canceled_at: row.canceled_at,
        cancel_reason: row.cancel_reason,
        end_reason: row.end_reason,
        ended_at: row.ended_at,
    })
}

/// Which payments are wanted.
pub(crate) struct PaymentFilter {
    pub status: Option<PaymentStatus>,
    /// Created in `[from, until)`.
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Older than this one.
    pub before: Option<PaymentId>,
    /// No other than this one.
    pub only: Option<PaymentId>,
    pub limit: i64,
}

impl PaymentFilter {
    fn only(id: PaymentId) -> Self {
        Self { status: None, from: None, until: None, before: None, only: Some(id), limit: 1 }
    }
}

struct PaymentRow {
    id: PaymentId,
    order_id: String,
    provider: String,
    reason: PaymentReason,
    plan: String,
    cycle: BillingCycle,
    amount: Krw,
    refunded: Krw,
    status: PaymentStatus,
    card_company: Option<String>,
    card_number: Option<String>,
    receipt_url: Option<String>,
    paid_with: Option<PaidWith>,
    cash_receipt_kind: Option<CashReceiptKind>,
    cash_receipt_number: Option<String>,
    cash_receipt_url: Option<String>,
    failure_class: Option<String>,
    failure_code: Option<String>,
    failure_message: Option<String>,
    created_at: KoreanTime,
    approved_at: Option<KoreanTime>,
    period_from: Option<NaiveDate>,
    period_until: Option<NaiveDate>,
}

impl From<PaymentRow> for PaymentView {
    fn from(row: PaymentRow) -> Self {
        let split = row.amount.split_vat();
        Self {
            payment_id: row.id,
            order_id: row.order_id,
            provider: row.provider,
            reason: row.reason,
            plan: row.plan,
            billing_cycle: row.cycle,
            amount: row.amount,
            supply_amount: split.supply,
            vat_amount: split.vat,
            refunded_amount: row.refunded,
            status: row.status,
            card_company: row.card_company,
            card_number: row.card_number,
            paid_with: row.paid_with,
            receipt_url: row.receipt_url,
            cash_receipt: CashReceiptView::of(
                row.cash_receipt_kind,
                row.cash_receipt_number,
                row.cash_receipt_url,
            ),
            failure: failure(row.failure_class, row.failure_code, row.failure_message),
            period: row.period_from.zip(row.period_until).map(|(from, until)| Period { from, until }),
            requested_at: row.created_at,
            paid_at: row.approved_at,
        }
    }
}

/// A business's payments, newest first.
pub(crate) async fn payments(
    conn: &mut PgConnection,
    business: BusinessId,
    filter: &PaymentFilter,
) -> sqlx::Result<Vec<PaymentView>> {
    let rows = sqlx::query_as!(
        PaymentRow,
        r#"select p.payment_id as "id: PaymentId", p.order_id, p.provider, p.reason as "reason: PaymentReason",
                  p.plan_code as plan, p.cycle as "cycle: BillingCycle", p.amount as "amount: Krw",
                  p.refunded_amount as "refunded: Krw", p.status as "status: PaymentStatus", p.card_company,
                  p.card_number, p.receipt_url, p.paid_with as "paid_with: PaidWith",
                  coalesce(p.cash_receipt_kind, receipt.kind) as "cash_receipt_kind: CashReceiptKind",
                  coalesce(p.cash_receipt_number, receipt.issue_number) as cash_receipt_number,
                  coalesce(p.cash_receipt_url, receipt.receipt_url) as cash_receipt_url,
                  p.failure_class, p.failure_code, p.failure_message,
                  p.created_at as "created_at: KoreanTime", p.approved_at as "approved_at: KoreanTime",
                  i.period_from as "period_from?", i.period_until as "period_until?"
           from billing.payment p
           left join billing.invoice i on i.business_id = p.business_id and i.invoice_id = p.invoice_id
           left join billing.cash_receipt receipt
               on receipt.business_id = p.business_id and receipt.payment_id = p.payment_id
                  and receipt.status = 'ISSUED'
           where p.business_id = $1
             and ($2::text is null or p.status = $2)
             and ($3::timestamptz is null or p.created_at >= $3)
             and ($4::timestamptz is null or p.created_at < $4)
             and ($5::bigint is null or p.payment_id < $5)
             and ($6::bigint is null or p.payment_id = $6)
           order by p.payment_id desc limit $7"#,
        business.0,
        filter.status as Option<PaymentStatus>,
        filter.from,
        filter.until,
        filter.before.map(|id| id.0),
        filter.only.map(|id| id.0),
        filter.limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(PaymentView::from).collect())
}

/// One payment with the other attempts to pay the same invoice, and its refunds.
pub(crate) async fn payment(
    conn: &mut PgConnection,
    business: BusinessId,
    id: PaymentId,
) -> sqlx::Result<Option<PaymentDetail>> {
    let Some(payment) = payments(conn, business, &PaymentFilter::only(id)).await?.pop() else {
        return Ok(None);
    };
    let attempts = sqlx::query!(
        r#"select other.payment_id as "id: PaymentId", other.order_id, other.reason as "reason: PaymentReason",
                  other.status as "status: PaymentStatus", other.failure_class, other.failure_code,
                  other.failure_message, other.created_at as "created_at: KoreanTime",
                  other.settled_at as "settled_at: KoreanTime"
           from billing.payment this
           join billing.payment other
               on other.business_id = this.business_id
              and (other.payment_id = this.payment_id or other.invoice_id = this.invoice_id)
           where this.business_id = $1 and this.payment_id = $2
           order by other.payment_id"#,
        business.0,
        id.0,
    )
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .map(|row| AttemptView {
        payment_id: row.id,
        order_id: row.order_id,
        reason: row.reason,
        status: row.status,
        failure: failure(row.failure_class, row.failure_code, row.failure_message),
        requested_at: row.created_at,
        settled_at: row.settled_at,
    })
    .collect();
    let refunds = sqlx::query_as!(
        RefundView,
        r#"select refund_id as "refund_id: RefundId", amount as "amount: Krw", reason,
                  status as "status: RefundStatus", failure_message, created_at as "requested_at: KoreanTime",
                  settled_at as "settled_at: KoreanTime"
           from billing.refund where business_id = $1 and payment_id = $2 order by refund_id"#,
        business.0,
        id.0,
    )
    .fetch_all(&mut *conn)
    .await?;
    let tax_invoices = super::tax_invoice::of_payment(conn, business, id).await?;
    let tax_invoices = tax_invoices.into_iter().map(TaxInvoiceView::from).collect();
    Ok(Some(PaymentDetail { payment, attempts, refunds, tax_invoices }))
}

/// Whose payment or subscription this is, for a platform operator who names only the thing.
pub(crate) async fn owner_of_payment(
    conn: &mut PgConnection,
    id: PaymentId,
) -> sqlx::Result<Option<BusinessId>> {
    sqlx::query_scalar!(
        r#"select business_id as "business: BusinessId" from billing.payment where payment_id = $1"#,
        id.0,
    )
    .fetch_optional(conn)
    .await
}

pub(crate) async fn owner_of_subscription(
    conn: &mut PgConnection,
    id: SubscriptionId,
) -> sqlx::Result<Option<BusinessId>> {
    sqlx::query_scalar!(
        r#"select business_id as "business: BusinessId" from billing.subscription where subscription_id = $1"#,
        id.0,
    )
    .fetch_optional(conn)
    .await
}

/// The cards of a business: the one that its subscription names, then the others.
pub(crate) async fn kept_cards(conn: &mut PgConnection, business: BusinessId) -> sqlx::Result<Vec<KeptCard>> {
    let rows = sqlx::query!(
        r#"select payment_method_id as "id: PaymentMethodId", provider, card_company as "card_company!",
                  card_number as "card_number!", status as "status: PaymentMethodStatus", standby as "standby: Standby"
           from billing.payment_method
           where business_id = $1 and status in ('ACTIVE', 'UNUSABLE')
           order by standby nulls first, payment_method_id"#,
        business.0,
    )
    .fetch_all(conn)
    .await?;
    let cards = rows.into_iter().map(|row| KeptCard {
        card: CardView {
            billing_key: row.id,
            provider: row.provider,
            card_company: row.card_company,
            card_number: row.card_number,
            is_usable: row.status == PaymentMethodStatus::Active,
        },
        standby: row.standby,
    });
    Ok(cards.collect())
}

/// What became of a provider's charges since then.
pub(crate) async fn figures(
    conn: &mut PgConnection,
    provider: Provider,
    since: DateTime<Utc>,
) -> sqlx::Result<FiguresView> {
    sqlx::query_as!(
        FiguresView,
        r#"with settled as (
               select count(*) filter (where approved_at is not null) as approved,
                      count(*) filter (where status = 'FAILED') as declined
               from billing.payment where provider = $1 and settled_at >= $2
           ), open as (
               select count(*) as open from billing.payment where provider = $1 and status = 'PENDING'
           )
           select approved as "approved!", declined as "declined!", open as "open!",
                  round(100.0 * approved / nullif(approved + declined, 0), 1)::float8 as approval_rate
           from settled, open"#,
        provider.as_str(),
        since,
    )
    .fetch_one(conn)
    .await
}
