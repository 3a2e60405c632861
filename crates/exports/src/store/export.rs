//! `exports.export`, as those who ask for exports see it.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use crate::{
    export::{
        Export, ExportFormat, ExportId, ExportStatus, ExportType, Failure, FileKey, Selection, VisitStatus,
    },
    range::Days,
};

/// What a business is called; `None` for one that there is not.
pub(crate) async fn business_name(
    conn: &mut PgConnection,
    business: BusinessId,
) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!(
        r#"select name as "name!" from identity_read.business where business_id = $1"#,
        business.0
    )
    .fetch_optional(conn)
    .await
}

/// The next number of a business on a day. Whoever asks at the same time waits for the end of this
/// transaction. Where the clock of a development system was moved back, it goes on from what there is.
pub(crate) async fn next_number(
    conn: &mut PgConnection,
    business: BusinessId,
    today: NaiveDate,
) -> sqlx::Result<i32> {
    sqlx::query_scalar!(
        "insert into exports.shop as known (business_id, asked_on, last_number) values ($1, $2, 1)
         on conflict (business_id) do update
         set asked_on = $2,
             last_number = greatest(
                 case when known.asked_on = $2 then known.last_number end,
                 (select max(number) from exports.export where business_id = $1 and asked_on = $2), 0) + 1
         returning last_number",
        business.0,
        today,
    )
    .fetch_one(conn)
    .await
}

/// How many exports of a business are not made yet, and how many rows they still have.
pub(crate) async fn waiting(conn: &mut PgConnection, business: BusinessId) -> sqlx::Result<(i64, i64)> {
    let waiting = sqlx::query!(
        r#"select count(*) as "exports!",
                  coalesce(sum(greatest(rows_expected - rows_written, 0)), 0)::bigint as "rows!"
           from exports.export where business_id = $1 and status = 'PROCESSING'"#,
        business.0,
    )
    .fetch_one(conn)
    .await?;
    Ok((waiting.exports, waiting.rows))
}

/// An export to be written down.
pub(crate) struct NewExport<'a> {
    pub id: ExportId,
    pub selection: Selection,
    pub format: ExportFormat,
    pub whole_contacts: bool,
    pub asked_by: &'a str,
    pub rows_expected: i64,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    export: &NewExport<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let Selection { business, kind, days, status, staff } = export.selection;
    sqlx::query!(
        "insert into exports.export
             (business_id, asked_on, number, type, format, start_on, end_on, of_status, of_staff, whole_contacts,
              asked_by, asked_at, status, due_at, rows_expected)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'PROCESSING', $12, $13)",
        business.0,
        export.id.asked_on,
        export.id.number,
        kind.as_str(),
        export.format.as_str(),
        days.map(|days| days.start),
        days.map(|days| days.end),
        status.map(VisitStatus::as_str),
        staff,
        export.whole_contacts,
        export.asked_by,
        now,
        export.rows_expected,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which exports are wanted.
#[derive(Clone, Copy, Default)]
pub(crate) struct ExportFilter {
    pub only: Option<ExportId>,
    pub before: Option<ExportId>,
    pub limit: i64,
}

/// Newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    filter: ExportFilter,
) -> sqlx::Result<Vec<Export>> {
    let ExportFilter { only, before, limit } = filter;
    let rows = sqlx::query!(
        r#"select asked_on, number, type as "kind: ExportType", format as "format: ExportFormat", start_on, end_on,
                  of_status as "of_status: VisitStatus", of_staff, whole_contacts, asked_by, asked_at,
                  status as "status: ExportStatus", due_at, attempt, rows_expected, rows_written, finished_at,
                  file_size, error as "error: Failure"
           from exports.export
           where business_id = $1 and ($2::date is null or asked_on = $2 and number = $3)
             and ($4::date is null or (asked_on, number) < ($4, $5))
           order by asked_on desc, number desc limit $6"#,
        business.0,
        only.map(|id| id.asked_on),
        only.map(|id| id.number),
        before.map(|id| id.asked_on),
        before.map(|id| id.number),
        limit,
    )
    .fetch_all(conn)
    .await?;
    let exports = rows.into_iter().map(|row| Export {
        id: ExportId { asked_on: row.asked_on, number: row.number },
        kind: row.kind,
        format: row.format,
        days: row.start_on.zip(row.end_on).map(|(start, end)| Days { start, end }),
        status_filter: row.of_status,
        staff_filter: row.of_staff,
        whole_contacts: row.whole_contacts,
        asked_by: row.asked_by,
        asked_at: row.asked_at,
        status: row.status,
        due_at: row.due_at,
        attempt: row.attempt,
        rows_expected: row.rows_expected,
        rows_written: row.rows_written,
        finished_at: row.finished_at,
        file_size: row.file_size,
        error: row.error,
    });
    Ok(exports.collect())
}

