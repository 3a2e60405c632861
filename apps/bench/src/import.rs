//! `bench -- import`

use std::{net::SocketAddr, path::Path, time::Instant};

use anyhow::ensure;
use clap::Args;
use futures::TryStreamExt;
use kernel::{Clock, SystemClock};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::{
    fs::{self, File},
    io::AsyncWriteExt,
};

use crate::{
    api_server::ApiServer,
    bulk_load::{BulkLoad, ROWS_A_CALL},
    import_process::{ImportProcess, Imported},
    part::{self, Part, Task},
    shops::Shops,
    verdict,
    world::{ClockAhead, World},
};

const RATIO: f64 = 0.3;
const MEGABYTES: f64 = 64.0;
/// What the shop is that the bulk route feeds.
const SMALL: usize = 3_000;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Reservations in the file, and in the tables already
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1_000..=10_000_000))]
    reservations: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let reservations = arguments.reservations;
    println!("import: {reservations} reservations from a file, and over HTTP {ROWS_A_CALL} a call");
    let world = World::start().await?;
    let sizes = vec![usize::try_from(reservations)?, 0, SMALL];
    let shops = Shops { database_url: world.url(), sizes, until: SystemClock.today(), days: 365 };
    let shops: Vec<i64> = part::outcome(&Task::Shops(shops), world.folder()).await?;
    let [known, importing, fed] = shops[..] else { anyhow::bail!("three shops were wanted") };
    let mut admin = world.superuser().await?;
    write_files(&mut admin, known, world.folder()).await?;

    let before = copy(&world, &mut admin, known).await?;
    rate("COPY, before", reservations, before);
    world.settle_down().await?;
    let process =
        ImportProcess { database_url: world.url(), business: importing, folder: world.folder().to_owned() };
    let imported: Imported = part::outcome(&Task::ImportProcess(process), world.folder()).await?;
    rate("import", imported.reservations.0, imported.reservations.1);
    let server =
        Task::ApiServer(ApiServer { database_url: world.url(), connections: 4, clock: ClockAhead::NONE });
    let mut server = Part::start(&server, world.folder()).await?;
    let address: SocketAddr = server.answer().await?;
    world.settle_down().await?;
    let numbers = 0..reservations / 2;
    let load = Task::BulkLoad(BulkLoad { address, business: fed, numbers, changed: false });
    let bulk: f64 = part::outcome(&load, world.folder()).await?;
    rate("bulk route", reservations / 2, bulk);
    let after = copy(&world, &mut admin, known).await?;
    rate("COPY, after", reservations, after);

    let of_copy = |took: f64| f64::midpoint(before, after) / took;
    println!("import");
    let mut reached = verdict::at_least(of_copy(imported.reservations.1), RATIO);
    println!("bulk route");
    reached &= verdict::at_least(of_copy(bulk * 2.0), RATIO);
    println!("the importing process");
    reached &= verdict::below(imported.peak_megabytes, MEGABYTES);
    rate("customers", imported.customers.0, imported.customers.1);
    alike(&mut admin, known, importing).await?;
    server.stop().await?;
    world.stop().await;
    Ok(reached)
}

fn rate(name: &str, rows: u64, seconds: f64) {
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    verdict::rate(name, rows as f64 / seconds, "rows/s");
}

/// What a shop has, as its former system would have written it down: file and statement.
const FILES: [(&str, &str); 4] = [
    ("services.csv", "select external_id, name, price, duration_minutes from booking.service where business_id = $1"),
    ("staffs.csv", "select external_id, name from booking.staff where business_id = $1"),
    (
        "customers.csv",
        "select external_id, name, '010-' || 2000 + n / 10000 % 8000 || '-' || lpad((n % 10000)::text, 4, '0') as phone,
                'guest' || n || '@example.com' as email, birthday, gender, marketing_consent::text
         from (select *, row_number() over (order by customer_id) as n from booking.customer where business_id = $1)
             customer",
    ),
    (
        "reservations.csv",
        r#"select r.external_id, c.external_id as customer_external_id, s.external_id as staff_external_id,
                  v.external_id as service_external_id,
                  to_char(r.start_at at time zone 'Asia/Seoul', 'YYYY-MM-DD"T"HH24:MI:SS') as start_at, r.status, l.price,
                  to_char(r.created_at at time zone 'Asia/Seoul', 'YYYY-MM-DD"T"HH24:MI:SS') as created_at
           from booking.reservation r
           join booking.reservation_service l using (business_id, reservation_id)
           join booking.service v using (business_id, service_id)
           left join booking.customer c using (business_id, customer_id)
           left join booking.staff s on s.business_id = r.business_id and s.staff_id = r.staff_id
           where r.business_id = $1 order by r.reservation_id, l.line"#,
    ),
];

