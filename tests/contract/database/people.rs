//! What is told to a person, and what a person keeps.

use sqlx::Row;
use testkit::TestApp;

use super::{announced, count, one_line, refusal, two_businesses};
use crate::tables::OF_PEOPLE;

const LOCK: &str = "(( SELECT platform.serves_all() AS serves_all) \
    OR (user_id = ( SELECT platform.served_user() AS served_user))) *";

/// 이지은 and 박서준 have each kept something everywhere.
async fn two_people() -> TestApp {
    let app = two_businesses().await;
    for user in ["이지은", "박서준"] {
        for row in [
            "insert into notifications.preference values ($1, 'REVIEW_NEW', 'SMS', false)",
            "insert into notifications.read_mark values ($1, 1)",
            "insert into notifications.read_one values ($1, 2)",
        ] {
            app.sql(&row.replace("$1", &format!("'{user}'"))).await;
        }
    }
    app
}

#[tokio::test]
async fn what_a_person_keeps_is_that_persons() {
    let app = two_people().await;
    for table in OF_PEOPLE {
        let row = sqlx::query(
            "select c.relrowsecurity and c.relforcerowsecurity,
                    array(select pg_get_expr(p.polqual, p.polrelid)::text || ' ' || p.polcmd::text
                          from pg_catalog.pg_policy p where p.polrelid = c.oid)
             from pg_catalog.pg_class c where c.oid = $1::text::regclass",
        )
        .bind(table)
        .fetch_one(app.db())
        .await
        .expect("the catalogue answers");
        assert!(row.get::<bool, _>(0), "`call platform.isolate_users('{table}')` is missing");
        let policies: Vec<String> = row.get(1);
        assert_eq!(policies.iter().map(|policy| one_line(policy)).collect::<Vec<_>>(), [LOCK], "{table}");
        for (announcement, seen) in [
            ("", 0),
            ("app.user_id = ''", 0),
            ("app.business_id = '1'", 0),
            ("app.told_businesses = '{1,2}'", 0),
            ("app.user_id = '이지은'", 1),
            ("app.scope = 'system'", 2),
        ] {
            let mut tx = announced(app.db(), announcement).await;
            assert_eq!(count(&mut tx, table).await, seen, "{table}, {announcement:?}");
        }
        let mut tx = announced(app.db(), "app.user_id = '이지은'").await;
        let refused = refusal(&mut tx, &format!("update {table} set user_id = '최우식'")).await;
        assert_eq!(refused.code().as_deref(), Some(super::INSUFFICIENT_PRIVILEGE), "{table}: {refused}");
    }
}

#[tokio::test]
async fn who_is_told_something_reads_it_and_changes_nothing() {
    let app = two_businesses().await;
    let table = "notifications.notification";
    for (told, seen) in [("{}", 0), ("{1}", 1), ("{0,1}", 1), ("{1,2}", 2), ("{999999}", 0)] {
        let mut tx = announced(app.db(), &format!("app.told_businesses = '{told}'")).await;
        assert_eq!(count(&mut tx, table).await, seen, "{told}");
        for statement in [format!("update {table} set title = 'x'"), format!("delete from {table}")] {
            let changed = sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *tx).await;
            assert_eq!(changed.expect("nothing speaks against it").rows_affected(), 0, "{told}");
        }
        // Only what is told: the business's other things are its own.
        assert_eq!(count(&mut tx, "booking.customer").await, 0, "{told}");
    }
}
