//! What only one side has, and what becomes of it.

use chrono::{DateTime, TimeDelta};
use kernel::Krw;
use serde_json::{Value, json};
use testkit::{Approval, Charge, Lookup, Outcome, PaidWith, Transaction, TransactionKind};

use super::subscribed;

#[tokio::test]
async fn a_payment_whose_answer_was_lost_is_found_and_settled() {
    let app = subscribed().await;
    app.provider.on_charge(async |real, charge: Charge| {
        real.charge(&charge).await;
        Outcome::Unknown("the answer was lost".to_owned())
    });
    app.provider.on_find_by_order(async |_, _| Lookup::Unknown("out of order".to_owned()));
    app.time_passes_until("2026-03-02T05:59").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "PROCESSING"]);
    app.time_passes_until("2026-03-02T06:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
    let compared = app.comparison("2026-03-01").await;
    assert_eq!((&compared["status"], &compared["found"]), (&json!("MATCHED"), &json!(1)));
    assert_eq!(compared["unexplained"], 0);
    assert_eq!(compared["theirs"], compared["ours"]);
    assert_eq!(app.cases().await, [] as [Value; 0]);
    app.books_are_right().await;
}

#[tokio::test]
async fn a_refund_made_at_the_console_is_found_and_adopted() {
    let app = subscribed().await;
    app.cancels_at_the_console(&app.approved()[0].payment_key, Some(9_000)).await;
    app.time_passes_until("2026-02-02T06:00").await;
    let payment = app.owner().get("/api/payments/101").await.data().clone();
    assert_eq!((&payment["status"], &payment["refundedAmount"]), (&json!("PARTIAL_REFUNDED"), &json!(9_000)));
    let compared = app.comparison("2026-02-01").await;
    assert_eq!((&compared["status"], &compared["found"]), (&json!("MATCHED"), &json!(1)));
    assert_eq!(compared["theirs"], compared["ours"]);
    app.books_are_right().await;
}

#[tokio::test]
async fn a_charge_that_we_never_asked_for_makes_the_day_differ_until_somebody_decides() {
    for resolution in ["WRITE_OFF", "REFUND"] {
        let app = subscribed().await;
        app.charges_at_the_console("console-order-1", 5_000).await;
        app.time_passes_until("2026-02-02T06:00").await;
        let compared = app.comparison("2026-02-01").await;
        assert_eq!((&compared["status"], &compared["unexplained"]), (&json!("DIFFERENT"), &json!(1)));
        let charged = (&compared["theirs"]["charged"], &compared["ours"]["charged"]);
        assert_eq!(charged, (&json!(34_000), &json!(29_000)));
        let case = app.the_case().await;
        assert_eq!((&case["kind"], &case["orderId"]), (&json!("UNKNOWN_CHARGE"), &json!("console-order-1")));
        assert_eq!(app.compares("2026-02-01").await.data()["status"], "DIFFERENT");
        assert_eq!(app.cases().await.len(), 1, "compared again, it is the same case");

        app.decides(&case, resolution).await.data();
        let again = app.compares("2026-02-01").await;
        assert_eq!((&again.data()["status"], &again.data()["unexplained"]), (&json!("MATCHED"), &json!(0)));
        app.time_passes_until("2026-02-03T06:00").await;
        assert_eq!(app.comparison("2026-02-02").await["status"], "MATCHED", "the day of the cancel as well");
        assert_eq!(app.cases().await.len(), 1);
    }
}

