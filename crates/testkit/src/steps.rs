//! The steps that stories are told in, beyond what an [`Actor`] says over HTTP.

use std::{fs, future, net::SocketAddr, path::Path};

use axum::{Router, http::Method};
use chrono::TimeDelta;
use gateway::app::App;
use kernel::{KoreanTime, Krw};
use sandbox::{BookEntry, BookStatus, PaymentAuth, WebhookDelivery};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::net::TcpListener;

use crate::{Actor, Answer, Card, TestApp};

impl TestApp {
    /// It is that time now, as in `2027-01-31T09:00`. Nobody did what became due meanwhile.
    pub fn it_is(&self, time: &str) {
        self.clock.set(KoreanTime::parse(time).expect("a time").0);
    }

    /// A while passes. Nobody does what becomes due meanwhile.
    pub fn pass(&self, time: TimeDelta) {
        self.clock.advance(time);
    }

    /// The owner of business 1 subscribes to a plan with a good card.
    pub async fn subscribes(&self, plan: &str, cycle: &str) -> Value {
        let mut registration = self.registration(plan, Card::Good);
        registration["billingCycle"] = json!(cycle);
        self.owner().post("/api/payments/billing-key", registration).await.data().clone()
    }

    /// How the subscription of business 1 stands.
    pub async fn current(&self) -> Value {
        self.owner().get("/api/subscriptions/current").await.data().clone()
    }

    /// The payments of business 1, oldest first.
    pub async fn payments(&self) -> Vec<Value> {
        let answer = self.owner().get("/api/payments?limit=100").await;
        answer.data().as_array().expect("a list").iter().rev().cloned().collect()
    }

    /// One member of each payment of business 1, oldest first.
    pub async fn each_payments(&self, member: &str) -> Vec<Value> {
        self.payments().await.iter().map(|payment| payment[member].clone()).collect()
    }

    /// What happened to business 1, oldest first.
    pub async fn story(&self) -> Vec<String> {
        self.events(&self.owner()).await
    }

    /// Changes what no API changes, such as the price list.
    pub async fn sql(&self, statement: &str) {
        let mut superuser = self.superuser_connection().await;
        let done = sqlx::query(AssertSqlSafe(statement)).execute(&mut superuser).await;
        assert!(done.expect("the statement runs").rows_affected() > 0, "nothing was changed by {statement}");
    }

    /// How many files of exports there are.
    pub fn files_there(&self) -> usize {
        fn count(folder: &Path) -> usize {
            let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
            entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
        }
        count(&self.files.path().join("exports"))
    }

