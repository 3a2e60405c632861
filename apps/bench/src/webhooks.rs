//! `bench -- webhooks`

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::ensure;
use clap::Args;
use sqlx::PgConnection;
use tokio::{fs, time::sleep};

use crate::{
    api_server::ApiServer,
    part::{self, Part, Task},
    pgbench::Pgbench,
    seed::Seed,
    verdict,
    webhook_load::{ONE_REPEATED_OF, WebhookLoad},
    webhook_provider::{ONE_REFUSED_OF, order_id},
    webhook_worker::WebhookWorker,
    world::{ClockAhead, World},
};

const RATIO: f64 = 0.5;
const WARM_UP: i64 = 500;
/// How far the rows that we write for a webhook may be from those of the yardstick. One that is repeated
/// when it is done with is acted on once more, which is three rows.
const SAME_ROWS: f64 = 0.05;
/// Acting on webhooks that nobody was woken for waits for the next minute; this is longer.
const PATIENCE: Duration = Duration::from_mins(3);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Webhooks, each about a payment of its own whose outcome is not known yet
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(1_000..=1_000_000))]
    webhooks: i64,
    /// Connections, of the provider to the server, of the server to PostgreSQL, and of pgbench
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=40))]
    connections: u32,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let Arguments { webhooks, connections } = *arguments;
    println!("webhooks: {webhooks} webhooks that settle a payment each, {connections} connections");
    let world = World::start().await?;
    // Numbered on from 1: to warm up with, those of the benchmark, and twice as many for the yardstick.
    let ours = WARM_UP + 1..=WARM_UP + webhooks;
    let seed = Seed {
        superuser_url: world.superuser_url(),
        billing_key: "never charged".to_owned(),
        due_now: 0,
        due_later: WARM_UP + 3 * webhooks,
    };
    part::outcome::<i64>(&Task::Seed(seed), world.folder()).await?;
    let mut admin = world.superuser().await?;
    lose_the_answers(&mut admin).await?;
    world.settle_down().await?;

    let mut provider = Part::start(&Task::WebhookProvider, world.folder()).await?;
    let provider_url = provider.answer().await?;
    let server =
        Task::ApiServer(ApiServer { database_url: world.url(), connections, clock: ClockAhead::NONE });
    let mut server = Part::start(&server, world.folder()).await?;
    let address: SocketAddr = server.answer().await?;
    let worker = Task::WebhookWorker(WebhookWorker { database_url: world.url(), provider_url });
    let mut worker = Part::start(&worker, world.folder()).await?;
    worker.answer::<String>().await?;
    let load = |first, last| Task::WebhookLoad(WebhookLoad { address, connections, first, last });
    part::outcome::<i64>(&load(1, WARM_UP), world.folder()).await?;
    all_settled(&mut admin, WARM_UP).await?;
    let yardstick = Yardstick::new(&world, arguments).await?;

    let (before, _) = yardstick.run(&mut admin, *ours.end()).await?;
    verdict::rate("pgbench, before", before, "webhooks/s");
    let rows = written(&mut admin).await?;
    let began = Instant::now();
    let load = load(*ours.start(), *ours.end());
    let (delivered, ()) =
        tokio::try_join!(part::outcome::<i64>(&load, world.folder()), all_settled(&mut admin, *ours.end()),)?;
    let rate = per_second(webhooks, began.elapsed());
    verdict::rate("webhooks", rate, "webhooks/s");
    // Their counters reach PostgreSQL's when they end.
    server.stop().await?;
    worker.stop().await?;
    let rows = written(&mut admin).await?.since(&rows);
    let (after, theirs) = yardstick.run(&mut admin, ours.end() + webhooks).await?;
    verdict::rate("pgbench, after", after, "webhooks/s");

    let reached = verdict::at_least(rate / f64::midpoint(before, after), RATIO);
    same_rows(rows.of_contexts(webhooks), theirs.of_contexts(yardstick.webhooks()), &rows, &theirs)?;
    ensure!(delivered == webhooks + webhooks / ONE_REPEATED_OF, "{delivered} deliveries");
    judge(&mut admin, webhooks).await?;
    provider.stop().await?;
    world.stop().await;
    Ok(reached)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn per_second(count: i64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// As if every subscription had been charged and no answer had come: nothing but a webhook or, much
/// later, the reconciler tells what became of it.
async fn lose_the_answers(admin: &mut PgConnection) -> anyhow::Result<()> {
    sqlx::query(
        "with owed as (
             insert into billing.invoice
                 (business_id, invoice_id, subscription_id, period_from, period_until, amount, supply_amount,
                  vat_amount, status, due_on, created_at)
             select business_id, gen_random_uuid(), subscription_id, period_until,
                    (period_until + interval '1 month')::date, price, price - price / 11, price / 11, 'OPEN',
                    period_until, now()
             from billing.subscription
             returning business_id, invoice_id
         )
         insert into billing.payment
             (business_id, order_id, provider, reason, invoice_id, payment_method_id, plan_code, cycle, amount,
              status, due_at, sent_at, checks, created_at)
         select business_id, 'dgbench' || lpad(business_id::text, 8, '0'), 'TOSS', 'RENEWAL', invoice_id,
                payment_method_id, plan_code, cycle, price, 'PENDING', now() + interval '6 hours',
                now() - interval '1 minute', 1, now() - interval '1 minute'
         from owed join billing.subscription using (business_id)",
    )
    .execute(&mut *admin)
    .await?;
    sqlx::query("update billing.subscription set due_at = null").execute(admin).await?;
    Ok(())
}

