//! The double-entry ledger: where the money is.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Answer, Card, TestApp};

fn accounts<const N: usize>(entries: [(&str, i64); N]) -> BTreeMap<String, i64> {
    entries.into_iter().map(|(account, balance)| (account.to_owned(), balance)).collect()
}

async fn refunds(app: &TestApp, payment: i64) {
    let reason = json!({"reason": "고객 요청"});
    app.platform_admin().post(&format!("/api/payments/{payment}/refund"), reason).await.data();
}

async fn refunds_part(app: &TestApp, payment: i64, amount: i64) -> Answer {
    let part = json!({"amount": amount, "reason": "부분 환불 요청"});
    app.platform_admin().patch(&format!("/api/payments/{payment}/partial-refund"), part).await
}

/// From now on the provider keeps this much of each payment, in hundredths of a percent.
async fn keeps(app: &TestApp, basis_points: i32) {
    let terms = format!(
        "insert into billing.provider_terms values ('TOSS', {basis_points})
         on conflict (provider) do update set fee_basis_points = excluded.fee_basis_points"
    );
    app.sql(&terms).await;
}

/// The transactions posted so far: their kinds, with the number of entries.
async fn posted(app: &TestApp) -> Vec<(String, i64)> {
    let superuser = app.superuser().await;
    let posted: Vec<(String, i64, i64)> = sqlx::query_as(
        "select kind, count(*), sum(amount)::bigint from billing.ledger_entry
         group by transaction_id, kind order by min(posted_at), kind",
    )
    .fetch_all(&superuser)
    .await
    .expect("the ledger can be read");
    assert!(posted.iter().all(|(.., sum)| *sum == 0), "{posted:?}");
    posted.into_iter().map(|(kind, entries, _)| (kind, entries)).collect()
}

#[tokio::test]
async fn an_approval_is_owed_by_the_provider_and_split_into_supply_and_tax() {
    let app = TestApp::start().await;
    app.subscribed().await;
    assert_eq!(posted(&app).await, [("APPROVAL".to_owned(), 3)]);
    let expected = [("PROVIDER_RECEIVABLE", 29_000), ("REVENUE", -26_364), ("VAT_PAYABLE", -2_636)];
    assert_eq!(app.balances(None).await, accounts(expected));
    app.books_are_right().await;
}

#[tokio::test]
async fn a_declined_charge_posts_nothing() {
    let app = TestApp::start().await;
    let declined = app.registration("BASIC", Card::LimitExceeded);
    app.owner().post("/api/payments/billing-key", declined).await.problem(402, "CARD_DECLINED");
    assert_eq!((posted(&app).await, app.balances(None).await), (vec![], BTreeMap::new()));
}

#[tokio::test]
async fn refunds_in_parts_leave_nothing_when_all_of_it_is_back() {
    let app = TestApp::start().await;
    app.subscribed().await;
    for amount in [1, 9_999, 3, 7] {
        refunds_part(&app, 101, amount).await.data();
        app.books_are_right().await;
    }
    refunds(&app, 101).await;
    let nothing = [("PROVIDER_RECEIVABLE", 0), ("REVENUE", 0), ("VAT_PAYABLE", 0)];
    assert_eq!(app.balances(None).await, accounts(nothing));
    assert_eq!(posted(&app).await.iter().filter(|(kind, _)| kind == "REFUND").count(), 5);
    app.books_are_right().await;
}

#[tokio::test]
async fn a_refund_that_is_refused_posts_nothing() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let before = app.balances(None).await;
    refunds_part(&app, 101, 29_001).await.problem(422, "VALIDATION_FAILED");
    assert_eq!(app.balances(None).await, before);
}

#[tokio::test]
async fn what_the_provider_keeps_is_an_expense_and_comes_back_with_a_refund() {
    let app = TestApp::start().await;
    keeps(&app, 290).await;
    app.subscribed().await;
    let expected = [
        ("PROVIDER_FEES", 841),
        ("PROVIDER_RECEIVABLE", 29_000 - 841),
        ("REVENUE", -26_364),
        ("VAT_PAYABLE", -2_636),
    ];
    assert_eq!(app.balances(None).await, accounts(expected));
    refunds_part(&app, 101, 9_000).await.data();
    assert_eq!(app.balances(None).await["PROVIDER_FEES"], 580);
    let kinds: Vec<_> = posted(&app).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["APPROVAL", "FEE", "FEE_REFUND", "REFUND"]);
    app.books_are_right().await;
    refunds(&app, 101).await;
    assert!(app.balances(None).await.values().all(|balance| *balance == 0), "{:?}", app.balances(None).await);
}

#[tokio::test]
async fn terms_that_change_do_not_change_what_was_kept() {
    let app = TestApp::start().await;
    keeps(&app, 290).await;
    app.subscribed().await;
    keeps(&app, 1_000).await;
    refunds_part(&app, 101, 9_000).await.data();
    assert_eq!(
        app.balances(None).await["PROVIDER_FEES"],
        580,
        "of what it kept, and not of what it keeps now"
    );
    keeps(&app, 0).await;
    refunds(&app, 101).await;
    assert!(app.balances(None).await.values().all(|balance| *balance == 0), "{:?}", app.balances(None).await);
}

