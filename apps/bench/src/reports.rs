//! `bench -- reports`

use std::{net::SocketAddr, ops::RangeInclusive};

use anyhow::{Context, ensure};
use booking::uneven_sizes;
use chrono::{Days, NaiveDate};
use clap::Args;
use kernel::{Clock, SystemClock};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{
    api_server::ApiServer,
    bulk_load::{BulkLoad, ROWS_A_CALL},
    latency::Latencies,
    part::{self, Part, Task},
    psql::Psql,
    report_load::{ReportLoad, ReportsRead},
    shops::Shops,
    verdict,
    world::{ClockAhead, World},
};

/// The whole HTTP answer against the one statement.
const RATIO: f64 = 1.3;
const TYPICAL_P95_MS: f64 = 5.0;
const UNCHANGED_MS: f64 = 1.0;
/// Feeding with what the reports need against feeding without it.
const SLOWED_BY: f64 = 1.25;
const FEEDS: usize = 2;
/// What the report shows, in one statement.
const STATEMENT: &str = include_str!("reports.sql");

#[derive(Args)]
pub(crate) struct Arguments {
    #[arg(long, default_value_t = 2_000_000, value_parser = clap::value_parser!(u64).range(1_000..=50_000_000))]
    reservations: u64,
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    shops: u64,
    /// Calls of ten thousand rows in each measurement of feeding
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=20))]
    calls: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let sizes = sizes(arguments)?;
    let (largest, median) = (sizes[0], sizes[sizes.len() / 2]);
    println!(
        "reports: {} reservations of {} shops in a year; the largest has {largest}, the median {median}",
        arguments.reservations, arguments.shops
    );
    let world = World::start().await?;
    let until = SystemClock.today();
    let shops = Task::Shops(Shops { database_url: world.url(), sizes, until, days: 365 });
    let shops: Vec<i64> = part::outcome(&shops, world.folder()).await?;
    world.settle_down().await?;
    let mut admin = world.superuser().await?;
    let server =
        Task::ApiServer(ApiServer { database_url: world.url(), connections: 4, clock: ClockAhead::NONE });
    let mut server = Part::start(&server, world.folder()).await?;
    let address: SocketAddr = server.answer().await?;
    let bench = Bench { psql: Psql::find(&world).await?, world: &world, address };

    let days = |length: u64| until.checked_sub_days(Days::new(length - 1)).unwrap_or(until)..=until;
    // Around the median, so that no single shop is always at hand.
    let around = shops.len() / 2 - shops.len() / 20..shops.len() / 2 + shops.len() / 20;
    let typical = Question { shops: shops[around].to_vec(), days: days(45), times: 2_000 };
    let large = Question { shops: vec![shops[0]], days: days(45), times: 100 };
    let year = Question { shops: vec![shops[0]], days: days(365), times: 20 };

    println!("a typical shop's 45 days");
    let read = bench.compare(&mut admin, &typical).await?;
    let mut reached = read.reached;
    reached &= verdict::at_most("p95 of HTTP", read.http.p95(), "ms", TYPICAL_P95_MS);
    println!("the same, unchanged since it was read");
    let unchanged = bench.read(&typical, true).await?.latencies;
    reached &= verdict::at_most("p50 of the 304", unchanged.p50(), "ms", UNCHANGED_MS);
    reached &= verdict::at_most("p95 of the 304", unchanged.p95(), "ms", UNCHANGED_MS);
    println!("the largest shop's 45 days");
    reached &= bench.compare(&mut admin, &large).await?.reached;
    println!("the largest shop's year");
    reached &= bench.compare(&mut admin, &year).await?.reached;

    println!("feeding reservations over HTTP, {ROWS_A_CALL} a call, with what reports need and without");
    reached &= bench.feeding(&mut admin, shops[shops.len() / 20], arguments.calls).await?;
    server.stop().await?;
    world.stop().await;
    Ok(reached)
}

