//! `bench -- export`

use std::{fs::File, path::PathBuf, process::Stdio, sync::Arc, time::Instant};

use anyhow::{Context, ensure};
use booking::ShopPlan;
use chrono::{Days, NaiveDate};
use clap::Args;
use gateway::{app::App, database};
use identity::NewBusiness;
use kernel::{BusinessId, Clock, SystemClock};
use platform::SystemTx;
use serde::{Deserialize, Serialize};
use sqlx::AssertSqlSafe;
use tokio::process::Command;

use crate::{
    bare_excel::BareExcel,
    memory,
    part::{self, Task},
    verdict,
    world::{DATABASE, ROLE, World, configuration},
};

const RATIO: f64 = 0.7;
const MEGABYTES: f64 = 64.0;

/// Five years, as long as an export may be.
const DAYS: u32 = 1_825;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Reservations of the shop
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..=5_000_000))]
    rows: u32,
    /// Runs of each
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    runs: u32,
}

/// Invents the shop.
#[derive(Serialize, Deserialize)]
pub(crate) struct Inventing {
    database_url: String,
    data_dir: PathBuf,
    rows: u32,
    until: NaiveDate,
}

/// The worker that makes whatever is due.
#[derive(Serialize, Deserialize)]
pub(crate) struct ExportWorker {
    database_url: String,
    data_dir: PathBuf,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Made {
    seconds: f64,
    idle_megabytes: Option<f64>,
    peak_megabytes: Option<f64>,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let rows = arguments.rows;
    println!("export: {rows} reservations of one shop over five years, row-level security on");
    let world = World::start().await?;
    let until = SystemClock.today().checked_sub_days(Days::new(1)).unwrap_or_default();
    let data_dir = world.folder().join("data");
    let invent = Task::Inventing(Inventing { database_url: world.url(), data_dir, rows, until });
    let business: i64 = part::outcome(&invent, world.folder()).await?;
    world.settle_down().await?;
    let first = until.checked_sub_days(Days::new(u64::from(DAYS) - 1)).unwrap_or_default();
    let shop = Shop { world: &world, business, first, until };
    let rows = shop.count().await?;
    let rate = |seconds: f64| f64::from(rows) / seconds;

    let (mut copy, mut csv, mut excel, mut bare) = (f64::MAX, f64::MAX, f64::MAX, f64::MAX);
    let mut memory = None;
    // In turn, so that a noisy minute spoils both sides; of each the best.
    for _ in 0..arguments.runs {
        copy = copy.min(shop.copy().await?);
        let made = shop.export("CSV", rows).await?;
        csv = csv.min(made.seconds);
        memory = more(memory, &made);
        let task =
            Task::BareExcel(BareExcel { csv: shop.file("CSV").await?, to: world.folder().join("bare.xlsx") });
        let written: f64 = part::outcome(&task, world.folder()).await?;
        bare = bare.min(written);
        let made = shop.export("EXCEL", rows).await?;
        excel = excel.min(made.seconds);
        memory = more(memory, &made);
    }
    verdict::rate("COPY TO STDOUT", rate(copy), "rows/s");
    verdict::rate("CSV", rate(csv), "rows/s");
    let mut reached = verdict::at_least(copy / csv, RATIO);
    verdict::rate("bare loop to EXCEL", rate(bare), "rows/s");
    verdict::rate("EXCEL", rate(excel), "rows/s");
    reached &= verdict::at_least(bare / excel, RATIO);
    println!("  memory above that of an idle worker:");
    reached &= verdict::below(memory, MEGABYTES);
    for format in ["CSV", "EXCEL"] {
        let bytes = std::fs::metadata(shop.file(format).await?)?.len();
        #[expect(clippy::cast_precision_loss, reason = "a file is far smaller than 2^53 bytes")]
        let megabytes = bytes as f64 / 1e6;
        println!("  {format:<20} {megabytes:>10.1} MB");
    }
    world.stop().await;
    Ok(reached)
}

fn more(most: Option<f64>, made: &Made) -> Option<f64> {
    let above = made.peak_megabytes.zip(made.idle_megabytes).map(|(peak, idle)| peak - idle);
    most.into_iter().chain(above).reduce(f64::max)
}

/// The shop whose reservations are taken away.
struct Shop<'a> {
    world: &'a World,
    business: i64,
    first: NaiveDate,
    until: NaiveDate,
}