#[tokio::test]
async fn terms_that_come_later_are_not_held_against_earlier_payments() {
    let app = TestApp::start().await;
    app.subscribed().await;
    keeps(&app, 290).await;
    refunds(&app, 101).await;
    let nothing = [("PROVIDER_RECEIVABLE", 0), ("REVENUE", 0), ("VAT_PAYABLE", 0)];
    assert_eq!(app.balances(None).await, accounts(nothing));
}

#[tokio::test]
async fn balances_are_shown_by_business_and_add_up_to_nothing() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.owner_of(2).post("/api/payments/billing-key", app.registration("PRO", Card::Good)).await.data();
    let (one, two, all) =
        (app.balances(Some(1)).await, app.balances(Some(2)).await, app.balances(None).await);
    assert_eq!((one["PROVIDER_RECEIVABLE"], two["PROVIDER_RECEIVABLE"]), (29_000, 59_000));
    for (account, balance) in &all {
        assert_eq!(one[account] + two[account], *balance, "{account}");
    }
    for balances in [one, two, all] {
        assert_eq!(balances.values().sum::<i64>(), 0, "{balances:?}");
    }
    assert_eq!(app.balances(Some(999_999)).await, BTreeMap::new());
    let answer = app.platform_admin().get("/api/admin/ledger/balances?businessId=2").await;
    let receivable = json!({"account": "PROVIDER_RECEIVABLE", "provider": "TOSS", "balance": 59_000});
    assert!(answer.data().as_array().expect("a list").contains(&receivable), "{}", answer.body);
    app.owner().get("/api/admin/ledger/balances?businessId=1").await.problem(403, "PERMISSION_REQUIRED");
}

/// Each with a customer of its own at the provider: `user_1` to `user_3`.
async fn subscribes(app: &TestApp, business: i64, plan: &str) {
    let customer = format!("user_{business}");
    let auth_key = app.sandbox.billing_auth(&customer, Card::Good.number()).expect("an auth key");
    let registration = json!({"plan": plan, "customerKey": customer, "authKey": auth_key});
    app.owner_of(business).post("/api/payments/billing-key", registration).await.data();
}

fn card_of_customer(app: &TestApp, customer: &str, card: Card) {
    app.sandbox.change_card_of_customer(customer, card.number()).expect("the customer has a card");
}

#[tokio::test]
async fn after_busy_months_the_ledger_the_payments_and_the_provider_agree_to_the_won() {
    let app = TestApp::start().await;
    app.sweep().await;
    keeps(&app, 290).await;
    for (business, plan) in [(1, "BASIC"), (2, "PRO"), (3, "ENTERPRISE")] {
        subscribes(&app, business, plan).await;
    }
    refunds_part(&app, 101, 333).await.data();
    card_of_customer(&app, "user_2", Card::InsufficientFunds);
    app.time_passes_until("2026-03-02T12:00").await;
    app.books_are_right().await;
    card_of_customer(&app, "user_2", Card::Good);
    keeps(&app, 320).await;
    app.time_passes_until("2026-03-05T00:00").await;
    card_of_customer(&app, "user_3", Card::Suspended);
    app.cancels_at_the_console(&app.approved()[3].payment_key, Some(1_111)).await;
    app.time_passes_until("2026-04-10T00:00").await;
    refunds_part(&app, 102, 12_345).await.data();
    refunds_part(&app, 102, 1).await.data();
    refunds(&app, 102).await;
    refunds(&app, 103).await;
    app.time_passes_until("2026-05-02T12:00").await;
    app.books_are_right().await;

    assert_eq!(app.cases().await, [] as [Value; 0]);
    let days = app.compared().await;
    assert!(days.len() > 85, "{}", days.len());
    assert!(days.iter().all(|day| day["status"] == "MATCHED"), "{days:?}");
    let (charged, canceled) = app.provider_totals();
    let sums = sqlx::query_as::<_, (i64, i64)>(
        "select sum(amount)::bigint, sum(refunded_amount)::bigint from billing.payment
         where status in ('SUCCESS', 'PARTIAL_REFUNDED', 'REFUNDED')",
    )
    .fetch_one(&app.superuser().await)
    .await
    .expect("the payments can be read");
    assert_eq!(sums, (charged, canceled));
    assert!(charged > 400_000 && canceled > 200_000, "{charged} {canceled}: the months were not busy");
    let of_each = [app.balances(Some(1)).await, app.balances(Some(2)).await, app.balances(Some(3)).await];
    let receivable: i64 = of_each.iter().map(|balances| balances["PROVIDER_RECEIVABLE"]).sum();
    assert_eq!(receivable, app.balances(None).await["PROVIDER_RECEIVABLE"]);
}
