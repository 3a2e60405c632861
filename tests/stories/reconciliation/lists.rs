//! Lists that are long, broken, or wanted by two at once.

use std::sync::Arc;

use chrono::NaiveDate;
use sandbox::{Fault, FaultKind, Operation};
use serde_json::{Value, json};
use testkit::{Card, ListFailed, RealGateway, TransactionPage};
use tokio::sync::Semaphore;

use super::{refunds_part, subscribed};

/// The list, a row a page.
async fn row_by_row(
    real: &RealGateway,
    day: NaiveDate,
    after: Option<String>,
) -> Result<TransactionPage, ListFailed> {
    let TransactionPage { transactions, .. } = real.transactions(day, None).await?;
    let row = after.map_or(0, |row| row.parse().expect("a row"));
    let next = (row + 1 < transactions.len()).then(|| (row + 1).to_string());
    Ok(TransactionPage { transactions: transactions.into_iter().skip(row).take(1).collect(), next })
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_tried_again_later() {
    let app = subscribed().await;
    app.sandbox.add_fault(Fault::new(FaultKind::Refuse).on(Operation::Transactions).until_cleared());
    app.time_passes_until("2026-02-02T06:00").await;
    let failed = app.comparison("2026-02-01").await;
    assert_eq!((&failed["status"], &failed["finishedAt"]), (&json!("FAILED"), &Value::Null));
    assert!(failed["failure"].as_str().is_some_and(|reason| !reason.is_empty()), "{failed}");
    assert!(failed["nextAttemptAt"].as_str().is_some_and(|at| at > "2026-02-02T06:00"), "{failed}");
    app.sandbox.clear_faults();
    app.sweep().await;
    assert_eq!(app.comparison("2026-02-01").await["status"], "FAILED", "its time has not come");
    app.time_passes_until("2026-02-02T07:00").await;
    let compared = app.comparison("2026-02-01").await;
    assert_eq!((&compared["status"], &compared["failure"]), (&json!("MATCHED"), &Value::Null));
    assert_eq!(compared["theirs"]["charges"], 1);
}

#[tokio::test]
async fn a_failed_day_does_not_hold_up_the_next() {
    let app = subscribed().await;
    app.sweep().await;
    app.provider.on_transactions(async |real, (day, after)| {
        if Some(day) == NaiveDate::from_ymd_opt(2026, 2, 1) {
            return Err(ListFailed("out of order".to_owned()));
        }
        real.transactions(day, after.as_deref()).await
    });
    app.time_passes_until("2026-02-03T06:00").await;
    assert_eq!(app.comparison("2026-02-01").await["status"], "FAILED");
    assert_eq!(app.comparison("2026-02-02").await["status"], "MATCHED");
}

#[tokio::test]
async fn a_list_that_goes_round_in_circles_is_given_up() {
    let app = subscribed().await;
    app.provider.on_transactions(async |real, (day, _)| {
        let page = real.transactions(day, None).await?;
        Ok(TransactionPage { next: Some("the same".to_owned()), ..page })
    });
    app.time_passes_until("2026-02-02T06:00").await;
    assert_eq!(app.comparison("2026-02-01").await["status"], "FAILED");
}

#[tokio::test]
async fn a_list_of_many_pages_is_read_to_the_end() {
    let app = subscribed().await;
    for business in [2, 3] {
        let owner = app.owner_of(business);
        owner.post("/api/payments/billing-key", app.registration("PRO", Card::Good)).await.data();
    }
    refunds_part(&app, 9_000).await;
    refunds_part(&app, 5_000).await;
    for rows in [1, 2, 3, 5, 6] {
        app.reads_pages_of(rows);
        let compared = app.compares("2026-02-01").await.data().clone();
        let both = json!({"charges": 3, "charged": 147_000, "cancels": 2, "canceled": 14_000});
        assert_eq!((&compared["theirs"], &compared["ours"]), (&both, &both), "{rows} a page");
        assert_eq!((&compared["found"], &compared["status"]), (&json!(0), &json!("MATCHED")));
    }
}

#[tokio::test]
async fn of_two_at_once_one_compares() {
    let app = subscribed().await;
    refunds_part(&app, 9_000).await;
    // The first one is held up behind its first page until the second one has given up.
    let (held_up, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (arrived, gate) = (Arc::clone(&held_up), Arc::clone(&go_on));
    app.provider.on_transactions(move |real, (day, after)| {
        let (arrived, gate) = (Arc::clone(&arrived), Arc::clone(&gate));
        async move {
            if after.is_some() {
                arrived.add_permits(1);
                gate.acquire().await.expect("it opens").forget();
            }
            row_by_row(&real, day, after).await
        }
    });
    let second = async {
        held_up.acquire().await.expect("the first one begins").forget();
        let refused = app.compares("2026-02-01").await;
        go_on.add_permits(10);
        refused
    };
    let (first, second) = tokio::join!(app.compares("2026-02-01"), second);
    second.problem(409, "RECONCILIATION_RUNNING");
    let compared = first.data();
    assert_eq!((&compared["found"], &compared["status"]), (&json!(0), &json!("MATCHED")), "{compared}");
    assert_eq!(compared["theirs"]["charges"], 1, "{compared}");
    app.compares("2026-02-01").await.data();
}

#[tokio::test]
async fn who_died_comparing_is_followed_by_another() {
    let app = subscribed().await;
    app.time_passes_until("2026-02-02T06:00").await;
    app.sql(
        "update billing.reconciliation
         set status = 'RUNNING', finished_at = null, due_at = started_at + interval '30 minutes'
         where day = '2026-02-01'",
    )
    .await;
    app.time_passes_until("2026-02-02T06:29").await;
    assert_eq!(app.comparison("2026-02-01").await["status"], "RUNNING");
    app.compares("2026-02-01").await.problem(409, "RECONCILIATION_RUNNING");
    app.time_passes_until("2026-02-02T06:31").await;
    assert_eq!(app.comparison("2026-02-01").await["status"], "MATCHED");
}