pub(crate) async fn find(
    conn: &mut PgConnection,
    business: BusinessId,
    id: ExportId,
) -> sqlx::Result<Option<Export>> {
    let filter = ExportFilter { only: Some(id), before: None, limit: 1 };
    Ok(list(conn, business, filter).await?.pop())
}

/// Forgets an export; what there is of its files is not wanted any more.
pub(crate) async fn remove(
    conn: &mut PgConnection,
    business: BusinessId,
    id: ExportId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query!(
        "update exports.file set remove_at = $4
         where business_id = $1 and asked_on = $2 and number = $3",
        business.0,
        id.asked_on,
        id.number,
        now,
    )
    .execute(&mut *conn)
    .await?;
    let removed = sqlx::query!(
        "delete from exports.export where business_id = $1 and asked_on = $2 and number = $3",
        business.0,
        id.asked_on,
        id.number,
    )
    .execute(conn)
    .await?;
    Ok(removed.rows_affected() == 1)
}

/// Whether a member of staff works in a business, or did.
pub(crate) async fn has_staff(
    conn: &mut PgConnection,
    business: BusinessId,
    staff: i64,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from booking_read.staff where business_id = $1 and staff_id = $2) as "has!""#,
        business.0,
        staff,
    )
    .fetch_one(conn)
    .await
}

/// COMPLETED becomes EXPIRED when its time is over; the files are not wanted any more.
pub(crate) async fn expire(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let expired = sqlx::query!(
        "with expired as (
             update exports.export set status = 'EXPIRED', due_at = null
             where status = 'COMPLETED' and due_at <= $1
             returning business_id, asked_on, number
         )
         update exports.file set remove_at = $1
         from expired
         where file.business_id = expired.business_id and file.asked_on = expired.asked_on
           and file.number = expired.number and file.remove_at is null",
        now,
    )
    .execute(conn)
    .await?;
    Ok(expired.rows_affected())
}

/// Files that nobody wants, for this worker until `again`: by then whoever died over them is followed by another.
pub(crate) async fn claim_unwanted(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    again: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<FileKey>> {
    let rows = sqlx::query!(
        r#"with due as (
               select business_id, asked_on, number, attempt from exports.file
               where remove_at <= $1 order by remove_at limit $3 for update skip locked
           )
           update exports.file set remove_at = $2
           from due
           where file.business_id = due.business_id and file.asked_on = due.asked_on
             and file.number = due.number and file.attempt = due.attempt
           returning file.business_id as "business: BusinessId", file.asked_on, file.number, file.attempt"#,
        now,
        again,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let key = |business, asked_on, number, attempt| FileKey {
        business,
        id: ExportId { asked_on, number },
        attempt,
    };
    Ok(rows.into_iter().map(|row| key(row.business, row.asked_on, row.number, row.attempt)).collect())
}

/// A file is certainly gone.
pub(crate) async fn forget_file(conn: &mut PgConnection, file: &FileKey) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from exports.file where business_id = $1 and asked_on = $2 and number = $3 and attempt = $4",
        file.business.0,
        file.id.asked_on,
        file.id.number,
        file.attempt,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// When something will be due next.
pub(crate) async fn next_due(conn: &mut PgConnection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select min(due_at) from (
             select min(due_at) as due_at from exports.export where due_at is not null
             union all
             select min(remove_at) from exports.file where remove_at is not null) due"
    )
    .fetch_one(conn)
    .await
}
