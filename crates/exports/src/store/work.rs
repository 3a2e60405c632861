//! `exports.export`, as those who make exports see it. What one writes counts only while no other has
//! taken the export over: each statement names the attempt.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use crate::{
    export::{Claim, ExportFormat, ExportId, ExportType, Failure, Selection, VisitStatus},
    range::Days,
};

/// Takes the export whose turn it is, if there is one: of the business of which the fewest are being made, and
/// of these the one that had its turn longest ago, the oldest. A business of which enough are being made has no
/// turn.
///
/// Whoever else wants to take one waits for the end of this transaction, so that two do not count at the
/// same time and both come to one less than there are.
pub(crate) async fn claim(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    per_business: i64,
) -> sqlx::Result<Option<Claim>> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('exports.claim', 0))")
        .execute(&mut *conn)
        .await?;
    let row = sqlx::query!(
        r#"with making as (
               select business_id, count(*) as exports from exports.export
               where status = 'PROCESSING' and running and due_at > $1
               group by business_id
           ), next as (
               select e.business_id, e.asked_on, e.number
               from exports.export e
               join exports.shop on shop.business_id = e.business_id
               left join making on making.business_id = e.business_id
               where e.status = 'PROCESSING' and e.due_at <= $1 and coalesce(making.exports, 0) < $3
               order by coalesce(making.exports, 0), shop.served_at nulls first, e.asked_at, e.asked_on, e.number
               limit 1
           )
           update exports.export e set running = true, attempt = e.attempt + 1, due_at = $2
           from next
           where e.business_id = next.business_id and e.asked_on = next.asked_on and e.number = next.number
           returning e.business_id as "business: BusinessId", e.asked_on, e.number, e.type as "kind: ExportType",
                     e.format as "format: ExportFormat", e.start_on, e.end_on,
                     e.of_status as "of_status: VisitStatus", e.of_staff, e.whole_contacts, e.attempt, e.failures"#,
        now,
        lease,
        per_business,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    sqlx::query!("update exports.shop set served_at = $2 where business_id = $1", row.business.0, now)
        .execute(&mut *conn)
        .await?;
    // Whoever had it before may still be writing, without knowing that it is not theirs any more.
    sqlx::query!(
        "update exports.file set remove_at = $4
         where business_id = $1 and asked_on = $2 and number = $3 and remove_at is null",
        row.business.0,
        row.asked_on,
        row.number,
        lease,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into exports.file (business_id, asked_on, number, attempt) values ($1, $2, $3, $4)",
        row.business.0,
        row.asked_on,
        row.number,
        row.attempt,
    )
    .execute(conn)
    .await?;
    Ok(Some(Claim {
        id: ExportId { asked_on: row.asked_on, number: row.number },
        selection: Selection {
            business: row.business,
            kind: row.kind,
            days: row.start_on.zip(row.end_on).map(|(start, end)| Days { start, end }),
            status: row.of_status,
            staff: row.of_staff,
        },
        format: row.format,
        whole_contacts: row.whole_contacts,
        attempt: row.attempt,
        failures: row.failures,
    }))
}

/// How far a worker has come.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Progress {
    /// `None` until they are counted.
    pub expected: Option<i64>,
    pub written: i64,
}

/// Still at it. False if the export is somebody else's now, or not wanted any more.
pub(crate) async fn renew(
    conn: &mut PgConnection,
    claim: &Claim,
    progress: Progress,
    lease: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let renewed = sqlx::query!(
        "update exports.export
         set due_at = $5, rows_expected = coalesce($6, rows_expected), rows_written = greatest(rows_written, $7)
         where business_id = $1 and asked_on = $2 and number = $3 and attempt = $4
           and status = 'PROCESSING' and running",
        claim.selection.business.0,
        claim.id.asked_on,
        claim.id.number,
        claim.attempt,
        lease,
        progress.expected,
        progress.written,
    )
    .execute(conn)
    .await?;
    Ok(renewed.rows_affected() == 1)
}

/// A file that is complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub rows: i64,
    pub size: i64,
}

/// PROCESSING becomes COMPLETED, and tells who asked for it. `None` if it is not this attempt's to say.
pub(crate) async fn complete(
    conn: &mut PgConnection,
    claim: &Claim,
    made: Made,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        "update exports.export
         set status = 'COMPLETED', running = false, due_at = $5, finished_at = $6, rows_expected = $7,
             rows_written = $7, file_size = $8
         where business_id = $1 and asked_on = $2 and number = $3 and attempt = $4
           and status = 'PROCESSING' and running
         returning asked_by",
        claim.selection.business.0,
        claim.id.asked_on,
        claim.id.number,
        claim.attempt,
        expires_at,
        now,
        made.rows,
        made.size,
    )
    .fetch_optional(conn)
    .await
}

/// Nothing came of this attempt; another begins at `again`.
pub(crate) async fn try_again(
    conn: &mut PgConnection,
    claim: &Claim,
    failures: i32,
    again: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update exports.export set running = false, due_at = $5, failures = $6
         where business_id = $1 and asked_on = $2 and number = $3 and attempt = $4
           and status = 'PROCESSING' and running",
        claim.selection.business.0,
        claim.id.asked_on,
        claim.id.number,
        claim.attempt,
        again,
        failures,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// PROCESSING becomes FAILED, and tells who asked for it. `None` if it is not this attempt's to say.
pub(crate) async fn fail(
    conn: &mut PgConnection,
    claim: &Claim,
    failure: Failure,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<String>> {
    sqlx::query!(
        "update exports.file set remove_at = $4
         where business_id = $1 and asked_on = $2 and number = $3 and remove_at is null",
        claim.selection.business.0,
        claim.id.asked_on,
        claim.id.number,
        now,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query_scalar!(
        "update exports.export
         set status = 'FAILED', running = false, due_at = null, finished_at = $6, error = $5
         where business_id = $1 and asked_on = $2 and number = $3 and attempt = $4
           and status = 'PROCESSING' and running
         returning asked_by",
        claim.selection.business.0,
        claim.id.asked_on,
        claim.id.number,
        claim.attempt,
        failure.as_str(),
        now,
    )
    .fetch_optional(conn)
    .await
}
