//! What Korean salons are like: who works there, what they offer, who comes and when.

use chrono::{Datelike, Days, NaiveDate, NaiveTime, Weekday};

use super::{days_before, dice::Dice};
use crate::{
    contact::{Email, Phone},
    customer::{CustomerFacts, Gender},
    service::ServiceFacts,
};

const SURNAMES: [&str; 20] = [
    "김", "이", "박", "최", "정", "강", "조", "윤", "장", "임", "한", "오", "서", "신", "권", "황", "안",
    "송", "류", "홍",
];
const GIVEN: [&str; 30] = [
    "민서", "서연", "지우", "하은", "수빈", "지민", "예은", "채원", "다은", "유진", "민지", "소영", "은경",
    "미영", "혜진", "도윤", "서준", "하준", "지호", "준우", "현우", "민재", "성민", "재훈", "동현", "영호",
    "상철", "정훈", "태영", "진수",
];

/// Name, category, won, minutes. What most people come for stands first.
const MENU: [(&str, &str, i64, i32); 16] = [
    ("여성 컷", "컷", 30_000, 60),
    ("남성 컷", "컷", 20_000, 40),
    ("뿌리 염색", "염색", 60_000, 90),
    ("드라이", "스타일링", 20_000, 30),
    ("디지털 펌", "펌", 130_000, 150),
    ("볼륨 매직", "펌", 150_000, 180),
    ("전체 염색", "염색", 100_000, 120),
    ("앞머리 컷", "컷", 5_000, 15),
    ("다운펌", "펌", 40_000, 60),
    ("두피 클리닉", "케어", 80_000, 60),
    ("모발 클리닉", "케어", 90_000, 60),
    ("학생 컷", "컷", 17_000, 40),
    ("셋팅 펌", "펌", 140_000, 160),
    ("탈색", "염색", 120_000, 150),
    ("업스타일", "스타일링", 70_000, 60),
    ("붙임머리", "스타일링", 350_000, 240),
];

fn name(dice: &mut Dice) -> String {
    format!("{}{}", dice.pick(&SURNAMES), dice.pick(&GIVEN))
}

/// One for every six visits a day, two at least.
pub(super) fn staff(dice: &mut Dice, reservations: usize, days: u32) -> Vec<String> {
    let days = usize::try_from(days).unwrap_or(usize::MAX).max(1);
    let count = (reservations / days / 6).clamp(2, 100);
    (0..count).map(|_| name(dice)).collect()
}

/// A price list between cheap and dear; the smaller salons offer less.
pub(super) fn menu(dice: &mut Dice) -> Vec<ServiceFacts> {
    let level = 70 + dice.number(81);
    let offered = 8 + dice.below(MENU.len() - 7);
    let service = |(name, category, price, duration_minutes): (&str, &str, i64, i32)| ServiceFacts {
        name: name.to_owned(),
        category: Some(category.to_owned()),
        price: (price * level / 100 / 1_000).max(3) * 1_000,
        duration_minutes,
    };
    MENU.into_iter().take(offered).map(service).collect()
}

pub(super) fn customer(dice: &mut Dice, n: usize) -> CustomerFacts {
    let number = format!("010{:08}", 20_000_000 + dice.number(79_999_999));
    let reachable = dice.percent(92);
    let writes = dice.percent(35);
    let born = NaiveDate::from_ymd_opt(1950 + i32::try_from(dice.number(60)).unwrap_or(0), 1, 1);
    let born = born.and_then(|new_year| {
        new_year.checked_add_days(Days::new(u64::try_from(dice.number(365)).unwrap_or(0)))
    });
    CustomerFacts {
        name: name(dice),
        phone: Phone::parse(&number).filter(|_| reachable),
        email: Email::parse(&format!("guest{n}@example.com")).filter(|_| writes),
        birthday: born.filter(|_| dice.percent(60)),
        gender: dice.percent(85).then(|| if dice.percent(68) { Gender::Female } else { Gender::Male }),
        tags: if dice.percent(10) { vec!["단골".to_owned()] } else { Vec::new() },
        marketing_consent: dice.percent(45),
    }
}

/// The days of a shop, some of which are likelier than others.
pub(super) struct Calendar {
    pub first: NaiveDate,
    /// Running sums of how likely each day is.
    sums: Vec<i64>,
}

impl Calendar {
    /// `days` days that end with `until`, and `ahead` more that are not booked out yet.
    pub(super) fn new(until: NaiveDate, days: u32, ahead: u32) -> Self {
        let first = days_before(until, days.max(1) - 1);
        let mut sum = 0;
        let sums = first.iter_days().take(usize::try_from(days.max(1) + ahead).unwrap_or(0)).map(|day| {
            let after = (day - until).num_days().max(0);
            let booked = (i64::from(ahead) + 1 - after).max(0) * 100 / (i64::from(ahead) + 1);
            sum += season(day) * weekday(day) * booked;
            sum
        });
        let sums = sums.collect();
        Self { first, sums }
    }

    pub(super) fn day(&self, dice: &mut Dice) -> NaiveDate {
        let at = u64::try_from(dice.weighted(&self.sums)).unwrap_or(0);
        self.first.checked_add_days(Days::new(at)).unwrap_or(self.first)
    }
}

/// People want to look new in spring and for the year's end; in the rains of July they stay at home.
fn season(day: NaiveDate) -> i64 {
    [90, 95, 115, 110, 105, 95, 85, 95, 100, 105, 105, 125][usize::try_from(day.month0()).unwrap_or(0)]
}

/// Mondays are quiet, Saturdays are full.
fn weekday(day: NaiveDate) -> i64 {
    match day.weekday() {
        Weekday::Mon => 35,
        Weekday::Tue => 80,
        Weekday::Wed => 85,
        Weekday::Thu => 95,
        Weekday::Fri => 125,
        Weekday::Sat => 180,
        Weekday::Sun => 120,
    }
}

/// From 10 to 20 o'clock, with peaks at lunch and after work, on the half hour.
pub(super) fn time(dice: &mut Dice) -> NaiveTime {
    const SUMS: [i64; 11] = [6, 14, 25, 35, 43, 50, 57, 66, 79, 93, 100];
    let hour = 10 + u32::try_from(dice.weighted(&SUMS)).unwrap_or(0);
    let minute = if dice.percent(60) { 0 } else { 30 };
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::Timelike;

    use super::*;

    #[test]
    fn saturdays_lunch_and_evenings_are_full() {
        let mut dice = Dice::new(1, 0);
        let calendar = Calendar::new("2026-03-14".parse().unwrap(), 365, 14);
        let (mut weekdays, mut hours) = (BTreeMap::new(), BTreeMap::new());
        for _ in 0..20_000 {
            *weekdays.entry(calendar.day(&mut dice).weekday().num_days_from_monday()).or_insert(0) += 1;
            *hours.entry(time(&mut dice).hour()).or_insert(0) += 1;
        }
        assert!(weekdays[&5] > 4 * weekdays[&0], "{weekdays:?}");
        assert!(hours[&12] > hours[&15] && hours[&18] > hours[&15], "{hours:?}");
        assert_eq!((hours.keys().min(), hours.keys().max()), (Some(&10), Some(&20)));
    }
}
