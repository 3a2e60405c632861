//! The process dies while a business subscribes.

use sandbox::{Operation, Provider};

use crate::{
    judge::{judge, taken_from},
    owner::{PRICE, Reply},
    provider::{gets_to, is_sent_again, moods, told_of},
    world::World,
};

/// The steps of a first charge, and what the provider is asked there.
const STEPS: [(&str, Operation); 6] = [
    ("card::written", Operation::Issue),
    ("card::answered", Operation::Issue),
    ("card::stored", Operation::Issue),
    ("charge::written", Operation::Charge),
    ("charge::answered", Operation::Charge),
    ("charge::settled", Operation::Charge),
];

told_of!(Toss as toss, PortOne as portone, Kcp as kcp, Bootpay as bootpay: [
    killed_at_every_named_step_of_a_first_charge_the_business_is_charged_once,
]);

async fn killed_at_every_named_step_of_a_first_charge_the_business_is_charged_once(provider: Provider) {
    let world = World::begins_at(provider, "first-charge").await;
    let lasting = world.server().await;
    let mut business = 100;
    for (step, operation) in STEPS {
        for mood in moods(provider).iter().copied().filter(|mood| gets_to(provider, step, *mood)) {
            business += 1;
            let story = format!("killed at {step} while the provider {mood:?}");
            let owner = world.owner(business);
            let doomed = world.server_that_dies_at(step).await;
            mood.strikes_once(&world.sandbox, operation);
            let reply = owner.subscribes(doomed.addr).await;
            assert!(matches!(reply, Reply::Silence), "{story}: {reply:?}");
            doomed.process.aborts().await;
            world.settles().await;
            judge(&world, &story).await;

            // Before anything was charged the owner has to begin again; after, there is nothing left to do.
            world.sandbox.clear_faults();
            let again = owner.subscribes(lasting.addr).await;
            let is_charged =
                operation == Operation::Charge && (step != "charge::written" || is_sent_again(provider));
            let expected = if is_charged { (409, "ALREADY_SUBSCRIBED") } else { (200, "") };
            assert_eq!((again.status(), again.code()), (Some(expected.0), expected.1), "{story}: {again:?}");
            world.settles().await;
            judge(&world, &story).await;
            assert_eq!(taken_from(&world, business).await, [PRICE], "{story}");
        }
    }
}
