//! A thousand at once, who come and go as they like.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures::future::join_all;
use testkit::{Actor, Screen, TestApp};
use tokio::time::{Instant, interval, timeout_at};

use super::notice;

const SHOPS: i64 = 50;
const ADMINS_OF_EACH: i64 = 16;
const CUSTOMERS: i64 = 200;
/// The first of the shops, of which nobody else knows anything.
const FIRST_SHOP: i64 = 1_001;
const EVENTS: u32 = 10_000;
/// In which all of it happens.
const A_MINUTE: Duration = Duration::from_mins(1);
/// Nobody stays longer, whether they are told something or not.
const LONGEST_VISIT: u64 = 20_000;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Somebody who hangs up every now and then without a word, and comes back to any server.
struct Visitor {
    who: Actor,
    dice: Dice,
    servers: Arc<[SocketAddr]>,
}

/// What somebody saw, and how often they came.
struct Seen {
    ids: Vec<i64>,
    visits: usize,
}

impl Visitor {
    /// Until the last thing that is told.
    async fn watches(mut self) -> Seen {
        let mut seen = Seen { ids: Vec::new(), visits: 0 };
        loop {
            seen.visits += 1;
            let server = self.servers[usize::try_from(self.dice.below(2)).expect("0 or 1")];
            let query = format!("?lastId={}", seen.ids.last().unwrap_or(&0));
            // A server that is busy may refuse; then it is asked once more.
            let Ok(mut screen) = Screen::try_open(server, Some(self.who.token()), &query).await else {
                continue;
            };
            let leaves = Instant::now() + Duration::from_millis(self.dice.below(LONGEST_VISIT));
            while let Ok(Some(frame)) = timeout_at(leaves, screen.next_if_open()).await {
                if frame["type"] != "NOTIFICATION" {
                    continue;
                }
                seen.ids.push(frame["data"]["id"].as_i64().expect("an id"));
                if frame["data"]["title"] == "끝" {
                    return seen;
                }
            }
        }
    }
}

/// Ten thousand things happen to the shops in a minute, a hundred in each transaction: payments, of which a shop hears, and cancelled
/// reservations, of which it hears with one of its customers.
async fn things_happen(app: &TestApp) {
    let rounds = EVENTS / 100;
    let mut pace = interval(A_MINUTE / rounds);
    for round in 0..rounds {
        pace.tick().await;
        app.sql(&format!(
            "insert into platform.event (business_id, kind, occurred_at, data)
             select {FIRST_SHOP} + (n * 7 + {round}) % {SHOPS},
                    case when n % 4 = 0 then 'reservation.cancelled' else 'payment.succeeded' end, now(),
                    case when n % 4 = 0
                        then jsonb_build_object('reservationId', n, 'startAt', '2099-01-01T10:00:00+09:00', 'customerId',
                                 (select customer_id from booking.customer c
                                  where c.business_id = {FIRST_SHOP} + (n * 7 + {round}) % {SHOPS}
                                  order by customer_id offset ({round} + n) % {per_shop} limit 1))
                        else jsonb_build_object('paymentId', n, 'amount', 29000) end
             from generate_series(0, 99) n",
            per_shop = CUSTOMERS / SHOPS,
        ))
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_who_come_and_go_see_each_of_theirs_once_and_in_order() {
    let app = TestApp::start().await;
    app.sql(&format!(
        "insert into booking.customer (business_id, external_id, name, created_at, changed_at)
         select {FIRST_SHOP} + n % {SHOPS}, 'C-' || n, '고객 ' || n, now(), now() from generate_series(0, {CUSTOMERS} - 1) n"
    ))
    .await;
    let here = app.listens().await;
    let (_other, there) = app.another_server().await;
    let servers: Arc<[SocketAddr]> = Arc::new([here, there]);
    let admins = (0..SHOPS * ADMINS_OF_EACH).map(|n| {
        let shop = FIRST_SHOP + n % SHOPS;
        (app.owner_of(shop), format!("business_id = {shop} and audience = 'ADMINS'"))
    });
    let customers = (0..CUSTOMERS).map(|n| {
        let shop = FIRST_SHOP + n % SHOPS;
        (app.customer(shop, &format!("C-{n}")), format!("business_id = {shop} and recipient = 'C-{n}'"))
    });
    let people: Vec<_> = admins.chain(customers).collect();
    assert_eq!(people.len(), 1_000);
    let watching = people.iter().enumerate().map(|(n, (who, _))| {
        let dice = Dice(n as u64 + 1);
        tokio::spawn(Visitor { who: who.clone(), dice, servers: Arc::clone(&servers) }.watches())
    });
    let watching: Vec<_> = watching.collect();

    things_happen(&app).await;
    notice(&app, "끝").await;

    let mut visits = 0;
    let all = join_all(watching).await;
    for ((_, theirs), seen) in people.iter().zip(all) {
        let seen = seen.expect("nobody gives up");
        visits += seen.visits;
        let query = format!(
            "select coalesce(string_agg(notification_id::text, ',' order by notification_id), '')
             from notifications.notification where audience = 'EVERYONE' or {theirs}"
        );
        let told = app.texts(&query).await.remove(0);
        let seen: Vec<_> = seen.ids.iter().map(ToString::to_string).collect();
        assert_eq!(seen.join(","), told, "{theirs}");
    }
    assert!(visits > 4_000, "they came and went: {visits}");
    let told = app.count("notifications.notification").await;
    assert_eq!(
        told,
        10_000 + 2_500 + 1,
        "a shop and a customer hear of what is cancelled, everybody of the end"
    );
}