#[tokio::test]
async fn a_second_charge_of_an_order_is_no_charge_of_ours() {
    let app = subscribed().await;
    let ours = app.approved()[0].clone();
    let second = app.charges_at_the_console("console-order-1", 29_000).await;
    // The provider books it under the order that we had asked for.
    let order_id = ours.order_id.clone();
    app.provider.on_transactions(move |real, (day, after)| {
        let order_id = order_id.clone();
        async move {
            let mut page = real.transactions(day, after.as_deref()).await?;
            page.transactions.iter_mut().for_each(|row| row.order_id.clone_from(&order_id));
            Ok(page)
        }
    });
    let order_id = ours.order_id.clone();
    app.provider.on_find(move |real, payment_key: String| {
        let order_id = order_id.clone();
        async move {
            match real.find(&payment_key).await {
                Lookup::Approved(theirs) => Lookup::Approved(Approval { order_id, ..theirs }),
                other => other,
            }
        }
    });
    app.time_passes_until("2026-02-02T06:00").await;
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["paymentKey"]), (&json!("UNKNOWN_CHARGE"), &json!(second)));
    assert_eq!(app.comparison("2026-02-01").await["status"], "DIFFERENT");
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.given_back(&json!("console-order-1")), [29_000]);
    assert_eq!(app.given_back(&json!(ours.order_id)), [] as [i64; 0], "ours stays");
    assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
    assert_eq!(app.compares("2026-02-01").await.data()["status"], "MATCHED");
}

#[tokio::test]
async fn a_row_of_another_amount_is_a_case() {
    let app = subscribed().await;
    app.provider.on_transactions(async |real, (day, after)| {
        let mut page = real.transactions(day, after.as_deref()).await?;
        page.transactions.iter_mut().for_each(|row| row.amount = Krw::won(28_000));
        Ok(page)
    });
    app.time_passes_until("2026-02-02T06:00").await;
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["paymentId"]), (&json!("AMOUNT_DIFFERS"), &json!(101)));
    assert_eq!(app.comparison("2026-02-01").await["status"], "DIFFERENT");
    // Nobody keeps money about which the provider tells two stories.
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.each_payments("status").await, ["REFUNDED"]);
    app.books_are_right().await;
}

#[tokio::test]
async fn what_the_provider_will_not_tell_is_asked_for_when_it_is_compared_again() {
    let app = subscribed().await;
    app.charges_at_the_console("console-order-1", 5_000).await;
    app.provider.on_find(async |_, _| Lookup::Unknown("out of order".to_owned()));
    app.time_passes_until("2026-02-02T06:00").await;
    assert_eq!(app.comparison("2026-02-01").await["status"], "DIFFERENT");
    assert_eq!(app.cases().await, [] as [Value; 0]);
    app.provider.is_itself_again();
    app.compares("2026-02-01").await.data();
    assert_eq!(app.each_cases("kind").await, ["UNKNOWN_CHARGE"]);
}

/// Somebody else's charge, as it is listed and as it is shown.
fn nth_stray(n: i64) -> (Transaction, Approval) {
    let at = DateTime::parse_from_rfc3339("2026-02-01T12:00:00+09:00").expect("a time").to_utc();
    let (key, order_id, amount) = (format!("stray-{n}"), format!("console-{n}"), Krw::won(1_000 + n));
    let listed = Transaction {
        payment_key: key.clone(),
        order_id: order_id.clone(),
        transaction_key: key.clone(),
        kind: TransactionKind::Charge,
        amount,
        at: at + TimeDelta::seconds(n),
    };
    let shown = Approval {
        payment_key: key,
        order_id,
        amount,
        approved_at: at + TimeDelta::seconds(n),
        paid_with: PaidWith::Card,
        card: None,
        receipt_url: None,
        cash_receipt: None,
        remaining: amount,
        cancellations: vec![],
        billing_key: None,
    };
    (listed, shown)
}

/// More than are looked into at once: those that stay are passed over, and nothing is skipped.
#[tokio::test]
async fn very_many_differences_are_all_looked_into() {
    let app = subscribed().await;
    app.provider.on_transactions(async |real, (day, after)| {
        let mut page = real.transactions(day, after.as_deref()).await?;
        page.transactions.extend((0..450).map(|n| nth_stray(n).0));
        Ok(page)
    });
    app.provider.on_find(async |_, payment_key: String| {
        let number = payment_key.strip_prefix("stray-").and_then(|number| number.parse().ok());
        number.map_or(Lookup::NotFound, |number| Lookup::Approved(nth_stray(number).1))
    });
    let compared = app.compares("2026-02-01").await;
    assert_eq!(compared.data()["found"], 450, "{}", compared.body);
    assert_eq!(compared.data()["unexplained"], 450);
    assert_eq!(app.count("billing.operator_case where kind = 'UNKNOWN_CHARGE'").await, 450);
}
