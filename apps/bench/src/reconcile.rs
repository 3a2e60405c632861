//! `bench -- reconcile`

use std::{sync::Arc, time::Instant};

use anyhow::{Context, ensure};
use chrono::{Days, NaiveDate, TimeDelta};
use clap::Args;
use gateway::{app::App, database};
use kernel::{Clock, MovableClock, SystemClock, start_of_korean_day};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection};

use crate::{
    list_server::{ListServer, charge_of, is_cancel, order_id},
    memory,
    part::{self, Part, Task},
    verdict,
    world::{World, configuration},
};

const MEGABYTES: f64 = 100.0;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Transactions in the provider's list, and in our books
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(100..=10_000_000))]
    transactions: u64,
}

/// The process that compares.
#[derive(Serialize, Deserialize)]
pub(crate) struct Comparison {
    database_url: String,
    provider_url: String,
    day: NaiveDate,
    /// Only read the list, page by page, and do nothing with it: the yardstick.
    only_read: bool,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Compared {
    seconds: f64,
    peak_megabytes: Option<f64>,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let rows = arguments.transactions;
    println!("reconcile: {rows} transactions of the provider against our payments and refunds");
    let world = World::start().await?;
    let day = SystemClock.today().checked_sub_days(Days::new(1)).unwrap_or_default();
    seed(&world, rows, day).await?;
    world.settle_down().await?;
    let mut list =
        Part::start(&Task::ListServer(ListServer { rows, day: day.to_string() }), world.folder()).await?;
    let provider_url: String = list.answer().await?;
    let task = |only_read| {
        Task::Comparison(Comparison {
            database_url: world.url(),
            provider_url: provider_url.clone(),
            day,
            only_read,
        })
    };
    let read: Compared = part::outcome(&task(true), world.folder()).await?;
    let compared: Compared = part::outcome(&task(false), world.folder()).await?;
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    let rate = |seconds: f64| rows as f64 / seconds;
    verdict::rate("only reading", rate(read.seconds), "rows/s");
    verdict::rate("reconciliation", rate(compared.seconds), "rows/s");
    println!("  ratio                {:>10.2}              no target", read.seconds / compared.seconds);
    let reached = verdict::below(compared.peak_megabytes, MEGABYTES);
    matched(&world, rows).await?;
    list.stop().await?;
    world.stop().await;
    Ok(reached)
}

/// The other side: compares the day, or only reads its list.
pub(crate) async fn compare(task: Comparison) -> anyhow::Result<Compared> {
    let (config, secrets) = configuration(&["--toss-api-base-url", &task.provider_url])?;
    let db = database::connect(&task.database_url.into(), config.database_connections).await?;
    // At noon of the day after, when the list is complete.
    let clock = Arc::new(MovableClock::default());
    clock.set(start_of_korean_day(task.day) + TimeDelta::hours(36));
    let app = App::new(&config, &secrets, db, clock)?;
    let began = Instant::now();
    if task.only_read {
        read(&app, task.day).await?;
    } else {
        app.billing.reconcile_days().await?;
    }
    Ok(Compared { seconds: began.elapsed().as_secs_f64(), peak_megabytes: memory::peak_megabytes() })
}

async fn read(app: &App, day: NaiveDate) -> anyhow::Result<()> {
    let gateway = app.billing.gateways.get(app.billing.gateways.default).context("Toss is configured")?;
    let mut after = None;
    loop {
        let page = gateway.transactions(day, after.as_deref()).await?;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// The payments and refunds that the provider lists.
async fn seed(world: &World, rows: u64, day: NaiveDate) -> anyhow::Result<()> {
    let mut conn = PgConnection::connect(&world.superuser_url()).await?;
    let charges: Vec<u64> = (1..=rows).filter(|number| !is_cancel(*number)).collect();
    let cancels: Vec<u64> = (1..=rows).filter(|number| is_cancel(*number)).collect();
    let orders: Vec<String> = charges.iter().map(|charge| order_id(*charge)).collect();
    let keys: Vec<String> = charges.iter().map(|charge| format!("pay{charge}")).collect();
    sqlx::query(
        "insert into billing.payment
             (business_id, order_id, provider, reason, plan_code, cycle, amount, status, payment_key, created_at,
              sent_at, approved_at, settled_at)
         select 1, order_id, 'TOSS', 'RENEWAL', 'BASIC', 'MONTHLY', 29000, 'SUCCESS', payment_key,
                $3::date + interval '3 hours', $3::date + interval '3 hours', $3::date + interval '3 hours',
                $3::date + interval '3 hours'
         from unnest($1::text[], $2::text[]) as made (order_id, payment_key)",
    )
    .bind(&orders)
    .bind(&keys)
    .bind(day)
    .execute(&mut conn)
    .await?;
    let canceled: Vec<String> = cancels.iter().map(|cancel| order_id(charge_of(*cancel))).collect();
    let transactions: Vec<String> = cancels.iter().map(|cancel| format!("t{cancel}")).collect();
    sqlx::query(
        "with given_back as (
             update billing.payment set status = 'REFUNDED', refunded_amount = amount
             from unnest($1::text[], $2::text[]) as cancel (order_id, transaction_key)
             where payment.order_id = cancel.order_id
             returning payment.business_id, payment.payment_id, cancel.transaction_key
         )
         insert into billing.refund
             (business_id, refund_id, payment_id, amount, reason, remaining_before, status, transaction_key,
              created_at, settled_at, canceled_at)
         select business_id, gen_random_uuid(), payment_id, 29000, 'bench', 29000, 'SUCCESS', transaction_key,
                $3::date + interval '3 hours', $3::date + interval '3 hours', $3::date + interval '3 hours'
         from given_back",
    )
    .bind(&canceled)
    .bind(&transactions)
    .bind(day)
    .execute(&mut conn)
    .await?;
    Ok(())
}

/// The figures would mean nothing if something had differed.
async fn matched(world: &World, rows: u64) -> anyhow::Result<()> {
    let (status, theirs): (String, i64) = sqlx::query_as(
        "select status, their_charges + their_cancels from billing.reconciliation where provider = 'TOSS'",
    )
    .fetch_one(&mut world.superuser().await?)
    .await?;
    ensure!(status == "MATCHED" && u64::try_from(theirs)? == rows, "{status}, {theirs} rows");
    println!("  all of it matched");
    Ok(())
}
