//! What must always be true of the books: each invariant has a name, an explanation, and a test that
//! breaks the books and sees it counted.

use std::collections::BTreeSet;

use billing::INVARIANTS;
use serde_json::json;
use sqlx::{AssertSqlSafe, Executor};
use testkit::TestApp;

const MANUAL: &str = include_str!("../../docs/operations.md");

fn named() -> BTreeSet<String> {
    INVARIANTS.map(str::to_owned).into()
}

#[tokio::test]
async fn every_invariant_is_looked_at_by_the_sql_and_the_other_way_round() {
    let app = TestApp::start().await;
    let source: String = sqlx::query_scalar(
        "select string_agg(prosrc, ' ') from pg_catalog.pg_proc
         where oid in ('billing.invariant_violations(timestamptz)'::regprocedure,
                       'billing.money_invariant_violations(timestamptz)'::regprocedure)",
    )
    .fetch_one(app.db())
    .await
    .expect("the function is there");
    let looked_at: BTreeSet<_> = source
        .split("select '")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('\'')?.0.to_owned()))
        .collect();
    assert_eq!(looked_at, named());
    assert_eq!(app.violations().await, []);
    assert_eq!(app.count("billing.invariant_check").await, i64::try_from(INVARIANTS.len()).unwrap_or(0));
}

#[test]
fn every_invariant_is_explained_in_the_manual_and_no_other() {
    let section = MANUAL.split("\n## ").find(|section| section.starts_with("Invariants\n"));
    let rows =
        section.expect("a section about invariants").lines().filter_map(|line| line.strip_prefix("| `"));
    let explained: Vec<(String, usize)> = rows
        .filter_map(|row| Some((row.split_once('`')?.0.to_owned(), row.matches(" | ").count())))
        .collect();
    assert!(explained.iter().all(|(_, columns)| *columns == 2), "{explained:?}");
    assert_eq!(explained.into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>(), named());
}

/// A copy of business 1's first payment, with some members changed.
fn payment(id: i64, changes: &str) -> String {
    format!(
        r#"insert into billing.payment overriding system value
           select (jsonb_populate_record(null::billing.payment, to_jsonb(t)
               || '{{"payment_id": {id}, "order_id": "dg_order_{id}"}}' || '{changes}')).*
           from billing.payment t where payment_id = 101"#
    )
}