/// Returns when every payment up to the one of business `last` is settled. A repeat that comes after its first was
/// acted on is looked into once more, but not before a minute has passed: nobody waits for those.
async fn all_settled(admin: &mut PgConnection, last: i64) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    let order = order_id(last);
    while Instant::now() < deadline {
        let is_open =
            "select exists (select from billing.payment where order_id <= $1 and status = 'PENDING')";
        if !sqlx::query_scalar(is_open).bind(&order).fetch_one(&mut *admin).await? {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    anyhow::bail!("some webhooks were not acted on in {} seconds", PATIENCE.as_secs())
}

/// Rows inserted, updated and deleted, by table.
struct Rows(BTreeMap<String, i64>);

impl Rows {
    fn since(&self, before: &Self) -> Self {
        let rows = self
            .0
            .iter()
            .map(|(table, rows)| (table.clone(), rows - before.0.get(table).copied().unwrap_or_default()));
        Self(rows.filter(|(_, rows)| *rows > 0).collect())
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn of_contexts(&self, webhooks: i64) -> f64 {
        let of_the_queue = |table: &&String| table.starts_with("graphile_worker.");
        let rows: i64 = self.0.iter().filter(|(table, _)| !of_the_queue(table)).map(|(_, rows)| rows).sum();
        rows as f64 / webhooks as f64
    }
}

async fn written(admin: &mut PgConnection) -> anyhow::Result<Rows> {
    // What a session counted reaches the others a while after it fell idle, or when it ends.
    sleep(Duration::from_secs(2)).await;
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select schemaname || '.' || relname, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_user_tables",
    )
    .fetch_all(admin)
    .await?;
    Ok(Rows(rows.into_iter().collect()))
}

fn same_rows(our_rows: f64, their_rows: f64, ours: &Rows, theirs: &Rows) -> anyhow::Result<()> {
    println!("  rows written         {our_rows:>10.2} a webhook   pgbench: {their_rows:.2}");
    ensure!(
        (our_rows / their_rows - 1.0).abs() < SAME_ROWS,
        "the yardstick does not write the same: ours {:?}, pgbench {:?}",
        ours.0,
        theirs.0
    );
    Ok(())
}

/// Every payment is what its webhook meant, none was paid twice, and repeats are stored once.
async fn judge(admin: &mut PgConnection, webhooks: i64) -> anyhow::Result<()> {
    let (stored, wrong, paid, refused): (i64, i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from billing.webhook where order_id <= $3),
                count(*) filter (where status <> meant),
                count(*) filter (where status = 'SUCCESS'),
                count(*) filter (where status = 'FAILED')
         from (
             select status, case when business_id % $2 = 0 then 'FAILED' else 'SUCCESS' end as meant
             from billing.payment where reason = 'RENEWAL' and business_id <= $1
         ) settled",
    )
    .bind(WARM_UP + webhooks)
    .bind(ONE_REFUSED_OF)
    .bind(order_id(WARM_UP + webhooks))
    .fetch_one(&mut *admin)
    .await?;
    ensure!(wrong == 0, "{wrong} payments are not what their webhook meant");
    ensure!(stored == WARM_UP + webhooks, "{stored} webhooks are stored");
    let (events, posted): (i64, i64) = sqlx::query_as(
        "select (select count(*) from platform.event where kind = 'payment.succeeded' and business_id <= $1),
                (select count(*) from billing.ledger_entry
                 where kind = 'APPROVAL' and account = 'PROVIDER_RECEIVABLE' and business_id <= $1)",
    )
    .bind(WARM_UP + webhooks)
    .fetch_one(admin)
    .await?;
    ensure!(events == paid && posted == paid, "{events} events and {posted} postings for {paid} payments");
    println!("  payments             {paid:>10} paid once, {refused} refused, as the provider meant");
    Ok(())
}

/// pgbench with a script that writes the same rows for each webhook.
struct Yardstick<'a> {
    pgbench: Pgbench<'a>,
    script: PathBuf,
    /// How many each of pgbench's connections has for its share.
    each: i64,
    connections: u32,
}

impl<'a> Yardstick<'a> {
    async fn new(world: &'a World, arguments: &Arguments) -> anyhow::Result<Self> {
        let script = world.folder().join("webhooks.sql");
        fs::write(&script, include_str!("webhooks.sql")).await?;
        let Arguments { webhooks, connections } = *arguments;
        let each = webhooks / i64::from(connections);
        Ok(Self { pgbench: Pgbench::find(world).await?, script, each, connections })
    }

    fn webhooks(&self) -> i64 {
        self.each * i64::from(self.connections)
    }

    /// For the businesses after `last`. Answers with webhooks a second, and what was written.
    async fn run(&self, admin: &mut PgConnection, last: i64) -> anyhow::Result<(f64, Rows)> {
        let each = self.each;
        let before = written(admin).await?;
        let arguments = [
            format!("--client={}", self.connections),
            format!("--transactions={each}"),
            format!("--define=first={last}"),
            format!("--define=each={each}"),
            "--define=turn=0".to_owned(),
        ];
        let rate = self.pgbench.run(&self.script, &arguments).await?;
        Ok((rate, written(admin).await?.since(&before)))
    }
}
