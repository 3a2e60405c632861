//! The database holds its own locks: what follows would hold if all of the code above it were wrong.

mod books;
mod constraints;
mod people;
mod visits;

use serde_json::json;
use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool, Row, error::DatabaseError};
use testkit::{Card, TestApp};

use crate::{document, tables};

/// Tables that belong to no business, and so need no lock: price lists (what a provider keeps is one
/// as well) and the machinery's own. The list can only shrink.
const OF_NOBODY: [&str; 16] = [
    "billing._sqlx_migrations",
    "billing.plan",
    "billing.plan_price",
    "billing.provider_terms",
    "billing.tax_invoice_count",
    "booking._sqlx_migrations",
    "crm._sqlx_migrations",
    "exports._sqlx_migrations",
    "identity._sqlx_migrations",
    "messaging._sqlx_migrations",
    "messaging.refusal_reading",
    "notifications._sqlx_migrations",
    "notifications.reminder_day",
    "platform._sqlx_migrations",
    "platform.dev_clock",
    "platform.event_consumer",
];

/// Who is served is found out once a statement, not once a row.
const LOCK: &str = "(( SELECT platform.serves_all() AS serves_all) \
    OR (business_id = ( SELECT platform.served_business() AS served_business))) *";

/// Somebody may be told things by several businesses, and by the platform, all of which they may read at once.
const TOLD: (&str, &str) = (
    "notifications.notification",
    "(business_id = ANY (( SELECT platform.told_businesses() AS told_businesses)::bigint[])) r",
);

/// Tables of which nothing is ever changed or deleted, by anybody.
const FINAL: [&str; 3] = ["billing.ledger_entry", "messaging.consent", "platform.audit"];

const INSUFFICIENT_PRIVILEGE: &str = "42501";
const RESTRICT: &str = "23001";

/// Somebody was at a shop, and says how it was.
const VISIT: [&str; 10] = [
    "insert into booking.customer (business_id, name, created_at, changed_at) values ($1, '김민서', now(), now())",
    "insert into booking.staff (business_id, name, created_at, changed_at) values ($1, '이지은', now(), now())",
    "insert into booking.service_category (business_id, name) values ($1, '컷')",
    "insert into booking.service (business_id, name, price, duration_minutes, created_at, changed_at)
     values ($1, '여성 컷', 30000, 60, now(), now())",
    "insert into booking.reservation (business_id, customer_id, start_at, status, price, created_at, changed_at)
     select business_id, customer_id, '2026-01-31T10:00+09', 'COMPLETED', 30000, now(), now()
     from booking.customer where business_id = $1",
    "insert into booking.reservation_service
     select business_id, reservation_id, 1, service_id, service.price, duration_minutes, visit_on, 10, status, null
     from booking.reservation join booking.service using (business_id) where business_id = $1",
    "insert into booking.review (business_id, reservation_id, rating, content, created_at)
     select business_id, reservation_id, 5, '또 올게요', now() from booking.reservation where business_id = $1",
    "insert into booking.import_run values ($1, 'STAFFS', sha256('a file'), 1, 1, 0, 0, 0, now())",
    "insert into notifications.notification (business_id, audience, type, title, message, created_at)
     values ($1, 'ADMINS', 'REVIEW_NEW', '새 후기', '새 후기가 있습니다.', now())",
    "insert into notifications.reminder values ($1, 1, '2026-02-14')",
];

/// A shop writes to a customer, who agreed by three channels and refuses by one.
const MESSAGES: [&str; 10] = [
    "insert into messaging.sender values ($1, '0231234567', '0801234567', null, null, now())",
    "insert into messaging.message
         (business_id, message_id, dedup_key, spoken_by, purpose, channel, recipient, content, contact_hash, created_at)
     values ($1, gen_random_uuid(), 'k', 'BUSINESS', 'ADVERTISING', 'SMS', 'sealed', 'sealed', sha256('x'), now())",
    "insert into messaging.delivery (business_id, message_id, channel, purpose, status, due_at)
     select business_id, message_id, channel, purpose, 'QUEUED', now() + interval '1 year'
     from messaging.message where business_id = $1",
    "insert into messaging.consent
         (business_id, customer_id, channel, purpose, act, acted_at, recorded_at, method, wording)
     select $1, 1, channel, 'MARKETING', 'GIVEN', now(), now(), 'PAPER', 'v1'
     from unnest(array['SMS', 'KAKAO', 'EMAIL']) as channel",
    "insert into messaging.refusal values ($1, 'SMS', sha256('x'), now(), 'LINK')",
    "insert into messaging.batch values ($1, 'campaign:1', 'OPEN', now())",
    "insert into messaging.refusal_line values ($1, '0801234567', now())",
    "insert into messaging.reconfirmation
     select business_id, min(consent_id), (select message_id from messaging.message where business_id = $1 limit 1)
     from messaging.consent where business_id = $1 group by business_id",
    "insert into messaging.dead_contact values ($1, 'EMAIL', sha256('x'), now())",
    "insert into messaging.template (business_id, name, channel, purpose, body, created_at, changed_at)
     values ($1, '재방문', 'SMS', 'ADVERTISING', '다시 뵙고 싶어요', now(), now())",
];

