//! Taking messages to send them. What was taken has a claim, and whoever writes to it names the claim: who lost it to
//! another changes nothing any more.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::column;
use crate::{Channel, Exclusion, MessageId, MessageStatus, Purpose, Speaker, channel::Provider};

/// A message whose turn it is.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub business: BusinessId,
    pub id: MessageId,
    pub batch: Option<String>,
    pub customer: Option<i64>,
    pub spoken_by: Speaker,
    pub purpose: Purpose,
    pub channel: Channel,
    pub recipient: String,
    pub content: String,
    pub contact_hash: Vec<u8>,
    pub attempts: i32,
    pub not_after: Option<DateTime<Utc>>,
}

/// Advertising is taken by one process at a time: what somebody had this week is counted, and two that count at once
/// would both find room.
pub(crate) async fn one_at_a_time(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('messaging advertising')) is null as \"locked!\"")
        .fetch_one(conn)
        .await?;
    Ok(())
}

/// Locks those that are due, of each shop as many as of the others, the longest waiting first. The recursion steps from
/// shop to shop along the index.
pub(crate) async fn due(
    conn: &mut PgConnection,
    channel: Channel,
    purpose: Purpose,
    now: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Waiting>> {
    sqlx::query_as!(
        Waiting,
        r#"with recursive shop as (
               (select business_id from messaging.message
                where status = 'QUEUED' and channel = $1 and purpose = $2 order by business_id limit 1)
               union all
               select (select next.business_id from messaging.message next
                       where next.status = 'QUEUED' and next.channel = $1 and next.purpose = $2
                         and next.business_id > shop.business_id
                       order by next.business_id limit 1)
               from shop where shop.business_id is not null
           ), ready as (
               select business_id from shop
               where exists (select from messaging.message m
                             where m.status = 'QUEUED' and m.channel = $1 and m.purpose = $2
                               and m.business_id = shop.business_id and m.due_at <= $3)
           )
           select due.business_id as "business!: BusinessId", due.message_id as "id!: MessageId", due.batch,
                  due.customer_id as customer, due.spoken_by as "spoken_by!: Speaker", due.purpose as "purpose!: Purpose",
                  due.channel as "channel!: Channel", due.recipient as "recipient!", due.content as "content!",
                  due.contact_hash as "contact_hash!", due.attempts as "attempts!", due.not_after
           from ready cross join lateral (
               select m.* from messaging.message m
               where m.status = 'QUEUED' and m.channel = $1 and m.purpose = $2 and m.business_id = ready.business_id
                 and m.due_at <= $3
                 and not exists (select from messaging.batch held
                                 where held.business_id = m.business_id and held.batch = m.batch and held.state = 'HELD')
               order by m.due_at
               limit greatest($4 / (select count(*) from ready), 1)
               for update of m skip locked) due
           limit $4"#,
        channel as Channel,
        purpose as Purpose,
        now,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Names a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub business: BusinessId,
    pub id: MessageId,
}

impl Waiting {
    pub(crate) fn key(&self) -> Key {
        Key { business: self.business, id: self.id }
    }
}

/// These are about to be sent.
pub(crate) async fn take(
    conn: &mut PgConnection,
    keys: &[Key],
    provider: Provider,
    claim: Uuid,
    lease: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.message m set status = 'SENDING', provider = $3, claim_id = $4, due_at = $5, checks = 0
         from unnest($1::bigint[], $2::uuid[]) as k (business_id, message_id)
         where m.business_id = k.business_id and m.message_id = k.message_id and m.status = 'QUEUED'",
        &column(keys, |key| key.business.0),
        &column(keys, |key| key.id.0),
        provider as Provider,
        claim,
        lease,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// These wait for another hour. Under no claim, those that wait already.
pub(crate) async fn postpone(
    conn: &mut PgConnection,
    waiting: &[(Key, DateTime<Utc>)],
    claim: Option<Uuid>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.message m set status = 'QUEUED', due_at = n.until, claim_id = null, asked_at = null
         from unnest($1::bigint[], $2::uuid[], $3::timestamptz[]) as n (business_id, message_id, until)
         where m.business_id = n.business_id and m.message_id = n.message_id
           and m.status in ('QUEUED', 'SENDING') and m.claim_id is not distinct from $4",
        &column(waiting, |(key, _)| key.business.0),
        &column(waiting, |(key, _)| key.id.0),
        &column(waiting, |(_, until)| *until),
        claim,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// These are not sent. Under no claim, those that wait.
pub(crate) async fn exclude(
    conn: &mut PgConnection,
    excluded: &[(Key, Exclusion)],
    claim: Option<Uuid>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.message m
         set status = 'EXCLUDED', reason = n.reason, finished_at = $4, due_at = null, claim_id = null, asked_at = null
         from unnest($1::bigint[], $2::uuid[], $3::text[]) as n (business_id, message_id, reason)
         where m.business_id = n.business_id and m.message_id = n.message_id
           and m.status in ('QUEUED', 'SENDING') and m.claim_id is not distinct from $5",
        &column(excluded, |(key, _)| key.business.0),
        &column(excluded, |(key, _)| key.id.0),
        &column(excluded, |(_, exclusion)| exclusion.as_str().to_owned()),
        now,
        claim,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Right before the step that cannot be taken back: those that are still ours may go, and are ours for another lease.
/// Once more for those that were refused together and are handed over in parts.
pub(crate) async fn mark(
    conn: &mut PgConnection,
    keys: &[Key],
    claim: Uuid,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
) -> sqlx::Result<Vec<MessageId>> {
    // Claim and status come along with each name. Of a table that grew since it was last looked at the planner believes that
    // hardly any row has the one claim, and reads all of it to find those.
    sqlx::query_scalar!(
        r#"update messaging.message m set asked_at = $5, due_at = $6
           from unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::text[]) as k (business_id, message_id, claim_id, status)
           where m.business_id = k.business_id and m.message_id = k.message_id
             and m.claim_id = k.claim_id and m.status = k.status
           returning m.message_id as "id: MessageId""#,
        &column(keys, |key| key.business.0),
        &column(keys, |key| key.id.0),
        &column(keys, |_| claim),
        &column(keys, |_| MessageStatus::Sending) as &[MessageStatus],
        now,
        lease,
    )
    .fetch_all(conn)
    .await
}
