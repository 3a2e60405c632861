//! What the hair salon of the demo has: a menu, staff, customers, and two months of reservations.

use booking::{
    Announce, Booking, CustomerRow, Feed, Gender, ReservationRow, ReservationStatus, Row, ServiceLineRow,
    ServiceRow, StaffRow,
};
use chrono::{Datelike, Days, NaiveDate, NaiveTime, Weekday};
use kernel::{BusinessId, KoreanTime, at_korean_time};

pub(super) const SALON: BusinessId = BusinessId(1);

/// The first that was fed into an empty database.
pub(super) const FIRST_CUSTOMER: i64 = 1;

const STAFF: [&str; 3] = ["이지은", "박서준", "한지민"];

/// Name in the feed, name, category, won, minutes.
const MENU: [(&str, &str, &str, i64, i64); 6] = [
    ("CUT-F", "여성 컷", "컷", 30_000, 60),
    ("CUT-M", "남성 컷", "컷", 22_000, 40),
    ("PERM-D", "디지털 펌", "펌", 130_000, 150),
    ("COLOR-R", "뿌리 염색", "염색", 70_000, 90),
    ("CLINIC", "두피 클리닉", "케어", 90_000, 60),
    ("DRY", "드라이", "스타일링", 20_000, 30),
];

/// Name, mailbox, gender. The examples of the API look for the first one.
const CUSTOMERS: [(&str, &str, Gender); 12] = [
    ("김민서", "minseo", Gender::Female),
    ("최우식", "woosik", Gender::Male),
    ("정수빈", "subin", Gender::Female),
    ("강하늘", "haneul", Gender::Male),
    ("윤아름", "areum", Gender::Female),
    ("임도현", "dohyun", Gender::Male),
    ("오세영", "seyoung", Gender::Female),
    ("서지우", "jiwoo", Gender::Female),
    ("신동엽", "dongyup", Gender::Male),
    ("권나라", "nara", Gender::Female),
    ("황민현", "minhyun", Gender::Male),
    ("송가인", "gain", Gender::Female),
];

/// Days before and after today that have reservations.
const PAST: i32 = 46;
const COMING: i32 = 14;

/// Feeds what the salon has, unless it has something already.
pub(super) async fn load(booking: &Booking) -> anyhow::Result<()> {
    if booking.has_staff(SALON).await? {
        return Ok(());
    }
    let staff = STAFF
        .iter()
        .zip(1..)
        .map(|(name, n)| StaffRow { external_id: format!("S-{n}"), name: (*name).to_owned() });
    booking.feed_staffs(SALON, fed(staff)).await?;
    let menu = MENU.map(|(external_id, name, category, price, duration_minutes)| ServiceRow {
        external_id: external_id.to_owned(),
        name: name.to_owned(),
        category: Some(category.to_owned()),
        price,
        duration_minutes,
    });
    booking.feed_services(SALON, fed(menu.into_iter())).await?;
    let customers = CUSTOMERS.iter().zip(1..).map(|((name, mailbox, gender), n)| CustomerRow {
        external_id: customer_name(n),
        name: (*name).to_owned(),
        phone: Some(format!("010-{:04}-{:04}", 1227 + n * 7, 5677 + n)),
        email: Some(format!("{mailbox}@misohair.com")),
        birthday: Some(format!("{}-{:02}-{:02}", 1980 + n, 1 + n % 12, 1 + n * 2)),
        gender: Some(*gender),
        tags: (n % 3 == 1).then(|| vec!["단골".to_owned()]),
        marketing_consent: Some(n % 2 == 1),
        created_at: None,
    });
    booking.feed_customers(SALON, fed(customers), Announce::Nothing).await?;
    let reservations = reservations(booking.clock.today());
    booking.feed_reservations(SALON, fed(reservations.into_iter()), Announce::Nothing).await?;
    Ok(())
}

/// The feeding system's name for a customer, from 1. The last one is whom the development token of a customer stands for.
fn customer_name(n: usize) -> String {
    if n == CUSTOMERS.len() { "customer_1".to_owned() } else { format!("C-{}", 1000 + n) }
}

fn fed<R: Row>(rows: impl Iterator<Item = R>) -> Feed<R> {
    let mut feed = Feed::default();
    rows.zip(1..).for_each(|(row, position)| feed.push(position, row));
    feed
}

/// The first one is to come and the second one took place, as the examples of the API want it.
fn reservations(today: NaiveDate) -> Vec<ReservationRow> {
    let mut rows = vec![
        reservation(0, today, 7, ReservationStatus::Confirmed),
        reservation(1, today, -1, ReservationStatus::Completed),
    ];
    for day in -PAST..COMING {
        // Closed on Mondays, and busiest on Saturdays.
        let visits = match on(today, day).weekday() {
            Weekday::Mon => 0,
            Weekday::Sat => 6,
            Weekday::Fri | Weekday::Sun => 5,
            _ => 3,
        };
        for _ in 0..visits {
            let n = rows.len();
            let status = match (day >= 0, n % 17) {
                (_, 3) => ReservationStatus::Cancelled,
                (true, 5 | 11) => ReservationStatus::Pending,
                (true, _) => ReservationStatus::Confirmed,
                (false, 9) => ReservationStatus::NoShow,
                (false, _) => ReservationStatus::Completed,
            };
            rows.push(reservation(n, today, day, status));
        }
    }
    rows
}

fn on(today: NaiveDate, day: i32) -> NaiveDate {
    let days = Days::new(day.unsigned_abs().into());
    let moved = if day < 0 { today.checked_sub_days(days) } else { today.checked_add_days(days) };
    moved.unwrap_or(today)
}

fn reservation(n: usize, today: NaiveDate, day: i32, status: ReservationStatus) -> ReservationRow {
    let hour = u32::try_from(10 + n * 5 % 10).unwrap_or(10);
    let start =
        NaiveTime::from_hms_opt(hour, if n.is_multiple_of(2) { 0 } else { 30 }, 0).unwrap_or_default();
    let line = |(external_id, _, _, price, _): (&str, &str, &str, i64, i64)| ServiceLineRow {
        service_external_id: external_id.to_owned(),
        price,
    };
    let mut services = vec![line(MENU[n * 7 % MENU.len()])];
    if n % 5 == 2 {
        services.push(line(MENU[5]));
    }
    ReservationRow {
        external_id: format!("R-{}", 20_001 + n),
        // Every eleventh is somebody who left no name.
        customer_external_id: (n % 11 != 10).then(|| customer_name(1 + n * 5 % CUSTOMERS.len())),
        staff_external_id: Some(format!("S-{}", 1 + n % STAFF.len())),
        services,
        start_at: KoreanTime(at_korean_time(on(today, day), start)).to_string(),
        status,
        created_at: None,
    }
}
