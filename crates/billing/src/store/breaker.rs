//! `billing.provider_breaker`.

use chrono::{DateTime, Utc};
use pg_adapter::Provider;
use sqlx::PgConnection;

use crate::breaker::{BreakerState, PAUSE};

/// A provider's breaker, as all processes share it.
pub(crate) struct Breaker {
    pub state: BreakerState,
    pub opened_at: DateTime<Utc>,
    pub probe_until: Option<DateTime<Utc>>,
}

impl Breaker {
    /// When somebody may go and find out.
    pub(crate) fn waits_until(&self) -> DateTime<Utc> {
        self.probe_until.unwrap_or(self.opened_at + PAUSE)
    }
}

pub(crate) async fn find(conn: &mut PgConnection, provider: Provider) -> sqlx::Result<Option<Breaker>> {
    sqlx::query_as!(
        Breaker,
        r#"select state as "state: BreakerState", opened_at, probe_until
           from billing.provider_breaker where provider = $1"#,
        provider.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// Becomes OPEN, unless it is not closed already.
pub(crate) async fn open(
    conn: &mut PgConnection,
    provider: Provider,
    reason: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into billing.provider_breaker as known (provider, state, reason, opened_at, changed_at)
         values ($1, 'OPEN', $2, $3, $3)
         on conflict (provider) do update
         set state = 'OPEN', reason = excluded.reason, opened_at = $3, changed_at = $3
         where known.state = 'CLOSED'",
        provider.as_str(),
        reason,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// `HALF_OPEN` becomes `OPEN`: who went to find out got no answer either.
pub(crate) async fn open_again(
    conn: &mut PgConnection,
    provider: Provider,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.provider_breaker
         set state = 'OPEN', opened_at = $2, probe_until = null, changed_at = $2
         where provider = $1 and state = 'HALF_OPEN'",
        provider.as_str(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// `HALF_OPEN` becomes `CLOSED`; so does one that has been open since before `rested`, for somebody asked
/// the provider all the same and was answered. False if it stays as it is.
pub(crate) async fn close(
    conn: &mut PgConnection,
    provider: Provider,
    now: DateTime<Utc>,
    rested: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let closed = sqlx::query!(
        "update billing.provider_breaker set state = 'CLOSED', probe_until = null, changed_at = $2
         where provider = $1 and (state <> 'OPEN' or opened_at <= $3)",
        provider.as_str(),
        now,
        rested,
    )
    .execute(conn)
    .await?;
    Ok(closed.rows_affected() == 1)
}

/// Becomes `HALF_OPEN` for whoever asks first. False for all others.
pub(crate) async fn probe(
    conn: &mut PgConnection,
    provider: Provider,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let taken = sqlx::query!(
        "update billing.provider_breaker set state = 'HALF_OPEN', probe_until = $3, changed_at = $2
         where provider = $1
           and (state = 'OPEN' and opened_at <= $4 or state = 'HALF_OPEN' and probe_until <= $2)",
        provider.as_str(),
        now,
        until,
        now - PAUSE,
    )
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}
