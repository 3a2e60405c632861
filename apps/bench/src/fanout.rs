//! `bench -- fanout`

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use clap::Args;
use kernel::{Clock, SystemClock};
use serde_json::json;
use sqlx::PgConnection;
use tokio::time::{Instant, interval};

use crate::{
    fanout_screens::{Round, Screens},
    fanout_server::FanoutServer,
    memory,
    part::{Part, Task},
    verdict,
    world::World,
};

/// The part of the yardstick's deliveries a second that is to be reached, and how much longer than its p99 ours may be.
const RATIO: f64 = 0.6;
const SLOWER: f64 = 1.5;
const BYTES_A_CONNECTION: f64 = 12.0 * 1024.0;

const MESSAGE: &str = "3월 15일(일) 02:00부터 30분간 시스템 점검이 있습니다. 이용에 참고해 주세요.";

#[derive(Args)]
pub(crate) struct Arguments {
    /// Screens
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(i64).range(1..=20_000))]
    connections: i64,
    /// Notices to everybody, one after the other
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    notices: u64,
    /// Notices to everybody at once
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=500))]
    burst: u64,
    /// Notifications a second to one screen each
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(100..=20_000))]
    targeted: u64,
    /// For how long
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
}

impl Arguments {
    fn everybody(&self) -> u64 {
        self.connections.unsigned_abs()
    }

    /// Frames in each round that both have.
    fn broadcasts(&self) -> Vec<u64> {
        let each = std::iter::repeat_n(self.everybody(), usize::try_from(self.notices).unwrap_or_default());
        each.chain([self.everybody() * self.burst]).collect()
    }
}

/// What a hub does with the broadcasts.
struct Broadcasts {
    p50: f64,
    p99: f64,
    /// Deliveries a second of the burst.
    rate: f64,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let Arguments { connections, notices, burst, .. } = *arguments;
    println!(
        "fanout: {connections} WebSockets to one server; {notices} notices to everybody, then {burst} at once"
    );
    let world = World::start().await?;
    let bare = bare(arguments, &world).await?;
    bare.print("bare hub");
    let (ours, bytes) = ours(arguments, &world).await?;
    ours.print("dangol");
    world.stop().await;
    let deliveries = verdict::at_least(ours.rate / bare.rate, RATIO);
    let latency = verdict::at_most("p99, ratio", ours.p99 / bare.p99, "", SLOWER);
    let memory = match bytes {
        Some(bytes) => verdict::at_most("bytes a connection", bytes, "", BYTES_A_CONNECTION),
        None => true,
    };
    Ok(deliveries && latency && memory)
}

impl Broadcasts {
    fn print(&self, name: &str) {
        verdict::rate(&format!("{name}, p50"), self.p50, "ms");
        verdict::rate(&format!("{name}, p99"), self.p99, "ms");
        verdict::rate(&format!("{name}, burst"), self.rate, "deliveries/s");
    }

    /// From the rounds of single notices and the one of the burst behind them.
    #[expect(clippy::cast_precision_loss, reason = "counts of frames")]
    fn of(rounds: &[Round], frames_of_burst: u64) -> anyhow::Result<Self> {
        let (burst, notices) = rounds.split_last().context("no rounds")?;
        let median = |value: fn(&Round) -> f64| {
            let mut values: Vec<f64> = notices.iter().map(value).collect();
            values.sort_unstable_by(f64::total_cmp);
            values.get(values.len() / 2).copied().unwrap_or_default()
        };
        Ok(Self {
            p50: median(|round| round.p50),
            p99: median(|round| round.p99),
            rate: frames_of_burst as f64 / burst.took,
        })
    }
}

fn now() -> i64 {
    SystemClock.now().timestamp_micros()
}

async fn bare(arguments: &Arguments, world: &World) -> anyhow::Result<Broadcasts> {
    let mut server = Part::start(&Task::FanoutHub, world.folder()).await?;
    let address: SocketAddr = server.answer().await?;
    let before = memory::of(server.pid());
    let mut screens = connect(arguments, address, arguments.broadcasts(), world).await?;
    let http = reqwest::Client::new();
    let broadcast = async |count: u64| -> anyhow::Result<()> {
        let frame = json!({"type": "NOTIFICATION", "data": {
            "id": 1_000_000, "notificationType": "SYSTEM", "title": now().to_string(), "message": MESSAGE, "link": null,
            "createdAt": "2026-03-14T10:00:00.123456+09:00",
        }});
        let lines = vec![frame.to_string(); usize::try_from(count)?];
        http.post(format!("http://{address}/broadcast"))
            .body(lines.join("\n"))
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    };
    let mut rounds = Vec::new();
    for round in 0..=arguments.notices {
        screens.answer::<bool>().await?;
        broadcast(if round == arguments.notices { arguments.burst } else { 1 }).await?;
        rounds.push(screens.answer::<Round>().await?);
    }
    if let Some(bytes) = bytes_each(before, memory::of(server.pid()), arguments) {
        verdict::rate("bare hub, memory", bytes, "bytes a connection");
    }
    screens.stop().await?;
    server.stop().await?;
    Broadcasts::of(&rounds, arguments.everybody() * arguments.burst)
}

