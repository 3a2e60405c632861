//! What is there before an upgrade is there after it, whoever's it is.

use std::{borrow::Cow, str::FromStr};

use secrecy::ExposeSecret;
use sqlx::{PgPool, migrate::Migrator, postgres::PgConnectOptions};
use testkit::TestApp;

/// One message of each status, as they were written down before 0009, and a line at which people refuse.
const BEFORE: [&str; 2] = [
    "insert into messaging.message
         (business_id, message_id, dedup_key, batch, spoken_by, purpose, channel, recipient, content, contact_hash, status,
          reason, provider, claim_id, created_at, due_at, asked_at, sent_at, finished_at)
     select 1, gen_random_uuid(), status, 'campaign:1', 'BUSINESS', 'ADVERTISING', 'SMS', 'sealed', 'sealed', sha256('x'),
            status, case when status in ('FAILED', 'EXCLUDED') then 'WHY' end, 'SOLAPI',
            case when status = 'SENDING' then gen_random_uuid() end, now(),
            case when status in ('QUEUED', 'SENDING', 'UNKNOWN') then now() end,
            case when status in ('SENT', 'DELIVERED', 'UNKNOWN') then now() end,
            case when status in ('SENT', 'DELIVERED') then now() end,
            case when status in ('DELIVERED', 'FAILED', 'EXCLUDED') then now() end
     from unnest(array['QUEUED', 'SENDING', 'SENT', 'DELIVERED', 'FAILED', 'EXCLUDED', 'UNKNOWN']) as status",
    "insert into messaging.sender (business_id, refusal_number, changed_at, approved_at)
     values (1, '0801234567', now(), now())",
];

#[tokio::test]
async fn messages_from_before_how_they_stand_had_a_table_of_its_own_stand_as_they_stood() {
    let app = TestApp::start().await;
    let undone = "drop schema messaging, messaging_read cascade;
                  delete from platform.event_consumer where name = 'messaging.mails'";
    sqlx::raw_sql(undone).execute(&app.superuser().await).await.expect("nothing is left of it");
    let db = owners(&app).await;
    let all = &messaging::MIGRATIONS;
    let until_then = all.iter().filter(|migration| migration.version < 9).cloned().collect();
    let before = Migrator {
        migrations: Cow::Owned(until_then),
        table_name: all.table_name.clone(),
        create_schemas: all.create_schemas.clone(),
        ..Migrator::DEFAULT
    };
    before.run(&db).await.expect("the earlier migrations run");
    for statement in BEFORE {
        app.sql(statement).await;
    }
    let stands = "select concat_ws(' ', dedup_key, status, reason, sent_at is not null, finished_at is not null, due_at is not null)
                  from messaging.message";
    let before = app.texts(&format!("{stands} order by dedup_key")).await;
    assert_eq!(before.len(), 7);

    gateway::database::migrate(&db).await.expect("the migrations run");

    let joined =
        format!("{stands} join messaging.delivery using (business_id, message_id) order by dedup_key");
    assert_eq!(app.texts(&joined).await, before);
    assert_eq!(app.texts("select line from messaging.refusal_line").await, ["0801234567"]);
}

#[tokio::test]
async fn customers_from_before_summaries_are_summed_up() {
    let app = TestApp::start().await;
    let sums =
        "select concat_ws(' ', customer_id, visit_count, total_spent, last_visit_on, service_ids, staff_ids)
                from booking.customer_summary order by business_id, customer_id";
    let before = app.texts(sums).await;
    assert!(before.len() > 10, "{before:?}");
    app.sql("delete from booking.customer_summary").await;
    app.sql("delete from booking._sqlx_migrations where version = 6").await;

    gateway::database::migrate(&owners(&app).await).await.expect("the migrations run");

    assert_eq!(app.texts(sums).await, before);
}

/// As the role that owns the database, which row-level security binds.
async fn owners(app: &TestApp) -> PgPool {
    let options = PgConnectOptions::from_str(app.database.url.expose_secret()).expect("a URL");
    PgPool::connect_with(options).await.expect("the database answers")
}