/// Somebody took something away.
const EXPORT: [&str; 4] = [
    "insert into exports.shop values ($1, '2026-02-01', 1, now())",
    "insert into exports.export
         (business_id, asked_on, number, type, format, whole_contacts, asked_by, asked_at, status, due_at, rows_expected)
     values ($1, '2026-02-01', 1, 'CUSTOMERS', 'CSV', true, 'user_1', now(), 'PROCESSING', now(), 1)",
    "insert into exports.file values ($1, '2026-02-01', 1, 1, now())",
    "insert into platform.audit (business_id, happened_at, subject, role, action, data)
     values ($1, now(), 'user_1', 'OWNER', 'export.requested', '{}')",
];

/// Somebody chose customers, gave one of them a coupon, which was used, and wrote what is to be said to them.
const CAMPAIGN: [&str; 8] = [
    "insert into crm.stocked values ($1, now()) on conflict (business_id) do update set stocked_at = now()",
    "insert into crm.segment (business_id, name, conditions, version, created_at, changed_at)
     values ($1, '모두', '[]', 1, now(), now())",
    "insert into crm.coupon
         (business_id, name, discount_type, discount_value, minimum_spend, valid_from, valid_until, created_at, changed_at)
     values ($1, '5천원', 'AMOUNT', 5000, 0, '2026-02-01', '2026-02-28', now(), now())",
    "insert into crm.coupon_code
     select business_id, 'TESTTESTTEST', coupon_id, 1, now() from crm.coupon where business_id = $1
     order by coupon_id desc limit 1",
    "insert into crm.redemption (business_id, code, reference, amount, discount, redeemed_at)
     values ($1, 'TESTTESTTEST', 'R-1', 55000, 5000, now())",
    "insert into crm.campaign
         (business_id, name, segment_id, segment_name, conditions, version, channel, template_type, message, sample_code,
          status, recipient_count, created_at, changed_at)
     values ($1, '봄맞이', 1, '모두', '[]', 1, 'SMS', 'REVISIT', '다시 뵙고 싶어요', left(md5(random()::text), 12), 'DRAFT', 1,
             now(), now())",
    "insert into crm.auto_campaign
         (business_id, occasion, channel, message, trigger_days, hour, covered_on, created_at, changed_at)
     values ($1, 'BIRTHDAY', 'SMS', '생일을 축하드려요', 0, 10, '2026-02-01', now(), now())",
    "insert into crm.campaign_recipient (business_id, campaign_id, customer_id, exclusion)
     select business_id, campaign_id, 1, 'NO_CONSENT' from crm.campaign where business_id = $1",
];

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Businesses 1 and 2 have something in every table.
async fn two_businesses() -> TestApp {
    let app = TestApp::start().await;
    for business in [1, 2] {
        let owner = app.owner_of(business).with_header("idempotency-key", "same-for-both");
        let started = owner.post("/api/payments/billing-key", app.registration("BASIC", Card::Good)).await;
        let refund = format!("/api/payments/{}/partial-refund", started.data()["paymentId"]);
        app.owner_of(business).patch(&refund, json!({"amount": 1_000, "reason": "고객 요청"})).await.data();
        let invoice = format!("/api/payments/{}/tax-invoice", started.data()["paymentId"]);
        let buyer = document::operation("requestTaxInvoice").example().expect("an example");
        app.owner_of(business).post(&invoice, buyer).await.data();
        let mut contract = document::operation("createMerchantAccount").example().expect("an example");
        contract["businessId"] = json!(business);
        app.platform_admin().post("/api/admin/merchant-accounts", contract).await.data();
        // The demo's salon has had visits, and needs the rest alone.
        let visit = if business == 1 { &VISIT[6..] } else { &VISIT };
        for row in visit.iter().chain(&EXPORT).chain(&CAMPAIGN) {
            app.sql(&row.replace("$1", &business.to_string())).await;
        }
        for row in MESSAGES {
            app.sql(&row.replace("$1", &business.to_string())).await;
        }
    }
    // Whoever pays by card has none.
    app.sql(
        "insert into billing.cash_receipt
             (business_id, cash_receipt_id, payment_id, kind, amount, canceled_amount, status, receipt_key, created_at,
              taken_at, issued_at, canceled_at)
         select business_id, gen_random_uuid(), payment_id, 'INCOME_DEDUCTION', 29000, 1000, 'ISSUED', 'key', now(),
                now(), now(), now()
         from billing.refund",
    )
    .await;
    app.sql(
        "insert into billing.cash_receipt_cancel
             (business_id, cash_receipt_id, refund_id, amount, status, created_at, settled_at)
         select refund.business_id, cash_receipt_id, refund_id, 1000, 'DONE', now(), now()
         from billing.refund join billing.cash_receipt using (business_id, payment_id)",
    )
    .await;
    app
}

