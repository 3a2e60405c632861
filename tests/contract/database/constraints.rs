//! What the database refuses to be told, whoever tells it. Here it is told by a superuser.

use sqlx::{AssertSqlSafe, Connection, Executor};
use testkit::TestApp;

use super::{refusal, two_businesses};

const CHECK: &str = "23514";
const FOREIGN_KEY: &str = "23503";
const NOT_NULL: &str = "23502";

/// A copy of a row with some members changed; those that say `null` become null.
fn copy(table: &str, key: &str, changes: &str) -> String {
    format!(
        "insert into {table} overriding system value
         select (jsonb_populate_record(null::{table}, to_jsonb(t) || '{changes}')).* from {table} t where {key}"
    )
}

/// Business 1's first payment, once more.
fn payment(changes: &str) -> String {
    copy("billing.payment", "payment_id = 101", changes)
}

const OPEN: &str = r#""status": "PENDING", "refunded_amount": 0, "due_at": "2026-02-01T00:00:00Z", "payment_key": null,
    "approved_at": null, "settled_at": null, "sent_at": "2026-02-01T00:00:00Z""#;

fn invoice(changes: &str) -> String {
    copy("billing.invoice", "business_id = 1", changes)
}

fn subscription(changes: &str) -> String {
    copy("billing.subscription", "business_id = 1", changes)
}

fn refund(changes: &str) -> String {
    copy("billing.refund", "business_id = 1", changes)
}

const UUID: &str = "01990000-0000-7000-8000-000000000001";