fn open_payment(id: i64, due_at: &str) -> String {
    let open = r#""status": "PENDING", "refunded_amount": 0, "payment_key": null, "approved_at": null, "settled_at": null,
        "sent_at": "2026-02-01T00:00:00Z""#;
    payment(id, &format!(r#"{{{open}, "due_at": "{due_at}"}}"#))
}

fn copy(table: &str, changes: &str) -> String {
    format!(
        "insert into billing.{table}
         select (jsonb_populate_record(null::billing.{table}, to_jsonb(t) || '{changes}')).*
         from billing.{table} t where business_id = 1"
    )
}

const LONG_AGO: &str = "2026-01-31T00:00:00Z";
const LATER: &str = "2026-02-02T00:00:00Z";
const UUID: &str = "01990000-0000-7000-8000-000000000001";

/// How to break it and nothing else. Business 1 subscribed, and got 9,000 won back.
fn breaks(invariant: &str) -> Vec<String> {
    let unlocked = |statement: &str| {
        vec![
            "alter table billing.ledger_entry disable trigger ledger_is_final".to_owned(),
            statement.to_owned(),
        ]
    };
    match invariant {
        "stuck_attempt" => vec![open_payment(901, LONG_AGO)],
        "stuck_refund" => {
            let open = format!(
                r#"{{"refund_id": "{UUID}", "status": "PENDING", "due_at": "{LONG_AGO}", "settled_at": null, "transaction_key": null}}"#
            );
            vec![copy("refund", &open)]
        }
        "stuck_tax_invoice" => vec![format!(
            "insert into billing.tax_invoice
                 (business_id, number, payment_id, status, write_date, supply_amount, vat_amount, content, due_at, created_at)
             values (1, 'INV-20260201-001', 101, 'PENDING', '2026-02-01', 26364, 2636, 'sealed', '{LONG_AGO}', '{LONG_AGO}')"
        )],
        "stuck_cash_receipt" => vec![format!(
            "insert into billing.cash_receipt
                 (business_id, cash_receipt_id, payment_id, kind, amount, status, identity_number, due_at, created_at)
             values (1, '{UUID}', 101, 'EXPENSE_PROOF', 20000, 'REQUESTED', 'sealed', '{LONG_AGO}', '{LONG_AGO}')"
        )],
        "two_open_attempts_for_an_invoice" => vec![
            "drop index billing.payment_one_open".to_owned(),
            open_payment(901, LATER),
            open_payment(902, LATER),
        ],
        "two_approvals_for_an_invoice" => vec![
            "drop index billing.payment_one_approved".to_owned(),
            payment(901, r#"{"status": "SUCCESS", "refunded_amount": 0, "payment_key": "other"}"#),
            format!(
                "insert into billing.ledger_entry
                 select business_id, '{UUID}', account, amount, kind, provider, 901, null, posted_at
                 from billing.ledger_entry where payment_id = 101 and kind = 'APPROVAL'"
            ),
        ],
        "refunds_differ_from_payment" => vec!["update billing.refund set amount = amount + 1".to_owned()],
        "paid_invoice_without_payment" => {
            let period = r#""period_from": "2026-03-01", "period_until": "2026-04-01""#;
            vec![copy("invoice", &format!(r#"{{"invoice_id": "{UUID}", {period}}}"#))]
        }
        "payment_without_paid_invoice" => vec![
            "update billing.subscription
             set status = 'ENDED', due_at = null, ended_at = now(), end_reason = 'CANCELED'"
                .to_owned(),
            "update billing.invoice set status = 'VOID'".to_owned(),
        ],
        "access_without_payment" => {
            vec!["update billing.subscription set period_from = period_from + 1".to_owned()]
        }
        "stranded_subscription" => vec!["update billing.subscription set due_at = null".to_owned()],
        "ledger_imbalance" => unlocked(
            "update billing.ledger_entry set amount = amount + 1 where kind = 'APPROVAL' and account = 'REVENUE'",
        ),
        "ledger_differs_from_payment" => unlocked(
            "update billing.ledger_entry set account = 'WRITE_OFFS'
             where kind = 'APPROVAL' and account = 'PROVIDER_RECEIVABLE'",
        ),
        other => panic!("nobody knows how to break {other}"),
    }
}

/// The gauges are the process's, and other tests' applications share it: asked until they are ours.
async fn is_in_the_metrics(app: &TestApp, invariant: &str) -> bool {
    let series = format!(r#"dangol_invariant_violations{{invariant="{invariant}"}} 1"#);
    for _ in 0..50 {
        let figures = app.anonymous().get("/metrics").await.body;
        if figures.as_str().is_some_and(|figures| figures.lines().any(|line| line == series)) {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn whatever_breaks_an_invariant_is_counted() {
    for invariant in INVARIANTS {
        let app = TestApp::start().await;
        app.subscribed().await;
        let part = json!({"amount": 9_000, "reason": "부분 환불 요청"});
        app.owner().patch("/api/payments/101/partial-refund", part).await.data();
        assert_eq!(app.violations().await, [], "before {invariant}");
        let superuser = app.superuser().await;
        for statement in breaks(invariant) {
            let done = superuser.execute(AssertSqlSafe(statement.clone())).await;
            let done = done.unwrap_or_else(|error| panic!("{statement}: {error}"));
            let changes = statement.starts_with("insert") || statement.starts_with("update");
            assert!(!changes || done.rows_affected() > 0, "nothing was changed by {statement}");
        }
        assert_eq!(app.violations().await, [(invariant.to_owned(), 1)]);
        assert!(is_in_the_metrics(&app, invariant).await, "{invariant}");
    }
}

#[tokio::test]
async fn what_is_mended_is_no_longer_counted() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.sql("update billing.subscription set period_from = period_from + 1").await;
    assert_eq!(app.violations().await, [("access_without_payment".to_owned(), 1)]);
    app.sql("update billing.subscription set period_from = period_from - 1").await;
    assert_eq!(app.violations().await, []);
}

#[tokio::test]
async fn what_is_under_way_breaks_no_invariant() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.provider.on_charge(async |_, _| testkit::Outcome::Unknown("silence".to_owned()));
    app.time_passes_until("2026-03-01T10:10").await;
    assert_eq!(app.count("billing.payment where status = 'PENDING'").await, 1);
    assert_eq!(app.violations().await, []);
    // Nobody looks at it any more.
    app.provider.is_itself_again();
    app.it_is("2026-03-01T12:00");
    assert_eq!(app.violations().await, [("stuck_attempt".to_owned(), 1)]);
    app.sweep().await;
    assert_eq!(app.violations().await, []);
    app.books_are_right().await;
}