/// A transaction as the application opens one, announcing for whom it works.
async fn announced(db: &PgPool, announcement: &str) -> sqlx::Transaction<'static, sqlx::Postgres> {
    let mut tx = db.begin().await.expect("a transaction");
    if !announcement.is_empty() {
        tx.execute(AssertSqlSafe(format!("set local {announcement}")))
            .await
            .expect("the setting is accepted");
    }
    tx
}

async fn count(conn: &mut PgConnection, rows: &str) -> i64 {
    let query = format!("select count(*) from {rows}");
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(conn).await.expect("the rows are counted")
}

/// What the database says to a statement that it must refuse.
async fn refusal(conn: &mut PgConnection, statement: &str) -> Box<dyn DatabaseError> {
    match sqlx::query(AssertSqlSafe(statement.to_owned())).execute(conn).await {
        Err(sqlx::Error::Database(refusal)) => refusal,
        other => panic!("{statement} was not refused: {other:?}"),
    }
}

/// How many rows of a table a statement changes for whoever announces themselves so. Where rows are
/// final, the attempt is refused, whether or not there is a row to be changed.
async fn touched(db: &PgPool, announcement: &str, table: &str, statement: &str) -> u64 {
    let mut tx = announced(db, announcement).await;
    if FINAL.contains(&table) {
        let refused = refusal(&mut tx, statement).await;
        assert_eq!(refused.code().as_deref(), Some(RESTRICT), "{statement}: {refused}");
        return 0;
    }
    let done = tx.execute(AssertSqlSafe(statement.to_owned())).await.expect("nothing speaks against it");
    tx.commit().await.expect("a commit");
    done.rows_affected()
}

#[tokio::test]
async fn the_applications_role_obeys_row_level_security() {
    let app = TestApp::start().await;
    let row = sqlx::query(
        "select rolsuper, rolbypassrls, rolcreaterole from pg_catalog.pg_roles where rolname = current_user",
    )
    .fetch_one(app.db())
    .await
    .expect("the role");
    assert_eq!([0, 1, 2].map(|column| row.get::<bool, _>(column)), [false; 3]);
    gateway::database::check(app.db()).await.expect("and so the process starts");
    let superuser = app.superuser().await;
    let refused = gateway::database::check(&superuser).await.expect_err("a superuser would not obey");
    assert!(refused.to_string().contains("superuser"), "{refused}");
}

#[tokio::test]
async fn every_table_with_a_business_is_locked() {
    let app = TestApp::start().await;
    for table in tables::of_tenants(app.db()).await {
        let row = sqlx::query(
            "select c.relrowsecurity, c.relforcerowsecurity,
                    array(select pg_get_expr(p.polqual, p.polrelid)::text || ' ' || p.polcmd::text
                          from pg_catalog.pg_policy p where p.polrelid = c.oid)
             from pg_catalog.pg_class c where c.oid = $1::text::regclass",
        )
        .bind(&table)
        .fetch_one(app.db())
        .await
        .expect("the catalogue answers");
        assert!(row.get::<bool, _>(0), "`call platform.isolate_tenants('{table}')` is missing");
        assert!(row.get::<bool, _>(1), "the owner of {table} would not obey");
        // One policy, for every command: a second one would open what the first one closes.
        let policies: Vec<String> = row.get(2);
        let mut policies: Vec<String> = policies.iter().map(|policy| one_line(policy)).collect();
        policies.retain(|policy| (table.as_str(), policy.as_str()) != TOLD);
        assert_eq!(policies, [LOCK], "{table}");
    }
    assert_eq!(tables::of_nobody(app.db()).await, OF_NOBODY, "whose are the rows of a new table?");
}

