//! `bench -- billing-run`

use std::path::Path;

use clap::Args;

use crate::{
    bare_charges::BareCharges,
    billing_process::{Billed, BillingProcess},
    ledger,
    part::{self, Part, Task},
    seed::{Seed, issue_billing_key},
    verdict,
    world::{ClockAhead, World},
};

const RATIO: f64 = 0.8;
const MEGABYTES: f64 = 200.0;
/// More would only take longer: the yardstick is as fast at its end as at its beginning.
const LONGEST_YARDSTICK: u64 = 10_000;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Subscriptions that are due
    #[arg(long, default_value_t = 10_000)]
    due: u32,
    /// Charges under way at once
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    /// How long the sandbox takes to answer
    #[arg(long, default_value_t = 50)]
    latency_ms: u64,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let Arguments { due, concurrency, latency_ms } = *arguments;
    println!("billing-run: {due} due, {concurrency} at once, the sandbox answers after {latency_ms} ms");
    let world = World::start().await?;
    let mut sandbox =
        Part::start(&Task::Sandbox { latency_ms, clock: ClockAhead::NONE }, world.folder()).await?;
    let sandbox_url: String = sandbox.answer().await?;
    let billing_key = issue_billing_key(&sandbox_url).await?;
    let warm_up = u32::from(concurrency) * 10;
    let seed = Seed {
        superuser_url: world.superuser_url(),
        billing_key: billing_key.clone(),
        due_now: warm_up.into(),
        due_later: due.into(),
    };
    part::outcome::<i64>(&Task::Seed(seed), world.folder()).await?;
    world.settle_down().await?;

    let yardstick = Task::BareCharges(BareCharges {
        sandbox_url: sandbox_url.clone(),
        billing_key,
        charges: u64::from(due).min(LONGEST_YARDSTICK),
        warm_up: warm_up.into(),
        concurrency: concurrency.into(),
    });
    let before = bare(&yardstick, world.folder(), "bare loop, before").await?;
    let billing = BillingProcess {
        database_url: world.url(),
        sandbox_url: sandbox_url.clone(),
        concurrency: concurrency.into(),
    };
    let billed: Billed = part::outcome(&Task::BillingProcess(billing), world.folder()).await?;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    let rate = billed.charges as f64 / billed.seconds;
    verdict::rate("billing run", rate, "charges/s");
    let after = bare(&yardstick, world.folder(), "bare loop, after").await?;

    let reached = verdict::at_least(rate / f64::midpoint(before, after), RATIO);
    let small = verdict::below(billed.peak_megabytes, MEGABYTES);
    let (charges, won) = ledger::compare(&mut world.superuser().await?, &sandbox_url).await?;
    println!("  book = ledger        {charges:>10} charges (warming up included), {won} won");
    sandbox.stop().await?;
    world.stop().await;
    Ok(reached && small)
}

async fn bare(task: &Task, folder: &Path, name: &str) -> anyhow::Result<f64> {
    let rate = part::outcome(task, folder).await?;
    verdict::rate(name, rate, "charges/s");
    Ok(rate)
}
