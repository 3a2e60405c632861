//! Inventing shops: years of a salon's visits, for benchmarks and for whoever wants to look around.
//!
//! The same seed invents the same shops on every machine: numbers come from one stream of a cipher for each shop, all arithmetic
//! is in integers, and days are counted back from a day that is given. Only ids are the database's.

mod dice;
mod salon;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use kernel::{BusinessId, at_korean_time};

use self::{dice::Dice, salon::Calendar};
use crate::{
    Booking, BookingError, ReservationStatus,
    customer::CustomerId,
    reservation::{Line, Planned},
    staff::StaffId,
    store::{
        customer::{self, NewCustomer},
        generated, reservation,
        service::{self, NewService},
        staff::{self, NewStaff},
    },
};

/// Reservations are made this many days ahead at most; so many days after the last one are partly booked.
const AHEAD: u32 = 14;

/// What a shop is invented from.
#[derive(Clone, Copy, Debug)]
pub struct ShopPlan {
    pub seed: u64,
    /// Which of the seed's shops.
    pub shop: u64,
    pub reservations: usize,
    /// The last day that is over.
    pub until: NaiveDate,
    /// How many days of visits.
    pub days: u32,
}

/// How many reservations each of `shops` gets of `reservations`: a few are large and most are small, and none has more
/// than `most`, unless all are that large.
pub fn uneven_sizes(shops: usize, reservations: usize, most: usize) -> Vec<usize> {
    // The n-th shop has a share of 1 / (n + flatness); the larger that is, the more alike they are.
    let sizes = |flatness: usize| {
        let weights: Vec<usize> = (0..shops).map(|n| 1_000_000_000 / (n + flatness)).collect();
        let all = weights.iter().sum::<usize>().max(1);
        let mut sizes: Vec<usize> = weights.iter().map(|weight| reservations * weight / all).collect();
        let rest = reservations - sizes.iter().sum::<usize>();
        // Rounding leaves less than one for each; the smallest get it.
        sizes.iter_mut().rev().take(rest).for_each(|size| *size += 1);
        sizes
    };
    let flatness = (1..1_000).find(|flatness| sizes(*flatness).first().is_none_or(|first| *first <= most));
    sizes(flatness.unwrap_or(1_000))
}

impl Booking {
    /// Invents what happened in a business that has nothing yet.
    pub async fn invent(&self, business: BusinessId, plan: ShopPlan) -> Result<(), BookingError> {
        let mut dice = Dice::new(plan.seed, plan.shop);
        let calendar = Calendar::new(plan.until, plan.days, AHEAD);
        let opened = at_korean_time(calendar.first, chrono::NaiveTime::MIN);
        let mut tx = self.write(business).await?;

        let staff: Vec<_> = salon::staff(&mut dice, plan.reservations, plan.days)
            .into_iter()
            .zip(1..)
            .map(|(name, n)| NewStaff { external_id: Some(format!("S-{n}")), name })
            .collect();
        let staff = staff::insert(&mut tx, business, opened, &staff).await?;

        let menu: Vec<_> = salon::menu(&mut dice)
            .into_iter()
            .zip(1..)
            .map(|(facts, n)| NewService { external_id: Some(format!("V-{n}")), facts })
            .collect();
        let categories: Vec<String> = menu.iter().filter_map(|new| new.facts.category.clone()).collect();
        service::add_categories(&mut tx, business, &categories).await?;
        let ids = service::insert(&mut tx, business, opened, &menu).await?;
        let menu: Vec<Line> = ids
            .into_iter()
            .zip(&menu)
            .map(|(service, new)| Line {
                service,
                price: new.facts.price,
                duration_minutes: new.facts.duration_minutes,
            })
            .collect();

        let customers = customer::new_ids(&mut tx, plan.reservations / 5 + 1).await?;
        for (chunk, ids) in customers.chunks(5_000).enumerate() {
            let new: Vec<_> = ids
                .iter()
                .zip(chunk * 5_000 + 1..)
                .map(|(id, n)| NewCustomer {
                    id: *id,
                    external_id: Some(format!("C-{n}")),
                    facts: salon::customer(&mut dice, n),
                    created_at: opened + TimeDelta::minutes(dice.number(i64::from(plan.days) * 1_440)),
                })
                .collect();
            customer::insert(&mut tx, &self.vault, business, opened, &new).await?;
        }

        let shop = Shop { staff, menu, customers, calendar, until: plan.until };
        let ids = reservation::new_ids(&mut tx, plan.reservations).await?;
        let mut copy = generated::Copy::default();
        let moments = shop.moments(&mut dice, plan.reservations);
        for ((n, id), moment) in ids.into_iter().enumerate().zip(moments) {
            let planned = shop.reservation(&mut dice, &moment);
            copy.push(business, id, &format!("R-{}", n + 1), &planned, moment.made_at);
            if copy.is_large() {
                std::mem::take(&mut copy).write(&mut tx).await?;
            }
        }
        copy.write(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }
}

struct Shop {
    staff: Vec<StaffId>,
    menu: Vec<Line>,
    customers: Vec<CustomerId>,
    calendar: Calendar,
    until: NaiveDate,
}

/// When somebody comes, and when they said so.
#[derive(Debug)]
struct Moment {
    day: NaiveDate,
    start_at: DateTime<Utc>,
    made_at: DateTime<Utc>,
}

impl Shop {
    /// In the order in which reservations are made, as the tables of a shop have them.
    fn moments(&self, dice: &mut Dice, count: usize) -> Vec<Moment> {
        let mut moments: Vec<_> = std::iter::repeat_with(|| {
            let day = self.calendar.day(dice);
            let start_at = at_korean_time(day, salon::time(dice));
            let made_at = start_at - TimeDelta::minutes(dice.number(i64::from(AHEAD) * 1_440));
            Moment { day, start_at, made_at }
        })
        .take(count)
        .collect();
        moments.sort_by_key(|moment| moment.made_at);
        moments
    }

