//! NATS between the servers, which may go and come again.

use std::{env, net::SocketAddr, path::PathBuf, process::Stdio};

use notifications::Topic;
use testkit::{Screen, TestApp};
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{Duration, Instant, sleep, timeout},
};

use super::{BY_SIGNALS_ALONE, all_hear_at_once};
use crate::notifications::notice;

/// Where Debian and Homebrew put it, beside the folders of `PATH`. What CI runs insists that it is there
/// (`DANGOL_REQUIRE_NATS`); elsewhere the story is told only where somebody installed it.
fn nats_server() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let known = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"].map(PathBuf::from);
    let found =
        env::split_paths(&path).chain(known).map(|folder| folder.join("nats-server")).find(|it| it.is_file());
    assert!(
        found.is_some() || env::var_os("DANGOL_REQUIRE_NATS").is_none(),
        "nats-server is not installed: apt-get install nats-server"
    );
    found
}

/// A NATS server on an address of its own.
struct Nats {
    program: PathBuf,
    address: SocketAddr,
    process: Child,
}

impl Nats {
    async fn start(program: PathBuf) -> Self {
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let process = Self::run(&program, address).await;
        Self { program, address, process }
    }

    async fn run(program: &PathBuf, address: SocketAddr) -> Child {
        let process = Command::new(program)
            .args(["-a", "127.0.0.1", "-p", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("nats-server starts");
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(address).await.is_err() {
            assert!(Instant::now() < deadline, "nats-server does not listen");
            sleep(Duration::from_millis(10)).await;
        }
        process
    }

    async fn is_killed(&mut self) {
        self.process.kill().await.expect("it is killed");
    }

    async fn comes_back(&mut self) {
        self.process = Self::run(&self.program, self.address).await;
    }
}

#[tokio::test]
async fn nothing_is_missed_while_nats_is_away() {
    let Some(program) = nats_server() else { return };
    let mut nats = Nats::start(program).await;
    let app = TestApp::start_with(&[&format!("--nats-url=nats://{}", nats.address)]).await;
    let here = app.listens().await;
    let (_other, there) = app.another_server().await;
    let mut screens =
        [Screen::open(here, &app.owner(), "").await, Screen::open(there, &app.owner_of(2), "").await];
    for screen in &mut screens {
        screen.connected().await;
    }
    let mut told = 0;
    let mut is_told = async |app: &TestApp, screens: &mut [Screen; 2]| {
        for n in told..told + 10 {
            notice(app, &format!("공지 {n}")).await;
        }
        for screen in screens {
            for n in told..told + 10 {
                assert_eq!(screen.notification().await["title"], format!("공지 {n}"));
            }
        }
        told += 10;
    };
    is_told(&app, &mut screens).await;
    let listening =
        "pg_catalog.pg_stat_activity where datname = current_database() and query ilike 'listen %'";
    assert_eq!(app.count(listening).await, 0, "PostgreSQL carries no signals then");
    nats.is_killed().await;
    is_told(&app, &mut screens).await;
    // More signals than the client keeps, and nobody waits for them.
    for _ in 0..3_000 {
        let sent = app.app.notifications.signal.send(Topic::Notifications);
        timeout(Duration::from_secs(5), sent).await.expect("nobody waits for NATS");
    }
    nats.comes_back().await;
    is_told(&app, &mut screens).await;
    for screen in &mut screens {
        screen.is_silent().await;
    }
}

#[tokio::test]
async fn a_signal_over_nats_is_enough_also_once_it_came_back() {
    let Some(program) = nats_server() else { return };
    let mut nats = Nats::start(program).await;
    let url = format!("--nats-url=nats://{}", nats.address);
    let app = TestApp::start_with(&[&url, BY_SIGNALS_ALONE]).await;
    let here = app.listens().await;
    let (_other, there) = app.another_server().await;
    let mut screens =
        [Screen::open(here, &app.owner(), "").await, Screen::open(there, &app.owner_of(2), "").await];
    for screen in &mut screens {
        screen.connected().await;
    }
    all_hear_at_once(&app, &mut screens).await;
    nats.is_killed().await;
    nats.comes_back().await;
    all_hear_at_once(&app, &mut screens).await;
}