    /// What a query for texts finds, where no API shows it.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let mut superuser = self.superuser_connection().await;
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(&mut superuser).await.expect("the query runs")
    }

    /// Counts rows that no API shows: `table where ..`.
    pub async fn count(&self, rows: &str) -> i64 {
        let mut superuser = self.superuser_connection().await;
        let query = format!("select count(*) from {rows}");
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(&mut superuser).await.expect("the query runs")
    }

    async fn superuser_connection(&self) -> PgConnection {
        let url = self.database.superuser_url.expose_secret();
        PgConnection::connect(url).await.expect("the database answers")
    }

    /// The charges that the provider approved, oldest first.
    pub fn approved(&self) -> Vec<BookEntry> {
        self.sandbox.book().into_iter().filter(|entry| entry.status == BookStatus::Approved).collect()
    }

    /// How many billing keys were deleted at the provider.
    pub fn deleted_keys(&self) -> usize {
        let is_deletion =
            |webhook: &&WebhookDelivery| webhook.event_type.as_deref() == Some("BILLING_DELETED");
        self.sandbox.webhooks().iter().filter(is_deletion).count()
    }

    /// The payer pays an order in the provider's window; answers with the `paymentKey`.
    pub fn pays_in_the_window(&self, order_id: &str, amount: i64, card: Card) -> String {
        let payment = PaymentAuth {
            order_id: order_id.to_owned(),
            amount: Krw::won(amount),
            card_number: card.number().to_owned(),
            order_name: None,
            customer_key: None,
        };
        self.sandbox.payment_auth(payment).expect("the window accepts the payment")
    }

    /// Somebody cancels a payment at the provider's console: all that is left, or a part. Answers with
    /// the payment as the provider has it.
    pub async fn cancels_at_the_console(&self, payment_key: &str, amount: Option<i64>) -> Value {
        let mut cancel = json!({"cancelReason": "고객센터 요청"});
        if let Some(amount) = amount {
            cancel["cancelAmount"] = json!(amount);
        }
        reqwest::Client::new()
            .post(format!("{}/v1/payments/{payment_key}/cancel", self.sandbox.toss_base_url()))
            .basic_auth("test_sk_console", Some(""))
            .json(&cancel)
            .send()
            .await
            .expect("the provider answers")
            .json()
            .await
            .expect("a payment")
    }

    /// The provider's webhooks arrive, in this order.
    pub async fn deliver<'a>(&self, webhooks: impl IntoIterator<Item = &'a WebhookDelivery>) {
        for webhook in webhooks {
            let answer = self.webhook(&webhook.transmission_id, &webhook.body).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    }

    /// Somebody sends these bytes as a webhook of Toss Payments.
    pub async fn webhook(&self, transmission_id: &str, body: &str) -> Answer {
        self.anonymous()
            .with_header("tosspayments-webhook-transmission-id", transmission_id)
            .send(Method::POST, "/api/webhooks/toss", Some(body.as_bytes().to_vec()))
            .await
    }

    /// The same person, talking to a process that cannot connect to the provider: nothing listens
    /// on the discard port.
    pub fn cut_off(&self, actor: &Actor) -> Actor {
        let mut config = self.config.clone();
        config.providers.speak_with("http://127.0.0.1:9");
        let secrets = config.development_secrets().expect("development secrets");
        let app = App::new(&config, &secrets, self.app.db.clone(), self.clock.clone());
        Actor { router: app.expect("the application is put together").router(None), ..actor.clone() }
    }

    /// The API listens on a port of its own until the test ends, and the provider's webhooks go there. What happens is
    /// reacted to as it happens.
    pub async fn listens(&self) -> SocketAddr {
        let address = serves(self.anonymous().router).await;
        tokio::spawn(gateway::events::announce(self.app.clone(), future::pending()));
        tokio::spawn(gateway::events::react(self.app.clone(), future::pending()));
        self.sandbox.set_toss_webhook_url(Some(format!("http://{address}/api/webhooks/toss")));
        address
    }

    /// Another server beside this one, which only serves.
    pub async fn another_server(&self) -> (App, SocketAddr) {
        let secrets = self.config.development_secrets().expect("development secrets");
        let database = self.config.database_url.as_ref().expect("a database");
        let db = gateway::database::connect(database, 4).await.expect("the database answers");
        let app = App::new(&self.config, &secrets, db, self.clock.clone());
        let app = app.expect("the application is put together");
        tokio::spawn(gateway::events::announce(app.clone(), future::pending()));
        let address = serves(app.clone().router(None)).await;
        (app, address)
    }

    /// The provider's own id of a payment, which the API never shows.
    pub async fn provider_key(&self, payment: i64) -> String {
        let mut superuser = self.superuser_connection().await;
        let query = "select payment_key from billing.payment where payment_id = $1";
        sqlx::query_scalar(query)
            .bind(payment)
            .fetch_one(&mut superuser)
            .await
            .expect("a payment that was made")
    }

    /// The provider's own key behind a card of business 1, which the API never shows.
    pub async fn billing_key(&self, handle: &Value) -> SecretString {
        let handle = handle.as_str().expect("a handle");
        let mut superuser = self.superuser_connection().await;
        let query = "select billing_key from billing.payment_method
                     where business_id = 1 and 'bk_' || replace(payment_method_id::text, '-', '') = $1";
        let sealed: String =
            sqlx::query_scalar(query).bind(handle).fetch_one(&mut superuser).await.expect("a key on file");
        let purpose = format!("billing.payment_method:1:{handle}");
        self.app.billing.vault.open(&purpose, &sealed).expect("the key opens")
    }
}

async fn serves(router: Router) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}
