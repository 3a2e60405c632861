//! The process dies while a new card is put on file and pays what is owed.

use sandbox::{Operation, Provider};
use testkit::{Card, cards_become};

use crate::{
    judge::{judge_renewals, taken_from},
    owner::{PRICE, Reply},
    provider::{gets_to, moods, told_of},
    world::World,
};

/// The steps of a replacement, and what the provider is asked there.
const STEPS: [(&str, Operation); 6] = [
    ("card::written", Operation::Issue),
    ("card::answered", Operation::Issue),
    ("card::stored", Operation::Issue),
    ("charge::written", Operation::Charge),
    ("charge::answered", Operation::Charge),
    ("charge::settled", Operation::Charge),
];

told_of!(Toss as toss, PortOne as portone, Kcp as kcp, Bootpay as bootpay: [
    killed_at_every_named_step_of_a_new_cards_charge_what_is_owed_is_paid_once,
]);

async fn killed_at_every_named_step_of_a_new_cards_charge_what_is_owed_is_paid_once(provider: Provider) {
    let world = World::begins_at(provider, "new-card").await;
    let lasting = world.server().await;
    let mut business = 100;
    for (step, operation) in STEPS {
        for mood in moods(provider).iter().copied().filter(|mood| gets_to(provider, step, *mood)) {
            business += 1;
            let story = format!("killed at {step} while the provider {mood:?}");
            world.sandbox.clear_faults();
            let owner = world.owner(business);
            assert_eq!(owner.subscribes(lasting.addr).await.status(), Some(200), "{story}");
            let customer = World::customer_key(business);
            cards_become(&world.sandbox, provider, &customer, Card::InsufficientFunds).await;
            let renewals = world.renewals_fall_due(&[business]).await;
            world.settles().await;

            let doomed = world.server_that_dies_at(step).await;
            mood.strikes_once(&world.sandbox, operation);
            let reply = owner.replaces_the_card(doomed.addr).await;
            assert!(matches!(reply, Reply::Silence), "{story}: {reply:?}");
            doomed.process.aborts().await;
            world.settles().await;

            // Whether the first request came to anything or not, the owner may make it again.
            world.sandbox.clear_faults();
            let again = owner.replaces_the_card(lasting.addr).await;
            assert_eq!(again.status(), Some(200), "{story}: {again:?}");
            world.settles().await;
            judge_renewals(&world, &story, &renewals).await;
            assert_eq!(taken_from(&world, business).await, [PRICE, PRICE], "{story}");
        }
    }
}