impl Shop<'_> {
    async fn count(&self) -> anyhow::Result<u32> {
        let count: i64 = sqlx::query_scalar(
            "select count(*) from booking.reservation where business_id = $1 and visit_on between $2 and $3",
        )
        .bind(self.business)
        .bind(self.first)
        .bind(self.until)
        .fetch_one(&mut self.world.superuser().await?)
        .await?;
        Ok(u32::try_from(count)?)
    }

    /// Seconds that PostgreSQL takes to copy out what the very query of the exports answers.
    async fn copy(&self) -> anyhow::Result<f64> {
        let query = query_of_the_exports()?
            .replace("$1", &self.business.to_string())
            .replace("$2", &format!("date '{}'", self.first))
            .replace("$3", &format!("date '{}'", self.until))
            .replace("$4", "null")
            .replace("$5", "null");
        let script = format!(
            "begin isolation level repeatable read read only; set local app.business_id = '{}';
             copy ({query}) to stdout; commit;",
            self.business
        );
        let psql = local_postgres::find_binaries().await?.folder().join("psql");
        let began = Instant::now();
        let status = Command::new(psql)
            .args(["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--host=127.0.0.1"])
            .arg(format!("--port={}", self.world.port()))
            .arg(format!("--username={ROLE}"))
            .arg("--command")
            .arg(script)
            .arg(DATABASE)
            .env("PGPASSWORD", ROLE)
            .stdout(Stdio::from(File::create(self.world.folder().join("copy.txt"))?))
            .kill_on_drop(true)
            .status()
            .await?;
        ensure!(status.success(), "psql could not copy");
        Ok(began.elapsed().as_secs_f64())
    }

    /// A worker that has nothing else to do makes the file.
    async fn export(&self, format: &str, rows: u32) -> anyhow::Result<Made> {
        let mut conn = self.world.superuser().await?;
        for statement in [
            "delete from exports.export where format = $1 and business_id = $2 and $3::date <= $4",
            "insert into exports.shop (business_id, asked_on, last_number) values ($2, $3, 1)
             on conflict (business_id) do update set last_number = exports.shop.last_number + 1 where $1 <> '' and $4 is not null",
            "insert into exports.export
                 (business_id, asked_on, number, type, format, start_on, end_on, whole_contacts, asked_by, asked_at,
                  status, due_at, rows_expected)
             select $2, $4, last_number, 'RESERVATIONS', $1, $3, $4, true, 'bench', now(), 'PROCESSING', now(), 0
             from exports.shop where business_id = $2",
        ] {
            sqlx::query(AssertSqlSafe(statement))
                .bind(format)
                .bind(self.business)
                .bind(self.first)
                .bind(self.until)
                .execute(&mut conn)
                .await?;
        }
        let worker =
            ExportWorker { database_url: self.world.url(), data_dir: self.world.folder().join("data") };
        let made: Made = part::outcome(&Task::ExportWorker(worker), self.world.folder()).await?;
        let (status, written): (String, i64) =
            sqlx::query_as("select status, rows_written from exports.export where format = $1")
                .bind(format)
                .fetch_one(&mut conn)
                .await?;
        ensure!(status == "COMPLETED" && written == i64::from(rows), "{status}, {written} rows of {rows}");
        Ok(made)
    }

    /// Where the file lies that was made last.
    async fn file(&self, format: &str) -> anyhow::Result<PathBuf> {
        let folder: String = sqlx::query_scalar(
            "select format('%s/exp_%s_%s/%s', business_id, to_char(asked_on, 'YYYYMMDD'), lpad(number::text, 3, '0'), attempt)
             from exports.export where format = $1",
        )
        .bind(format)
        .fetch_one(&mut self.world.superuser().await?)
        .await?;
        Ok(self.world.folder().join("data/exports").join(folder).join("file"))
    }
}

/// Cut out of the source, so that the yardstick never measures an older one.
fn query_of_the_exports() -> anyhow::Result<String> {
    let source = include_str!("../../../crates/exports/src/store/rows.rs");
    let query =
        source.split_once("ReservationRow,\n        r#\"").and_then(|(_, rest)| rest.split_once("\"#"));
    Ok(query.context("the query of the exports is not where it was")?.0.to_owned())
}

/// The other side: a shop with a history of five years.
pub(crate) async fn invent(task: Inventing) -> anyhow::Result<i64> {
    let app = app(&task.database_url, task.data_dir).await?;
    let mut tx = SystemTx::begin(&app.db).await?;
    let new = [NewBusiness { name: "헤어살롱", owner: "owner" }];
    identity::register_missing(&mut tx, app.clock.now(), &new).await?;
    let business: BusinessId =
        identity::business_named(&mut tx, "헤어살롱").await?.context("it was registered")?;
    tx.commit().await?;
    let plan = ShopPlan {
        seed: 1,
        shop: 1,
        reservations: usize::try_from(task.rows)?,
        until: task.until,
        days: DAYS,
    };
    app.booking.invent(business, plan).await?;
    Ok(business.0)
}

/// The other side: makes what is due.
pub(crate) async fn work(task: ExportWorker) -> anyhow::Result<Made> {
    let app = app(&task.database_url, task.data_dir).await?;
    // A connection is open, and whatever is set up once is.
    app.exports.next_due().await?;
    let idle_megabytes = memory::resident_megabytes();
    let began = Instant::now();
    app.exports.sweep().await?;
    Ok(Made {
        seconds: began.elapsed().as_secs_f64(),
        idle_megabytes,
        peak_megabytes: memory::peak_megabytes(),
    })
}

async fn app(database_url: &str, data_dir: PathBuf) -> anyhow::Result<App> {
    let (mut config, secrets) = configuration(&[])?;
    config.data_dir = data_dir;
    let db = database::connect(&database_url.to_owned().into(), config.database_connections).await?;
    App::new(&config, &secrets, db, Arc::new(SystemClock))
}
