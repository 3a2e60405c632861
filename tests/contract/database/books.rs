//! The ledger, the cases and the comparisons: what the database refuses whoever tells it.

use testkit::TestApp;

use super::{RESTRICT, constraints::why, two_businesses};

const CHECK: &str = "23514";
const FOREIGN_KEY: &str = "23503";
const NOT_NULL: &str = "23502";

/// One ledger transaction of business 1 about its first payment.
fn posting(kind: &str, refund: &str, entries: &[(&str, i64)]) -> String {
    let entry = |(account, amount): &(&str, i64)| {
        format!(
            "(1, '01990000-0000-7000-8000-000000000001', '{account}', {amount}, '{kind}', 'TOSS', 101, {refund}, now())"
        )
    };
    let entries: Vec<_> = entries.iter().map(entry).collect();
    format!("insert into billing.ledger_entry values {}", entries.join(", "))
}

fn write_off(entries: &[(&str, i64)]) -> String {
    posting("WRITE_OFF", "null", entries)
}

/// Business 1's transactions of this kind, once more.
fn posted_again(kind: &str) -> String {
    format!(
        "insert into billing.ledger_entry
         select business_id, '01990000-0000-7000-8000-000000000002', account, amount, kind, provider, payment_id,
                refund_id, now()
         from billing.ledger_entry where business_id = 1 and kind = '{kind}'"
    )
}

#[tokio::test]
async fn a_ledger_transaction_balances() {
    let app = two_businesses().await;
    let balanced = write_off(&[("WRITE_OFFS", 1_000), ("PROVIDER_RECEIVABLE", -1_000)]);
    for (what, first, then) in [
        (
            "a transaction that does not add up",
            vec![],
            write_off(&[("WRITE_OFFS", 1_000), ("PROVIDER_RECEIVABLE", -999)]),
        ),
        ("a transaction of one entry", vec![], write_off(&[("WRITE_OFFS", 1_000)])),
        ("a transaction of nothing", vec![], write_off(&[("WRITE_OFFS", 0), ("PROVIDER_RECEIVABLE", 0)])),
        ("an entry added to what is posted", vec![balanced.clone()], write_off(&[("REVENUE", 1)])),
        ("an account that nobody keeps", vec![], write_off(&[("SLUSH_FUND", 1), ("WRITE_OFFS", -1)])),
        (
            "a reason that is none",
            vec![],
            posting("GIFT", "null", &[("WRITE_OFFS", 1), ("PROVIDER_RECEIVABLE", -1)]),
        ),
        (
            "a refund that says not which",
            vec![],
            posting("REFUND", "null", &[("REVENUE", 1), ("PROVIDER_RECEIVABLE", -1)]),
        ),
        (
            "an approval that is said to be a refund's",
            vec![],
            posting(
                "APPROVAL",
                "(select refund_id from billing.refund where business_id = 1)",
                &[("REVENUE", -1), ("PROVIDER_RECEIVABLE", 1)],
            ),
        ),
    ] {
        assert_eq!(why(&app, &first, &then).await.0, CHECK, "{what}");
    }
    // And what is well-formed is taken.
    app.sql(&balanced).await;
}

#[tokio::test]
async fn what_happened_once_is_posted_once() {
    let app = two_businesses().await;
    for (kind, constraint) in [("APPROVAL", "ledger_once_per_payment"), ("REFUND", "ledger_once_per_refund")]
    {
        assert_eq!(why(&app, &[], &posted_again(kind)).await.1, constraint);
    }
    let written_off = write_off(&[("WRITE_OFFS", 1_000), ("PROVIDER_RECEIVABLE", -1_000)]);
    let again = posted_again("WRITE_OFF");
    assert_eq!(why(&app, &[written_off], &again).await.1, "ledger_once_per_payment");
    let with_fees = "insert into billing.ledger_entry
         select business_id, '01990000-0000-7000-8000-000000000003', account, amount, 'FEE', provider, payment_id, null, now()
         from (values ('PROVIDER_FEES', 841), ('PROVIDER_RECEIVABLE', -841)) entry (account, amount)
         cross join (select business_id, provider, payment_id from billing.payment where payment_id = 101) payment";
    let again = posted_again("FEE");
    assert_eq!(why(&app, &[with_fees.to_owned()], &again).await.1, "ledger_once_per_payment");
}