    fn reservation(&self, dice: &mut Dice, moment: &Moment) -> Planned {
        let mut lines = vec![self.charged(dice)];
        if dice.percent(28) {
            let second = self.charged(dice);
            lines.extend((second.service != lines[0].service).then_some(second));
        }
        Planned {
            customer: self.customer(dice),
            staff: dice.percent(94).then(|| *dice.pick(&self.staff)),
            start_at: moment.start_at,
            status: self.status(dice, moment.day),
            lines,
        }
    }

    fn charged(&self, dice: &mut Dice) -> Line {
        // The beginning of the menu is what most people come for.
        let first = dice.below(self.menu.len());
        let second = dice.below(self.menu.len());
        let mut line = self.menu[first.min(second)];
        // Every eighth time a discount of 10 to 30 per cent, in whole thousands.
        if dice.percent(12) {
            line.price = line.price * (70 + dice.number(21)) / 100 / 1_000 * 1_000;
        }
        line
    }

    /// Regulars make up most of the visits, strangers a third; a few leave no name.
    fn customer(&self, dice: &mut Dice) -> Option<CustomerId> {
        if dice.percent(5) {
            return None;
        }
        let regulars = self.customers.len().div_ceil(4);
        let among = if dice.percent(65) { &self.customers[..regulars] } else { &self.customers[..] };
        Some(*dice.pick(among))
    }

    fn status(&self, dice: &mut Dice, day: NaiveDate) -> ReservationStatus {
        let roll = dice.number(100);
        if day > self.until {
            return match roll {
                0..6 => ReservationStatus::Cancelled,
                6..20 => ReservationStatus::Pending,
                _ => ReservationStatus::Confirmed,
            };
        }
        match roll {
            0..9 => ReservationStatus::Cancelled,
            9..13 => ReservationStatus::NoShow,
            _ => ReservationStatus::Completed,
        }
    }
}

/// The day before which `days` days lie.
fn days_before(day: NaiveDate, days: u32) -> NaiveDate {
    day.checked_sub_days(Days::new(days.into())).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_shops_are_large_and_none_is_too_large() {
        let sizes = uneven_sizes(1_000, 2_000_000, 200_000);
        assert_eq!(sizes.iter().sum::<usize>(), 2_000_000);
        assert!((150_000..=200_000).contains(&sizes[0]), "{}", sizes[0]);
        assert!(sizes[999] < 1_000 && sizes.is_sorted_by(|a, b| a + 1 >= *b), "{:?}", &sizes[990..]);
        assert_eq!(uneven_sizes(0, 100, 10), [0; 0]);
        assert_eq!(uneven_sizes(3, 2, 10).iter().sum::<usize>(), 2);
    }

    #[test]
    fn the_same_seed_invents_the_same_shop() {
        let invented = |seed, shop| {
            let mut dice = Dice::new(seed, shop);
            let menu = salon::menu(&mut dice);
            let shop = Shop {
                staff: vec![StaffId(1), StaffId(2)],
                menu: vec![Line { service: crate::ServiceId(1), price: menu[0].price, duration_minutes: 60 }],
                customers: (1..50).map(CustomerId).collect(),
                calendar: Calendar::new("2026-03-14".parse().unwrap(), 365, AHEAD),
                until: "2026-03-14".parse().unwrap(),
            };
            let moments = shop.moments(&mut dice, 20);
            assert!(moments.is_sorted_by_key(|moment| moment.made_at));
            let visits: Vec<_> =
                moments.iter().map(|moment| format!("{:?}", shop.reservation(&mut dice, moment))).collect();
            (menu, format!("{:?}", salon::customer(&mut dice, 1)), visits)
        };
        assert_eq!(invented(7, 1), invented(7, 1));
        assert_ne!(invented(7, 1), invented(7, 2));
        assert_ne!(invented(7, 1), invented(8, 1));
        // And on every machine, today and later.
        assert_eq!(Dice::new(7, 1).number(1_000_000), 992_108);
    }
}
