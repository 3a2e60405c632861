//! `bench -- segments`

use std::{net::SocketAddr, time::Instant};

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use clap::Args;
use identity::Tokens;
use kernel::{BusinessId, Clock, SystemClock};
use platform::{Membership, Principal, Role};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::{
    api_server::ApiServer,
    part::{self, Part, Task},
    seed::Seed,
    verdict,
    world::{ClockAhead, World, configuration},
};

const RATIO: f64 = 1.2;
const MILLISECONDS: f64 = 300.0;
const ROWS_A_STATEMENT: usize = 20_000;

/// As the migration begins: every customer's row, from everything.
const MIGRATION: &str = include_str!("../../../migrations/booking/0005_customer_summary.sql");

#[derive(Args)]
pub(crate) struct Arguments {
    /// Customers of the one shop
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    customers: u32,
    /// Their reservations
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u32).range(1_000..))]
    reservations: u32,
    /// How often each segment is counted, ours and by hand in turns
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    times: u32,
}

/// A question, as a page asks it and as somebody who knows the tables would.
struct Segment {
    name: &'static str,
    conditions: Value,
    /// What stands behind `where business_id = 1 and`.
    by_hand: &'static str,
}

pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let Arguments { customers, reservations, times } = *arguments;
    println!("segments: one shop with {customers} customers and {reservations} reservations");
    // As much as one gives a server that has such a shop: without it the system's cache is read instead.
    let world = World::start_with(&[("shared_buffers", "1GB"), ("max_wal_size", "4GB")]).await?;
    let mut admin = world.superuser().await?;
    let began = Instant::now();
    seed(&world, &mut admin, customers, reservations).await?;
    world.settle_down().await?;
    println!("  seeded in            {:>10.0} s", began.elapsed().as_secs_f64());

    let server =
        Task::ApiServer(ApiServer { database_url: world.url(), connections: 4, clock: ClockAhead::NONE });
    let mut server = Part::start(&server, world.folder()).await?;
    let shop = Shop::at(server.answer().await?)?;
    println!(
        "  {:<44} {:>9} {:>10} {:>10} {:>6}",
        "milliseconds, median", "customers", "preview", "by hand", "ratio"
    );
    let mut reached = true;
    for segment in typical() {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut counts = (0, 0);
        for round in 0..=times {
            let (count, preview) = shop.previews(&segment.conditions).await?;
            let (expected, by_hand) = counts_by_hand(&mut admin, segment.by_hand).await?;
            ensure!(count == expected, "{}: {count} customers, by hand {expected}", segment.name);
            counts = (count, expected);
            // The first warms up.
            if round > 0 {
                ours.push(preview);
                theirs.push(by_hand);
            }
        }
        let (ours, theirs) = (median(ours), median(theirs));
        let is_fast = ours / theirs <= RATIO && ours < MILLISECONDS;
        reached &= is_fast;
        let missed = if is_fast { "" } else { "  MISSED" };
        println!(
            "  {:<44} {:>9} {ours:>10.1} {theirs:>10.1} {:>6.2}{missed}",
            segment.name,
            counts.0,
            ours / theirs
        );
    }
    println!("  target: each within {RATIO} and below {MILLISECONDS} ms, {}", verdict::word(reached));
    let (_, from_visits) = timed(&mut admin, FROM_VISITS).await?;
    println!("  the first, with all visits added up anew: {from_visits:.0} ms");
    server.stop().await?;
    world.stop().await;
    Ok(reached)
}

/// What the first segment costs without `customer_summary`, from the best index there is.
const FROM_VISITS: &str = "select count(*) from (
    select customer_id from booking.reservation
    where business_id = 1 and customer_id is not null and status = 'COMPLETED'
    group by customer_id having max(visit_on) <= (now() at time zone 'Asia/Seoul')::date - interval '3 months') long_ago";