/// What a process has come to need for each connection.
#[expect(clippy::cast_precision_loss, reason = "bytes of one process")]
fn bytes_each(before: Option<u64>, after: Option<u64>, arguments: &Arguments) -> Option<f64> {
    Some(after?.saturating_sub(before?) as f64 / arguments.everybody() as f64)
}

/// What ours does, and how many bytes it needs for a connection.
async fn ours(arguments: &Arguments, world: &World) -> anyhow::Result<(Broadcasts, Option<f64>)> {
    let server = Task::FanoutServer(FanoutServer { database_url: world.url() });
    let mut server = Part::start(&server, world.folder()).await?;
    let address: SocketAddr = server.answer().await?;
    // What the first connection needs is not what each needs.
    let warm_up = Screens { address, connections: 50, rounds: Vec::new() };
    crate::part::finish(&Task::Screens(warm_up), world.folder()).await?;
    let before = memory::of(server.pid());
    let targeted = arguments.targeted * arguments.seconds;
    let rounds = arguments.broadcasts().into_iter().chain([targeted, arguments.everybody()]).collect();
    let mut screens = connect(arguments, address, rounds, world).await?;
    let mut admin = world.superuser().await?;
    let mut rounds = Vec::new();
    for round in 0..=arguments.notices {
        screens.answer::<bool>().await?;
        let count = if round == arguments.notices { arguments.burst } else { 1 };
        tell(&mut admin, "select 0, 'EVERYONE' from generate_series(1, $2)", i64::try_from(count)?).await?;
        rounds.push(screens.answer::<Round>().await?);
    }
    let after = memory::of(server.pid());

    screens.answer::<bool>().await?;
    let (cpu, began) = (memory::cpu_seconds(server.pid()), Instant::now());
    tell_each(&mut admin, arguments).await?;
    let one_by_one = screens.answer::<Round>().await?;
    let took = began.elapsed().as_secs_f64();
    verdict::rate("to one, p50", one_by_one.p50, "ms");
    verdict::rate("to one, p99", one_by_one.p99, "ms");
    if let Some((before, after)) = cpu.zip(memory::cpu_seconds(server.pid())) {
        verdict::rate("to one, CPU", (after - before) / took * 100.0, "% of a core");
    }

    screens.answer::<bool>().await?;
    publish(&mut admin).await?;
    let published = screens.answer::<Round>().await?;
    verdict::rate("from the event, p99", published.p99, "ms");
    screens.stop().await?;
    server.stop().await?;
    let bytes = bytes_each(before, after, arguments);
    Ok((Broadcasts::of(&rounds, arguments.everybody() * arguments.burst)?, bytes))
}

async fn connect(
    arguments: &Arguments,
    address: SocketAddr,
    rounds: Vec<u64>,
    world: &World,
) -> anyhow::Result<Part> {
    let screens = Screens { address, connections: arguments.connections, rounds };
    Part::start(&Task::Screens(screens), world.folder()).await
}

/// Writes notifications down as the consumer does, and sends the signal that it sends.
async fn tell(admin: &mut PgConnection, whom: &str, count: i64) -> anyhow::Result<()> {
    let statement = format!(
        "with told as (
             insert into notifications.notification (business_id, audience, type, title, message, created_at)
             select whom.business_id, whom.audience, 'SYSTEM', $1, '{MESSAGE}', now() from ({whom}) whom (business_id, audience)
             returning 1)
         select count(*) from told"
    );
    let written: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .bind(now().to_string())
        .bind(count)
        .fetch_one(&mut *admin)
        .await?;
    anyhow::ensure!(written > 0, "nothing was written down");
    sqlx::query("select pg_notify('dangol.notifications', '')").execute(admin).await?;
    Ok(())
}

/// So many a second, each to one business after the other.
async fn tell_each(admin: &mut PgConnection, arguments: &Arguments) -> anyhow::Result<()> {
    const BATCHES_A_SECOND: u64 = 100;
    let batch = i64::try_from(arguments.targeted / BATCHES_A_SECOND)?;
    let mut tick = interval(Duration::from_millis(1_000 / BATCHES_A_SECOND));
    let mut next = 0;
    for _ in 0..arguments.seconds * BATCHES_A_SECOND {
        tick.tick().await;
        let whom = format!(
            "select 1 + ({next} + n) % {}, 'ADMINS' from generate_series(1, $2) n",
            arguments.connections
        );
        tell(admin, &whom, batch).await?;
        next += batch;
    }
    Ok(())
}

/// A notice as an event: what comes before a notification is written down is in the latency as well.
async fn publish(admin: &mut PgConnection) -> anyhow::Result<()> {
    sqlx::query(
        "insert into platform.event (business_id, kind, occurred_at, data)
         values (0, 'notice.published', now(), jsonb_build_object('title', $1::text, 'message', $2::text))",
    )
    .bind(now().to_string())
    .bind(MESSAGE)
    .execute(&mut *admin)
    .await?;
    sqlx::query("select pg_notify('dangol.events', '')").execute(admin).await?;
    Ok(())
}
