//! The process dies while renewals are charged, and while the reconciler cleans up after it.

use sandbox::{Operation, Provider};

use crate::{
    judge::judge_renewals,
    mood::Mood,
    process::Server,
    provider::{is_sent_again, moods, told_of},
    world::World,
};

const STEPS: [&str; 4] = ["run::before_commit", "charge::written", "charge::answered", "charge::settled"];

/// Where the first process dies, and where the one that finds what it left. A charge that the
/// provider knows of is not sent again.
const RECONCILED_STEPS: [(&str, &str); 5] = [
    ("charge::written", "reconcile::written"),
    ("charge::written", "reconcile::answered"),
    ("charge::written", "reconcile::settled"),
    ("charge::answered", "reconcile::answered"),
    ("charge::answered", "reconcile::settled"),
];

/// Each case kills the process in the middle of a batch: some of it is charged, some is not.
const BATCH: i64 = 3;

told_of!(Toss as toss, PortOne as portone, Kcp as kcp, Bootpay as bootpay: [
    killed_at_every_named_step_of_a_renewal_every_renewal_is_charged_once,
]);

// At KCP there is nothing to ask by order, and so no such steps.
told_of!(Toss as toss_reconciled, PortOne as portone_reconciled, Bootpay as bootpay_reconciled: [
    killed_at_every_named_step_of_a_reconciliation_every_renewal_is_charged_once,
]);

async fn killed_at_every_named_step_of_a_renewal_every_renewal_is_charged_once(provider: Provider) {
    let world = World::begins_at(provider, "renewal").await;
    let server = world.server().await;
    let mut first = 1_000;
    for step in STEPS {
        for mood in moods(provider) {
            first += BATCH;
            let businesses = subscribed(&world, &server, first).await;
            let renewals = world.renewals_fall_due(&businesses).await;
            mood.strikes_once(&world.sandbox, Operation::Charge);
            world.bill_dies_at(step).await;
            world.settles().await;
            let story = format!("killed at {step} while the provider {mood:?}");
            judge_renewals(&world, &story, &renewals).await;
        }
    }
}

async fn killed_at_every_named_step_of_a_reconciliation_every_renewal_is_charged_once(provider: Provider) {
    let world = World::begins_at(provider, "reconciliation").await;
    let server = world.server().await;
    let mut first = 1_000;
    for (step, next_step) in RECONCILED_STEPS {
        if next_step == "reconcile::written" && !is_sent_again(provider) {
            continue;
        }
        for mood in moods(provider) {
            // A provider that answers does so whatever it is asked.
            let answers = *mood == Mood::Answers;
            let asked =
                if answers { &[Operation::Charge][..] } else { &[Operation::Charge, Operation::Lookup] };
            for asked in asked.iter().copied() {
                first += BATCH;
                let businesses = subscribed(&world, &server, first).await;
                let renewals = world.renewals_fall_due(&businesses).await;
                world.sandbox.clear_faults();
                world.bill_dies_at(step).await;
                world.minutes_pass().await;
                mood.strikes_once(&world.sandbox, asked);
                world.bill_dies_at(next_step).await;
                world.settles().await;
                let story =
                    format!("killed at {step} and at {next_step} while the provider {mood:?} to a {asked:?}");
                judge_renewals(&world, &story, &renewals).await;
            }
        }
    }
}

async fn subscribed(world: &World, server: &Server, first: i64) -> Vec<i64> {
    world.sandbox.clear_faults();
    let businesses: Vec<i64> = (first..first + BATCH).collect();
    for business in &businesses {
        let reply = world.owner(*business).subscribes(server.addr).await;
        assert_eq!(reply.status(), Some(200), "{reply:?}");
    }
    businesses
}