/// Does `first`, which is legal, then `then`, which is not; answers with why.
pub(super) async fn why(app: &TestApp, first: &[String], then: &str) -> (String, String) {
    let superuser = app.superuser().await;
    let mut conn = superuser.acquire().await.expect("a connection");
    let mut tx = conn.begin().await.expect("a transaction");
    for statement in first {
        let done = tx.execute(AssertSqlSafe(statement.clone())).await;
        assert!(
            done.unwrap_or_else(|error| panic!("{statement}: {error}")).rows_affected() > 0,
            "{statement}"
        );
    }
    let refused = refusal(&mut tx, then).await;
    (refused.code().unwrap_or_default().into_owned(), refused.constraint().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn nothing_is_owed_or_paid_twice() {
    let app = two_businesses().await;
    let open = |id: i64| payment(&format!(r#"{{"payment_id": {id}, "order_id": "dg_open_{id}", {OPEN}}}"#));
    let other_period = r#""period_from": "2026-03-01", "period_until": "2026-04-01""#;
    let open_invoice = |n: u8, period: &str| {
        let id = format!("01990000-0000-7000-8000-00000000000{n}");
        invoice(&format!(r#"{{"invoice_id": "{id}", "status": "OPEN", "closed_at": null, {period}}}"#))
    };
    for (what, first, then, constraint) in [
        ("a second open attempt for an invoice", vec![open(901)], open(902), "payment_one_open"),
        (
            "a second approved payment of an invoice",
            vec![],
            payment(r#"{"payment_id": 903, "order_id": "dg_second"}"#),
            "payment_one_approved",
        ),
        (
            "a payment while a refunded one paid the invoice",
            vec!["update billing.payment set status = 'REFUNDED', refunded_amount = amount where payment_id = 101".to_owned()],
            payment(r#"{"payment_id": 903, "order_id": "dg_second", "status": "SUCCESS", "refunded_amount": 0, "settled_at": "2026-02-01T00:00:00Z"}"#),
            "payment_one_approved",
        ),
        (
            "an open attempt that becomes the second approved one",
            vec![open(901)],
            "update billing.payment set status = 'SUCCESS', due_at = null, payment_key = 'k', approved_at = now(), settled_at = now() where payment_id = 901".to_owned(),
            "payment_one_approved",
        ),
        ("a second payment of an order", vec![], payment(&format!(r#"{{"payment_id": 904, {OPEN}}}"#)), "payment_order"),
        ("a second invoice for a period", vec![], invoice(&format!(r#"{{"invoice_id": "{UUID}"}}"#)), "invoice_one_per_period"),
        (
            "a second open invoice",
            vec![open_invoice(1, other_period)],
            open_invoice(2, r#""period_from": "2026-04-01", "period_until": "2026-05-01""#),
            "invoice_one_open",
        ),
        (
            "a second live subscription",
            vec![],
            subscription(&format!(r#"{{"subscription_id": "{UUID}"}}"#)),
            "subscription_one_live",
        ),
        (
            "a second subscription that waits for its first payment",
            vec![],
            subscription(&format!(r#"{{"subscription_id": "{UUID}", "status": "PENDING", "due_at": null}}"#)),
            "subscription_one_live",
        ),
        (
            "a second refund for a cancel at the provider",
            vec![],
            refund(&format!(r#"{{"refund_id": "{UUID}"}}"#)),
            "refund_one_per_cancel",
        ),
        (
            "a second refund for a request",
            vec!["update billing.refund set idempotency_key = 'k' where business_id = 1".to_owned()],
            refund(&format!(r#"{{"refund_id": "{UUID}", "transaction_key": "other"}}"#)),
            "refund_one_per_request",
        ),
    ] {
        assert_eq!(why(&app, &first, &then).await.1, constraint, "{what}");
    }
}

#[tokio::test]
async fn a_state_says_what_its_facts_say() {
    let app = two_businesses().await;
    let update = |table: &str, set: &str| format!("update billing.{table} set {set} where business_id = 1");
    for (table, set) in [
        ("payment", "status = 'PAID'"),
        ("payment", "status = ''"),
        ("payment", "status = 'PENDING'"),
        ("payment", "status = 'REQUESTED'"),
        ("payment", "status = 'FAILED'"),
        ("payment", "status = 'EXPIRED', due_at = now()"),
        // It was refunded in part.
        ("payment", "status = 'SUCCESS'"),
        ("payment", "status = 'REFUNDED'"),
        ("payment", "refunded_amount = amount"),
        ("payment", "refunded_amount = 0"),
        ("payment", "refunded_amount = amount + 1"),
        ("payment", "refunded_amount = -1"),
        ("payment", "status = 'SUCCESS', refunded_amount = 0, approved_at = null"),
        ("payment", "status = 'SUCCESS', refunded_amount = 0, payment_key = null"),
        ("payment", "approved_at = null"),
        ("payment", "due_at = now()"),
        ("payment", "amount = 0"),
        ("payment", "amount = -29000"),
        ("payment", "reason = 'WHIM'"),
        ("payment", "cycle = 'WEEKLY'"),
        ("payment", "failure_class = 'BAD_LUCK'"),
        ("payment", "order_id = 'a b'"),
        ("payment", "order_id = 'short'"),
        ("invoice", "status = 'UNPAID'"),
        ("invoice", "status = 'OPEN'"),
        ("invoice", "closed_at = null"),
        ("invoice", "amount = 0, supply_amount = 0, vat_amount = 0"),
        ("invoice", "vat_amount = vat_amount + 1"),
        ("invoice", "period_until = period_from"),
        ("invoice", "retries_used = -1"),
        ("subscription", "status = 'TRIAL'"),
        ("subscription", "status = 'ENDED', due_at = null"),
        ("subscription", "ended_at = now()"),
        ("subscription", "end_reason = 'CANCELED'"),
        ("subscription", "status = 'ENDED', ended_at = now(), end_reason = 'BOREDOM', due_at = null"),
        ("subscription", "status = 'ENDED', ended_at = now(), end_reason = 'CANCELED'"),
        ("subscription", "status = 'SUSPENDED'"),
        ("subscription", "status = 'PENDING'"),
        ("subscription", "payment_method_id = null"),
        ("subscription", "price = 0"),
        ("subscription", "period_until = period_from"),
        ("subscription", "cycle = 'DAILY'"),
        ("refund", "status = 'DONE'"),
        ("refund", "status = 'PENDING'"),
        ("refund", "status = 'FAILED'"),
        ("refund", "transaction_key = null"),
        ("refund", "settled_at = null"),
        ("refund", "due_at = now()"),
        ("refund", "amount = 0"),
        ("cash_receipt", "status = 'LOST'"),
        ("cash_receipt", "status = 'REQUESTED'"),
        ("cash_receipt", "status = 'PROCESSING'"),
        ("cash_receipt", "status = 'REFUSED'"),
        ("cash_receipt", "status = 'CANCELED'"),
        ("cash_receipt", "canceled_amount = amount"),
        ("cash_receipt", "canceled_amount = amount + 1"),
        ("cash_receipt", "kind = 'GIFT'"),
        ("cash_receipt", "amount = 0, canceled_amount = 0"),
        ("cash_receipt", "receipt_key = null"),
        ("cash_receipt", "due_at = now()"),
        // Whose it is nobody needs any more.
        ("cash_receipt", "identity_number = 'dev.AAAA'"),
        ("cash_receipt_cancel", "status = 'LOST'"),
        ("cash_receipt_cancel", "status = 'PENDING'"),
        ("cash_receipt_cancel", "status = 'WAITING'"),
        ("cash_receipt_cancel", "status = 'REFUSED'"),
        ("cash_receipt_cancel", "settled_at = null"),
        ("cash_receipt_cancel", "due_at = now()"),
        ("cash_receipt_cancel", "amount = 0"),
        ("payment_method", "status = 'LOST'"),
        ("payment_method", "status = 'ISSUING'"),
        ("payment_method", "status = 'RELEASING'"),
        ("payment_method", "status = 'RELEASED'"),
        ("payment_method", "billing_key = null"),
        ("payment_method", "billing_key_hash = null"),
        // What the SDK returned is not kept once it is used.
        ("payment_method", "auth_key = 'dev.AAAA'"),
        ("payment_method", "due_at = now()"),
    ] {
        let statement = update(table, set);
        assert_eq!(why(&app, &[], &statement).await.0, CHECK, "{statement}");
    }
    for statement in [
        "update platform.idempotency_key set status = null",
        "update platform.idempotency_key set body = null",
        "update platform.idempotency_key set key = ''",
        "update platform.event set kind = 'Nonsense'",
        "update identity.member set role = 'ADMIN'",
        "update identity.business set name = ''",
        "update billing.plan_price set amount = -1",
        "update billing.plan set retry_days = '{3,0}'",
        "update billing.plan set when_exhausted = 'FORGIVE'",
        "update billing.plan set code = 'basic' where code = 'FREE'",
    ] {
        assert_eq!(why(&app, &[], statement).await.0, CHECK, "{statement}");
    }
}

#[tokio::test]
async fn nothing_hangs_on_what_is_not_there_or_not_ones_own() {
    let app = two_businesses().await;
    let of_business_2 =
        |column: &str, table: &str| format!("(select {column} from {table} where business_id = 2)");
    for statement in [
        format!(
            "update billing.payment set invoice_id = {} where payment_id = 101",
            of_business_2("invoice_id", "billing.invoice")
        ),
        format!(
            "update billing.payment set payment_method_id = {} where payment_id = 101",
            of_business_2("payment_method_id", "billing.payment_method")
        ),
        format!(
            "update billing.subscription set payment_method_id = {} where business_id = 1",
            of_business_2("payment_method_id", "billing.payment_method")
        ),
        format!(
            "update billing.invoice set subscription_id = {} where business_id = 1",
            of_business_2("subscription_id", "billing.subscription")
        ),
        format!(
            "update billing.refund set payment_id = {} where business_id = 1",
            of_business_2("payment_id", "billing.payment")
        ),
        "update billing.payment set plan_code = 'GOLD' where payment_id = 101".to_owned(),
        "delete from billing.invoice where business_id = 1".to_owned(),
        "delete from billing.payment where business_id = 1".to_owned(),
        "delete from billing.subscription where business_id = 1".to_owned(),
        "delete from billing.payment_method where business_id = 1".to_owned(),
        "delete from identity.business where business_id = 1".to_owned(),
    ] {
        assert_eq!(why(&app, &[], &statement).await.0, FOREIGN_KEY, "{statement}");
    }
    for statement in
        ["update billing.payment set business_id = null", "update billing.refund set reason = null"]
    {
        assert_eq!(why(&app, &[], statement).await.0, NOT_NULL, "{statement}");
    }
}
