//! The process dies while it writes down what people are told. Nothing is lost by it, and nothing is told twice.

use std::net::SocketAddr;

use chrono::TimeDelta;
use kernel::{Clock, SystemClock};
use platform::Principal;
use serde_json::json;
use sqlx::AssertSqlSafe;
use testkit::Screen;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    dice::Dice,
    world::{World, patiently},
};

impl World {
    /// The platform tells everybody so many things, each in a transaction of its own.
    async fn publishes(&self, titles: std::ops::Range<u32>) {
        for n in titles {
            let data = json!({"title": format!("공지 {n}"), "message": "안내"});
            sqlx::query(
                "insert into platform.event (business_id, kind, occurred_at, data)
                 values (0, 'notice.published', now(), $1)",
            )
            .bind(data)
            .execute(&self.superuser)
            .await
            .expect("an event");
        }
    }

    async fn counts(&self, rows: &str) -> i64 {
        let query = format!("select count(*) from {rows}");
        sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_one(&self.superuser)
            .await
            .expect("the rows are counted")
    }

    async fn titles(&self) -> Vec<String> {
        sqlx::query_scalar("select title from notifications.notification order by notification_id")
            .fetch_all(&self.superuser)
            .await
            .expect("notifications")
    }

    /// Of somebody who is told what everybody is told.
    fn token(&self) -> String {
        let nobody =
            Principal { subject: "user_1".to_owned(), memberships: Vec::new(), is_platform_admin: false };
        self.tokens.issue(&nobody, SystemClock.now(), TimeDelta::hours(1))
    }

    /// Somebody looks at what everybody is told.
    async fn screen(&self, address: SocketAddr) -> Screen {
        let mut screen = Screen::try_open(address, Some(&self.token()), "?lastId=0")
            .await
            .expect("the server takes the connection");
        screen.connected().await;
        screen
    }
}

#[tokio::test]
async fn killed_at_every_step_each_is_told_once_and_in_order() {
    let world = World::begins("notifications").await;
    let server = world.server().await;
    let mut screen = world.screen(server.addr).await;
    let mut published = 0;
    for step in ["react::before_commit", "react::before_signal"] {
        world.publishes(published..published + 50).await;
        published += 50;
        world.worker_that_dies_at(step, &[]).aborts().await;
        let _worker = world.worker();
        for n in published - 50..published {
            assert_eq!(screen.notification().await["title"], format!("공지 {n}"), "killed at {step}");
        }
    }
    let expected: Vec<_> = (0..published).map(|n| format!("공지 {n}")).collect();
    assert_eq!(world.titles().await, expected);
    screen.is_silent().await;
}

#[tokio::test]
async fn killed_at_random_moments_each_is_told_once_and_in_order() {
    let world = World::begins("notifications-at-random").await;
    let server = world.server().await;
    let mut screen = world.screen(server.addr).await;
    let mut dice = Dice::from_environment();
    let publishing = world.publishes(0..2_000);
    let killing = async {
        for _ in 0..12 {
            let mut worker = world.worker();
            let told = world.counts("notifications.notification").await;
            let enough = told + 1 + i64::try_from(dice.below(120)).expect("a small number");
            patiently("it tells something", async || {
                let now = world.counts("notifications.notification").await;
                now >= enough || now == 2_000
            })
            .await;
            worker.is_killed().await;
        }
    };
    tokio::join!(publishing, killing);
    let _worker = world.worker();
    patiently("everything is told", async || world.counts("notifications.notification").await >= 2_000).await;
    let expected: Vec<_> = (0..2_000).map(|n| format!("공지 {n}")).collect();
    assert_eq!(world.titles().await, expected);
    for title in expected {
        assert_eq!(screen.notification().await["title"], title);
    }
    screen.is_silent().await;
}

#[tokio::test]
async fn killed_while_it_reminds_everybody_is_reminded_once() {
    let world = World::begins("reminders").await;
    // Migrated, and with a shop: the processes of production invent none.
    for statement in [
        "insert into identity.business (name, created_at) values ('미소헤어', now())",
        "insert into booking.customer (business_id, external_id, name, created_at, changed_at)
         select 1, 'C-' || n, '고객 ' || n, now(), now() from generate_series(1, 1200) n",
        "insert into booking.reservation (business_id, customer_id, start_at, status, price, created_at, changed_at)
         select business_id, customer_id,
                date_trunc('day', now() at time zone 'Asia/Seoul' + interval '1 day') at time zone 'Asia/Seoul'
                    + interval '10 hours',
                'CONFIRMED', 30000, now() - interval '3 days', now()
         from booking.customer where business_id = 1",
    ] {
        sqlx::query(statement).execute(&world.superuser).await.expect("a shop");
    }
    // It is always late enough in the day.
    let due_now = [("DANGOL_REMINDER_TIME", "00:00")];
    let sweep = "select graphile_worker.add_job('sweep', '{}'::json)";
    for step in ["reminder::before_commit", "reminder::written"] {
        sqlx::query(sweep).execute(&world.superuser).await.expect("a job");
        world.worker_that_dies_at(step, &due_now).aborts().await;
    }
    // The job of the dead one is held by it: another one does the same.
    sqlx::query("delete from graphile_worker._private_jobs")
        .execute(&world.superuser)
        .await
        .expect("no jobs");
    sqlx::query(sweep).execute(&world.superuser).await.expect("a job");
    let _worker = world.worker_with(&due_now);
    let reminders = "notifications.notification where type = 'RESERVATION_REMINDER'";
    patiently("everybody is reminded", async || world.counts(reminders).await >= 1_200).await;
    patiently("the day is done", async || world.counts("notifications.reminder_day").await == 1).await;
    assert_eq!(world.counts(reminders).await, 1_200);
    let once =
        "(select from notifications.notification group by business_id, recipient having count(*) = 1) once";
    assert_eq!(world.counts(once).await, 1_200);
}

#[tokio::test]
async fn a_server_that_is_to_stop_waits_for_nobody_for_ever() {
    let world = World::begins("notifications-unread").await;
    let server = world.server().await;
    // More than fits into the network between the two.
    let much = "insert into notifications.notification (business_id, audience, type, title, message, created_at)
                select 0, 'EVERYONE', 'SYSTEM', '공지', repeat('가', 1900), now() from generate_series(1, 5000)";
    sqlx::query(much).execute(&world.superuser).await.expect("notifications");
    let mut unread = TcpStream::connect(server.addr).await.expect("somebody listens");
    let hello = format!(
        "GET /api/notifications/stream HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\nlast-event-id: 0\r\n\r\n",
        server.addr,
        world.token(),
    );
    unread.write_all(hello.as_bytes()).await.expect("it is sent");
    unread.readable().await.expect("it begins");
    let mut screen = world.screen(server.addr).await;
    let stopped = server.process.stops();
    let told_so = async {
        while let Ok(frame) = screen.next_or_farewell().await {
            assert_eq!(frame["type"], "NOTIFICATION");
        }
    };
    let (stopped, ()) = tokio::join!(stopped, told_so);
    assert!(stopped.success(), "{stopped}");
}
