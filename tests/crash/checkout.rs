//! The process dies while a payment from the provider's window is confirmed.

use sandbox::{Operation, Provider};

use crate::{
    judge::{judge, taken_from},
    owner::{PRICE, Reply},
    provider::{is_sent_again, moods, told_of},
    world::World,
};

told_of!(Toss as toss, PortOne as portone, Kcp as kcp, Bootpay as bootpay: [
    killed_at_every_named_step_of_a_checkout_the_payer_is_charged_once,
]);

async fn killed_at_every_named_step_of_a_checkout_the_payer_is_charged_once(provider: Provider) {
    let world = World::begins_at(provider, "checkout").await;
    let lasting = world.server().await;
    let mut business = 100;
    for step in ["charge::written", "charge::answered", "charge::settled"] {
        for mood in moods(provider) {
            business += 1;
            let story = format!("killed at {step} while the provider {mood:?}");
            let owner = world.owner(business);
            let order = format!("orderof{business}");
            let payment_key = world.payment_in_the_window(&order).await;
            let doomed = world.server_that_dies_at(step).await;
            mood.strikes_once(&world.sandbox, Operation::Confirm);
            let reply = owner.confirms(doomed.addr, &order, &payment_key).await;
            assert!(matches!(reply, Reply::Silence), "{story}: {reply:?}");
            doomed.process.aborts().await;
            world.settles().await;
            judge(&world, &story).await;

            world.sandbox.clear_faults();
            let mut again = owner.confirms(lasting.addr, &order, &payment_key).await;
            if step == "charge::written" && !is_sent_again(provider) {
                assert_eq!(again.code(), "CARD_DECLINED", "{story}: {again:?}");
                let order = format!("nextorderof{business}");
                let payment_key = world.payment_in_the_window(&order).await;
                again = owner.confirms(lasting.addr, &order, &payment_key).await;
            }
            assert_eq!(again.status(), Some(200), "{story}: {again:?}");
            judge(&world, &story).await;
            assert_eq!(taken_from(&world, business).await, [PRICE], "{story}");
        }
    }
}
