//! `bench -- campaign`

use std::{
    collections::HashSet,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use chrono::NaiveTime;
use clap::Args;
use kernel::{Clock, SystemClock, at_korean_time};
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tokio::time::sleep;

use crate::{
    api_server::ApiServer,
    bare_messages::BareMessages,
    campaign_shop::{self, EARLY, Owner, number},
    campaign_worker::CampaignWorker,
    memory,
    part::{self, Part, Task},
    verdict,
    world::{ClockAhead, World},
};

const RATIO: f64 = 0.5;
const MEGABYTES: f64 = 200.0;
/// They open connections, and show what a message looks like.
const WARM_UP: u32 = 5_000;
const PATIENCE: Duration = Duration::from_mins(10);

#[derive(Args)]
pub(crate) struct Arguments {
    /// Customers whom the campaign is for
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1_000..=5_000_000))]
    recipients: u32,
    /// How long the sandbox takes to answer
    #[arg(long, default_value_t = 50)]
    latency_ms: u64,
    /// What the carrier's account allows; without it what `dangol` allows itself
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_second: u32,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let Arguments { recipients, latency_ms, requests_per_second } = *arguments;
    println!(
        "campaign: {recipients} customers, the sandbox answers after {latency_ms} ms, {requests_per_second} requests a second"
    );
    let world = World::start().await?;
    let clock = noon();
    campaign_shop::open(&world, clock.started().now(), WARM_UP, recipients).await?;
    world.settle_down().await?;
    let mut sandbox = Part::start(&Task::Sandbox { latency_ms, clock }, world.folder()).await?;
    let sandbox_url: String = sandbox.answer().await?;
    let server = Task::ApiServer(ApiServer { database_url: world.url(), connections: 4, clock });
    let mut server = Part::start(&server, world.folder()).await?;
    let owner = Owner::at(server.answer::<SocketAddr>().await?)?;
    let worker = CampaignWorker {
        database_url: world.url(),
        sandbox_url: sandbox_url.clone(),
        requests_per_second,
        clock,
    };
    let mut worker = Part::start(&Task::CampaignWorker(worker), world.folder()).await?;
    let concurrency: usize = worker.answer().await?;
    let mut admin = world.superuser().await?;

    let early = json!({"field": "tag", "operator": "HAS_ANY", "value": [EARLY]});
    let segment = owner.segment(json!([early.clone()])).await?;
    let campaign = owner.campaign(segment).await?;
    handed_over(&mut admin, campaign).await?;
    let yardstick = Task::BareMessages(BareMessages {
        sandbox_url: sandbox_url.clone(),
        messages: usize::try_from(recipients)?,
        concurrency,
        requests_per_second,
        clock,
        sample: sample(&sandbox_url).await?,
    });
    let before = bare(&yardstick, world.folder(), "bare loop, before").await?;

    let segment = owner.segment(json!([{"not": early}])).await?;
    let already_there = Inbox::of(&sandbox_url, "limit=1").await?.newest();
    let began = Instant::now();
    let campaign = owner.campaign(segment).await?;
    handed_over(&mut admin, campaign).await?;
    let rate = f64::from(recipients) / began.elapsed().as_secs_f64();
    verdict::rate("campaign", rate, "messages/s");
    let peak = memory::peak_megabytes_of(worker.pid());
    worker.stop().await?;
    server.stop().await?;
    let after = bare(&yardstick, world.folder(), "bare loop, after").await?;

    let reached = verdict::at_least(rate / f64::midpoint(before, after), RATIO);
    let small = verdict::below(peak, MEGABYTES);
    judge(&mut admin, campaign, recipients).await?;
    let behind = format!("afterSeq={already_there}&limit=100000000");
    everybody_once(&Inbox::of(&sandbox_url, &behind).await?, recipients)?;
    println!("  inbox                {recipients:>10} customers, each once");
    sandbox.stop().await?;
    world.stop().await;
    Ok(reached && small)
}

