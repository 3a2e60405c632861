//! One provider is down while renewals fall due, and those who charge them are killed at random. What is
//! known not to be charged goes to the card at the other provider; what is unknown waits.

use std::time::Duration;

use sandbox::{BookStatus, Fault, FaultKind, Moment, Operation, Provider};
use testkit::{Card, cards_become};
use tokio::time::{Instant, sleep};

use crate::{
    dice::Dice,
    judge::judge_renewals,
    world::{World, patiently},
};

const BUSINESSES: i64 = 150;
const KILLS: usize = 12;
const LONGEST_OUTAGE: Duration = Duration::from_secs(45);
/// Every so many-th card at the provider that is down is empty as well.
const BAD_CARD_EVERY: i64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_workers_while_a_provider_is_down_each_renewal_is_charged_once_over_both_providers() {
    let mut dice = Dice::from_environment();
    let world = World::begins("failover").await;
    let businesses: Vec<i64> = (1..=BUSINESSES).collect();
    with_a_card_at_each(&world, &businesses).await;
    for business in businesses.iter().filter(|business| *business % BAD_CARD_EVERY == 0) {
        let customer = World::customer_key(*business);
        cards_become(&world.sandbox, Provider::Toss, &customer, Card::InsufficientFunds).await;
    }
    let renewals = world.renewals_fall_due(&businesses).await;

    toss_is_down(&world);
    let kills = workers_are_killed(&world, &mut dice).await;
    let unknown = open_at_toss(&world).await;
    world.sandbox.clear_faults();
    world.settles().await;

    let paid_at = paid_renewals(&world).await;
    let story = format!(
        "with CRASH_SEED={}, {kills} kills, {unknown} unknown when the outage ended, then paid: {paid_at:?}",
        dice.seed
    );
    eprintln!("{story}");
    judge_renewals(&world, &story, &renewals).await;
    each_renewal_has_one_approval(&world, &story);
    nothing_began_while_another_was_unknown(&world, &story).await;
    // Otherwise nothing was proved.
    assert!(kills >= KILLS, "the outage was too short: {story}");
    assert!(unknown > 0, "nothing was left unknown: {story}");
    assert_eq!(paid_at.len(), 2, "both providers had their share: {story}");
}

async fn with_a_card_at_each(world: &World, businesses: &[i64]) {
    let server = world.server().await;
    for business in businesses {
        let owner = world.owner(*business);
        let reply = owner.subscribes(server.addr).await;
        assert_eq!(reply.status(), Some(200), "{reply:?}");
        let reply = owner.adds_a_backup(server.addr, Provider::PortOne).await;
        assert_eq!(reply.status(), Some(200), "{reply:?}");
    }
}

/// No charge at Toss is answered, though some are made; the other provider is only slow.
fn toss_is_down(world: &World) {
    let slow = FaultKind::Delay { before: Duration::from_millis(40), after: Duration::from_millis(80) };
    let broken = [
        (FaultKind::Refuse, 0.4),
        (FaultKind::Error500(Moment::BeforeProcessing), 0.3),
        (FaultKind::Error500(Moment::AfterProcessing), 0.5),
        (FaultKind::Html502(Moment::AfterProcessing), 1.0),
    ];
    let mut faults = vec![Fault::new(slow).on(Operation::Charge).until_cleared()];
    faults.extend(broken.map(|(kind, chance)| {
        let fault = Fault::new(kind).on(Operation::Charge).until_cleared().with_probability(chance);
        Fault { provider: Some(Provider::Toss), ..fault }
    }));
    world.sandbox.set_faults(faults);
}

/// Two workers, until enough of them died and nothing is due any more.
async fn workers_are_killed(world: &World, dice: &mut Dice) -> usize {
    let mut workers = [world.worker(), world.worker()];
    let (mut kills, started) = (0, Instant::now());
    while started.elapsed() < LONGEST_OUTAGE && (kills < KILLS || due(world).await > 0) {
        sleep(dice.millis(100, 900)).await;
        world.minutes_pass_for_those_asked_for_at_most(2).await;
        let victim = &mut workers[usize::from(dice.one_in(2))];
        victim.is_killed().await;
        *victim = world.worker();
        kills += 1;
    }
    // Those who are left go on until the outage has nothing more to offer.
    patiently("nothing is due", async || due(world).await == 0).await;
    kills
}

async fn due(world: &World) -> i64 {
    let query = "select count(*) from billing.subscription where due_at <= now() + interval '10 minutes'";
    sqlx::query_scalar(query).fetch_one(&world.superuser).await.expect("the database answers")
}

async fn open_at_toss(world: &World) -> i64 {
    let query = "select count(*) from billing.payment where status = 'PENDING' and provider = 'TOSS'";
    sqlx::query_scalar(query).fetch_one(&world.superuser).await.expect("the database answers")
}

/// How many renewals were paid, by provider.
async fn paid_renewals(world: &World) -> Vec<(String, i64)> {
    sqlx::query_as(
        "select provider, count(*) from billing.payment
         where reason <> 'FIRST' and approved_at is not null group by provider order by provider",
    )
    .fetch_all(&world.superuser)
    .await
    .expect("the ledger can be read")
}

/// A first charge and a renewal for each, whatever book they stand in.
fn each_renewal_has_one_approval(world: &World, story: &str) {
    let approved = world.sandbox.book().iter().filter(|entry| entry.status == BookStatus::Approved).count();
    let expected = usize::try_from(2 * BUSINESSES).expect("small");
    assert_eq!(approved, expected, "charges in both books together, {story}");
}

/// Whoever asked for money a second time knew what had become of the first.
async fn nothing_began_while_another_was_unknown(world: &World, story: &str) {
    let overlapping: Vec<(i64, i64, i64)> = sqlx::query_as(
        "select earlier.business_id, earlier.payment_id, later.payment_id
         from billing.payment earlier
         join billing.payment later
           on later.business_id = earlier.business_id and later.invoice_id = earlier.invoice_id
          and later.payment_id > earlier.payment_id
         where earlier.settled_at is null or earlier.settled_at > later.created_at
            or earlier.approved_at is not null",
    )
    .fetch_all(&world.superuser)
    .await
    .expect("the ledger can be read");
    assert_eq!(overlapping, [], "(business, unknown attempt, later attempt), {story}");
    let charged_twice: i64 = sqlx::query_scalar("select count(*) from billing.operator_case")
        .fetch_one(&world.superuser)
        .await
        .expect("the ledger can be read");
    assert_eq!(charged_twice, 0, "what was given up turned out to be charged, {story}");
}
