//! Follow-up work: enqueued in the transaction that makes it necessary.
//!
//! The queue is `graphile_worker`'s; the gateway runs its workers. A job exists exactly if the change
//! that wanted it does, runs at least once, and may run twice. A job says that there is work and not
//! which, so one that waits is enough.

use serde::Serialize;
use sqlx::PgConnection;

/// A kind of job: its name in the queue and its payload.
pub trait Job: Serialize {
    const NAME: &'static str;
}

/// Enqueues a job that is due now, unless one waits already. One that runs is followed by another,
/// since it may have looked before this change was there to be seen.
///
/// The last statement of a transaction, if possible: others that enqueue the same wait for its end.
pub async fn enqueue<J: Job>(conn: &mut PgConnection, job: &J) -> sqlx::Result<()> {
    let payload = serde_json::to_value(job).map_err(|error| sqlx::Error::Encode(error.into()))?;
    // The queue's own SQL function. Unchecked at build time: its schema is not one of our migrations.
    sqlx::query("select graphile_worker.add_job($1, $2::json, job_key => $1)")
        .bind(J::NAME)
        .bind(payload)
        .execute(conn)
        .await?;
    Ok(())
}
