//! The movable clock of a development system, shared by all its processes through the database.

use chrono::TimeDelta;
use kernel::MovableClock;
use sqlx::PgPool;

/// Reads how far the clock was moved, so that a process started later agrees with the others.
pub async fn load_offset(db: &PgPool, clock: &MovableClock) -> sqlx::Result<()> {
    let offset =
        sqlx::query_scalar!("select offset_micros from platform.dev_clock").fetch_optional(db).await?;
    clock.set_offset(TimeDelta::microseconds(offset.unwrap_or(0)));
    Ok(())
}

/// Remembers how far the clock was moved.
pub async fn save_offset(db: &PgPool, clock: &MovableClock) -> sqlx::Result<()> {
    let micros = clock.offset().num_microseconds().unwrap_or(i64::MAX);
    sqlx::query!(
        "insert into platform.dev_clock (offset_micros) values ($1)
         on conflict (only_row) do update set offset_micros = excluded.offset_micros",
        micros,
    )
    .execute(db)
    .await?;
    Ok(())
}
