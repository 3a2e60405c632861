//! The worker dies while it writes a file.

use std::path::Path;

use sqlx::AssertSqlSafe;

use crate::{
    owner::Reply,
    world::{World, patiently},
};

const STEPS: [&str; 2] = ["export::written", "export::stored"];
const SHOP: i64 = 1;
const ROWS: usize = 40_000;

/// A shop on PRO with a year of visits.
async fn shop() -> World {
    let world = World::begins("exports").await;
    let server = world.server().await;
    sql(&world, "insert into identity.business (name, created_at) values ('미소헤어', now())").await;
    let reply = world.owner(SHOP).subscribes(server.addr).await;
    assert_eq!(reply.status(), Some(200), "{reply:?}");
    for statement in [
        "update billing.subscription set plan_code = 'PRO'".to_owned(),
        "insert into booking.service (business_id, name, price, duration_minutes, created_at, changed_at)
         values (1, '컷', 20000, 30, now(), now())"
            .to_owned(),
        format!(
            "insert into booking.reservation (business_id, external_id, start_at, status, price, created_at, changed_at)
             select 1, 'r' || n, timestamptz '2026-01-02T00:00+09' + n * interval '10 minutes', 'COMPLETED', n, now(), now()
             from generate_series(1, {ROWS}) n"
        ),
        "insert into booking.reservation_service
             (business_id, reservation_id, line, service_id, price, duration_minutes, visit_on, hour, status)
         select 1, reservation_id, 1, (select service_id from booking.service), price, 30, visit_on, 0, status
         from booking.reservation"
            .to_owned(),
        "analyze booking.reservation, booking.reservation_service".to_owned(),
    ] {
        sql(&world, &statement).await;
    }
    world
}

async fn sql(world: &World, statement: &str) {
    sqlx::query(AssertSqlSafe(statement)).execute(&world.superuser).await.expect("the statement runs");
}

async fn text(world: &World, query: &str) -> String {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&world.superuser).await.expect("the query runs")
}

/// The lease of whoever died ends. Once: whoever is at it then is alive.
async fn the_lease_ends(world: &World) {
    sql(world, "update exports.export set due_at = now() where status = 'PROCESSING'").await;
}

/// What nobody wants may be deleted, and the bell rings.
async fn a_while_passes(world: &World) {
    sql(world, "update exports.file set remove_at = now() where remove_at is not null").await;
    sql(world, "select graphile_worker.add_job('exports', '{}'::json, job_key => 'exports')").await;
}

fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

/// One file, of all rows, and nothing beside it.
async fn one_right_file(world: &World, export: &str, story: &str) {
    the_lease_ends(world).await;
    let mut worker = world.worker();
    patiently("the file is there, and nothing else", async || {
        a_while_passes(world).await;
        text(world, "select string_agg(distinct status, ' ') from exports.export").await == "COMPLETED"
            && text(world, "select count(*)::text from exports.file").await == "1"
    })
    .await;
    worker.is_killed().await;
    assert_eq!(files(&world.files.path().join("exports")), 1, "{story}");
    let told = "select count(*)::text from platform.event where kind = 'export.completed'";
    assert_eq!(text(world, told).await, "1", "{story}");
    let server = world.server().await;
    let file = world.owner(SHOP).downloads(server.addr, export).await;
    let text = String::from_utf8(file).expect("UTF-8");
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let sum: usize =
        reader.records().map(|record| record.expect("a record")[10].parse::<usize>().expect("won")).sum();
    assert_eq!(sum, ROWS * (ROWS + 1) / 2, "{story}");
}

async fn asked(world: &World) -> String {
    let server = world.server().await;
    let reply = world.owner(SHOP).asks_for_an_export(server.addr, "CSV").await;
    let Reply::Answer { status: 202, body } = reply else { panic!("{reply:?}") };
    body["data"]["exportId"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn killed_at_every_named_step_a_worker_is_followed_by_one_that_delivers_one_file() {
    for step in STEPS {
        let world = shop().await;
        let export = asked(&world).await;
        world.worker_that_dies_at(step, &[]).aborts().await;
        one_right_file(&world, &export, step).await;
    }
}

#[tokio::test]
async fn killed_in_the_middle_of_a_file_a_worker_is_followed_by_one_that_delivers_it() {
    let world = shop().await;
    let export = asked(&world).await;
    let mut worker = world.worker();
    // Some of it is on its way already: its folder is there.
    patiently("it has begun", async || files(&world.files.path().join("exports")) > 0).await;
    worker.is_killed().await;
    one_right_file(&world, &export, "in the middle").await;
}
