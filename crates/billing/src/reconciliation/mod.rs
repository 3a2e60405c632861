//! The daily reconciliation: a provider's list of a day against our payments and refunds, to the won.
//!
//! The list is read page by page into a table and compared there, so that its length costs no
//! memory. Every difference is looked into: most settle by asking the provider for the payment; what
//! does not is an operator case. Not to be confused with [`crate::reconcile`], which asks about single
//! attempts that were left open.

mod differences;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use kernel::{at_korean_time, start_of_korean_day};
use pg_adapter::{ListFailed, TransactionPage};
use platform::SystemTx;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{Billing, BillingError, merchant::Merchant, reconcile::pause_before, store};

/// When yesterday's list is complete: fresh rows are missing from it for a while.
fn list_is_complete_at(day: NaiveDate) -> DateTime<Utc> {
    let six = NaiveTime::from_hms_opt(6, 0, 0).unwrap_or_default();
    at_korean_time(day.checked_add_days(Days::new(1)).unwrap_or(day), six)
}

/// How long a comparison may go on without a sign of life before whoever runs it is taken for dead.
const LEASE: TimeDelta = TimeDelta::minutes(30);

/// What was paid under a contract may be given back for a while after it was retired.
const COMPARED_AFTER_RETIREMENT: TimeDelta = TimeDelta::days(35);

/// How a day's comparison stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReconciliationStatus {
    Running,
    /// Their list and our books are the same, or the differences were settled.
    Matched,
    /// Something still differs: there are operator cases about it, or the provider would not tell when
    /// it was asked, and is asked again when the day is compared again.
    Different,
    /// The list could not be read; tried again later.
    Failed,
}

/// Why a day is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Its time has come.
    Schedule,
    /// Somebody asked for it, or it is tried again.
    Request,
}

/// The day that is compared, as instants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ComparedDay {
    pub merchant: Merchant,
    pub day: NaiveDate,
    pub since: DateTime<Utc>,
    pub until: DateTime<Utc>,
    /// When this worker took it; what it writes counts only while nobody has taken it over.
    pub claimed_at: Option<DateTime<Utc>>,
}

impl ComparedDay {
    pub(crate) fn new(merchant: Merchant, day: NaiveDate) -> Self {
        let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
        Self {
            merchant,
            day,
            since: start_of_korean_day(day),
            until: start_of_korean_day(next),
            claimed_at: None,
        }
    }
}

impl Billing {
    /// Compares every day that is complete and was not compared yet, oldest first, for each contract with
    /// a provider that lists its transactions. The very first is the day on which a business registered the
    /// contract; of the platform's own it is yesterday.
    pub async fn reconcile_days(&self) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let retired_since = self.clock.now() - COMPARED_AFTER_RETIREMENT;
        let accounts = store::merchant_account::compared(&mut tx, retired_since).await?;
        tx.commit().await?;
        let platform = self.gateways.all().map(|gateway| (Merchant::platform(gateway.provider()), None));
        for (merchant, since) in platform.chain(accounts) {
            if !self.gateways.capabilities(merchant.provider).lists_transactions {
                continue;
            }
            // One contract that cannot be asked, because its credentials cannot be read, holds up no other.
            if let Err(error) = self.reconcile_days_of(merchant, since).await {
                tracing::error!(%merchant, %error, "the days of a contract could not be compared");
            }
        }
        Ok(())
    }

    /// `since`: the first day on which there can be anything of ours.
    async fn reconcile_days_of(
        &self,
        merchant: Merchant,
        since: Option<NaiveDate>,
    ) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let again = store::reconciliation::to_try_again(&mut tx, merchant, self.clock.now()).await?;
        let last = store::reconciliation::last_day(&mut tx, merchant).await?;
        tx.commit().await?;
        for day in again {
            self.reconcile_day(merchant, day, Occasion::Request).await?;
        }
        let first = since.or_else(|| self.clock.today().pred_opt());
        let mut next = last.map_or(first, |last| last.succ_opt());
        while let Some(day) = next.filter(|day| list_is_complete_at(*day) <= self.clock.now()) {
            if !self.reconcile_day(merchant, day, Occasion::Schedule).await? {
                // Another worker is at it, and goes on from there.
                break;
            }
            next = day.succ_opt();
        }
        Ok(())
    }

    /// Compares one day, again if it was compared before. False if another worker is at it.
    pub(crate) async fn reconcile_day(
        &self,
        merchant: Merchant,
        day: NaiveDate,
        occasion: Occasion,
    ) -> Result<bool, BillingError> {
        let compared = ComparedDay::new(merchant, day);
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let claimed = store::reconciliation::claim(&mut tx, &compared, occasion, now, now + LEASE).await?;
        tx.commit().await?;
        if !claimed {
            return Ok(false);
        }
        match self.compare(&ComparedDay { claimed_at: Some(now), ..compared }).await {
            // Taken for dead: whoever took it over finishes it.
            Err(BillingError::ComparisonTakenOver) => Ok(false),
            compared => compared.map(|()| true),
        }
    }

    /// Compares a day that was claimed.
    async fn compare(&self, compared: &ComparedDay) -> Result<(), BillingError> {
        let ComparedDay { merchant, day, .. } = *compared;
        if let Err(failed) = self.read_list(compared).await? {
            tracing::warn!(%merchant, %day, reason = failed.0, "a day could not be compared; tried again later");
            let mut tx = SystemTx::begin(&self.db).await?;
            self.hold(&mut tx, compared).await?;
            let tries = store::reconciliation::tries(&mut tx, compared).await?;
            let again = self.clock.now() + pause_before(tries.max(3));
            store::reconciliation::fail(&mut tx, compared, &failed.0, again).await?;
            tx.commit().await?;
            return Ok(());
        }
        let found = self.look_into_differences(compared).await?;
        let mut tx = SystemTx::begin(&self.db).await?;
        self.hold(&mut tx, compared).await?;
        let finished = store::reconciliation::finish(&mut tx, compared, found, self.clock.now()).await?;
        tx.commit().await?;
        tracing::info!(%merchant, %day, found, unexplained = finished.unexplained, "a day was compared");
        Ok(())
    }

    /// Whoever is still at it is not dead. Until the transaction ends nobody else can take the day over;
    /// an error if somebody has.
    async fn hold(&self, tx: &mut PgConnection, compared: &ComparedDay) -> Result<(), BillingError> {
        let is_ours = store::reconciliation::renew(tx, compared, self.clock.now() + LEASE).await?;
        if is_ours { Ok(()) } else { Err(BillingError::ComparisonTakenOver) }
    }

    /// Copies the provider's list, page by page.
    async fn read_list(&self, compared: &ComparedDay) -> Result<Result<(), ListFailed>, BillingError> {
        let gateway = self.gateway(compared.merchant).await?;
        let mut after = None;
        loop {
            let page = match gateway.transactions(compared.day, after.as_deref()).await {
                Ok(page) => page,
                Err(failed) => return Ok(Err(failed)),
            };
            let TransactionPage { transactions, next } = page;
            let mut tx = SystemTx::begin(&self.db).await?;
            self.hold(&mut tx, compared).await?;
            store::reconciliation::add_lines(&mut tx, compared, &transactions).await?;
            tx.commit().await?;
            match next {
                // A provider that sends us round in circles would keep us here for ever.
                Some(next) if Some(&next) == after.as_ref() => {
                    return Ok(Err(ListFailed("the list does not go on".to_owned())));
                }
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let mut tx = SystemTx::begin(&self.db).await?;
        store::reconciliation::analyze_lines(&mut tx).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }
}