#[tokio::test]
async fn what_is_posted_is_neither_changed_nor_deleted() {
    let app = two_businesses().await;
    for statement in [
        "update billing.ledger_entry set amount = amount + 1 where account = 'REVENUE'",
        "update billing.ledger_entry set amount = -amount",
        "delete from billing.ledger_entry where business_id = 1",
        "truncate billing.ledger_entry",
    ] {
        assert_eq!(why(&app, &[], statement).await.0, RESTRICT, "{statement}");
    }
}

#[tokio::test]
async fn the_ledger_hangs_on_what_is_there_and_ones_own() {
    let app = two_businesses().await;
    let of_business_2 = "insert into billing.ledger_entry
         select 1, transaction_id, account, amount, kind, provider, payment_id, refund_id, posted_at
         from billing.ledger_entry where business_id = 2 and kind = 'APPROVAL'";
    assert_eq!(why(&app, &[], of_business_2).await.0, FOREIGN_KEY);
}

/// An open case, written down by hand.
fn case(changes: &str) -> String {
    format!(
        "insert into billing.operator_case
         select (jsonb_populate_record(null::billing.operator_case, jsonb_build_object(
             'case_id', gen_random_uuid(), 'kind', 'UNKNOWN_CHARGE', 'fingerprint', 'a stray charge', 'provider', 'TOSS',
             'evidence', 'seen', 'status', 'OPEN', 'opened_at', now()) || '{changes}')).*"
    )
}

#[tokio::test]
async fn a_case_is_open_or_resolved_and_nothing_between() {
    let app = TestApp::start().await;
    let resolved = "status = 'RESOLVED', resolution = 'REFUND', resolution_note = 'why', resolved_by = 'user_1', resolved_at = now()";
    for set in [
        "status = 'CLOSED'",
        "status = ''",
        "kind = 'GOSSIP'",
        "status = 'RESOLVED'",
        "resolution = 'REFUND'",
        "resolution_note = 'why'",
        "resolved_by = 'user_1'",
        "resolved_at = now()",
        "status = 'RESOLVED', resolution = 'REFUND', resolved_at = now()",
        "status = 'RESOLVED', resolution = 'REFUND', resolution_note = 'why', resolved_at = now()",
        "status = 'RESOLVED', resolution = 'REFUND', resolution_note = 'why', resolved_by = 'user_1'",
        "status = 'RESOLVED', resolution_note = 'why', resolved_by = 'user_1', resolved_at = now()",
    ] {
        let update = format!("update billing.operator_case set {set}");
        assert_eq!(why(&app, &[case("{}")], &update).await.0, CHECK, "{set}");
    }
    let resolve = format!("update billing.operator_case set {resolved}");
    for set in ["status = 'OPEN'", "resolution = null", "resolution = 'FORGIVE'", "resolved_by = null"] {
        let update = format!("update billing.operator_case set {set}");
        assert_eq!(why(&app, &[case("{}"), resolve.clone()], &update).await.0, CHECK, "{set}");
    }
    for set in ["evidence = null", "provider = null", "opened_at = null", "fingerprint = null"] {
        let update = format!("update billing.operator_case set {set}");
        assert_eq!(why(&app, &[case("{}")], &update).await.0, NOT_NULL, "{set}");
    }
}

#[tokio::test]
async fn what_was_found_is_one_case() {
    let app = TestApp::start().await;
    let found = why(&app, &[case("{}")], &case(r#"{"kind": "LATE_APPROVAL"}"#)).await;
    assert_eq!(found.1, "operator_case_fingerprint_key");
}

#[tokio::test]
async fn a_comparison_says_how_it_stands() {
    let app = TestApp::start().await;
    app.sweep().await;
    for set in [
        "status = 'DONE'",
        "status = 'RUNNING'",
        "status = 'FAILED'",
        "status = 'FAILED', due_at = now()",
        "status = 'FAILED', failure = 'out of order'",
        "failure = 'out of order'",
        "due_at = now()",
    ] {
        let update = format!("update billing.reconciliation set {set}");
        assert_eq!(why(&app, &[], &update).await.0, CHECK, "{set}");
    }
    let line = |kind: &str, amount: i64| {
        format!(
            "insert into billing.reconciliation_line values ('TOSS', '2026-02-01', 'tx', 'key', 'order', '{kind}', {amount})"
        )
    };
    for nonsense in [line("GIFT", 1), line("CHARGE", -1)] {
        assert_eq!(why(&app, &[], &nonsense).await.0, CHECK, "{nonsense}");
    }
    for fee in [-1, 10_001] {
        let terms = format!("insert into billing.provider_terms values ('TOSS', {fee})");
        assert_eq!(why(&app, &[], &terms).await.0, CHECK, "{terms}");
    }
}