fn typical() -> [Segment; 10] {
    [
        Segment {
            name: "3개월 이상 미방문",
            conditions: json!([
                {"field": "lastVisitDate", "operator": "ON_OR_BEFORE", "value": {"monthsAgo": 3}},
                {"field": "upcomingReservation", "operator": "IS", "value": false},
            ]),
            by_hand: "last_visit_on <= TODAY - interval '3 months' and (planned_until is null or planned_until <= now())",
        },
        Segment {
            name: "VIP 고객",
            conditions: json!([{"any": [
                {"field": "visitCount", "operator": "AT_LEAST", "value": 10},
                {"field": "totalSpent", "operator": "AT_LEAST", "value": 1_000_000},
            ]}]),
            by_hand: "(visit_count >= 10 or total_spent >= 1000000)",
        },
        Segment {
            name: "생일 5월",
            conditions: json!([{"field": "birthdayMonth", "operator": "IS", "value": 5}]),
            by_hand: "birthday_day between 501 and 531",
        },
        Segment {
            name: "신규 고객",
            conditions: json!([{"field": "firstVisitDate", "operator": "ON_OR_AFTER", "value": {"daysAgo": 30}}]),
            by_hand: "first_visit_on >= TODAY - 30",
        },
        Segment {
            name: "노쇼 주의",
            conditions: json!([{"field": "noShowCount", "operator": "AT_LEAST", "value": 2}]),
            by_hand: "no_show_count >= 2",
        },
        Segment {
            name: "단골 태그, 수신 동의, 문자 가능",
            conditions: json!([
                {"field": "tag", "operator": "HAS_ANY", "value": ["단골", "VIP"]},
                {"field": "marketingConsent", "operator": "IS", "value": true},
                {"field": "channel", "operator": "HAS_ANY", "value": ["SMS"]},
            ]),
            by_hand: "tags && '{단골,VIP}' and marketing_consent and has_phone",
        },
        Segment {
            name: "세 시술 중 하나를 받고 60일 미방문",
            conditions: json!([
                {"field": "service", "operator": "HAS_ANY", "value": [1, 2, 3]},
                {"field": "daysSinceLastVisit", "operator": "AT_LEAST", "value": 60},
            ]),
            by_hand: "service_ids && '{1,2,3}' and last_visit_on <= TODAY - 60",
        },
        Segment {
            name: "20-39세 여성, 평균 5만원 이상",
            conditions: json!([
                {"field": "gender", "operator": "IS", "value": "FEMALE"},
                {"field": "age", "operator": "BETWEEN", "value": [20, 39]},
                {"field": "averageSpent", "operator": "AT_LEAST", "value": 50_000},
            ]),
            by_hand: "gender = 'FEMALE' and birthday <= TODAY - interval '20 years' and birthday > TODAY - interval '40 years'
                      and visit_count > 0 and 2 * total_spent >= 99999::bigint * visit_count",
        },
        Segment {
            name: "두 직원 모두에게 받은 고객",
            conditions: json!([{"field": "staff", "operator": "HAS_ALL", "value": [1, 2]}]),
            by_hand: "staff_ids @> '{1,2}'",
        },
        Segment {
            name: "겹친 조건: 큰손이나 단골, 시술 하나는 아직",
            conditions: json!([
                {"any": [
                    {"field": "totalSpent", "operator": "AT_LEAST", "value": 500_000},
                    {"all": [
                        {"field": "tag", "operator": "HAS_ANY", "value": ["단골"]},
                        {"field": "visitCount", "operator": "AT_LEAST", "value": 3},
                    ]},
                ]},
                {"not": {"field": "service", "operator": "HAS_ANY", "value": [7]}},
                {"field": "lastVisitDate", "operator": "BETWEEN", "value": [{"daysAgo": 180}, {"daysAgo": 30}]},
            ]),
            by_hand: "(total_spent >= 500000 or tags @> '{단골}' and visit_count >= 3) and not service_ids @> '{7}'
                      and last_visit_on between TODAY - 180 and TODAY - 30",
        },
    ]
}

const TODAY: &str = "(now() at time zone 'Asia/Seoul')::date";

async fn seed(
    world: &World,
    admin: &mut PgConnection,
    customers: u32,
    reservations: u32,
) -> anyhow::Result<()> {
    let owner = Seed {
        superuser_url: world.superuser_url(),
        billing_key: "never charged".to_owned(),
        due_now: 0,
        due_later: 1,
    };
    part::outcome::<i64>(&Task::Seed(owner), world.folder()).await?;
    sqlx::query("update billing.subscription set plan_code = 'PRO'").execute(&mut *admin).await?;
    // Rows go in faster without the indexes that nothing hangs on.
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "select format('drop index %I.%I', schemaname, indexname), indexdef from pg_indexes
         where schemaname = 'booking' and tablename in ('reservation', 'reservation_service')
           and indexname not like '%_pkey'",
    )
    .fetch_all(&mut *admin)
    .await?;
    sqlx::raw_sql("set session_replication_role = replica").execute(&mut *admin).await?;
    for (drop, _) in &indexes {
        sqlx::raw_sql(AssertSqlSafe(drop.clone())).execute(&mut *admin).await?;
    }
    insert_customers(admin, customers).await?;
    let rows = include_str!("segments.sql")
        .replace("$customers", &customers.to_string())
        .replace("$reservations", &reservations.to_string());
    sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut *admin).await?;
    for (_, create) in indexes {
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut *admin).await?;
    }
    let summary = MIGRATION
        .split_once("insert into booking.customer_summary")
        .and_then(|(_, rest)| rest.split_once(';'))
        .context("the migration writes the summaries")?;
    let summary = format!("insert into booking.customer_summary{}", summary.0);
    sqlx::raw_sql(AssertSqlSafe(summary)).execute(&mut *admin).await?;
    Ok(())
}

