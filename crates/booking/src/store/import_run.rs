//! `booking.import_run`.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use crate::import::ImportProgress;

/// Which file of which business.
pub(crate) struct RunKey {
    pub business: BusinessId,
    pub kind: &'static str,
    pub fingerprint: [u8; 32],
}

/// How far an earlier run came that was cut off.
pub(crate) async fn find(conn: &mut PgConnection, run: &RunKey) -> sqlx::Result<Option<ImportProgress>> {
    let row = sqlx::query!(
        "select records_done, created, updated, unchanged, failed from booking.import_run
         where business_id = $1 and kind = $2 and fingerprint = $3",
        run.business.0,
        run.kind,
        &run.fingerprint[..],
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| ImportProgress {
        records: row.records_done.unsigned_abs(),
        created: row.created.unsigned_abs(),
        updated: row.updated.unsigned_abs(),
        unchanged: row.unchanged.unsigned_abs(),
        failed: row.failed.unsigned_abs(),
        ..ImportProgress::default()
    }))
}

pub(crate) async fn save(
    conn: &mut PgConnection,
    run: &RunKey,
    now: DateTime<Utc>,
    progress: &ImportProgress,
) -> sqlx::Result<()> {
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    sqlx::query!(
        "insert into booking.import_run
             (business_id, kind, fingerprint, records_done, created, updated, unchanged, failed, changed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (business_id, kind, fingerprint) do update
         set records_done = excluded.records_done, created = excluded.created, updated = excluded.updated,
             unchanged = excluded.unchanged, failed = excluded.failed, changed_at = excluded.changed_at",
        run.business.0,
        run.kind,
        &run.fingerprint[..],
        count(progress.records),
        count(progress.created),
        count(progress.updated),
        count(progress.unchanged),
        count(progress.failed),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn forget(conn: &mut PgConnection, run: &RunKey) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from booking.import_run where business_id = $1 and kind = $2 and fingerprint = $3",
        run.business.0,
        run.kind,
        &run.fingerprint[..],
    )
    .execute(conn)
    .await?;
    Ok(())
}
