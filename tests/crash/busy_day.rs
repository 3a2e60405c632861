//! A busy day on which everything goes wrong: two workers and an API are killed at random moments,
//! the provider loses answers, and all the while businesses subscribe and ask for refunds.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::{StreamExt, stream};
use sandbox::{Fault, FaultKind, Moment, Sandbox};
use testkit::Card;
use tokio::time::{Instant, sleep};

use crate::{
    customers::{newcomers_paid_once, newcomers_subscribe, refunds_are_as_answered, refunds_are_asked_for},
    dice::Dice,
    judge::judge_renewals,
    process::{Process, free_address},
    world::{World, patiently},
};

const RENEWALS: i64 = 500;
/// Every so many-th card has gone bad since its first charge.
const BAD_CARD_EVERY: i64 = 20;
const KILLS_OF_WORKERS: usize = 25;
const LONGEST_DAY: Duration = Duration::from_secs(90);

/// What a worker may have open for so long that only an undisturbed one settles it.
const OFTEN_ASKED_FOR: i32 = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_two_workers_at_random_moments_while_500_renewals_are_due_charges_each_exactly_once() {
    let mut dice = Dice::from_environment();
    let seed = dice.seed;
    let world = World::begins("busy-day").await;
    let businesses: Vec<i64> = (1..=RENEWALS).collect();
    all_subscribe(&world, &businesses).await;
    let renewals = world.renewals_fall_due(&businesses).await;
    for business in businesses.iter().copied().filter(|business| has_bad_card(*business)) {
        let card = [Card::InsufficientFunds, Card::LimitExceeded, Card::Suspended]
            .into_iter()
            .cycle()
            .nth(usize::try_from(business / BAD_CARD_EVERY).expect("small"))
            .expect("a cycle has no end");
        let customer = World::customer_key(business);
        world.sandbox.change_card_of_customer(&customer, card.number()).expect("the customer has a card");
    }

    let api = free_address();
    // Webhooks of the refunds race their answers.
    world.sandbox.set_toss_webhook_url(Some(format!("http://{api}/api/webhooks/toss")));
    everything_goes_wrong(&world.sandbox);
    let mut crew = Crew::starts(&world, api);
    let customers_are_content = AtomicBool::new(false);
    let (refunds, kills) = tokio::join!(
        async {
            let (refunds, ()) =
                tokio::join!(refunds_are_asked_for(&world, api), newcomers_subscribe(&world, api));
            customers_are_content.store(true, Ordering::SeqCst);
            refunds
        },
        async {
            let kills = crew.is_killed_again_and_again(&mut dice).await;
            world.sandbox.clear_faults();
            crew.finishes(&customers_are_content).await;
            kills
        }
    );
    drop(crew);

    let story = format!("with CRASH_SEED={seed} and {kills:?}");
    eprintln!("{story}");
    assert!(kills.of_workers >= KILLS_OF_WORKERS, "the day was too short: {story}");
    let good: Vec<_> = renewals.into_iter().filter(|renewal| !has_bad_card(renewal.business)).collect();
    assert_eq!(good.len(), 475);
    judge_renewals(&world, &story, &good).await;
    bad_cards_paid_nothing(&world, &story).await;
    refunds_are_as_answered(&world, &refunds, &story).await;
    newcomers_paid_once(&world, &story).await;
}

fn has_bad_card(business: i64) -> bool {
    business % BAD_CARD_EVERY == 0
}

async fn all_subscribe(world: &World, businesses: &[i64]) {
    let server = world.server().await;
    let replies = stream::iter(businesses)
        .map(|business| async { world.owner(*business).subscribes(server.addr).await })
        .buffer_unordered(16);
    replies.for_each(async |reply| assert_eq!(reply.status(), Some(200), "{reply:?}")).await;
}

