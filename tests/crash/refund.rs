//! The process dies while money is given back.

use std::{net::SocketAddr, time::Duration};

use futures::future::join_all;
use sandbox::{BookStatus, Fault, FaultKind, Operation, Provider};

use crate::{
    judge::judge,
    owner::Reply,
    process::Server,
    provider::{moods, told_of},
    world::{World, patiently},
};

const STEPS: [&str; 3] = ["refund::written", "refund::answered", "refund::settled"];

told_of!(Toss as toss, PortOne as portone, Kcp as kcp, Bootpay as bootpay: [
    killed_at_every_named_step_of_a_refund_and_asked_again_it_is_given_back_once,
    killed_at_every_named_step_of_a_refunds_reconciliation_it_is_given_back_once,
]);

async fn killed_at_every_named_step_of_a_refund_and_asked_again_it_is_given_back_once(provider: Provider) {
    let world = World::begins_at(provider, "refund").await;
    let lasting = world.server().await;
    let mut business = 100;
    for step in STEPS {
        for mood in moods(provider) {
            for settled_before_asked_again in [false, true] {
                business += 1;
                let payment = paid(&world, &lasting, business).await;
                let owner = world.owner(business);
                let doomed = world.server_that_dies_at(step).await;
                mood.strikes_once(&world.sandbox, Operation::Cancel);
                let reply = owner.refunds(doomed.addr, payment, 9_000, "the-request").await;
                assert!(matches!(reply, Reply::Silence), "{reply:?}");
                doomed.process.aborts().await;

                let story = format!(
                    "killed at {step} while the provider {mood:?}, settled before asked again: {settled_before_asked_again}"
                );
                if settled_before_asked_again {
                    world.settles().await;
                }
                world.minutes_pass().await;
                let reply = owner.refunds(lasting.addr, payment, 9_000, "the-request").await;
                assert!(matches!(reply.status(), Some(200 | 202)), "{story}: {reply:?}");
                world.settles().await;
                judge(&world, &story).await;
                assert_eq!(given_back(&world, payment).await, [9_000], "{story}");
            }
        }
    }
}

async fn killed_at_every_named_step_of_a_refunds_reconciliation_it_is_given_back_once(provider: Provider) {
    let world = World::begins_at(provider, "refund-reconciliation").await;
    let server = world.server().await;
    let mut business = 100;
    for next_step in ["refund::answered", "refund::settled"] {
        for mood in moods(provider) {
            business += 1;
            let payment = paid(&world, &server, business).await;
            let doomed = world.server_that_dies_at("refund::written").await;
            world.owner(business).refunds(doomed.addr, payment, 9_000, "the-request").await;
            doomed.process.aborts().await;
            world.minutes_pass().await;
            mood.strikes_once(&world.sandbox, Operation::Cancel);
            world.bill_dies_at(next_step).await;
            world.settles().await;
            judge(&world, &format!("killed at {next_step} while the provider {mood:?}")).await;
            assert_eq!(given_back(&world, payment).await, [9_000]);
        }
    }
}

#[tokio::test]
async fn ten_partial_refunds_at_once_never_exceed_the_payment_even_if_killed_in_the_middle() {
    const PART: i64 = 4_000;
    const FIT: usize = 7; // 7 * 4,000 of 29,000

    let world = World::begins("ten-refunds").await;
    let mut server = world.server().await;
    let payment = paid(&world, &server, 100).await;
    let owner = world.owner(100);
    let ask_all = async |server: SocketAddr| {
        let keys: Vec<String> = (1..=10).map(|number| format!("request-{number}")).collect();
        join_all(keys.iter().map(|key| owner.refunds(server, payment, PART, key))).await
    };

    // Slow enough to be killed when some cancels are made, some are under way and some answered.
    let slow = FaultKind::Delay { before: Duration::from_millis(50), after: Duration::from_millis(400) };
    world.sandbox.set_faults([Fault::new(slow).on(Operation::Cancel).until_cleared()]);
    let addr = server.addr;
    let (replies, ()) = tokio::join!(ask_all(addr), async {
        patiently("some of it went back", async || cancels(&world) >= 3).await;
        server.process.is_killed().await;
    });
    let silent = replies.iter().filter(|reply| matches!(reply, Reply::Silence)).count();
    assert!(silent > 0, "nobody was interrupted: {replies:?}");

    world.sandbox.clear_faults();
    let server = world.server().await;
    world.minutes_pass().await;
    let replies = ask_all(server.addr).await;
    let granted = replies.iter().filter(|reply| matches!(reply.status(), Some(200 | 202))).count();
    let refused = replies.iter().filter(|reply| reply.status() == Some(422)).count();
    assert_eq!((granted, refused), (FIT, 10 - FIT), "{replies:?}");
    world.settles().await;
    judge(&world, "ten partial refunds").await;
    assert_eq!(given_back(&world, payment).await, [PART; FIT]);

    // Once more changes nothing: every request has its answer.
    ask_all(server.addr).await;
    judge(&world, "ten partial refunds, asked for once more").await;
    assert_eq!(cancels(&world), FIT);
}

/// A business that subscribed; answers with its payment.
async fn paid(world: &World, server: &Server, business: i64) -> i64 {
    world.sandbox.clear_faults();
    let reply = world.owner(business).subscribes(server.addr).await;
    assert_eq!(reply.status(), Some(200), "{reply:?}");
    world.first_payment(business).await
}

fn cancels(world: &World) -> usize {
    world.sandbox.book().iter().filter(|entry| entry.status == BookStatus::Canceled).count()
}

/// What the provider gave back of a payment.
async fn given_back(world: &World, payment: i64) -> Vec<i64> {
    let order: String = sqlx::query_scalar("select order_id from billing.payment where payment_id = $1")
        .bind(payment)
        .fetch_one(&world.superuser)
        .await
        .expect("the payment exists");
    let book = world.sandbox.book().into_iter();
    book.filter(|entry| entry.status == BookStatus::Canceled && entry.order_id == order)
        .map(|entry| entry.amount.get())
        .collect()
}
