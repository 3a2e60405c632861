//! Subscriptions that are due, thousands a second.

use anyhow::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Months, TimeDelta, Utc};
use kernel::{Clock, SystemClock};
use reqwest::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::world::configuration;

const ROWS_A_STATEMENT: i64 = 5_000;
pub(crate) const CUSTOMER: &str = "bench_customer";
/// What plan BASIC costs a month, won.
pub(crate) const PRICE: i64 = 29_000;

/// Businesses, numbered from 1, with an active subscription each whose first month was paid and that
/// is due for renewal.
#[derive(Serialize, Deserialize)]
pub(crate) struct Seed {
    pub superuser_url: String,
    /// A key that the sandbox knows. It is everybody's: issuing 100,000 would take longer than charging them.
    pub billing_key: String,
    /// Due already, for warming up.
    pub due_now: i64,
    /// Due an hour from now.
    pub due_later: i64,
}

/// Has the provider issue a billing key, as registering a card does.
pub(crate) async fn issue_billing_key(sandbox_url: &str) -> anyhow::Result<String> {
    let (_, secrets) = configuration(&[])?;
    let answer: Value = reqwest::Client::new()
        .post(format!("{sandbox_url}/toss/v1/billing/authorizations/issue"))
        .header(AUTHORIZATION, toss_authorization(&secrets))
        .json(&json!({"authKey": "test_auth_4300000000000001", "customerKey": CUSTOMER}))
        .send()
        .await?
        .json()
        .await?;
    let key = answer["billingKey"].as_str().with_context(|| format!("no billing key in {answer}"))?;
    Ok(key.to_owned())
}

pub(crate) fn toss_authorization(secrets: &gateway::config::Secrets) -> String {
    let key = secrets.providers.toss_secret_key.as_ref().map_or("", |key| key.expose_secret());
    format!("Basic {}", STANDARD.encode(format!("{key}:")))
}

/// Answers with how many there are.
pub(crate) async fn run(seed: &Seed) -> anyhow::Result<i64> {
    let now = SystemClock.now();
    let mut conn = PgConnection::connect(&seed.superuser_url).await?;
    let total = seed.due_now + seed.due_later;
    let mut first = 1;
    while first <= total {
        let last = if first <= seed.due_now { seed.due_now } else { total };
        let last = last.min(first + ROWS_A_STATEMENT - 1);
        let due_at = if first <= seed.due_now { now } else { now + TimeDelta::hours(1) };
        insert(&mut conn, &seed.billing_key.as_str().into(), first..=last, due_at).await?;
        first = last + 1;
    }
    Ok(total)
}

async fn insert(
    conn: &mut PgConnection,
    billing_key: &SecretString,
    businesses: std::ops::RangeInclusive<i64>,
    due_at: DateTime<Utc>,
) -> anyhow::Result<()> {
    let (_, secrets) = configuration(&[])?;
    let now = SystemClock.now();
    let businesses: Vec<i64> = businesses.collect();
    let methods: Vec<Uuid> = businesses.iter().map(|_| Uuid::now_v7()).collect();
    let subscriptions: Vec<Uuid> = businesses.iter().map(|_| Uuid::now_v7()).collect();
    let sealed: Vec<String> = businesses
        .iter()
        .zip(&methods)
        .map(|(business, method)| {
            // As billing seals it: bound to its row, so that no key opens in another's place.
            let purpose = format!("billing.payment_method:{business}:bk_{}", method.simple());
            secrets.vault.seal(&purpose, billing_key)
        })
        .collect();
    sqlx::query(
        "insert into billing.payment_method
             (business_id, payment_method_id, provider, customer_key, status, billing_key, billing_key_hash,
              card_company, card_number, created_at)
         select business_id, payment_method_id, 'TOSS', $4, 'ACTIVE', billing_key, $5, '삼성카드',
                '****-****-****-0001', $6
         from unnest($1::bigint[], $2::uuid[], $3::text[]) as fresh (business_id, payment_method_id, billing_key)",
    )
    .bind(&businesses)
    .bind(&methods)
    .bind(&sealed)
    .bind(CUSTOMER)
    .bind(secrets.vault.keyed_hash(billing_key))
    .bind(now)
    .execute(&mut *conn)
    .await?;
    let today = SystemClock.today();
    let a_month_ago = today.checked_sub_months(Months::new(1)).context("the calendar")?;
    sqlx::query(
        "insert into billing.subscription
             (business_id, subscription_id, plan_code, cycle, price, status, payment_method_id, anchor_on,
              period_from, period_until, due_at, created_at)
         select business_id, subscription_id, 'BASIC', 'MONTHLY', $4, 'ACTIVE', payment_method_id, $5, $5, $6, $7, $8
         from unnest($1::bigint[], $2::uuid[], $3::uuid[]) as fresh (business_id, subscription_id, payment_method_id)",
    )
    .bind(&businesses)
    .bind(&subscriptions)
    .bind(&methods)
    .bind(PRICE)
    .bind(a_month_ago)
    .bind(today)
    .bind(due_at)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    insert_last_month(conn, &businesses).await
}

/// What was paid for the period that ends today, as every active subscription has it.
async fn insert_last_month(conn: &mut PgConnection, businesses: &[i64]) -> anyhow::Result<()> {
    let invoices: Vec<Uuid> = businesses.iter().map(|_| Uuid::now_v7()).collect();
    sqlx::query(
        "insert into billing.invoice
             (business_id, invoice_id, subscription_id, period_from, period_until, amount, supply_amount, vat_amount,
              status, due_on, created_at, closed_at)
         select business_id, invoice_id, subscription_id, period_from, period_until, price, price - price / 11,
                price / 11, 'PAID', period_from, s.created_at, s.created_at
         from billing.subscription s
         join unnest($1::bigint[], $2::uuid[]) as fresh (business_id, invoice_id) using (business_id)",
    )
    .bind(businesses)
    .bind(&invoices)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "insert into billing.payment
             (business_id, order_id, provider, reason, invoice_id, payment_method_id, plan_code, cycle, amount, status,
              payment_key, card_company, card_number, sent_at, created_at, approved_at, settled_at)
         select business_id, 'first_' || business_id, 'TOSS', 'FIRST', invoice_id, payment_method_id, plan_code, cycle,
                price, 'SUCCESS', 'first_' || business_id, '삼성카드', '****-****-****-0001', s.created_at,
                s.created_at, s.created_at, s.created_at
         from billing.subscription s
         join unnest($1::bigint[], $2::uuid[]) as fresh (business_id, invoice_id) using (business_id)",
    )
    .bind(businesses)
    .bind(&invoices)
    .execute(conn)
    .await?;
    Ok(())
}