fn everything_goes_wrong(sandbox: &Sandbox) {
    let slow = |before, after| FaultKind::Delay {
        before: Duration::from_millis(before),
        after: Duration::from_millis(after),
    };
    let faults = [
        (slow(200, 300), 0.3),
        // Slow enough at any time that processes are killed with charges under way.
        (slow(120, 120), 1.0),
        (FaultKind::DropResponse, 0.06),
        (FaultKind::Refuse, 0.04),
        (FaultKind::Error500(Moment::BeforeProcessing), 0.04),
        (FaultKind::Error500(Moment::AfterProcessing), 0.04),
        (FaultKind::Html502(Moment::AfterProcessing), 0.03),
        (FaultKind::Truncated, 0.03),
        (FaultKind::RateLimited, 0.03),
    ];
    sandbox
        .set_faults(faults.map(|(kind, chance)| Fault::new(kind).until_cleared().with_probability(chance)));
}

#[derive(Debug, Default)]
struct Kills {
    of_workers: usize,
    of_the_api: usize,
    /// Charges that were open when a worker was killed, all kills together.
    with_charges_open: i64,
}

/// Two workers and an API.
struct Crew<'w> {
    world: &'w World,
    workers: [Process; 2],
    api: Process,
    api_addr: SocketAddr,
}

impl<'w> Crew<'w> {
    fn starts(world: &'w World, api_addr: SocketAddr) -> Self {
        let api = world.server_at(api_addr, None).process;
        Self { world, workers: [world.worker(), world.worker()], api, api_addr }
    }

    async fn is_killed_again_and_again(&mut self, dice: &mut Dice) -> Kills {
        let mut kills = Kills::default();
        let started = Instant::now();
        loop {
            // Waits for nothing: when to kill is what is random.
            sleep(dice.millis(40, 500)).await;
            self.world.minutes_pass_for_those_asked_for_at_most(OFTEN_ASKED_FOR).await;
            let (due, open) = work_left(self.world).await;
            if due + open == 0 || started.elapsed() > LONGEST_DAY {
                return kills;
            }
            if dice.one_in(5) {
                kills.of_the_api += 1;
                self.api.is_killed().await;
                self.api = self.world.server_at(self.api_addr, None).process;
            } else {
                kills.of_workers += 1;
                kills.with_charges_open += open;
                let victim = if dice.one_in(2) { &mut self.workers[0] } else { &mut self.workers[1] };
                victim.is_killed().await;
                *victim = self.world.worker();
            }
        }
    }

    /// Undisturbed now, until nothing is open and nobody waits for an answer any more.
    async fn finishes(&self, customers_are_content: &AtomicBool) {
        patiently("the day's work is done", async || {
            self.world.minutes_pass().await;
            // So often that a lease does not run out before anybody had the time to do anything.
            sleep(Duration::from_millis(500)).await;
            customers_are_content.load(Ordering::SeqCst) && self.world.unfinished().await == 0
        })
        .await;
    }
}

/// How many renewals are due, and how many are open and not yet left for the quiet end of the day.
async fn work_left(world: &World) -> (i64, i64) {
    sqlx::query_as(
        "select (select count(*) from billing.subscription where due_at <= now() + interval '10 minutes'),
                (select count(*) from billing.payment where status = 'PENDING' and checks <= $1)",
    )
    .bind(OFTEN_ASKED_FOR)
    .fetch_one(&world.superuser)
    .await
    .expect("the database answers")
}

async fn bad_cards_paid_nothing(world: &World, story: &str) {
    let wrong: Vec<i64> = sqlx::query_scalar(
        "select business_id from billing.subscription s
         where business_id % $1 = 0 and business_id <= $2
           and (status <> 'PAST_DUE'
                or 1 <> (select count(*) from billing.payment p
                         where p.business_id = s.business_id and p.approved_at is not null))",
    )
    .bind(BAD_CARD_EVERY)
    .bind(RENEWALS)
    .fetch_all(&world.superuser)
    .await
    .expect("the ledger can be read");
    assert_eq!(wrong, [0_i64; 0], "these have a bad card and are not past due, {story}");
}
