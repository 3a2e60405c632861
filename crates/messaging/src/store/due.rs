//! When something is to be done next.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// In the past if it is due already.
pub(crate) async fn next_at(conn: &mut PgConnection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        r#"select least(
               (select min(due_at) from messaging.delivery waiting
                where status = 'QUEUED' and due_at < 'infinity'
                  and not exists (select from messaging.batch held
                                  where held.business_id = waiting.business_id and held.batch = waiting.batch
                                    and held.state = 'HELD')),
               (select min(due_at) from messaging.delivery
                where status in ('SENDING', 'SENT', 'UNKNOWN') and due_at is not null)) as due_at"#,
    )
    .fetch_one(conn)
    .await
}