#[tokio::test]
async fn who_announces_nothing_sees_nothing_and_writes_nothing() {
    let app = two_businesses().await;
    let superuser = app.superuser().await;
    for table in tables::of_tenants(&superuser).await {
        let copy = copied(&superuser, &table).await;
        // An empty announcement, as a pooled connection may have one left, is none.
        for announcement in ["", "app.business_id = ''", "app.scope = ''", "app.scope = 'tenant'"] {
            let mut tx = announced(app.db(), announcement).await;
            assert_eq!(count(&mut tx, &table).await, 0, "{table}, {announcement:?}");
            for statement in
                [format!("update {table} set business_id = business_id"), format!("delete from {table}")]
            {
                assert_eq!(touched(app.db(), announcement, &table, &statement).await, 0, "{announcement:?}");
            }
            let insert = insert(&superuser, &table, &copy).await;
            let refused = refusal(&mut tx, &insert).await;
            assert_eq!(refused.code().as_deref(), Some(INSUFFICIENT_PRIVILEGE), "{refused}");
        }
    }
}

/// The rows of business 1 where the application can read them, so that it can try to insert them.
async fn copied(superuser: &PgPool, table: &str) -> String {
    let copy = format!("public.copy_of_{}", table.replace('.', "_"));
    let statement = format!(
        "create table {copy} as select * from {table} where business_id = 1; grant select on {copy} to public"
    );
    superuser.execute(AssertSqlSafe(statement)).await.expect("the copy is made");
    let mut conn = superuser.acquire().await.expect("a connection");
    assert!(count(&mut conn, &copy).await > 0, "business 1 has nothing in {table}; this test proves nothing");
    copy
}

/// The statement that puts the rows of a copy into its table; what the database computes by itself is left out.
async fn insert(superuser: &PgPool, table: &str, copy: &str) -> String {
    let columns: String = sqlx::query_scalar(
        "select string_agg(quote_ident(attname), ', ' order by attnum) from pg_catalog.pg_attribute
         where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
    )
    .bind(table)
    .fetch_one(superuser)
    .await
    .expect("the catalogue answers");
    format!("insert into {table} ({columns}) overriding system value select {columns} from {copy}")
}

#[tokio::test]
async fn who_works_for_one_business_reaches_no_other() {
    let app = two_businesses().await;
    let superuser = app.superuser().await;
    let before = tables::all_about(&app, &[1]).await;
    for table in tables::of_tenants(&superuser).await {
        let copy = copied(&superuser, &table).await;
        let mut everything = superuser.acquire().await.expect("a connection");
        let own = count(&mut everything, &format!("{table} where business_id = 2")).await;
        assert!(own > 0, "business 2 has nothing in {table}; this test proves nothing");

        let mut tx = announced(app.db(), "app.business_id = '2'").await;
        assert_eq!(count(&mut tx, &table).await, own, "{table}");
        assert_eq!(count(&mut tx, &format!("{table} where business_id = 1")).await, 0, "{table}");
        for statement in [
            format!("update {table} set business_id = business_id where business_id = 1"),
            format!("delete from {table} where business_id = 1"),
        ] {
            assert_eq!(touched(app.db(), "app.business_id = '2'", &table, &statement).await, 0, "{table}");
        }
        drop(tx);
        let all = format!("update {table} set business_id = business_id");
        let changed = touched(app.db(), "app.business_id = '2'", &table, &all).await;
        let changeable = if FINAL.contains(&table.as_str()) { 0 } else { own };
        assert_eq!(i64::try_from(changed).ok(), Some(changeable), "{table}");

        // Neither can rows be put into another business, nor given away to it.
        for statement in
            [insert(&superuser, &table, &copy).await, format!("update {table} set business_id = 1")]
        {
            let mut tx = announced(app.db(), "app.business_id = '2'").await;
            let refused = refusal(&mut tx, &statement).await;
            let is_final = statement.starts_with("update") && FINAL.contains(&table.as_str());
            let expected = if is_final { RESTRICT } else { INSUFFICIENT_PRIVILEGE };
            assert_eq!(refused.code().as_deref(), Some(expected), "{statement}: {refused}");
        }
    }
    assert_eq!(tables::all_about(&app, &[1]).await, before);
}

