//! `bench -- api`

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{bail, ensure};
use clap::Args;
use sqlx::PgConnection;
use tokio::{fs, time::Instant};

use crate::{
    api_load::ApiLoad,
    api_server::ApiServer,
    part::{self, Part, Task},
    pgbench::Pgbench,
    seed::Seed,
    verdict,
    world::{ClockAhead, ROLE, World},
};

const RATIO: f64 = 0.3;
const WARM_UP_SECONDS: u64 = 3;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Connections, of the load to the server, of the server to PostgreSQL, and of pgbench
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=90))]
    connections: u32,
    /// Businesses with a subscription each
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2..))]
    businesses: u32,
    /// How long each measurement takes
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let Arguments { connections, businesses, seconds } = *arguments;
    println!("api: GET /api/subscriptions/current, {connections} connections, {businesses} businesses");
    let world = World::start().await?;
    let seed = Seed {
        superuser_url: world.superuser_url(),
        billing_key: "never charged".to_owned(),
        due_now: 0,
        due_later: businesses.into(),
    };
    part::outcome::<i64>(&Task::Seed(seed), world.folder()).await?;
    world.settle_down().await?;
    let mut admin = world.superuser().await?;
    ensure_tenants_are_kept_apart(&world, &mut admin).await?;

    let server =
        Task::ApiServer(ApiServer { database_url: world.url(), connections, clock: ClockAhead::NONE });
    let mut server = Part::start(&server, world.folder()).await?;
    let address: SocketAddr = server.answer().await?;
    let load = |seconds| Task::ApiLoad(ApiLoad { address, connections, seconds, businesses });
    let warm_up = load(WARM_UP_SECONDS);
    let (warmed_up, statement) =
        tokio::join!(part::outcome::<f64>(&warm_up, world.folder()), statement_of_the_api(&mut admin));
    warmed_up?;
    let pgbench = Pgbench::find(&world).await?;
    let script = script(&world, &statement?, businesses).await?;
    let for_seconds = |seconds| {
        ["--define=free_plan=FREE".to_owned(), format!("--client={connections}"), format!("--time={seconds}")]
    };
    pgbench.run(&script, &for_seconds(WARM_UP_SECONDS)).await?;

    let before = pgbench.run(&script, &for_seconds(seconds)).await?;
    verdict::rate("pgbench, before", before, "transactions/s");
    let rate: f64 = part::outcome(&load(seconds), world.folder()).await?;
    verdict::rate("API", rate, "requests/s");
    let after = pgbench.run(&script, &for_seconds(seconds)).await?;
    verdict::rate("pgbench, after", after, "transactions/s");
    let reached = verdict::at_least(rate / f64::midpoint(before, after), RATIO);
    server.stop().await?;
    world.stop().await;
    Ok(reached)
}

/// The figures would mean nothing with row-level security off.
async fn ensure_tenants_are_kept_apart(world: &World, admin: &mut PgConnection) -> anyhow::Result<()> {
    let all: i64 = sqlx::query_scalar("select count(*) from billing.subscription").fetch_one(admin).await?;
    let db = gateway::database::connect(&world.url().into(), 1).await?;
    let mut tx = platform::TenantTx::begin(&db, kernel::BusinessId(1)).await?;
    let visible: i64 =
        sqlx::query_scalar("select count(*) from billing.subscription").fetch_one(&mut *tx).await?;
    ensure!(visible == 1, "a business sees {visible} of {all} subscriptions");
    println!("  row-level security   a business sees {visible} of {all} subscriptions");
    Ok(())
}

/// The statement with which the server under load answers, as PostgreSQL itself sees it, so that
/// pgbench cannot come to measure another one.
async fn statement_of_the_api(admin: &mut PgConnection) -> anyhow::Result<String> {
    let deadline = Instant::now() + Duration::from_secs(WARM_UP_SECONDS);
    while Instant::now() < deadline {
        let seen: Option<String> = sqlx::query_scalar(
            "select query from pg_stat_activity
             where usename = $1 and application_name = 'dangol' and query like 'select s.subscription_id%' limit 1",
        )
        .bind(ROLE)
        .fetch_optional(&mut *admin)
        .await?;
        if let Some(statement) = seen {
            return Ok(statement);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    bail!("the server under load was never seen to run its statement; did the API's SQL change?")
}

/// A script that does what the API does for a request: the same statements in the same three round trips.
async fn script(world: &World, statement: &str, businesses: u32) -> anyhow::Result<PathBuf> {
    // `$1` is the business, `$2` the plan of those without a subscription. pgbench binds them as
    // the API does, so the statement is prepared once a connection.
    let statement = statement.replace("$1", ":business").replace("$2", ":free_plan");
    ensure!(!statement.contains('$'), "the API's statement has parameters that this script does not know");
    // The API sends `begin` and `set local` in one go. A prepared statement takes no `set`, so
    // here it is the function that does the same, and a pipeline that makes it one round trip.
    let text = format!(
        "\\set business random(1, {businesses})\n\
         \\startpipeline\n\
         begin;\n\
         select set_config('app.business_id', :business, true);\n\
         \\endpipeline\n\
         {statement};\n\
         commit;\n"
    );
    let script = world.folder().join("current.sql");
    fs::write(&script, text).await?;
    Ok(script)
}
