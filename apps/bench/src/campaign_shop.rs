//! A shop whose customers may all be written to, and its owner.

use std::net::SocketAddr;

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use identity::{NewBusiness, Tokens};
use kernel::{BusinessId, Clock, SystemClock};
use platform::{Membership, Principal, Role, SystemTx};
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::{PgConnection, PgPool};

use crate::{
    part::{self, Task},
    seed::Seed,
    world::{World, configuration},
};

const ROWS_A_STATEMENT: u32 = 20_000;

/// What the customers are tagged with who get the campaign that warms up.
pub(crate) const EARLY: &str = "예열";

/// Business 1 with CRM in its plan, `early` customers and `customers` more. All have a number of their own and agreed to texts
/// a week before `now`.
pub(crate) async fn open(
    world: &World,
    now: DateTime<Utc>,
    early: u32,
    customers: u32,
) -> anyhow::Result<()> {
    let db = PgPool::connect(&world.url()).await?;
    let mut tx = SystemTx::begin(&db).await?;
    identity::register_missing(&mut tx, now, &[NewBusiness { name: "미소헤어", owner: "owner_1" }]).await?;
    tx.commit().await?;
    db.close().await;
    let subscription = Seed {
        superuser_url: world.superuser_url(),
        billing_key: "never charged".to_owned(),
        due_now: 0,
        due_later: 1,
    };
    part::outcome::<i64>(&Task::Seed(subscription), world.folder()).await?;
    let mut admin = world.superuser().await?;
    // Nothing is charged while the campaign is sent, whatever the clock says.
    sqlx::query("update billing.subscription set plan_code = 'PRO', due_at = now() + interval '10 days'")
        .execute(&mut admin)
        .await?;
    insert_customers(&mut admin, now, early, early + customers).await?;
    sqlx::query(
        "insert into messaging.consent
             (business_id, customer_id, channel, purpose, act, acted_at, recorded_at, method, wording)
         select business_id, customer_id, 'SMS', 'MARKETING', 'GIVEN', $1, $1, 'PAPER', 'v1' from booking.customer",
    )
    .bind(now - TimeDelta::weeks(1))
    .execute(&mut admin)
    .await?;
    Ok(())
}

/// The number of a customer.
pub(crate) fn number(customer: u32) -> String {
    format!("0102{customer:07}")
}

async fn insert_customers(
    admin: &mut PgConnection,
    now: DateTime<Utc>,
    early: u32,
    customers: u32,
) -> anyhow::Result<()> {
    let (_, secrets) = configuration(&[])?;
    for first in (1..=customers).step_by(usize::try_from(ROWS_A_STATEMENT)?) {
        let ids: Vec<u32> = (first..=customers.min(first + ROWS_A_STATEMENT - 1)).collect();
        let numbers: Vec<SecretString> = ids.iter().map(|id| number(*id).into()).collect();
        let seal =
            |(id, number): (&u32, _)| secrets.vault.seal(&format!("booking.customer.phone:{id}"), number);
        let sealed: Vec<String> = ids.iter().zip(&numbers).map(seal).collect();
        let hashes: Vec<Vec<u8>> = numbers.iter().map(|number| secrets.vault.keyed_hash(number)).collect();
        let ids: Vec<i64> = ids.into_iter().map(i64::from).collect();
        sqlx::query(
            "insert into booking.customer
                 (business_id, customer_id, name, phone, phone_hash, tags, marketing_consent, created_at, changed_at)
             select 1, id, '고객 ' || id, phone, hash, case when id <= $4 then array[$5] else '{}' end, true, $6, $6
             from unnest($1::bigint[], $2::text[], $3::bytea[]) as made (id, phone, hash)",
        )
        .bind(&ids)
        .bind(&sealed)
        .bind(&hashes)
        .bind(i64::from(early))
        .bind(EARLY)
        .bind(now)
        .execute(&mut *admin)
        .await?;
    }
    Ok(())
}

/// The owner of the shop, over HTTP.
pub(crate) struct Owner {
    client: reqwest::Client,
    url: String,
    token: String,
}

impl Owner {
    pub(crate) fn at(address: SocketAddr) -> anyhow::Result<Self> {
        let (_, secrets) = configuration(&[])?;
        let owner = Principal {
            subject: "owner_1".to_owned(),
            memberships: vec![Membership { business_id: BusinessId(1), role: Role::Owner }],
            is_platform_admin: false,
        };
        Ok(Self {
            client: reqwest::Client::new(),
            url: format!("http://{address}/api/businesses/1"),
            // Tokens go by the machine's clock, a day of which is beyond any noon.
            token: Tokens::new(&secrets.jwt).issue(&owner, SystemClock.now(), TimeDelta::days(2)),
        })
    }

    /// A segment of these conditions; its id.
    pub(crate) async fn segment(&self, conditions: Value) -> anyhow::Result<i64> {
        let made = self.posts("segments", json!({"name": "받을 고객", "conditions": conditions})).await?;
        made["segmentId"].as_i64().context("a segment without an id")
    }

    /// A text to whoever is in a segment, due at once; its id.
    pub(crate) async fn campaign(&self, segment: i64) -> anyhow::Result<i64> {
        let campaign = json!({
            "name": "봄맞이 재방문", "segmentId": segment, "channel": "SMS", "templateType": "REVISIT",
            "message": "{{customerName}}님, 다시 뵙고 싶어요. {{link}}", "link": "https://misohair.example/spring",
            "scheduledAt": null,
        });
        self.posts("campaigns", campaign).await?["campaignId"].as_i64().context("a campaign without an id")
    }

    async fn posts(&self, what: &str, body: Value) -> anyhow::Result<Value> {
        let request = self.client.post(format!("{}/{what}", self.url)).bearer_auth(&self.token).json(&body);
        let response = request.send().await?;
        let (status, mut answer) = (response.status(), response.json::<Value>().await?);
        ensure!(status.is_success(), "{what}: {status} {answer}");
        Ok(answer["data"].take())
    }
}
