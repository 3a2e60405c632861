//! The process dies while a tax invoice is issued.

use sandbox::Operation;
use serde_json::json;

use crate::{
    mood::Mood,
    owner::{PRICE, Reply},
    process::{LINK_ID, POPBILL_SECRET_KEY, Server},
    world::World,
};

const STEPS: [&str; 3] = ["tax_invoice::written", "tax_invoice::answered", "tax_invoice::settled"];

#[tokio::test]
async fn killed_at_every_named_step_of_an_issue_one_document_is_issued_and_no_number_is_missing() {
    let world = World::begins("tax-invoice").await;
    becomes_a_partner(&world).await;
    let lasting = world.server().await;
    let mut business = 100;
    for step in STEPS {
        for mood in Mood::ALL {
            for settled_before_asked_again in [false, true] {
                business += 1;
                let payment = paid(&world, &lasting, business).await;
                let owner = world.owner(business);
                let doomed = world.server_that_dies_at(step).await;
                mood.strikes_once(&world.sandbox, Operation::Issue);
                let reply = owner.asks_for_a_tax_invoice(doomed.addr, payment, "the-request").await;
                assert!(matches!(reply, Reply::Silence), "{reply:?}");
                doomed.process.aborts().await;

                let story = format!(
                    "killed at {step} while the issuer {mood:?}, settled before asked again: {settled_before_asked_again}"
                );
                if settled_before_asked_again {
                    world.settles().await;
                }
                world.minutes_pass().await;
                let reply = owner.asks_for_a_tax_invoice(lasting.addr, payment, "the-request").await;
                assert!(matches!(reply.status(), Some(200 | 202)), "{story}: {reply:?}");
                world.settles().await;
                judge(&world, business - 100, &story).await;
            }
        }
    }
}

/// What the sandbox issued is what our rows say, one for each payment, numbered from 1 on.
async fn judge(world: &World, payments: i64, story: &str) {
    let rows: Vec<(String, String, Option<String>)> = sqlx::query_as(
        "select number, status, confirmation_number from billing.tax_invoice order by length(number), number",
    )
    .fetch_all(&world.superuser)
    .await
    .expect("the rows are read");
    let issued: Vec<_> = world
        .sandbox
        .tax_invoices()
        .into_iter()
        .map(|it| {
            assert_eq!(it.supply.get() + it.tax.get(), PRICE, "{story}");
            (it.mgt_key, "ISSUED".to_owned(), it.nts_confirm_num)
        })
        .collect();
    assert_eq!(rows, issued, "{story}");
    assert_eq!(i64::try_from(rows.len()).ok(), Some(payments), "{story}");
    for (count, (number, ..)) in (1..).zip(&rows) {
        assert!(number.ends_with(&format!("-{count:03}")), "{story}: {number} is number {count}");
    }
}

async fn paid(world: &World, server: &Server, business: i64) -> i64 {
    world.sandbox.clear_faults();
    let reply = world.owner(business).subscribes(server.addr).await;
    assert_eq!(reply.status(), Some(200), "{reply:?}");
    world.first_payment(business).await
}

async fn becomes_a_partner(world: &World) {
    let url = format!("{}/_sandbox/popbill/partners", world.sandbox.base_url());
    let partner = json!({"linkId": LINK_ID, "secretKey": POPBILL_SECRET_KEY});
    let answer = world.http.put(url).json(&partner).send().await.expect("the sandbox answers");
    assert!(answer.status().is_success(), "{}", answer.status());
}
