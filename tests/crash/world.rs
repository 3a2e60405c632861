//! The world around the process that is killed: its database, the provider, and time that passes.

use std::{path::PathBuf, sync::Arc, time::Duration};

use chrono::NaiveDate;
use identity::Tokens;
use kernel::SystemClock;
use sandbox::{Provider, Sandbox, SandboxConfig, WebhookUrls};
use secrecy::ExposeSecret;
use sqlx::{AssertSqlSafe, PgPool};
use tempfile::TempDir;
use testkit::TestDatabase;
use tokio::time::{Instant, sleep};

use crate::process::JWT_SECRET;

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) sandbox: Sandbox,
    /// Where cards are registered and orders are paid.
    pub(crate) provider: Provider,
    /// Sees all tenants. The process itself never connects like this.
    pub(crate) superuser: PgPool,
    pub(crate) tokens: Tokens,
    pub(crate) http: reqwest::Client,
    /// What the processes had to say; they are too many to be told apart on the terminal.
    pub(crate) log: PathBuf,
    /// Where files lie.
    pub(crate) files: TempDir,
}

/// A renewal that is due: the first day of the period to be paid for.
pub(crate) struct Renewal {
    pub(crate) business: i64,
    pub(crate) from: NaiveDate,
}

impl World {
    pub(crate) async fn begins(name: &str) -> Self {
        Self::begins_at(Provider::Toss, name).await
    }