/// Today at noon in Korea, when advertising may be sent.
fn noon() -> ClockAhead {
    let noon = NaiveTime::from_hms_opt(12, 0, 0).unwrap_or_default();
    ClockAhead((at_korean_time(SystemClock.today(), noon) - SystemClock.now()).num_seconds())
}

async fn bare(task: &Task, folder: &Path, name: &str) -> anyhow::Result<f64> {
    let rate = part::outcome(task, folder).await?;
    verdict::rate(name, rate, "messages/s");
    Ok(rate)
}

/// Returns when everybody was written down and nothing waits any more.
async fn handed_over(admin: &mut PgConnection, campaign: i64) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let is_over: bool = sqlx::query_scalar(
            "select written_at is not null
                    and not exists (select from messaging.delivery
                                    where business_id = 1 and batch = 'campaign:' || campaign_id
                                      and status in ('QUEUED', 'SENDING', 'UNKNOWN'))
             from crm.campaign where business_id = 1 and campaign_id = $1",
        )
        .bind(campaign)
        .fetch_one(&mut *admin)
        .await?;
        if is_over {
            return Ok(());
        }
        sleep(Duration::from_millis(20)).await;
    }
    bail!("some messages were not handed over in {} seconds", PATIENCE.as_secs())
}

/// Everybody was written down and sent to, and nobody left out.
async fn judge(admin: &mut PgConnection, campaign: i64, recipients: u32) -> anyhow::Result<()> {
    let (written, sent): (i64, i64) = sqlx::query_as(
        "select count(*), count(*) filter (where m.status in ('SENT', 'DELIVERED'))
         from crm.campaign_recipient r
         left join messaging.delivery m on m.business_id = r.business_id and m.message_id = r.message_id
         where r.business_id = 1 and r.campaign_id = $1",
    )
    .bind(campaign)
    .fetch_one(admin)
    .await?;
    let all = i64::from(recipients);
    ensure!((written, sent) == (all, all), "{written} of {all} were written down, {sent} sent");
    Ok(())
}

/// What the sandbox's carrier was handed, the newest first.
struct Inbox(Vec<Parcel>);

#[derive(Deserialize)]
struct Parcel {
    seq: u64,
    to: String,
    from: String,
    text: String,
    extra: Extra,
}

#[derive(Deserialize)]
struct Extra {
    r#type: String,
}

impl Inbox {
    async fn of(sandbox_url: &str, query: &str) -> anyhow::Result<Self> {
        let parcels = reqwest::get(format!("{sandbox_url}/_sandbox/inbox?{query}")).await?;
        Ok(Self(parcels.error_for_status()?.json().await?))
    }

    fn newest(&self) -> u64 {
        self.0.first().map_or(0, |parcel| parcel.seq)
    }
}

/// What a message of the campaign looks like on the wire.
async fn sample(sandbox_url: &str) -> anyhow::Result<Value> {
    let inbox = Inbox::of(sandbox_url, "limit=1").await?;
    let Parcel { from, text, extra, .. } = inbox.0.into_iter().next().context("nothing was sent")?;
    Ok(json!({"type": extra.r#type, "from": from, "text": text}))
}

/// Fails unless each customer was sent one message, and nobody else any. The yardstick writes to other numbers.
fn everybody_once(inbox: &Inbox, recipients: u32) -> anyhow::Result<()> {
    let ours: Vec<&str> =
        inbox.0.iter().map(|parcel| parcel.to.as_str()).filter(|to| to.starts_with("0102")).collect();
    let expected: HashSet<String> = (WARM_UP + 1..=WARM_UP + recipients).map(number).collect();
    let found: HashSet<&str> = ours.iter().copied().collect();
    ensure!(found.len() == ours.len(), "{} messages went to {} customers", ours.len(), found.len());
    let everybody = expected.len() == found.len() && found.iter().all(|to| expected.contains(*to));
    ensure!(everybody, "{} customers were sent something, and not those {}", found.len(), expected.len());
    Ok(())
}