/// The largest has a tenth of all; after it they grow smaller by and by.
fn sizes(arguments: &Arguments) -> anyhow::Result<Vec<usize>> {
    let (shops, all) = (usize::try_from(arguments.shops)?, usize::try_from(arguments.reservations)?);
    let largest = all / 10;
    let others = uneven_sizes(shops - 1, all - largest, largest);
    Ok([largest].into_iter().chain(others).collect())
}

/// A report of each of some shops, in turn.
struct Question {
    shops: Vec<i64>,
    days: RangeInclusive<NaiveDate>,
    times: usize,
}

impl Question {
    /// The first day, the last, and the first of as many days before.
    fn range(&self) -> anyhow::Result<(NaiveDate, NaiveDate, NaiveDate)> {
        let (first, last) = self.days.clone().into_inner();
        let length = (last - first).num_days().unsigned_abs() + 1;
        let before = first.checked_sub_days(Days::new(length)).context("the calendar")?;
        Ok((first, last, before))
    }
}

struct Compared {
    http: Latencies,
    reached: bool,
}

struct Bench<'a> {
    psql: Psql<'a>,
    world: &'a World,
    address: SocketAddr,
}

impl Bench<'_> {
    /// The report over HTTP, and the one statement before and after it.
    async fn compare(&self, admin: &mut PgConnection, question: &Question) -> anyhow::Result<Compared> {
        let before = self.statement(question).await?;
        print_latencies("psql, before", &before);
        let ReportsRead { latencies: http, total_revenue } = self.read(question, false).await?;
        print_latencies("HTTP", &http);
        let after = self.statement(question).await?;
        print_latencies("psql, after", &after);
        print_latencies("psql, prepared", &self.prepared(question).await?);
        let plain = plain_revenue(admin, question).await?;
        ensure!(plain == total_revenue, "reports say {total_revenue} won, the visits {plain}");
        let ratio = http.p50() / before.with(after).p50();
        Ok(Compared { http, reached: verdict::at_most("ratio", ratio, "", RATIO) })
    }

    async fn read(&self, question: &Question, again: bool) -> anyhow::Result<ReportsRead> {
        let (start, end) = question.days.clone().into_inner();
        let load = ReportLoad {
            address: self.address,
            businesses: question.shops.clone(),
            report: format!("revenue?period=DAILY&startDate={start}&endDate={end}"),
            times: question.times,
            again,
        };
        part::outcome(&Task::ReportLoad(load), self.world.folder()).await
    }

    /// The yardstick.
    async fn statement(&self, question: &Question) -> anyhow::Result<Latencies> {
        let (first, last, before) = question.range()?;
        let variables = format!("\\set first {first}\n\\set last {last}\n\\set before {before}\n");
        self.time(question, &variables, |shop| format!("\\set business {shop}\n{STATEMENT}")).await
    }

    /// The least that it can take: the same statement, parsed and planned beforehand.
    async fn prepared(&self, question: &Question) -> anyhow::Result<Latencies> {
        let (first, last, before) = question.range()?;
        let mut statement = STATEMENT.to_owned();
        for (variable, parameter) in
            [(":business", "$1"), (":'first'", "$2"), (":'last'", "$3"), (":'before'", "$4")]
        {
            statement = statement.replace(variable, parameter);
        }
        let prepare = format!("prepare report (bigint, date, date, date) as\n{statement}");
        let execute = |shop| format!("execute report ({shop}, '{first}', '{last}', '{before}');\n");
        self.time(question, &prepare, execute).await
    }

    async fn time(
        &self,
        question: &Question,
        first: &str,
        one: impl Fn(i64) -> String,
    ) -> anyhow::Result<Latencies> {
        let timed = |shop: &i64| {
            let announce = format!("select set_config('app.business_id', '{shop}', false);\n");
            format!("{announce}\\timing on\n{}\\timing off\n", one(*shop))
        };
        // The first ones fill the caches.
        let times = question.times / 10 + 1 + question.times;
        let statements: String = question.shops.iter().cycle().take(times).map(timed).collect();
        self.psql.time(&format!("{first}{statements}")).await
    }

    /// The bulk route with the index and the counting that only reports need, and without them, by turns.
    async fn feeding(&self, admin: &mut PgConnection, shop: i64, calls: u64) -> anyhow::Result<bool> {
        let rows = calls * ROWS_A_CALL;
        let mut numbers = (0..).step_by(usize::try_from(rows)?);
        let mut feed = async |name| -> anyhow::Result<f64> {
            self.world.settle_down().await?;
            let first: u64 = numbers.next().unwrap_or_default();
            let load = |changed| {
                let numbers = first..first + rows;
                Task::BulkLoad(BulkLoad { address: self.address, business: shop, numbers, changed })
            };
            let created: f64 = part::outcome(&load(false), self.world.folder()).await?;
            let changed: f64 = part::outcome(&load(true), self.world.folder()).await?;
            #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
            let rate = |seconds: f64| rows as f64 / seconds;
            println!("  {name:<20} {:>10.0} new rows/s, {:.0} changed rows/s", rate(created), rate(changed));
            Ok(created + changed)
        };
        feed("to warm up").await?;
        let (mut with, mut without) = (0.0, 0.0);
        for _ in 0..FEEDS {
            with += feed("with").await?;
            let for_reports = ForReports::take_away(admin).await?;
            without += feed("without").await?;
            for_reports.give_back(admin).await?;
        }
        Ok(verdict::at_most("time it takes", with / without, "", SLOWED_BY))
    }
}

