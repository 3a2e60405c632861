//! Random conditions on random customers, asked of the product and of the plainest code there is: they agree.

use std::collections::BTreeSet;

use axum::http::Method;
use chrono::{DateTime, Datelike, Months, NaiveDate, TimeDelta, Utc};
use kernel::{Clock, KoreanTime};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRng, TestRunner},
};
use sandbox::Fate;
use serde_json::{Value, json};
use testkit::TestApp;

use super::{chosen, feeds, shop, told};

const TAGS: [&str; 4] = ["단골", "염색", "VIP", "' or '1'='1"];
const STATUSES: [&str; 7] =
    ["COMPLETED", "COMPLETED", "COMPLETED", "CANCELLED", "NO_SHOW", "CONFIRMED", "PENDING"];
/// When campaigns were sent: at noon, before the first and before the last look at segments.
const CAMPAIGNS: [&str; 3] = ["2025-12-30", "2026-12-05", "2026-12-07"];

#[derive(Clone, Debug)]
struct Person {
    name: String,
    birthday: Option<NaiveDate>,
    gender: Option<&'static str>,
    tags: Vec<&'static str>,
    consents: bool,
    phone: bool,
    email: bool,
    visits: Vec<Visit>,
    /// What becomes of a text that is sent to them.
    fate: Fate,
    /// Of each campaign, unless it is not for them: whether they follow its link.
    campaigns: [Option<bool>; 3],
}

