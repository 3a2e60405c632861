//! What customers ask for on a busy day, again and again until they have an answer.

use std::{net::SocketAddr, time::Duration};

use futures::{StreamExt, stream};
use tokio::time::{Instant, sleep};

use crate::{
    judge::taken_from,
    owner::{Owner, PRICE, Reply},
    world::World,
};

const PATIENCE: Duration = Duration::from_mins(3);

/// The refunds that each of the first businesses asks for. They do not all fit into 29,000, and no
/// choice of them empties it, which would end the subscription.
const REFUNDS: [i64; 3] = [5_000, 7_000, 20_000];
const REFUNDING: i64 = 60;
const REFUNDS_AT_ONCE: usize = 6;

const NEWCOMERS: std::ops::Range<i64> = 10_000..10_030;

pub(crate) struct AskedRefund {
    payment: i64,
    key: String,
    /// The status of the answer that was had in the end.
    answer: u16,
}

/// Each request is made again and again, under its key, until it is answered.
pub(crate) async fn refunds_are_asked_for(world: &World, api: SocketAddr) -> Vec<AskedRefund> {
    let wanted = (1..=REFUNDING).flat_map(|business| REFUNDS.map(|amount| (business, amount)));
    stream::iter(wanted)
        .map(|(business, amount)| async move {
            let owner = world.owner(business);
            let payment = world.first_payment(business).await;
            let key = format!("refund-of-{amount}");
            let ask = async || owner.refunds(api, payment, amount, &key).await;
            let reply = insists(&owner, ask, |reply| match reply.status() {
                Some(200 | 202 | 422) => true,
                Some(409) if reply.code() == "IDEMPOTENCY_KEY_IN_USE" => false,
                Some(500..) | None => false,
                Some(_) => panic!("a refund of {amount} for {business} was answered {reply:?}"),
            })
            .await;
            let answer = reply.status().expect("an answer has a status");
            AskedRefund { payment, key, answer }
        })
        .buffer_unordered(REFUNDS_AT_ONCE)
        .collect()
        .await
}

/// Who was told yes got the money once, who was told no got nothing.
pub(crate) async fn refunds_are_as_answered(world: &World, refunds: &[AskedRefund], story: &str) {
    for AskedRefund { payment, key, answer } in refunds {
        let made: i64 = sqlx::query_scalar(
            "select count(*) from billing.refund
             where payment_id = $1 and idempotency_key = $2 and status = 'SUCCESS'",
        )
        .bind(payment)
        .bind(key)
        .fetch_one(&world.superuser)
        .await
        .expect("the ledger can be read");
        assert_eq!(
            made,
            i64::from(*answer != 422),
            "{key} of payment {payment} was answered {answer}, {story}"
        );
    }
}

/// Businesses that subscribe on this of all days.
pub(crate) async fn newcomers_subscribe(world: &World, api: SocketAddr) {
    let newcomers = stream::iter(NEWCOMERS).map(|business| async move {
        let owner = world.owner(business);
        let is_subscribed = |reply: &Reply| match reply.status() {
            Some(200 | 202) => true,
            // An earlier request got through, though its answer did not.
            Some(409) => reply.code() == "ALREADY_SUBSCRIBED",
            // Whoever authenticated a card in vain authenticates it anew.
            _ => false,
        };
        insists(&owner, async || owner.subscribes(api).await, is_subscribed).await;
    });
    newcomers.buffer_unordered(3).collect::<Vec<()>>().await;
}

pub(crate) async fn newcomers_paid_once(world: &World, story: &str) {
    for business in NEWCOMERS {
        assert_eq!(taken_from(world, business).await, [PRICE], "newcomer {business}, {story}");
    }
}

/// Asks until the answer is one to go by.
async fn insists(
    owner: &Owner<'_>,
    ask: impl AsyncFn() -> Reply,
    is_answer: impl Fn(&Reply) -> bool,
) -> Reply {
    let started = Instant::now();
    loop {
        let reply = ask().await;
        if is_answer(&reply) {
            return reply;
        }
        assert!(started.elapsed() < PATIENCE, "{} never gets an answer: {reply:?}", owner.business);
        sleep(Duration::from_millis(50)).await;
    }
}