#[tokio::test]
async fn what_is_final_is_final_for_everybody() {
    let app = two_businesses().await;
    let superuser = app.superuser().await;
    for table in FINAL {
        for statement in [
            format!("update {table} set business_id = business_id"),
            format!("delete from {table}"),
            format!("truncate {table}"),
        ] {
            touched(app.db(), "app.scope = 'system'", table, &statement).await;
            touched(&superuser, "", table, &statement).await;
        }
        let mut conn = superuser.acquire().await.expect("a connection");
        assert!(count(&mut conn, table).await >= 2, "{table}");
    }
}

/// Something is in every table of the system, a part of it about business 1.
async fn with_something_of_the_system() -> TestApp {
    let app = two_businesses().await;
    app.charges_at_the_console("console-order-1", 5_000).await;
    app.webhook("whtrans_1", r#"{"eventType": "PAYMENT_STATUS_CHANGED", "data": {"orderId": "dg_1234"}}"#)
        .await;
    app.compares("2026-02-01").await.data();
    app.violations().await;
    app.sql("update billing.operator_case set business_id = 1").await;
    app.owner().post("/api/notifications/ticket", json!(null)).await.data();
    app.sql("insert into billing.route values (1, 'TOSS', 1, 1)").await;
    app.sql("insert into billing.provider_breaker values ('TOSS', 'CLOSED', 'test', now(), null, now())")
        .await;
    app.sql(
        "insert into billing.reconciliation_line
         values ('TOSS', '2026-02-01', 'tx', 'key', 'order', 'CHARGE', 5000)",
    )
    .await;
    app
}

#[tokio::test]
async fn what_is_the_systems_is_locked_to_everybody_else() {
    let app = with_something_of_the_system().await;
    let superuser = app.superuser().await;
    for table in tables::OF_THE_SYSTEM {
        let row = sqlx::query(
            "select c.relrowsecurity, c.relforcerowsecurity,
                    array(select pg_get_expr(p.polqual, p.polrelid)::text || ' ' || p.polcmd::text
                          from pg_catalog.pg_policy p where p.polrelid = c.oid)
             from pg_catalog.pg_class c where c.oid = $1::text::regclass",
        )
        .bind(table)
        .fetch_one(app.db())
        .await
        .expect("the catalogue answers");
        assert!(row.get::<bool, _>(0) && row.get::<bool, _>(1), "{table}");
        let policies = ["(current_setting('app.scope'::text, true) = 'system'::text) *"];
        assert_eq!(row.get::<Vec<String>, _>(2), policies, "{table}");

        let mut everything = superuser.acquire().await.expect("a connection");
        let all = count(&mut everything, table).await;
        assert!(all > 0, "nothing is in {table}; this test proves nothing");
        let copy = format!("public.copy_of_{}", table.replace('.', "_"));
        let statement =
            format!("create table {copy} as select * from {table}; grant select on {copy} to public");
        superuser.execute(AssertSqlSafe(statement)).await.expect("the copy is made");
        for announcement in ["", "app.business_id = '1'", "app.scope = ''", "app.scope = 'tenant'"] {
            let mut tx = announced(app.db(), announcement).await;
            assert_eq!(count(&mut tx, table).await, 0, "{table}, {announcement:?}");
            let delete = format!("delete from {table}");
            assert_eq!(touched(app.db(), announcement, table, &delete).await, 0, "{announcement:?}");
            let refused = refusal(&mut tx, &format!("insert into {table} select * from {copy}")).await;
            assert_eq!(refused.code().as_deref(), Some(INSUFFICIENT_PRIVILEGE), "{table}: {refused}");
        }
        let mut tx = announced(app.db(), "app.scope = 'system'").await;
        assert_eq!(count(&mut tx, table).await, all, "{table}");
    }
}

/// Connections are pooled: what one request announced must not be there for the next.
#[tokio::test]
async fn an_announcement_ends_with_its_transaction() {
    let app = two_businesses().await;
    let mut conn = app.db().acquire().await.expect("a connection");
    for statement in [
        "begin; set local app.business_id = '1'",
        "commit",
        "begin; set local app.scope = 'system'",
        "rollback",
    ] {
        conn.execute(statement).await.expect("the statement runs");
    }
    assert_eq!(count(&mut conn, "billing.payment").await, 0);
}