#[derive(Clone, Debug)]
struct Visit {
    day: NaiveDate,
    hour: u32,
    staff: Option<&'static str>,
    services: Vec<(&'static str, i64)>,
    status: &'static str,
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn visit() -> impl Strategy<Value = Visit> {
    (
        0i64..1_200,
        0u32..24,
        prop::sample::select(vec![None, Some("kim"), Some("lee")]),
        prop::collection::vec((prop::sample::select(vec!["cut", "perm"]), 0i64..200_000), 1..3),
        prop::sample::select(STATUSES.to_vec()),
    )
        .prop_map(|(days, hour, staff, services, status)| Visit {
            day: day("2025-01-01") + TimeDelta::days(days),
            hour,
            staff,
            services,
            status,
        })
}

fn person() -> impl Strategy<Value = Person> {
    let birthday = prop_oneof![
        1 => Just(None),
        1 => Just(Some(day("2000-02-29"))),
        4 => (0i64..22_000).prop_map(|days| Some(day("1950-01-01") + TimeDelta::days(days))),
    ];
    (
        birthday,
        prop::sample::select(vec![None, Some("FEMALE"), Some("MALE"), Some("OTHER")]),
        prop::sample::subsequence(TAGS.to_vec(), 0..3),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        prop::collection::vec(visit(), 0..9),
        prop_oneof![4 => Just(Fate::Delivered), 1 => Just(Fate::NoSuchNumber)],
        prop::array::uniform3(prop::option::of(any::<bool>())),
    )
        .prop_map(|(birthday, gender, tags, consents, phone, email, visits, fate, campaigns)| Person {
            name: String::new(),
            birthday,
            gender,
            tags,
            consents,
            phone,
            email,
            visits,
            fate,
            campaigns,
        })
}

impl Visit {
    fn starts(&self) -> DateTime<Utc> {
        KoreanTime::parse(&format!("{}T{:02}:17:00", self.day, self.hour)).expect("a time").0
    }
}

impl Person {
    fn row(&self) -> Value {
        let campaigns = CAMPAIGNS.iter().zip(self.campaigns).filter(|(_, of_it)| of_it.is_some());
        let tags: Vec<_> = self.tags.iter().chain(campaigns.map(|(day, _)| day)).collect();
        json!({
            "externalId": self.name, "name": self.name, "birthday": self.birthday, "gender": self.gender,
            "tags": tags, "marketingConsent": self.consents,
            "phone": self.phone.then(|| self.number()), "email": self.email.then_some("a@misohair.com"),
        })
    }

    /// Their own: somebody is not written to too often.
    fn number(&self) -> String {
        let number: u32 = self.name.trim_start_matches("손님 ").parse().expect("a number");
        format!("0103{number:07}")
    }

    fn visit_rows(&self) -> Vec<Value> {
        let row = |(number, visit): (usize, &Visit)| {
            let services = visit.services.iter();
            let services: Vec<_> =
                services.map(|(id, price)| json!({"serviceExternalId": id, "price": price})).collect();
            json!({
                "externalId": format!("{}-{number}", self.name), "customerExternalId": self.name,
                "staffExternalId": visit.staff, "services": services,
                "startAt": format!("{}T{:02}:17:00", visit.day, visit.hour), "status": visit.status,
            })
        };
        self.visits.iter().enumerate().map(row).collect()
    }

    fn completed(&self) -> impl Iterator<Item = &Visit> {
        self.visits.iter().filter(|visit| visit.status == "COMPLETED")
    }
}

/// What the conditions name by an id.
#[derive(Clone, Copy)]
struct Ids {
    cut: i64,
    perm: i64,
    kim: i64,
    lee: i64,
}

/// A campaign, and when what came of it.
#[derive(Clone, Copy)]
struct Campaign {
    id: i64,
    sent_at: DateTime<Utc>,
    failed_at: DateTime<Utc>,
    clicked_at: DateTime<Utc>,
}

#[derive(Clone, Copy)]
struct World {
    ids: Ids,
    campaigns: [Campaign; 3],
    now: DateTime<Utc>,
    today: NaiveDate,
}

impl World {
    fn day(&self, value: &Value) -> NaiveDate {
        let ago = |unit: &str| value[unit].as_u64();
        match (ago("daysAgo"), ago("monthsAgo")) {
            (Some(days), _) => self.today - TimeDelta::days(days.try_into().expect("a few")),
            (_, Some(months)) => self.today - Months::new(months.try_into().expect("a few")),
            _ => day(value.as_str().expect("a day")),
        }
    }

    fn month(&self, value: &Value) -> u64 {
        let ahead = value["monthsAhead"].as_u64();
        ahead.map_or_else(
            || value.as_u64().expect("a month"),
            |ahead| (u64::from(self.today.month0()) + ahead) % 12 + 1,
        )
    }

    fn age(&self, birthday: NaiveDate) -> i64 {
        let had_birthday = (self.today.month(), self.today.day()) >= (birthday.month(), birthday.day());
        i64::from(self.today.year() - birthday.year()) - i64::from(!had_birthday)
    }

    /// The campaigns whose message went to somebody by now.
    fn went_to(&self, person: &Person) -> Vec<(Campaign, bool)> {
        let of_them = self.campaigns.into_iter().zip(person.campaigns);
        let sent = of_them.filter_map(|(campaign, follows)| Some((campaign, follows?)));
        sent.filter(|(campaign, _)| person.phone && person.consents && campaign.sent_at <= self.now).collect()
    }

    fn received(&self, person: &Person) -> Vec<Campaign> {
        let sent = self.went_to(person).into_iter().map(|(campaign, _)| campaign);
        sent.filter(|campaign| person.fate == Fate::Delivered || campaign.failed_at > self.now).collect()
    }

    fn clicked(&self, person: &Person) -> Vec<Campaign> {
        let sent = self.went_to(person).into_iter().filter(|(_, follows)| *follows);
        sent.map(|(campaign, _)| campaign).filter(|campaign| campaign.clicked_at <= self.now).collect()
    }

    /// Whether a condition, as it is sent, is true of somebody.
    fn holds(&self, person: &Person, condition: &Value) -> bool {
        let inside = |group: &str| condition[group].as_array();
        if let Some(all) = inside("all") {
            return all.iter().all(|condition| self.holds(person, condition));
        }
        if let Some(any) = inside("any") {
            return any.iter().any(|condition| self.holds(person, condition));
        }
        if condition["not"].is_object() {
            return !self.holds(person, &condition["not"]);
        }
        let operator = condition["operator"].as_str().expect("an operator");
        let value = &condition["value"];
        let days = || person.completed().map(|visit| visit.day);
        let spent: i64 = person.completed().flat_map(|visit| &visit.services).map(|(_, price)| price).sum();
        let count = i64::try_from(person.completed().count()).expect("a few");
        let number = |known: Option<i64>| known.is_some_and(|known| compare(operator, known, value));
        match condition["field"].as_str().expect("a field") {
            "lastVisitDate" => self.compare_days(operator, days().max(), value),
            "firstVisitDate" => self.compare_days(operator, days().min(), value),
            "visitCount" => number(Some(count)),
            "totalSpent" => number(Some(spent)),
            "averageSpent" => number((count > 0).then(|| (spent + count / 2) / count.max(1))),
            "noShowCount" => {
                let no_shows = person.visits.iter().filter(|visit| visit.status == "NO_SHOW").count();
                number(i64::try_from(no_shows).ok())
            }
            "daysSinceLastVisit" => number(days().max().map(|last| (self.today - last).num_days())),
            "age" => number(person.birthday.map(|birthday| self.age(birthday))),
            "upcomingReservation" => {
                let planned = |visit: &&Visit| ["PENDING", "CONFIRMED"].contains(&visit.status);
                let coming = person.visits.iter().filter(planned).any(|visit| visit.starts() > self.now);
                coming == value.as_bool().expect("a boolean")
            }
            "marketingConsent" => person.consents == value.as_bool().expect("a boolean"),
            "gender" => match operator {
                "IS_SET" => person.gender.is_some(),
                "IS_NOT_SET" => person.gender.is_none(),
                "IS" => person.gender.is_some_and(|gender| value == gender),
                _ => person.gender.is_some_and(|gender| list(value).contains(&json!(gender))),
            },
            "birthday" => match operator {
                "IS_SET" => person.birthday.is_some(),
                "IS_NOT_SET" => person.birthday.is_none(),
                "BETWEEN" => {
                    let (first, last) = (self.day(&value[0]), self.day(&value[1]));
                    person.birthday.is_some_and(|birthday| celebrates_between(birthday, first, last))
                }
                _ => {
                    let last = self.today + TimeDelta::days(value.as_i64().expect("days"));
                    person.birthday.is_some_and(|birthday| celebrates_between(birthday, self.today, last))
                }
            },
            "birthdayMonth" => {
                let months = if operator == "IS" { vec![value.clone()] } else { list(value) };
                person.birthday.is_some_and(|birthday| {
                    months.iter().any(|month| self.month(month) == u64::from(birthday.month()))
                })
            }
            "tag" => has(operator, &person.tags.iter().map(|tag| json!(tag)).collect::<Vec<_>>(), value),
            "service" => {
                let id = |name: &str| json!(if name == "cut" { self.ids.cut } else { self.ids.perm });
                let had: Vec<_> =
                    person.completed().flat_map(|visit| &visit.services).map(|(name, _)| id(name)).collect();
                has(operator, &had, value)
            }
            "staff" => {
                let id = |name: &str| json!(if name == "kim" { self.ids.kim } else { self.ids.lee });
                let had: Vec<_> = person.completed().filter_map(|visit| visit.staff).map(id).collect();
                has(operator, &had, value)
            }
            "channel" => {
                let reached = [("KAKAO", person.phone), ("SMS", person.phone), ("EMAIL", person.email)];
                let reached: Vec<_> =
                    reached.iter().filter(|(_, is)| *is).map(|(name, _)| json!(name)).collect();
                has(operator, &reached, value)
            }
            "receivedCampaign" => has_campaigns(operator, &self.received(person), value),
            "clickedCampaign" => has_campaigns(operator, &self.clicked(person), value),
            "lastCampaignDate" => {
                let days =
                    self.received(person).into_iter().map(|campaign| kernel::korean_day(campaign.sent_at));
                self.compare_days(operator, days.max(), value)
            }
            other => panic!("{other} has no meaning here"),
        }
    }

    fn compare_days(&self, operator: &str, known: Option<NaiveDate>, value: &Value) -> bool {
        let wanted = |value: &Value| self.day(value);
        match (operator, known) {
            ("IS_SET", known) => known.is_some(),
            ("IS_NOT_SET", known) => known.is_none(),
            (_, None) => false,
            ("BEFORE", Some(known)) => known < wanted(value),
            ("ON_OR_BEFORE", Some(known)) => known <= wanted(value),
            ("AFTER", Some(known)) => known > wanted(value),
            ("ON_OR_AFTER", Some(known)) => known >= wanted(value),
            ("ON", Some(known)) => known == wanted(value),
            (_, Some(known)) => (wanted(&value[0])..=wanted(&value[1])).contains(&known),
        }
    }
}

fn celebrates_between(birthday: NaiveDate, first: NaiveDate, last: NaiveDate) -> bool {
    first.iter_days().take_while(|day| *day <= last).any(|day| {
        let last_of_february = NaiveDate::from_ymd_opt(day.year(), 2, 28).expect("a day");
        birthday.with_year(day.year()).unwrap_or(last_of_february) == day
    })
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().expect("a list").clone()
}

fn compare(operator: &str, known: i64, value: &Value) -> bool {
    let wanted = |value: &Value| value.as_i64().expect("a number");
    match operator {
        "AT_LEAST" => known >= wanted(value),
        "AT_MOST" => known <= wanted(value),
        "MORE_THAN" => known > wanted(value),
        "LESS_THAN" => known < wanted(value),
        "EQUALS" => known == wanted(value),
        _ => (wanted(&value[0])..=wanted(&value[1])).contains(&known),
    }
}

fn has(operator: &str, had: &[Value], wanted: &Value) -> bool {
    let mut wanted = list(wanted).into_iter();
    match operator {
        "HAS_ANY" => wanted.any(|value| had.contains(&value)),
        "HAS_ALL" => wanted.all(|value| had.contains(&value)),
        _ => !wanted.any(|value| had.contains(&value)),
    }
}

fn has_campaigns(operator: &str, had: &[Campaign], wanted: &Value) -> bool {
    match operator {
        "IS_SET" => !had.is_empty(),
        "IS_NOT_SET" => had.is_empty(),
        _ => has(operator, &had.iter().map(|campaign| json!(campaign.id)).collect::<Vec<_>>(), wanted),
    }
}

fn some_day() -> impl Strategy<Value = Value> {
    prop_oneof![
        (0i64..1_200).prop_map(|days| json!(day("2025-01-01") + TimeDelta::days(days))),
        (0u32..900).prop_map(|days| json!({"daysAgo": days})),
        (0u32..30).prop_map(|months| json!({"monthsAgo": months})),
    ]
}

fn numbers(field: &'static str, most: i64) -> impl Strategy<Value = Value> {
    let one = prop::sample::select(vec!["AT_LEAST", "AT_MOST", "MORE_THAN", "LESS_THAN", "EQUALS"]);
    prop_oneof![
        4 => (one, 0..=most).prop_map(move |(operator, value)| json!({"field": field, "operator": operator, "value": value})),
        1 => (0..=most, 0..=most).prop_map(move |(a, b)| json!({"field": field, "operator": "BETWEEN", "value": [a.min(b), a.max(b)]})),
    ]
}

fn days(field: &'static str) -> impl Strategy<Value = Value> {
    let one = prop::sample::select(vec!["BEFORE", "ON_OR_BEFORE", "AFTER", "ON_OR_AFTER", "ON"]);
    let set = prop::sample::select(vec!["IS_SET", "IS_NOT_SET"]);
    prop_oneof![
        4 => (one, some_day()).prop_map(move |(operator, value)| json!({"field": field, "operator": operator, "value": value})),
        1 => (0u32..400, 0u32..400).prop_map(move |(a, b)| json!({"field": field, "operator": "BETWEEN", "value": [{"daysAgo": a.max(b)}, {"daysAgo": a.min(b)}]})),
        1 => set.prop_map(move |operator| json!({"field": field, "operator": operator})),
    ]
}

fn sets(field: &'static str, values: Vec<Value>) -> impl Strategy<Value = Value> {
    let operator = prop::sample::select(vec!["HAS_ANY", "HAS_ALL", "HAS_NONE"]);
    let count = values.len();
    (operator, prop::sample::subsequence(values, 1..=count))
        .prop_map(move |(operator, values)| json!({"field": field, "operator": operator, "value": values}))
}

fn month() -> impl Strategy<Value = Value> {
    prop_oneof![
        (1u32..=12).prop_map(|month| json!(month)),
        (0u32..12).prop_map(|ahead| json!({"monthsAhead": ahead}))
    ]
}

fn person_tests() -> impl Strategy<Value = Value> {
    let flag = |field: &'static str| {
        any::<bool>().prop_map(move |is| json!({"field": field, "operator": "IS", "value": is}))
    };
    let genders: Vec<Value> = ["FEMALE", "MALE", "OTHER"].map(Value::from).into();
    prop_oneof![
        numbers("age", 80),
        (0i64..=366).prop_map(|days| json!({"field": "birthday", "operator": "IN_NEXT_DAYS", "value": days})),
        (0i64..1_200, 0i64..400).prop_map(|(from, days)| {
            let first = day("2025-01-01") + TimeDelta::days(from);
            json!({"field": "birthday", "operator": "BETWEEN", "value": [first, first + TimeDelta::days(days)]})
        }),
        prop::sample::select(vec!["IS_SET", "IS_NOT_SET"])
            .prop_map(|operator| json!({"field": "birthday", "operator": operator})),
        month().prop_map(|month| json!({"field": "birthdayMonth", "operator": "IS", "value": month})),
        prop::collection::vec(month(), 1..4)
            .prop_map(|months| json!({"field": "birthdayMonth", "operator": "IS_ANY_OF", "value": months})),
        prop::sample::select(genders.clone())
            .prop_map(|gender| json!({"field": "gender", "operator": "IS", "value": gender})),
        prop::sample::subsequence(genders, 1..=2)
            .prop_map(|some| json!({"field": "gender", "operator": "IS_ANY_OF", "value": some})),
        prop::sample::select(vec!["IS_SET", "IS_NOT_SET"])
            .prop_map(|operator| json!({"field": "gender", "operator": operator})),
        sets("tag", TAGS.map(Value::from).into()),
        sets("channel", ["KAKAO", "SMS", "EMAIL"].map(Value::from).into()),
        flag("marketingConsent"),
        flag("upcomingReservation"),
    ]
}

fn campaign_tests(campaigns: [Campaign; 3]) -> impl Strategy<Value = Value> {
    let field = || prop::sample::select(vec!["receivedCampaign", "clickedCampaign"]);
    let set = prop::sample::select(vec!["IS_SET", "IS_NOT_SET"]);
    let ids = campaigns.map(|campaign| json!(campaign.id)).to_vec();
    // The days around those on which they were sent: others tell nobody apart.
    let near = (prop::sample::select(CAMPAIGNS.to_vec()), -2i64..3)
        .prop_map(|(sent, days)| json!(day(sent) + TimeDelta::days(days)));
    let operator = prop::sample::select(vec!["BEFORE", "ON_OR_BEFORE", "AFTER", "ON_OR_AFTER", "ON"]);
    prop_oneof![
        4 => field().prop_flat_map(move |field| sets(field, ids.clone())),
        1 => (field(), set).prop_map(|(field, operator)| json!({"field": field, "operator": operator})),
        2 => days("lastCampaignDate"),
        2 => (operator, near).prop_map(|(operator, day)| json!({"field": "lastCampaignDate", "operator": operator, "value": day})),
    ]
}

fn conditions(ids: Ids, campaigns: [Campaign; 3]) -> impl Strategy<Value = Vec<Value>> {
    let visit_tests = prop_oneof![
        days("lastVisitDate"),
        days("firstVisitDate"),
        numbers("visitCount", 8),
        numbers("totalSpent", 800_000),
        numbers("averageSpent", 200_000),
        numbers("noShowCount", 3),
        numbers("daysSinceLastVisit", 900),
        sets("service", vec![json!(ids.cut), json!(ids.perm)]),
        sets("staff", vec![json!(ids.kim), json!(ids.lee)]),
    ];
    let test = prop_oneof![visit_tests, person_tests(), campaign_tests(campaigns)];
    let tree = test.prop_recursive(3, 12, 3, |inside| {
        prop_oneof![
            prop::collection::vec(inside.clone(), 1..4).prop_map(|some| json!({"any": some})),
            prop::collection::vec(inside.clone(), 1..4).prop_map(|some| json!({"all": some})),
            inside.prop_map(|one| json!({"not": one})),
        ]
    });
    prop::collection::vec(tree, 0..3)
}

/// The campaigns go out, to whoever agreed; an hour later it is known who cannot be reached, and two hours later some followed
/// the link.
async fn has_campaigns_sent(app: &TestApp, people: &[Person]) -> [Campaign; 3] {
    app.sql(
        "insert into messaging.consent
             (business_id, customer_id, channel, purpose, act, acted_at, recorded_at, method, wording)
         select business_id, customer_id, 'SMS', 'MARKETING', 'GIVEN', '2025-12-01', '2025-12-01', 'PAPER', 'v1'
         from booking.customer where business_id = 2 and marketing_consent",
    )
    .await;
    for person in people {
        app.sandbox.set_fate(&person.number(), person.fate).expect("a number");
    }
    let mut sent = Vec::new();
    for (number, day) in CAMPAIGNS.into_iter().enumerate() {
        app.it_is(&format!("{day}T12:00"));
        let id = told(app, json!([{"field": "tag", "operator": "HAS_ANY", "value": [day]}])).await;
        let sent_at = app.clock.now();
        app.pass(TimeDelta::hours(1));
        app.app.messaging.sweep().await.expect("reports are read");
        let failed_at = app.clock.now();
        app.pass(TimeDelta::hours(1));
        let links = app
            .texts(&format!(
                "select concat_ws('/', c.name, r.link_code) from crm.campaign_recipient r
                 join booking.customer c using (business_id, customer_id)
                 where r.business_id = 2 and r.campaign_id = {id} and r.link_code is not null"
            ))
            .await;
        for link in &links {
            let (name, code) = link.split_once('/').expect("a name and a code");
            let follows = |person: &Person| person.name == name && person.campaigns[number] == Some(true);
            if people.iter().any(follows) {
                assert_eq!(app.anonymous().get(&format!("/l/{code}")).await.status, 302);
            }
        }
        sent.push(Campaign { id, sent_at, failed_at, clicked_at: app.clock.now() });
    }
    assert_eq!(app.count("messaging.delivery where status not in ('DELIVERED', 'FAILED')").await, 0);
    sent.try_into().unwrap_or_else(|_| panic!("as many as were sent"))
}

/// Reproducible: the same each time.
fn runner(seed: u8) -> TestRunner {
    let rng = TestRng::from_seed(prop::test_runner::RngAlgorithm::ChaCha, &[seed; 32]);
    TestRunner::new_with_rng(Config::default(), rng)
}

async fn id_of(app: &TestApp, what: &str, id: &str, name: &str) -> i64 {
    let listed = app.owner_of(2).get(&format!("/api/businesses/2/{what}")).await;
    let found = listed.data().as_array().expect("a list").iter().find(|one| one["name"] == name).cloned();
    found.expect("it is there")[id].as_i64().expect("an id")
}

#[tokio::test]
async fn conditions_mean_in_sql_what_they_mean_in_plain_rust() {
    let app = shop().await;
    let mut people = prop::collection::vec(person(), 90).new_tree(&mut runner(1)).expect("people").current();
    for (number, person) in people.iter_mut().enumerate() {
        person.name = format!("손님 {number}");
    }
    feeds(&app, "customers", people.iter().map(Person::row).collect()).await;
    feeds(&app, "reservations", people.iter().flat_map(Person::visit_rows).collect()).await;
    let campaigns = has_campaigns_sent(&app, &people).await;
    // Whoever was erased is in no segment, whatever is asked.
    let erased = app.owner_of(2).get("/api/businesses/2/customers?limit=1").await;
    let erased = &erased.data()[0];
    let gone = format!("/api/businesses/2/customers/{}", erased["customerId"]);
    assert_eq!(app.owner_of(2).send(Method::DELETE, &gone, None).await.status, 204);
    people.retain(|person| erased["name"] != person.name.as_str());
    assert_eq!(people.len(), 89);

    let ids = Ids {
        cut: id_of(&app, "services", "serviceId", "커트").await,
        perm: id_of(&app, "services", "serviceId", "펌").await,
        kim: id_of(&app, "staffs", "staffId", "김실장").await,
        lee: id_of(&app, "staffs", "staffId", "이실장").await,
    };
    let mut runner = runner(2);
    let (mut some, mut everybody_or_nobody) = (0, 0);
    let looks = [
        "2026-02-01T08:30:00",
        "2027-02-28T23:59:00",
        "2028-02-29T00:00:00",
        "2025-12-31T12:17:00",
        // One campaign was sent, and nobody knows yet that it did not arrive everywhere.
        "2026-12-05T12:30:00",
    ];
    for now in looks {
        let now = KoreanTime::parse(now).expect("a time").0;
        app.clock.set(now);
        let world = World { ids, campaigns, now, today: kernel::korean_day(now) };
        for _ in 0..60 {
            let sent = conditions(ids, campaigns).new_tree(&mut runner).expect("conditions").current();
            let meant =
                people.iter().filter(|person| sent.iter().all(|condition| world.holds(person, condition)));
            let meant: BTreeSet<_> = meant.map(|person| person.name.clone()).collect();
            let found = chosen(&app, &json!(sent)).await;
            assert_eq!(
                found.into_iter().collect::<BTreeSet<_>>(),
                meant,
                "on {}: {}",
                world.today,
                json!(sent)
            );
            if (1..people.len()).contains(&meant.len()) { some += 1 } else { everybody_or_nobody += 1 }
        }
    }
    assert!(some > 140, "only {some} conditions told customers apart, {everybody_or_nobody} did not");
}