fn print_latencies(name: &str, latencies: &Latencies) {
    println!("  {name:<20} {:>10.2} ms   p95 {:.2} ms", latencies.p50(), latencies.p95());
}

async fn plain_revenue(admin: &mut PgConnection, question: &Question) -> anyhow::Result<i64> {
    let (first, last) = question.days.clone().into_inner();
    let revenue = sqlx::query_scalar(
        "select coalesce(sum(price), 0)::bigint from booking.reservation
         where business_id = any($1) and status = 'COMPLETED'
           and (start_at at time zone 'Asia/Seoul')::date between $2 and $3",
    )
    .bind(&question.shops)
    .bind(first)
    .bind(last)
    .fetch_one(admin)
    .await?;
    Ok(revenue)
}

/// What feeding does for reports alone: the index that they are read from, what they read in the index by customer, and
/// the count of changes.
struct ForReports {
    /// The indexes as the migrations made them.
    indexes: Vec<String>,
}

const TABLES: [&str; 2] = ["reservation", "reservation_service"];
const COUNTING: [&str; 3] = ["count_insert", "count_update", "count_delete"];

impl ForReports {
    async fn take_away(admin: &mut PgConnection) -> anyhow::Result<Self> {
        let indexes: Vec<String> = sqlx::query_scalar(
            "select indexdef from pg_indexes
             where schemaname = 'booking' and indexname in ('reservation_service_report', 'reservation_by_customer')",
        )
        .fetch_all(&mut *admin)
        .await?;
        ensure!(indexes.len() == 2, "the indexes of reports have other names now");
        count_changes(admin, "disable").await?;
        // Lists look for a customer's reservations as well.
        sqlx::raw_sql(
            "drop index booking.reservation_service_report;
             drop index booking.reservation_by_customer;
             create index for_lists on booking.reservation (business_id, customer_id) where customer_id is not null",
        )
        .execute(admin)
        .await?;
        Ok(Self { indexes })
    }

    async fn give_back(self, admin: &mut PgConnection) -> anyhow::Result<()> {
        count_changes(admin, "enable").await?;
        sqlx::raw_sql("drop index booking.for_lists").execute(&mut *admin).await?;
        for index in self.indexes {
            sqlx::raw_sql(AssertSqlSafe(index)).execute(&mut *admin).await?;
        }
        Ok(())
    }
}

async fn count_changes(admin: &mut PgConnection, able: &str) -> anyhow::Result<()> {
    for table in TABLES {
        for trigger in COUNTING {
            let statement = format!("alter table booking.{table} {able} trigger {trigger}");
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *admin).await?;
        }
    }
    Ok(())
}
