//! The process dies while a campaign goes out.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use platform::Vault;
use sandbox::{Fault, FaultKind, Operation};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    dice::Dice,
    message::{REFUSAL_NUMBER, minutes_pass, opens_an_account},
    owner::Owner,
    process::ENCRYPTION_KEY,
    world::{World, patiently},
};

const RECIPIENTS: i64 = 5_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killing_two_workers_throughout_a_campaign_to_5000_sends_each_exactly_one_message() {
    let mut dice = Dice::from_environment();
    let world = World::begins("campaign").await;
    opens_an_account(&world).await;
    world.has_customers_who_agreed().await;
    let probably = |kind| Fault::new(kind).on(Operation::Send).until_cleared().with_probability(0.3);
    world.sandbox.set_faults([
        probably(FaultKind::DropResponse),
        probably(FaultKind::Refuse),
        Fault::new(FaultKind::Delay { before: Duration::from_millis(50), after: Duration::from_millis(50) })
            .until_cleared(),
    ]);
    let variables = [("DANGOL_REFUSAL_NUMBER", REFUSAL_NUMBER)];
    let server = world.server_with(&variables).await;
    let owner = world.owner(1);
    let campaign = campaign_to_everybody(&owner, server.addr).await;
    let mut crew = [world.worker_with(&variables), world.worker_with(&variables)];
    for _ in 0..14 {
        sleep(dice.millis(200, 1_200)).await;
        let one = usize::try_from(dice.below(2)).expect("small");
        crew[one].is_killed().await;
        minutes_pass(&world).await;
        crew[one] = world.worker_with(&variables);
    }
    world.sandbox.clear_faults();
    let story = format!("CRASH_SEED={}", dice.seed);
    patiently("the campaign is over and every report is in", async || {
        minutes_pass(&world).await;
        // Time that passes all the time would keep everybody else from their rows.
        sleep(Duration::from_millis(500)).await;
        let open = "messaging.delivery where status in ('QUEUED', 'SENDING', 'SENT', 'UNKNOWN')";
        world.count("crm.campaign where status = 'COMPLETED'").await == 1 && world.count(open).await == 0
    })
    .await;

    let mut times: HashMap<String, usize> = HashMap::new();
    for parcel in world.sandbox.inbox() {
        *times.entry(parcel.to).or_default() += 1;
    }
    let otherwise: Vec<_> = times.iter().filter(|(_, times)| **times != 1).collect();
    assert!(otherwise.is_empty(), "not exactly one: {otherwise:?}; {story}");
    let all = usize::try_from(RECIPIENTS).expect("small");
    assert_eq!(times.len(), all, "{story}");
    for rows in [
        "crm.campaign_recipient where message_id is not null and link_code is not null",
        "messaging.delivery where status = 'DELIVERED'",
        "crm.coupon_code",
        "crm.coupon where issued = 5000",
    ] {
        let expected = if rows.contains("= 5000") { 1 } else { RECIPIENTS };
        assert_eq!(world.count(rows).await, expected, "{rows}; {story}");
    }
    assert_eq!(world.count("platform.event where kind = 'campaign.completed'").await, 1, "{story}");
    let stands = owner.looks_at(server.addr, &format!("campaigns/{campaign}")).await;
    let figures = ["totalSent", "delivered", "failed", "pending", "waiting"];
    assert_eq!(figures.map(|figure| &stands["stats"][figure]), [5_000, 5_000, 0, 0, 0], "{stands}; {story}");
    assert_eq!((&stands["recipientCount"], &stands["excluded"]), (&json!(RECIPIENTS), &json!({})), "{story}");
}

/// With a coupon and a link for each; it begins when a worker comes by.
async fn campaign_to_everybody(owner: &Owner<'_>, server: SocketAddr) -> Value {
    assert_eq!(owner.subscribes_to(server, "PRO").await.status(), Some(200));
    let segment = owner.makes(server, "segments", &json!({"name": "모두", "conditions": []})).await;
    let coupon = json!({
        "name": "5천원", "discountType": "AMOUNT", "discountValue": 5_000, "minimumSpend": 0,
        "validFrom": "2026-01-01", "validUntil": "2099-12-31",
    });
    let coupon = owner.makes(server, "coupons", &coupon).await;
    let body = json!({
        "name": "봄맞이", "segmentId": segment["segmentId"], "channel": "SMS", "templateType": "REVISIT",
        "message": "{{customerName}}님 {{couponCode}} {{link}}", "link": "https://misohair.example/",
        "couponId": coupon["couponId"], "scheduledAt": null,
    });
    let campaign = owner.makes(server, "campaigns", &body).await;
    assert_eq!((&campaign["status"], &campaign["recipientCount"]), (&json!("SCHEDULED"), &json!(RECIPIENTS)));
    campaign["campaignId"].clone()
}

impl World {
    /// By day and by night, whenever this runs.
    async fn has_customers_who_agreed(&self) {
        sqlx::query(
            "insert into identity.business (business_id, name, created_at) values (1, '미소헤어', now())",
        )
        .execute(&self.superuser)
        .await
        .expect("a business");
        let vault = Vault::new(&ENCRYPTION_KEY.into()).expect("a key");
        let phone = |id: i64| SecretString::from(format!("010{:08}", 20_000_000 + id));
        let ids: Vec<i64> = (1..=RECIPIENTS).collect();
        let sealed: Vec<String> =
            ids.iter().map(|id| vault.seal(&format!("booking.customer.phone:{id}"), &phone(*id))).collect();
        let hashes: Vec<Vec<u8>> = ids.iter().map(|id| vault.keyed_hash(&phone(*id))).collect();
        sqlx::query(
            "insert into booking.customer (business_id, customer_id, name, phone, phone_hash, created_at, changed_at)
             select 1, id, '고객 ' || id, phone, hash, now(), now()
             from unnest($1::bigint[], $2::text[], $3::bytea[]) as known (id, phone, hash)",
        )
        .bind(&ids)
        .bind(&sealed)
        .bind(&hashes)
        .execute(&self.superuser)
        .await
        .expect("customers");
        sqlx::query(
            "insert into messaging.consent
                 (business_id, customer_id, channel, purpose, act, acted_at, recorded_at, method, wording)
             select 1, id, 'SMS', purpose, 'GIVEN', now() - interval '1 hour', now(), 'PAPER', 'v1'
             from unnest($1::bigint[]) as id, unnest(array['MARKETING', 'MARKETING_NIGHT']) as purpose",
        )
        .bind(&ids)
        .execute(&self.superuser)
        .await
        .expect("consents");
    }
}
