//! The process dies while a payment from the provider's window is confirmed.

use kernel::Krw;
use sandbox::{Operation, PaymentAuth};
use testkit::Card;

use crate::{
    judge::{judge, taken_from},
    mood::Mood,
    owner::{PRICE, Reply},
    world::World,
};

#[tokio::test]
async fn killed_at_every_named_step_of_a_checkout_the_payer_is_charged_once() {
    let world = World::begins("checkout").await;
    let lasting = world.server().await;
    let mut business = 100;
    for step in ["charge::written", "charge::answered", "charge::settled"] {
        for mood in Mood::ALL {
            business += 1;
            let story = format!("killed at {step} while the provider {mood:?}");
            let owner = world.owner(business);
            let order = format!("order-of-{business}");
            let payment_key = world.sandbox.payment_auth(PaymentAuth {
                order_id: order.clone(),
                amount: Krw::won(PRICE),
                card_number: Card::Good.number().to_owned(),
                order_name: None,
                customer_key: None,
            });
            let payment_key = payment_key.expect("the payer authenticates");
            let doomed = world.server_that_dies_at(step).await;
            mood.strikes_once(&world.sandbox, Operation::Confirm);
            let reply = owner.confirms(doomed.addr, &order, &payment_key).await;
            assert!(matches!(reply, Reply::Silence), "{story}: {reply:?}");
            doomed.process.aborts().await;
            world.settles().await;
            judge(&world, &story).await;

            let again = owner.confirms(lasting.addr, &order, &payment_key).await;
            assert_eq!(again.status(), Some(200), "{story}: {again:?}");
            judge(&world, &story).await;
            assert_eq!(taken_from(&world, business).await, [PRICE], "{story}");
        }
    }
}