    /// With this provider as the one that is meant where none is named.
    pub(crate) async fn begins_at(provider: Provider, name: &str) -> Self {
        let database = TestDatabase::create().await;
        let sandbox = Sandbox::start(SandboxConfig {
            addr: ([127, 0, 0, 1], 0).into(),
            data_dir: None,
            clock: Arc::new(SystemClock),
            webhook_urls: WebhookUrls::default(),
            latency: Duration::ZERO,
        });
        let superuser = PgPool::connect(database.superuser_url.expose_secret());
        let log = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("crash-{name}-{provider:?}.log"));
        // The last run's; there may have been none.
        let _ = std::fs::remove_file(&log);
        Self {
            sandbox: sandbox.await.expect("the sandbox starts"),
            superuser: superuser.await.expect("the database answers"),
            tokens: Tokens::new(&JWT_SECRET.into()),
            // Connections to a killed server must not be met again.
            http: reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client"),
            database,
            provider,
            log,
            files: tempfile::tempdir().expect("a folder"),
        }
    }

    /// A month passes, and these businesses' subscriptions are to be renewed now.
    pub(crate) async fn renewals_fall_due(&self, businesses: &[i64]) -> Vec<Renewal> {
        let mut tx = self.superuser.begin().await.expect("a transaction");
        let renewals: Vec<(i64, NaiveDate)> = sqlx::query_as(
            "update billing.subscription s
             set anchor_on = earlier.day, period_from = earlier.day,
                 period_until = (earlier.day + interval '1 month')::date, due_at = now()
             from (select business_id, (anchor_on - interval '1 month')::date as day
                   from billing.subscription where status = 'ACTIVE') earlier
             where s.business_id = any($1) and s.business_id = earlier.business_id and s.status = 'ACTIVE'
             returning s.business_id, s.period_until",
        )
        .bind(businesses)
        .fetch_all(&mut *tx)
        .await
        .expect("subscriptions move");
        sqlx::query(
            "update billing.invoice i
             set period_from = s.period_from, period_until = s.period_until, due_on = s.period_from
             from billing.subscription s
             where s.business_id = any($1) and i.subscription_id = s.subscription_id and s.status = 'ACTIVE'",
        )
        .bind(businesses)
        .execute(&mut *tx)
        .await
        .expect("invoices move");
        tx.commit().await.expect("a commit");
        assert_eq!(renewals.len(), businesses.len(), "not every business has an active subscription");
        renewals.into_iter().map(|(business, from)| Renewal { business, from }).collect()
    }

    /// Some minutes pass: leases run out, pauses end, abandoned requests may be made again, and the
    /// crontab fires. Leases of those who are still at work run out as well, which must do no harm.
    pub(crate) async fn minutes_pass(&self) {
        self.minutes_pass_for_those_asked_for_at_most(i32::MAX).await;
    }

    pub(crate) async fn minutes_pass_for_those_asked_for_at_most(&self, checks: i32) {
        for statement in [
            format!(
                "update billing.payment set due_at = now() where status = 'PENDING' and checks <= {checks}"
            ),
            format!(
                "update billing.refund set due_at = now() where status = 'PENDING' and checks <= {checks}"
            ),
            // Those that waited for a provider's breaker, which has rested by now.
            "update billing.subscription set due_at = now()
             where due_at > now() and due_at < now() + interval '10 minutes'"
                .to_owned(),
            "update billing.provider_breaker
             set opened_at = opened_at - interval '6 minutes', probe_until = probe_until - interval '6 minutes'"
                .to_owned(),
            "update billing.payment_method set due_at = now() where due_at is not null".to_owned(),
            "update billing.webhook set due_at = now() where due_at is not null".to_owned(),
            "update billing.tax_invoice set due_at = now() where status = 'PENDING'".to_owned(),
            "update billing.cash_receipt set due_at = now() where status = 'REQUESTED'".to_owned(),
            "update billing.cash_receipt_cancel set due_at = now() where status = 'PENDING'".to_owned(),
            "update platform.idempotency_key set claimed_at = claimed_at - interval '6 minutes'
             where answered_at is null"
                .to_owned(),
            "select graphile_worker.add_job('sweep', '{}'::json)".to_owned(),
        ] {
            sqlx::query(AssertSqlSafe(statement)).execute(&self.superuser).await.expect("time passes");
        }
    }

    /// A day passes for what was asked for in vain: it is given up where it is not sent again. What was given
    /// up, or written off, is charged anew within the hour.
    async fn a_day_passes(&self) {
        for statement in [
            "update billing.payment set sent_at = sent_at - interval '25 hours' where status = 'PENDING'",
            "update billing.subscription set due_at = now()
             where status in ('ACTIVE', 'PAST_DUE') and due_at between now() and now() + interval '1 hour'",
        ] {
            sqlx::query(statement).execute(&self.superuser).await.expect("time passes");
        }
    }

    /// How much is due or not known yet.
    pub(crate) async fn unfinished(&self) -> i64 {
        sqlx::query_scalar(
            "select (select count(*) from billing.subscription where due_at <= now() + interval '10 minutes')
                  + (select count(*) from billing.payment where status = 'PENDING')
                  + (select count(*) from billing.refund where status = 'PENDING')
                  + (select count(*) from billing.tax_invoice where status = 'PENDING')
                  + (select count(*) from billing.cash_receipt where status = 'REQUESTED')
                  + (select count(*) from billing.cash_receipt_cancel where status = 'PENDING')
                  + (select count(*) from billing.payment_method where status in ('ISSUING', 'RELEASING'))",
        )
        .fetch_one(&self.superuser)
        .await
        .expect("the database answers")
    }

    /// Billing runs as it always does, until nothing is open any more.
    pub(crate) async fn settles(&self) {
        patiently("everything is settled", async || {
            self.minutes_pass().await;
            self.bill().await;
            self.operator_decides().await;
            self.a_day_passes().await;
            self.unfinished().await == 0
        })
        .await;
    }

    /// The payment that started a business's subscription.
    pub(crate) async fn first_payment(&self, business: i64) -> i64 {
        let query = "select payment_id from billing.payment where business_id = $1 and reason = 'FIRST'";
        sqlx::query_scalar(query).bind(business).fetch_one(&self.superuser).await.expect("one first payment")
    }
}

/// Asks until it is so.
pub(crate) async fn patiently(what: &str, is_so: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < Duration::from_mins(1), "after a minute it is still not so that {what}");
        sleep(Duration::from_millis(20)).await;
    }
}
