//! The circuit breaker of each provider.
//!
//! Each process counts how its own requests end; when too many of the latest got no answer, it opens
//! the breaker for all processes. While it is open, charges go to another card where there is one and
//! wait where there is none. After a pause one charge is let through to find out (half-open).

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use pg_adapter::{Outcome, Provider};
use platform::SystemTx;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{Billing, BillingError, store};

/// How many of the latest requests are looked at, and how long ago they may be.
const WINDOW: usize = 50;
const REMEMBERED: TimeDelta = TimeDelta::minutes(5);
/// Fewer than this say nothing.
const ENOUGH: usize = 20;
/// How long nothing is sent after it opened.
pub(crate) const PAUSE: TimeDelta = TimeDelta::seconds(30);
/// How long the answer to the one charge that finds out is waited for.
const PROBE: TimeDelta = TimeDelta::seconds(90);

/// How a provider's breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BreakerState {
    /// It answers.
    Closed,
    /// It does not: nothing is sent for a while.
    Open,
    /// One charge is on its way to find out.
    HalfOpen,
}

/// What this process has seen of each provider lately.
#[derive(Debug, Default)]
pub struct Breakers {
    windows: Mutex<HashMap<Provider, Window>>,
}

#[derive(Debug, Default)]
struct Window {
    /// When, and whether there was an answer.
    latest: VecDeque<(DateTime<Utc>, bool)>,
    /// The shared breaker was seen not to be closed, so that the next answer is news.
    is_suspect: bool,
}

/// What one more request says about the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    None,
    /// Too many got no answer.
    Down,
    /// One that was not closed answered, or did not again.
    Answered,
    Silent,
}

impl Window {
    fn add(&mut self, now: DateTime<Utc>, answered: bool) -> News {
        self.latest.push_back((now, answered));
        let is_old = |at: DateTime<Utc>| now - at > REMEMBERED;
        while self.latest.len() > WINDOW || self.latest.front().is_some_and(|(at, _)| is_old(*at)) {
            self.latest.pop_front();
        }
        if self.is_suspect {
            return if answered { News::Answered } else { News::Silent };
        }
        let silent = self.latest.iter().filter(|(_, answered)| !answered).count();
        if self.latest.len() >= ENOUGH && silent * 2 >= self.latest.len() {
            self.latest.clear();
            self.is_suspect = true;
            return News::Down;
        }
        News::None
    }
}

impl Breakers {
    fn add(&self, provider: Provider, now: DateTime<Utc>, answered: bool) -> News {
        self.with(provider, |window| window.add(now, answered))
    }

    fn suspect(&self, provider: Provider, is_suspect: bool) {
        self.with(provider, |window| window.is_suspect = is_suspect);
    }

    fn with<T>(&self, provider: Provider, act: impl FnOnce(&mut Window) -> T) -> T {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        act(windows.entry(provider).or_default())
    }
}

/// Which providers may be asked, as far as a billing run has found out for its batch.
#[derive(Debug, Default)]
pub(crate) struct Availability(HashMap<Provider, Result<(), DateTime<Utc>>>);

impl Billing {
    /// Counts how a request to a provider ended, and opens or closes its breaker.
    pub(crate) async fn observe<T: Sync>(
        &self,
        provider: Provider,
        outcome: &Outcome<T>,
    ) -> Result<(), BillingError> {
        let answered = matches!(outcome, Outcome::Approved(_) | Outcome::Declined(_));
        let now = self.clock.now();
        let news = self.breakers.add(provider, now, answered);
        if news == News::None {
            return Ok(());
        }
        let mut tx = SystemTx::begin(&self.db).await?;
        match news {
            News::None => {}
            News::Down => {
                let reason = format!("half of the latest {ENOUGH} requests or more got no answer");
                store::breaker::open(&mut tx, provider, &reason, now).await?;
                tracing::error!(%provider, reason, "a provider's breaker opened");
            }
            News::Answered => {
                if store::breaker::close(&mut tx, provider, now, now - PAUSE).await? {
                    self.breakers.suspect(provider, false);
                    tracing::info!(%provider, "a provider's breaker closed");
                }
            }
            News::Silent => store::breaker::open_again(&mut tx, provider, now).await?,
        }
        tx.commit().await?;
        Ok(())
    }

    /// Whether a charge may be sent to a provider now; if not, until when it has to wait. Of one that is
    /// being tried out, one charge may.
    pub(crate) async fn may_ask(
        &self,
        tx: &mut PgConnection,
        provider: Provider,
        known: &mut Availability,
    ) -> Result<Result<(), DateTime<Utc>>, BillingError> {
        if let Some(found) = known.0.get(&provider) {
            return Ok(*found);
        }
        let now = self.clock.now();
        let breaker = store::breaker::find(tx, provider).await?;
        let state = breaker.as_ref().map_or(BreakerState::Closed, |breaker| breaker.state);
        self.breakers.suspect(provider, state != BreakerState::Closed);
        let waits_until = match &breaker {
            Some(breaker) if state != BreakerState::Closed => breaker.waits_until(),
            _ => {
                known.0.insert(provider, Ok(()));
                return Ok(Ok(()));
            }
        };
        let probes = waits_until <= now && store::breaker::probe(tx, provider, now, now + PROBE).await?;
        // Whether or not it was this one that goes to find out, no other of the batch does.
        known.0.insert(provider, Err(now.max(waits_until) + PAUSE));
        Ok(if probes { Ok(()) } else { Err(now.max(waits_until) + PAUSE) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(outcomes: &[bool]) -> Vec<News> {
        let mut window = Window::default();
        let start = DateTime::UNIX_EPOCH;
        outcomes.iter().map(|answered| window.add(start, *answered)).collect()
    }

    #[test]
    fn a_few_lost_answers_say_nothing() {
        assert!(after(&[false; 19]).iter().all(|news| *news == News::None));
        let one_in_three: Vec<bool> = (0..60).map(|i| i % 3 != 0).collect();
        assert!(after(&one_in_three).iter().all(|news| *news == News::None));
    }

    #[test]
    fn when_half_of_the_latest_are_lost_the_provider_is_down() {
        assert_eq!(after(&[false; 20])[19], News::Down);
        let half: Vec<bool> = (0..40).map(|i| i % 2 == 0).collect();
        assert!(after(&half).contains(&News::Down));
    }

    #[test]
    fn what_was_long_ago_does_not_count() {
        let mut window = Window::default();
        let start = DateTime::UNIX_EPOCH;
        for i in 0..19 {
            window.add(start + TimeDelta::seconds(i), false);
        }
        assert_eq!(window.add(start + TimeDelta::minutes(10), false), News::None);
    }

    #[test]
    fn of_one_that_is_down_every_answer_is_news() {
        let mut window = Window { is_suspect: true, ..Window::default() };
        assert_eq!(window.add(DateTime::UNIX_EPOCH, true), News::Answered);
        assert_eq!(window.add(DateTime::UNIX_EPOCH, false), News::Silent);
    }
}