/// Nineteen of twenty can be called, and the vault opens their numbers.
async fn insert_customers(admin: &mut PgConnection, customers: u32) -> anyhow::Result<()> {
    let (_, secrets) = configuration(&[])?;
    let number: SecretString = "01012345678".into();
    let hash = secrets.vault.keyed_hash(&number);
    for first in (1..=customers).step_by(ROWS_A_STATEMENT) {
        let ids = first..=customers.min(first + u32::try_from(ROWS_A_STATEMENT)? - 1);
        let seal = |id: u32| secrets.vault.seal(&format!("booking.customer.phone:{id}"), &number);
        let phones: Vec<Option<String>> = ids.clone().map(|id| (id % 20 != 0).then(|| seal(id))).collect();
        sqlx::query(
            "insert into booking.customer
                 (business_id, customer_id, name, phone, phone_hash, birthday, gender, tags, marketing_consent, created_at,
                  changed_at)
             select 1, n, '고객 ' || n, phone, case when phone is not null then $3 end,
                    case when n % 10 <> 0 then date '1950-01-01' + (n * 7919 % 20000)::int end,
                    (array['FEMALE', 'FEMALE', 'MALE', null])[1 + n % 4],
                    case n % 16 when 0 then '{단골}' when 1 then '{단골,염색}' when 2 then '{VIP}' else '{}' end::text[],
                    n % 2 = 0, now(), now()
             from (select $1 + position - 1 as n, phone from unnest($2::text[]) with ordinality as made (phone, position)) made",
        )
        .bind(i64::from(first))
        .bind(&phones)
        .bind(&hash)
        .execute(&mut *admin)
        .await?;
    }
    Ok(())
}

/// The owner of the shop, over HTTP.
struct Shop {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Shop {
    fn at(address: SocketAddr) -> anyhow::Result<Self> {
        let (_, secrets) = configuration(&[])?;
        let owner = Principal {
            subject: "owner_1".to_owned(),
            memberships: vec![Membership { business_id: BusinessId(1), role: Role::Owner }],
            is_platform_admin: false,
        };
        Ok(Self {
            client: reqwest::Client::new(),
            url: format!("http://{address}/api/businesses/1/segments/preview"),
            token: Tokens::new(&secrets.jwt).issue(&owner, SystemClock.now(), TimeDelta::hours(1)),
        })
    }

    /// How many customers there are, and how many milliseconds the whole answer took.
    async fn previews(&self, conditions: &Value) -> anyhow::Result<(i64, f64)> {
        let began = Instant::now();
        let request =
            self.client.post(&self.url).bearer_auth(&self.token).json(&json!({"conditions": conditions}));
        let answer: Value = request.send().await?.json().await?;
        let took = began.elapsed().as_secs_f64() * 1_000.0;
        let count = answer["data"]["customerCount"].as_i64();
        Ok((count.with_context(|| answer.to_string())?, took))
    }
}

async fn counts_by_hand(admin: &mut PgConnection, condition: &str) -> anyhow::Result<(i64, f64)> {
    let condition = condition.replace("TODAY", TODAY);
    timed(
        admin,
        &format!("select count(*) from booking.customer_summary where business_id = 1 and {condition}"),
    )
    .await
}

async fn timed(admin: &mut PgConnection, statement: &str) -> anyhow::Result<(i64, f64)> {
    let began = Instant::now();
    let counted: Vec<i64> = sqlx::query_scalar(AssertSqlSafe(statement.to_owned())).fetch_all(admin).await?;
    let took = began.elapsed().as_secs_f64() * 1_000.0;
    Ok((counted.first().copied().context("a count")?, took))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
