//! The whole gateway, with an outside world and a clock of its own.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use chrono::TimeDelta;
use clap::Parser;
use gateway::{
    app::App,
    config::Config,
    database,
    dev::{self, DevClock},
};
use kernel::{BusinessId, Clock, KoreanTime, MovableClock};
use platform::{Membership, Principal, Role};
use sandbox::{PopbillSwitches, Sandbox, SandboxConfig, WebhookUrls};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::PgPool;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{Actor, AlterableProvider, TestDatabase};

/// When every test begins: still January by UTC, already February in Korea.
const START: &str = "2026-01-31T23:30:00Z";

/// The test cards of the sandbox.
#[derive(Clone, Copy, Debug)]
pub enum Card {
    Good,
    InsufficientFunds,
    LimitExceeded,
    Suspended,
}

impl Card {
    pub fn number(self) -> &'static str {
        match self {
            Self::Good => "4300-0000-0000-0001",
            Self::InsufficientFunds => "4300-0000-0000-0002",
            Self::LimitExceeded => "4300-0000-0000-0003",
            Self::Suspended => "4300-0000-0000-0004",
        }
    }
}

/// A running dangol that belongs to one test.
pub struct TestApp {
    pub app: App,
    pub clock: Arc<MovableClock>,
    pub sandbox: Sandbox,
    /// What billing asks: the gateway to the sandbox, whose answers a test can alter.
    pub provider: Arc<AlterableProvider>,
    pub database: TestDatabase,
    pub config: Config,
    /// Where files lie.
    pub files: TempDir,
    dev_clock: DevClock,
    router: Router,
}

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    config: Config,
}

impl TestApp {
    pub async fn start() -> Self {
        Box::pin(Self::start_with(&[])).await
    }

    /// With flags as on the command line of `dangol`.
    pub async fn start_with(flags: &[&str]) -> Self {
        let database = TestDatabase::create().await;
        let clock = Arc::new(MovableClock::default());
        clock.set(KoreanTime::parse(START).expect("a time").0);
        let sandbox = Sandbox::start(SandboxConfig {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: None,
            clock: clock.clone(),
            webhook_urls: WebhookUrls::default(),
            latency: Duration::ZERO,
        })
        .await
        .expect("the sandbox starts");
        let mut config = CommandLine::parse_from(["dangol"].iter().chain(flags)).config;
        config.database_url = Some(database.url.clone());
        config.database_connections = 8;
        let files = tempfile::tempdir().expect("a folder for files");
        config.data_dir = files.path().to_owned();
        config.providers.speak_with(&sandbox.base_url());
        config.papers.speak_with(&sandbox.base_url());
        config.messages.speak_with(&sandbox.base_url());
        config.messages.smtp_url = Some(sandbox.smtp_url().into());
        sandbox
            .set_popbill_switches(PopbillSwitches { any_buyer_number: true, ..PopbillSwitches::default() });
        let secrets = config.development_secrets().expect("development secrets");
        let db = database::connect(&database.url, config.database_connections)
            .await
            .expect("the database answers");
        let mut app =
            App::new(&config, &secrets, db, clock.clone()).expect("the application is put together");
        let provider = AlterableProvider::take_place(&mut app.billing.gateways);
        dev::load_demo(&app).await.expect("the demo data loads");
        let dev_clock = DevClock::new(clock.clone(), &app);
        let router = app.clone().router(Some(dev_clock.clone()));
        Self { app, clock, sandbox, provider, database, config, files, dev_clock, router }
    }

    /// The process is started again, put together a little otherwise.
    pub fn restarts(&mut self, otherwise: impl FnOnce(&mut App)) {
        otherwise(&mut self.app);
        self.dev_clock = DevClock::new(self.clock.clone(), &self.app);
        self.router = self.app.clone().router(Some(self.dev_clock.clone()));
    }

    pub fn db(&self) -> &PgPool {
        &self.app.db
    }

    /// A connection that no row-level security binds, to look at everything.
    pub async fn superuser(&self) -> PgPool {
        PgPool::connect(self.database.superuser_url.expose_secret()).await.expect("the database answers")
    }

    /// The owner of business 1.
    pub fn owner(&self) -> Actor {
        self.member(1, Role::Owner)
    }

    pub fn owner_of(&self, business: i64) -> Actor {
        self.member(business, Role::Owner)
    }

    pub fn member(&self, business: i64, role: Role) -> Actor {
        self.bearer(&principal(&[(business, role)], false), TimeDelta::hours(1))
    }

