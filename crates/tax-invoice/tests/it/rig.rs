//! The sandbox as Popbill and LinkHub, and the adapter that speaks to them.

use std::{sync::Arc, time::Duration};

use chrono::NaiveDate;
use kernel::{Clock as _, MovableClock};
use reqwest::Method;
use sandbox::{Fault, Operation, Provider, Sandbox, SandboxConfig, WebhookUrls};
use serde_json::{Value, json};
use tax_invoice::{
    DocumentKey, InvoiceState, Issued, Lookup, Outcome, Refusal, Standing, TaxInvoice, TaxInvoiceIssuer as _,
    popbill::{Environment, Popbill, PopbillConfig},
};

use crate::invoices::{invoice, seller_number};

/// Long enough for a busy machine, short enough for the cases that use it up.
const PATIENCE: Duration = Duration::from_millis(750);
/// The adapter waits this long for the connection and again for the answer.
pub(crate) const TOO_LONG: Duration = Duration::from_millis(2_200);
pub(crate) const SECRET_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

pub(crate) struct Rig {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<MovableClock>,
    pub(crate) popbill: Popbill,
    control: reqwest::Client,
}

pub(crate) fn config(auth_base_url: &str, api_base_url: &str) -> PopbillConfig {
    let mut config =
        PopbillConfig::new(Environment::Test, "DANGOL", SECRET_KEY.to_owned().into(), seller_number());
    auth_base_url.clone_into(&mut config.auth_base_url);
    api_base_url.clone_into(&mut config.api_base_url);
    config.connect_timeout = PATIENCE;
    config.read_timeout = PATIENCE;
    config
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let clock = Arc::new(MovableClock::default());
        // A Tuesday, half an hour before midnight in UTC: a mistake about Korean days shows.
        clock.set("2026-03-31T23:30:00Z".parse().unwrap());
        let config = SandboxConfig {
            addr: "127.0.0.1:0".parse().unwrap(),
            data_dir: None,
            clock: clock.clone(),
            webhook_urls: WebhookUrls::default(),
            latency: Duration::ZERO,
        };
        let sandbox = Sandbox::start(config).await.unwrap();
        let popbill = Popbill::new(Self::config_of(&sandbox)).unwrap();
        Self { sandbox, clock, popbill, control: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    fn config_of(sandbox: &Sandbox) -> PopbillConfig {
        config(&sandbox.linkhub_base_url(), &sandbox.popbill_base_url())
    }

    /// The adapter, configured a little otherwise.
    pub(crate) fn with(&self, change: impl FnOnce(&mut PopbillConfig)) -> Popbill {
        let mut config = Self::config_of(&self.sandbox);
        change(&mut config);
        Popbill::new(config).unwrap()
    }

    pub(crate) fn today(&self) -> NaiveDate {
        self.clock.today()
    }

    pub(crate) fn invoice(&self, key: &str) -> TaxInvoice {
        invoice(key, self.today())
    }

    pub(crate) async fn issued(&self, invoice: &TaxInvoice) -> Issued {
        issued(self.popbill.issue(invoice).await)
    }

    pub(crate) fn breaks(&self, fault: Fault) {
        self.sandbox.add_fault(Fault { provider: Some(Provider::Popbill), ..fault });
    }

    pub(crate) fn breaks_next_issue(&self, kind: sandbox::FaultKind) {
        self.breaks(Fault::new(kind).on(Operation::Issue));
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) {
        let url = format!("{}/_sandbox/popbill/{path}", self.sandbox.base_url());
        let answer = self.control.request(method, url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    }

    pub(crate) async fn switch(&self, switches: Value) {
        self.control(Method::PATCH, "switches", switches).await;
    }

    /// The tax service gets the document and takes it.
    pub(crate) async fn accepts(&self, key: &str) {
        self.control(Method::POST, "file", json!({"mgtKey": key})).await;
    }

    pub(crate) async fn found(&self, key: &str) -> Standing {
        match self.popbill.find(&document_key(key)).await {
            Lookup::Found(standing) => *standing,
            other => panic!("expected a document, got {other:?}"),
        }
    }

    pub(crate) async fn state(&self, key: &str) -> InvoiceState {
        self.found(key).await.state
    }

    /// How many documents Popbill holds that are issued.
    pub(crate) fn documents(&self) -> usize {
        self.sandbox.tax_invoices().iter().filter(|it| it.issued_at.is_some()).count()
    }

    /// Sends the same request until it is answered, as the caller does.
    pub(crate) async fn settles(&self, invoice: &TaxInvoice) -> Result<Issued, Refusal> {
        for _ in 0..40 {
            match self.popbill.issue(invoice).await {
                Outcome::Issued(issued) => return Ok(issued),
                Outcome::Refused(refusal) => return Err(refusal),
                Outcome::NotSent(_) | Outcome::Unknown(_) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        panic!("the issue never settled");
    }
}

pub(crate) fn document_key(text: &str) -> DocumentKey {
    text.parse().unwrap()
}

#[track_caller]
pub(crate) fn issued<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Issued(value) => value,
        other => panic!("expected it to be issued, got {other:?}"),
    }
}

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(outcome: Outcome<T>) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => {
            assert!(!refusal.code.is_empty() && refusal.message.ends_with('.'), "{refusal:?}");
            refusal
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}