/// The rows of its visits, as another shop's, for the yardstick.
const ROWS: [(&str, &str); 2] = [
    (
        "reservation",
        "select 0, reservation_id, external_id, customer_id, staff_id, start_at, status, price, created_at, changed_at
         from booking.reservation where business_id = $1 order by reservation_id",
    ),
    (
        "reservation_service",
        "select 0, reservation_id, line, service_id, price, duration_minutes, visit_on, hour, status, staff_id
         from booking.reservation_service where business_id = $1 order by reservation_id, line",
    ),
];

async fn write_files(admin: &mut PgConnection, shop: i64, folder: &Path) -> anyhow::Result<()> {
    let files = FILES.map(|(file, select)| (file, select, "csv, header"));
    let rows = ROWS.map(|(file, select)| (file, select, "text"));
    for (file, select, format) in files.into_iter().chain(rows) {
        let select = select.replace("$1", &shop.to_string());
        let mut rows = admin.copy_out_raw(&format!("copy ({select}) to stdout (format {format})")).await?;
        let mut file = File::create(folder.join(file)).await?;
        while let Some(chunk) = rows.try_next().await? {
            file.write_all(&chunk).await?;
        }
        file.flush().await?;
    }
    Ok(())
}

/// The yardstick: how many seconds `COPY` takes for the rows of the known shop, into copies of the tables with all their
/// indexes and checks, which hold these rows as another shop's already. They have no triggers and no row-level security.
async fn copy(world: &World, admin: &mut PgConnection, known: i64) -> anyhow::Result<f64> {
    sqlx::raw_sql(AssertSqlSafe(format!(
        "drop schema if exists yardstick cascade;
         create schema yardstick;
         create table yardstick.reservation (like booking.reservation including all);
         create table yardstick.reservation_service (like booking.reservation_service including all);
         insert into yardstick.reservation
             (business_id, reservation_id, external_id, customer_id, staff_id, start_at, status, price, created_at,
              changed_at)
         select business_id, reservation_id, external_id, customer_id, staff_id, start_at, status, price, created_at,
                changed_at
         from booking.reservation where business_id = {known};
         insert into yardstick.reservation_service
         select * from booking.reservation_service where business_id = {known}"
    )))
    .execute(&mut *admin)
    .await?;
    world.settle_down().await?;
    let columns = "business_id, reservation_id, external_id, customer_id, staff_id, start_at, status, price, created_at, \
                   changed_at";
    let statements = [
        ("reservation", format!("copy yardstick.reservation ({columns}) from stdin")),
        ("reservation_service", "copy yardstick.reservation_service from stdin".to_owned()),
    ];
    let mut rows = Vec::new();
    for (file, statement) in statements {
        rows.push((statement, fs::read(world.folder().join(file)).await?));
    }
    let began = Instant::now();
    for (statement, rows) in rows {
        let mut copy = admin.copy_in_raw(&statement).await?;
        copy.send(rows).await?;
        copy.finish().await?;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// The figures would mean nothing if not all had come in.
async fn alike(admin: &mut PgConnection, known: i64, imported: i64) -> anyhow::Result<()> {
    let mut of = async |shop: i64| -> sqlx::Result<(i64, i64, String)> {
        sqlx::query_as(
            "select count(*), coalesce(sum(r.price), 0)::bigint,
                    md5(string_agg(concat_ws('|', r.external_id, c.external_id, s.external_id, r.start_at, r.status),
                                   ',' order by r.external_id))
             from booking.reservation r
             left join booking.customer c using (business_id, customer_id)
             left join booking.staff s on s.business_id = r.business_id and s.staff_id = r.staff_id
             where r.business_id = $1",
        )
        .bind(shop)
        .fetch_one(&mut *admin)
        .await
    };
    let (theirs, ours) = (of(known).await?, of(imported).await?);
    ensure!(theirs == ours, "{ours:?} came in of {theirs:?}");
    println!("  all {} came in, with the same sum, customers, staff and times", ours.0);
    Ok(())
}
