//! Random visits, added up by the reports and by the plainest code there is: they agree.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, TimeDelta};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRng, TestRunner},
};
use serde_json::{Value, json};
use testkit::TestApp;

use super::{feeds, report, shop};

const STATUSES: [&str; 5] = ["COMPLETED", "COMPLETED", "CANCELLED", "NO_SHOW", "CONFIRMED"];

#[derive(Clone, Debug)]
struct Visit {
    day: NaiveDate,
    hour: u32,
    staff: Option<&'static str>,
    customer: Option<&'static str>,
    services: Vec<(&'static str, i64)>,
    status: &'static str,
}

fn visit() -> impl Strategy<Value = Visit> {
    let service = (prop::sample::select(vec!["cut", "perm"]), 0i64..200_000);
    (
        0i64..120,
        0u32..24,
        prop::sample::select(vec![None, Some("kim"), Some("lee")]),
        prop::sample::select(vec![None, Some("c1"), Some("c2"), Some("c3")]),
        prop::collection::vec(service, 1..4),
        prop::sample::select(STATUSES.to_vec()),
    )
        .prop_map(|(day, hour, staff, customer, services, status)| Visit {
            day: NaiveDate::from_ymd_opt(2025, 11, 20).expect("a day") + TimeDelta::days(day),
            hour,
            staff,
            customer,
            services,
            status,
        })
}

impl Visit {
    fn is_completed(&self) -> bool {
        self.status == "COMPLETED"
    }

    fn price(&self) -> i64 {
        self.services.iter().map(|(_, price)| price).sum()
    }

    fn row(&self, number: usize) -> Value {
        let services = self.services.iter();
        let services: Vec<_> =
            services.map(|(id, price)| json!({"serviceExternalId": id, "price": price})).collect();
        json!({
            "externalId": format!("random-{number}"), "customerExternalId": self.customer,
            "staffExternalId": self.staff, "services": services,
            "startAt": format!("{}T{:02}:17:00", self.day, self.hour), "status": self.status,
        })
    }
}

/// Reproducible: the same visits each time.
fn sample<T>(strategy: impl Strategy<Value = T>, seed: u8) -> T {
    let rng = TestRng::from_seed(prop::test_runner::RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    strategy.new_tree(&mut runner).expect("a value").current()
}

fn sum_of(list: &Value, member: &str) -> i64 {
    list.as_array().expect("a list").iter().map(|one| one[member].as_i64().expect("a number")).sum()
}

fn tenths_of(list: &Value) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a share has one decimal")]
    let tenths = |one: &Value| (one["share"].as_f64().expect("a share") * 10.0).round() as i64;
    list.as_array().expect("a list").iter().map(tenths).sum()
}

/// A report's list as a map from name to two numbers.
fn named(list: &Value, name: &str, first: &str, second: &str) -> BTreeMap<String, (i64, i64)> {
    let entries = list.as_array().expect("a list").iter();
    let number = |one: &Value, member: &str| one[member].as_i64().expect("a number");
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    entries.map(|one| (text(&one[name]), (number(one, first), number(one, second)))).collect()
}

async fn agrees(app: &TestApp, visits: &[Visit], start: NaiveDate, end: NaiveDate, period: &str) {
    let query = format!("revenue?period={period}&startDate={start}&endDate={end}");
    let shown = report(app, &query).await;
    let inside: Vec<_> = visits.iter().filter(|visit| (start..=end).contains(&visit.day)).collect();
    let completed: Vec<_> = inside.iter().copied().filter(|visit| visit.is_completed()).collect();
    let revenue: i64 = completed.iter().map(|visit| visit.price()).sum();
    assert_eq!(shown["summary"]["totalRevenue"], revenue, "{query}");
    assert_eq!(shown["summary"]["totalReservations"], inside.len(), "{query}");

    // Each part adds up to the whole.
    for part in ["breakdown", "byService", "byStaff", "byDayOfWeek"] {
        assert_eq!(sum_of(&shown[part], "revenue"), revenue, "{query} {part}");
    }
    let count = i64::try_from(completed.len()).expect("a few");
    for part in ["byStaff", "byDayOfWeek", "peakHours"] {
        assert_eq!(sum_of(&shown[part], "count"), count, "{query} {part}");
    }
    assert_eq!(sum_of(&shown["breakdown"], "reservations"), i64::try_from(inside.len()).expect("a few"));
    if revenue > 0 {
        assert_eq!((tenths_of(&shown["byService"]), tenths_of(&shown["byStaff"])), (1000, 1000), "{query}");
    }

    // And each entry is what the plainest code says.
    let (mut services, mut staff, mut weekdays) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for weekday in 1..=7 {
        weekdays.insert(weekday.to_string(), (0, 0));
    }
    let add = |map: &mut BTreeMap<String, (i64, i64)>, name: String, won: i64| {
        let sum = map.entry(name).or_default();
        *sum = (sum.0 + won, sum.1 + 1);
    };
    for visit in &completed {
        let name = visit.staff.map_or("미지정", |id| if id == "kim" { "김실장" } else { "이실장" });
        add(&mut staff, name.to_owned(), visit.price());
        add(&mut weekdays, visit.day.weekday().number_from_monday().to_string(), visit.price());
        for (id, price) in &visit.services {
            add(&mut services, if *id == "cut" { "커트" } else { "펌" }.to_owned(), *price);
        }
    }
    assert_eq!(named(&shown["byService"], "serviceName", "revenue", "count"), services, "{query}");
    assert_eq!(named(&shown["byStaff"], "staffName", "revenue", "count"), staff, "{query}");
    assert_eq!(named(&shown["byDayOfWeek"], "dayOfWeek", "revenue", "count"), weekdays, "{query}");

    // Who came says the same of the money.
    let customers = report(app, &query.replace("revenue?", "customers?")).await;
    let of = |member: &str| customers[member].as_i64().expect("won");
    assert_eq!(of("newRevenue") + of("returningRevenue") + of("anonymousRevenue"), revenue, "{query}");
    assert_eq!(sum_of(&customers["breakdown"], "newCustomers"), of("newCustomers"), "{query}");
}

#[tokio::test]
async fn the_reports_and_the_plainest_code_agree() {
    let app = shop().await;
    let visits = sample(prop::collection::vec(visit(), 400), 7);
    feeds(&app, "reservations", visits.iter().enumerate().map(|(number, visit)| visit.row(number)).collect())
        .await;
    for case in 0..40 {
        let (start, length) = sample((0i64..130, 0i64..90), case);
        let start = NaiveDate::from_ymd_opt(2025, 11, 15).expect("a day") + TimeDelta::days(start);
        let period = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"][usize::from(case) % 4];
        agrees(&app, &visits, start, start + TimeDelta::days(length), period).await;
    }
}
