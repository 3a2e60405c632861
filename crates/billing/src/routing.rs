//! Which provider, and which card.
//!
//! A business is led to a provider by rules (rank, then weight) when it registers a card or pays in a
//! window. A renewal is charged on the card that the subscription names; after a definite no, or while
//! that card's provider is down, on another one that the business has. After an unknown never: the
//! open attempt is in the way, and the database sees to it.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use pg_adapter::Provider;
use platform::SystemTx;
use sqlx::PgConnection;

use crate::{
    Billing, BillingError,
    breaker::Availability,
    payment_method::PaymentMethodId,
    store::{self, due::CardOnFile},
};

/// One rule: a provider, and when it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub provider: Provider,
    pub rank: i32,
    pub weight: i32,
}

impl Route {
    fn first(provider: Provider) -> Self {
        Self { provider, rank: 1, weight: 1 }
    }
}

/// The rules of the platform stand under this business.
pub(crate) const PLATFORM: BusinessId = BusinessId(0);

/// What a due charge is charged on.
pub(crate) enum Choice {
    Card(CardOnFile),
    /// Every provider that could be asked is down.
    Wait(DateTime<Utc>),
    NoCard,
}

impl Billing {
    /// The provider that a client names, or the one that the rules lead this business to.
    pub(crate) async fn provider_for(
        &self,
        business: BusinessId,
        named: Option<&str>,
    ) -> Result<Provider, BillingError> {
        match named {
            Some(name) => Ok(name.parse()?),
            None => self.route(business).await,
        }
    }

    /// Where the rules lead a business now: its own, or to the providers that it has contracts with
    /// itself, or the platform's.
    pub(crate) async fn route(&self, business: BusinessId) -> Result<Provider, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let own: Vec<_> = store::merchant_account::all_active(&mut tx, business).await?;
        let mut routes = store::route::of(&mut tx, business).await?;
        if routes.is_empty() {
            routes = own.iter().map(|account| Route::first(account.provider)).collect();
        }
        if routes.is_empty() {
            routes = store::route::of(&mut tx, PLATFORM).await?;
        }
        routes.retain(|route| {
            self.gateways.get(route.provider).is_some()
                || own.iter().any(|account| account.provider == route.provider)
        });
        let mut up = Vec::with_capacity(routes.len());
        for route in &routes {
            let breaker = store::breaker::find(&mut tx, route.provider).await?;
            let is_down = breaker.is_some_and(|breaker| breaker.waits_until() > self.clock.now());
            if !is_down {
                up.push(route.clone());
            }
        }
        tx.commit().await?;
        // If all of them are down, any of them is as good as the best.
        let led_to = pick(&up, business).or_else(|| pick(&routes, business));
        Ok(led_to.unwrap_or(self.gateways.default))
    }

    /// The first card that was not tried in this round and whose provider may be asked.
    pub(crate) async fn choose(
        &self,
        tx: &mut PgConnection,
        cards: Vec<CardOnFile>,
        tried: &[PaymentMethodId],
        known: &mut Availability,
    ) -> Result<Choice, BillingError> {
        let mut wait: Option<DateTime<Utc>> = None;
        for card in cards.into_iter().filter(|card| card.usable && !tried.contains(&card.id)) {
            match self.may_ask(tx, card.merchant.provider, known).await? {
                Ok(()) => return Ok(Choice::Card(card)),
                Err(until) => wait = Some(wait.map_or(until, |earlier| earlier.min(until))),
            }
        }
        Ok(wait.map_or(Choice::NoCard, Choice::Wait))
    }
}

/// Of the lowest rank, by weight: always the same for the same business, so that it meets one
/// provider's window and not another one each time.
fn pick(routes: &[Route], business: BusinessId) -> Option<Provider> {
    let rank = routes.iter().map(|route| route.rank).min()?;
    let best: Vec<&Route> = routes.iter().filter(|route| route.rank == rank).collect();
    let total: u64 = best.iter().map(|route| u64::from(route.weight.unsigned_abs())).sum();
    // Fibonacci hashing spreads ids that follow one another.
    let spread = business.0.unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let mut place = spread % total.max(1);
    for route in best {
        let weight = u64::from(route.weight.unsigned_abs());
        if place < weight {
            return Some(route.provider);
        }
        place -= weight;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(provider: Provider, rank: i32, weight: i32) -> Route {
        Route { provider, rank, weight }
    }

    #[test]
    fn the_lowest_rank_decides() {
        let routes = [route(Provider::PortOne, 2, 1000), route(Provider::Toss, 1, 1)];
        assert_eq!(pick(&routes, BusinessId(7)), Some(Provider::Toss));
        assert_eq!(pick(&routes[..1], BusinessId(7)), Some(Provider::PortOne));
        assert_eq!(pick(&[], BusinessId(7)), None);
    }

    #[test]
    fn weights_share_the_businesses_and_each_stays_where_it_is() {
        let routes = [route(Provider::Toss, 1, 3), route(Provider::Kcp, 1, 1)];
        let toss = (1..=4_000).filter(|id| pick(&routes, BusinessId(*id)) == Some(Provider::Toss)).count();
        assert!((2_900..=3_100).contains(&toss), "{toss} of 4,000");
        for id in 1..100 {
            assert_eq!(pick(&routes, BusinessId(id)), pick(&routes, BusinessId(id)));
        }
    }
}
