//! What happens at one server is seen at another.

mod nats;

use std::time::Duration;

use futures::future::join_all;
use testkit::{Screen, TestApp};
use tokio::time::timeout;

use super::{cut_at, notice, reserves};

/// Nobody looks for what no signal told them of.
const BY_SIGNALS_ALONE: &str = "--look-again=3600000";

/// Whatever is told comes to both screens at once, time and again.
async fn all_hear_at_once(app: &TestApp, screens: &mut [Screen; 2]) {
    let mut heard = 0;
    for n in 0..30 {
        notice(app, &format!("공지 {n}")).await;
        let both = screens.iter_mut().map(|screen| timeout(Duration::from_secs(2), screen.notification()));
        // A transaction of another test's, on the same PostgreSQL, may hold one up until the next is told of.
        if join_all(both).await.iter().all(Result::is_ok) {
            heard += 1;
        }
        if heard == 5 {
            return;
        }
    }
    panic!("of thirty only {heard} came at once");
}

#[tokio::test]
async fn a_signal_is_enough() {
    let app = TestApp::start_with(&[BY_SIGNALS_ALONE]).await;
    let here = app.listens().await;
    let (_other, there) = app.another_server().await;
    let mut screens =
        [Screen::open(here, &app.owner(), "").await, Screen::open(there, &app.owner_of(2), "").await];
    for screen in &mut screens {
        screen.connected().await;
    }
    all_hear_at_once(&app, &mut screens).await;
}

#[tokio::test]
async fn what_is_made_at_one_server_is_seen_at_the_other() {
    let app = TestApp::start().await;
    let here = app.listens().await;
    let (_other, there) = app.another_server().await;
    let mut at_both =
        [Screen::open(here, &app.owner(), "").await, Screen::open(there, &app.owner(), "").await];
    for screen in &mut at_both {
        screen.connected().await;
    }
    reserves(&app.owner(), cut_at("2026-02-14T10:00")).await;
    let [a, b] = &mut at_both;
    assert_eq!(a.tells("RESERVATION_NEW").await, b.tells("RESERVATION_NEW").await);
}

#[tokio::test]
async fn who_changes_servers_misses_nothing_and_hears_nothing_twice() {
    let app = TestApp::start().await;
    let here = app.listens().await;
    let (_other, there) = app.another_server().await;
    let mut screen = Screen::open(here, &app.owner(), "").await;
    screen.connected().await;
    let mut seen = 0;
    for n in 0..60 {
        notice(&app, &format!("공지 {n}")).await;
        let told = screen.notification().await;
        assert_eq!(told["title"], format!("공지 {n}"));
        let id = told["id"].as_i64().expect("an id");
        assert!(id > seen);
        seen = id;
        // At once, before the other one has heard of it.
        let next = if n % 2 == 0 { there } else { here };
        screen = Screen::open(next, &app.owner(), &format!("?lastId={seen}")).await;
        screen.connected().await;
    }
    screen.is_silent().await;
}
