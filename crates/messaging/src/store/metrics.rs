//! Figures for operators.

use chrono::{DateTime, Utc};
use platform::SystemTx;
use sqlx::PgPool;

/// How the outbox stands.
#[derive(Debug)]
pub struct Backlog {
    /// Due, and not sent yet.
    pub waiting: i64,
    /// How long the one that waits longest has been due, seconds.
    pub oldest_waiting: f64,
    /// Of which nobody knows whether they were sent.
    pub unknown: i64,
}

impl Backlog {
    pub async fn read(db: &PgPool, now: DateTime<Utc>) -> sqlx::Result<Self> {
        let mut tx = SystemTx::begin(db).await?;
        sqlx::query_as!(
            Self,
            r#"select count(*) filter (where status = 'QUEUED' and due_at <= $1) as "waiting!",
                      coalesce(extract(epoch from $1 - min(due_at) filter (where status = 'QUEUED' and due_at <= $1))::float8, 0)
                          as "oldest_waiting!",
                      count(*) filter (where status = 'UNKNOWN') as "unknown!"
               from messaging.delivery where status in ('QUEUED', 'UNKNOWN')"#,
            now,
        )
        .fetch_one(&mut *tx)
        .await
    }
}
