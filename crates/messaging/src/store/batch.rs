//! `messaging.batch`: what belongs together, and whether it may go out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use super::{claim::Waiting, column};
use crate::batch::BatchState;

/// Whether the batches of these messages may go out, by business and batch.
pub(crate) type States = HashMap<(BusinessId, String), BatchState>;

/// They are there from now on.
pub(crate) async fn open(
    conn: &mut PgConnection,
    batches: &[(BusinessId, &str)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.batch (business_id, batch, state, changed_at)
         select business_id, batch, 'OPEN', $3 from unnest($1::bigint[], $2::text[]) as fresh (business_id, batch)
         on conflict do nothing",
        &column(batches, |(business, _)| business.0),
        &column(batches, |(_, batch)| (*batch).to_owned()),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// As it stands now. What was cancelled stays so.
pub(crate) async fn set(
    conn: &mut PgConnection,
    business: BusinessId,
    batch: &str,
    state: BatchState,
    now: DateTime<Utc>,
) -> sqlx::Result<BatchState> {
    sqlx::query_scalar!(
        r#"insert into messaging.batch as known (business_id, batch, state, changed_at) values ($1, $2, $3, $4)
           on conflict (business_id, batch) do update
           set state = case when known.state = 'CANCELLED' then known.state else excluded.state end,
               changed_at = case when known.state in ('CANCELLED', excluded.state) then known.changed_at else excluded.changed_at end
           returning state as "state: BatchState""#,
        business.0,
        batch,
        state as BatchState,
        now,
    )
    .fetch_one(conn)
    .await
}

/// As they stand, and will stand until this transaction ends: nobody stops them in between.
pub(crate) async fn hold_on_to(conn: &mut PgConnection, messages: &[&Waiting]) -> sqlx::Result<States> {
    let (businesses, batches): (Vec<i64>, Vec<String>) =
        messages.iter().filter_map(|message| Some((message.business.0, message.batch.clone()?))).unzip();
    let rows = sqlx::query!(
        r#"select known.business_id as "business: BusinessId", known.batch, known.state as "state: BatchState"
           from messaging.batch known
           join (select distinct * from unnest($1::bigint[], $2::text[]) as asked (business_id, batch)) asked
               on asked.business_id = known.business_id and asked.batch = known.batch
           order by known.business_id, known.batch
           for share of known"#,
        &businesses,
        &batches,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.business, row.batch), row.state)).collect())
}