    /// A customer of a business, by the external id.
    pub fn customer(&self, business: i64, external_id: &str) -> Actor {
        let mut customer = principal(&[(business, Role::Customer)], false);
        external_id.clone_into(&mut customer.subject);
        self.bearer(&customer, TimeDelta::hours(1))
    }

    /// The owner of a business whose token runs out in a moment.
    pub fn owner_for(&self, business: i64, lifetime: TimeDelta) -> Actor {
        self.bearer(&principal(&[(business, Role::Owner)], false), lifetime)
    }

    /// Owner of several businesses.
    pub fn owner_of_all(&self, businesses: &[i64]) -> Actor {
        let memberships: Vec<_> = businesses.iter().map(|business| (*business, Role::Owner)).collect();
        self.bearer(&principal(&memberships, false), TimeDelta::hours(1))
    }

    pub fn platform_admin(&self) -> Actor {
        self.bearer(&principal(&[], true), TimeDelta::hours(1))
    }

    /// The owner of business 1, a while after the token ran out.
    pub fn signed_out_owner(&self) -> Actor {
        self.bearer(&principal(&[(1, Role::Owner)], false), TimeDelta::hours(-1))
    }

    pub fn anonymous(&self) -> Actor {
        Actor { router: self.router.clone(), token: None, headers: Vec::new() }
    }

    /// Whoever holds the secret of the scheduler.
    pub fn scheduler(&self) -> Actor {
        let secret = self.app.billing.settings.cron_secret.expose_secret().to_owned();
        Actor { token: Some(secret), ..self.anonymous() }
    }

    fn bearer(&self, principal: &Principal, lifetime: TimeDelta) -> Actor {
        let token = self.app.identity.tokens.issue(principal, kernel::SystemClock.now(), lifetime);
        Actor { token: Some(token), ..self.anonymous() }
    }

    /// What the provider's browser SDK hands the frontend for a card.
    pub fn auth_key(&self, card: Card) -> String {
        self.sandbox.billing_auth("user_1", card.number()).expect("the sandbox issues an auth key")
    }

    /// The body that registers a card and subscribes to a plan.
    pub fn registration(&self, plan: &str, card: Card) -> Value {
        json!({"plan": plan, "paymentMethod": "CARD", "cardNumber": self.auth_key(card), "customerKey": "user_1"})
    }

    /// The owner of business 1 subscribes to BASIC with a good card; answers with the `data`.
    pub async fn subscribed(&self) -> Value {
        self.owner()
            .post("/api/payments/billing-key", self.registration("BASIC", Card::Good))
            .await
            .data()
            .clone()
    }

    /// From now on the customer's card behaves as `card` does.
    pub fn card_becomes(&self, card: Card) {
        self.sandbox.change_card_of_customer("user_1", card.number()).expect("the customer has a card");
    }

    /// Time passes, and all that becomes due on the way is done. `until` as in `2026-03-14T10:00`.
    pub async fn time_passes_until(&self, until: &str) -> dev::Moved {
        let until = KoreanTime::parse(until).expect("a time").0;
        self.dev_clock.move_to(until).await.expect("the clock moves")
    }

    /// Does what is due now, as the worker does every minute.
    pub async fn sweep(&self) -> billing::RunReport {
        self.app.billing.sweep().await.expect("the sweep succeeds")
    }

    /// The charges and cancels that the provider holds for good, won: `(charged, canceled)`.
    pub fn provider_totals(&self) -> (i64, i64) {
        use sandbox::BookStatus::{Approved, Canceled, Declined, Issued, Revoked};
        self.sandbox.book().iter().fold((0, 0), |(charged, canceled), entry| match entry.status {
            Approved => (charged + entry.amount.get(), canceled),
            Canceled => (charged, canceled + entry.amount.get()),
            Declined | Issued | Revoked => (charged, canceled),
        })
    }

    /// How many charges the provider approved.
    pub fn charges(&self) -> usize {
        self.sandbox.book().iter().filter(|entry| entry.status == sandbox::BookStatus::Approved).count()
    }

    /// The kinds of a business's events, oldest first.
    pub async fn events(&self, actor: &Actor) -> Vec<String> {
        let answer = actor.get("/api/subscriptions/current/events?limit=100").await;
        answer.data().as_array().expect("a list").iter().rev().map(|event| text(&event["type"])).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn principal(memberships: &[(i64, Role)], is_platform_admin: bool) -> Principal {
    let memberships = memberships
        .iter()
        .map(|(id, role)| Membership { business_id: BusinessId(*id), role: *role })
        .collect();
    Principal { subject: format!("user_{}", Uuid::new_v4().simple()), memberships, is_platform_admin }
}
