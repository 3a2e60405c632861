//! The live invariants: SQL that lists where something is not as it must be.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

/// How often an invariant was violated when the worker last looked.
#[derive(Debug)]
pub struct InvariantCheck {
    pub invariant: String,
    pub violations: i64,
}

/// Counts the violations of each of these invariants, and remembers the counts.
pub(crate) async fn check(conn: &mut PgConnection, names: &[&str], now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into billing.invariant_check (invariant, violations, checked_at)
         select name, count(violation.invariant), $2
         from unnest($1::text[]) as name
         left join billing.invariant_violations($2) violation on violation.invariant = name
         group by name
         on conflict (invariant) do update set violations = excluded.violations, checked_at = excluded.checked_at",
        &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What the last check found.
pub(crate) async fn last(conn: &mut PgConnection) -> sqlx::Result<Vec<InvariantCheck>> {
    sqlx::query_as!(
        InvariantCheck,
        "select invariant, violations from billing.invariant_check order by invariant"
    )
    .fetch_all(conn)
    .await
}
