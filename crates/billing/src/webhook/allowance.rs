//! How often webhooks may make us ask a provider.
//!
//! Most providers do not sign theirs, so anybody may send some. What is beyond the allowance waits for
//! the next minute, and is not lost; what it costs a real webhook is that delay. Each process counts
//! for itself, and forgets when it ends.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use pg_adapter::Provider;

/// A payment has a handful of webhooks in its life, and its order id is known to its payer.
const ABOUT_AN_ORDER: u32 = 5;

/// About all orders of a provider together that we do not know: anybody can invent them.
const ABOUT_STRAYS: u32 = 60;

const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// What webhooks may still make us ask in this minute.
#[derive(Default)]
pub struct Allowance(Mutex<Spent>);

#[derive(Default)]
struct Spent {
    since: DateTime<Utc>,
    orders: HashMap<String, u32>,
    strays: HashMap<Provider, u32>,
}

impl Allowance {
    /// Takes a question about a payment of ours; `Err` says when there is the next.
    pub(super) fn take_for_order(&self, order_id: &str, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        self.take(now, ABOUT_AN_ORDER, |spent| spent.orders.entry(order_id.to_owned()).or_default())
    }

    /// Takes a question about an order that is none of ours.
    pub(super) fn take_for_stray(&self, provider: Provider, now: DateTime<Utc>) -> Result<(), DateTime<Utc>> {
        self.take(now, ABOUT_STRAYS, |spent| spent.strays.entry(provider).or_default())
    }

    fn take(
        &self,
        now: DateTime<Utc>,
        limit: u32,
        of: impl FnOnce(&mut Spent) -> &mut u32,
    ) -> Result<(), DateTime<Utc>> {
        let mut spent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back must not leave anybody waiting for a time long past. A little earlier
        // is only somebody else who looked at the clock first.
        if now + WINDOW <= spent.since || now >= spent.since + WINDOW {
            *spent = Spent { since: now, ..Spent::default() };
        }
        let ends = spent.since + WINDOW;
        let taken = of(&mut spent);
        if *taken >= limit {
            return Err(ends);
        }
        *taken += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_comes_back_with_the_next_minute() {
        let allowance = Allowance::default();
        let now: DateTime<Utc> = "2026-02-14T10:00:00Z".parse().unwrap();
        for _ in 0..ABOUT_AN_ORDER {
            assert_eq!(allowance.take_for_order("dg1", now), Ok(()));
        }
        let later = now + TimeDelta::seconds(59);
        assert_eq!(allowance.take_for_order("dg1", later), Err(now + WINDOW));
        assert_eq!(allowance.take_for_order("dg2", later), Ok(()), "every order has its own");
        assert_eq!(allowance.take_for_order("dg1", now + WINDOW), Ok(()));
    }

    #[test]
    fn providers_do_not_use_up_each_others() {
        let allowance = Allowance::default();
        let now: DateTime<Utc> = "2026-02-14T10:00:00Z".parse().unwrap();
        for _ in 0..ABOUT_STRAYS {
            assert_eq!(allowance.take_for_stray(Provider::Toss, now), Ok(()));
        }
        assert!(allowance.take_for_stray(Provider::Toss, now).is_err());
        assert_eq!(allowance.take_for_stray(Provider::Kcp, now), Ok(()));
        let before = now - TimeDelta::days(1);
        assert_eq!(allowance.take_for_stray(Provider::Toss, before), Ok(()), "the clock was set back");
    }
}
