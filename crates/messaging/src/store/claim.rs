//! Taking messages to send them. What was taken has a claim, and whoever writes to it names the claim: who lost it to
//! another changes nothing any more.
//!
//! The claim comes along with each row's name, though it is the same for all: of a table that grew since it was last looked at
//! the planner believes that hardly any row has the one claim, and reads all of it to find those.

use std::collections::BTreeSet;

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

/// Who takes messages, of which kind, and until when they are theirs.
pub(crate) struct Taking {
    pub claim: Uuid,
    pub provider: Provider,
    pub channel: Channel,
    pub purpose: Purpose,
    pub lease: DateTime<Utc>,
    pub limit: i64,
}

/// What was taken.
#[derive(Default)]
pub(crate) struct Taken {
    pub messages: Vec<Waiting>,
    /// Of these nobody knows any more whom they were for: their customers were erased.
    pub forgotten: Vec<Key>,
}

/// Takes those that are due, of each shop as many as of the others, the longest waiting first. The recursion steps from shop to
/// shop along the index.
pub(crate) async fn take(
    conn: &mut PgConnection,
    taking: &Taking,
    now: DateTime<Utc>,
) -> sqlx::Result<Taken> {
    let rows = sqlx::query!(
        r#"with recursive shop as (
               (select business_id from messaging.delivery
                where status = 'QUEUED' and channel = $1 and purpose = $2 order by business_id limit 1)
               union all
               select (select next.business_id from messaging.delivery next
                       where next.status = 'QUEUED' and next.channel = $1 and next.purpose = $2
                         and next.business_id > shop.business_id
                       order by next.business_id limit 1)
               from shop where shop.business_id is not null
           ), ready as (
               select business_id from shop
               where exists (select from messaging.delivery d
                             where d.status = 'QUEUED' and d.channel = $1 and d.purpose = $2
                               and d.business_id = shop.business_id and d.due_at <= $3)
           ), due as (
               select waiting.* from ready cross join lateral (
                   select d.business_id, d.message_id from messaging.delivery d
                   where d.status = 'QUEUED' and d.channel = $1 and d.purpose = $2 and d.business_id = ready.business_id
                     and d.due_at <= $3
                     and not exists (select from messaging.batch held
                                     where held.business_id = d.business_id and held.batch = d.batch
                                       and held.state = 'HELD')
                   order by d.due_at
                   limit greatest($4 / (select count(*) from ready), 1)
                   for update of d skip locked) waiting
               limit $4
           ), taken as (
               update messaging.delivery d set status = 'SENDING', provider = $5, claim_id = $6, due_at = $7, checks = 0
               from due where d.business_id = due.business_id and d.message_id = due.message_id
               returning d.business_id, d.message_id, d.attempts, d.not_after
           )
           select m.business_id as "business: BusinessId", m.message_id as "id: MessageId", m.batch,
                  m.customer_id as customer, m.spoken_by as "spoken_by: Speaker", m.purpose as "purpose: Purpose",
                  m.channel as "channel: Channel", m.recipient, m.content, m.contact_hash, taken.attempts as "attempts!",
                  taken.not_after
           from taken
           join messaging.message m on m.business_id = taken.business_id and m.message_id = taken.message_id"#,
        taking.channel as Channel,
        taking.purpose as Purpose,
        now,
        taking.limit,
        taking.provider as Provider,
        taking.claim,
        taking.lease,
    )
    .fetch_all(conn)
    .await?;
    let mut taken = Taken::default();
    for row in rows {
        let (Some(recipient), Some(content)) = (row.recipient, row.content) else {
            taken.forgotten.push(Key { business: row.business, id: row.id });
            continue;
        };
        taken.messages.push(Waiting {
            business: row.business,
            id: row.id,
            batch: row.batch,
            customer: row.customer,
            spoken_by: row.spoken_by,
            purpose: row.purpose,
            channel: row.channel,
            recipient,
            content,
            contact_hash: row.contact_hash,
            attempts: row.attempts,
            not_after: row.not_after,
        });
    }
    Ok(taken)
}

/// What a business's customers had this week is counted by one transaction at a time: two that count at once would both find
/// room for one more.
pub(crate) async fn count_alone(conn: &mut PgConnection, messages: &[&Waiting]) -> sqlx::Result<()> {
    // In the order of their ids, so that nobody waits for each other.
    let businesses: BTreeSet<i64> = messages.iter().map(|message| message.business.0).collect();
    sqlx::query!(
        r#"select pg_advisory_xact_lock(hashtextextended('messaging advertising', business_id)) is null as "locked!"
           from unnest($1::bigint[]) as counted (business_id)"#,
        &businesses.into_iter().collect::<Vec<_>>(),
    )
    .fetch_all(conn)
    .await?;
    Ok(())
}

/// These wait for another hour.
pub(crate) async fn postpone(
    conn: &mut PgConnection,
    waiting: &[(Key, DateTime<Utc>)],
    claim: Uuid,
) -> sqlx::Result<()> {
    if waiting.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update messaging.delivery d set status = 'QUEUED', due_at = n.until, claim_id = null, asked_at = null
         from unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::timestamptz[]) as n (business_id, message_id, claim_id, until)
         where d.business_id = n.business_id and d.message_id = n.message_id and d.claim_id = n.claim_id
           and d.status = 'SENDING'",
        &column(waiting, |(key, _)| key.business.0),
        &column(waiting, |(key, _)| key.id.0),
        &column(waiting, |_| claim),
        &column(waiting, |(_, until)| *until),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// These are not sent. Whom they were for is forgotten where it is nobody's any more.
pub(crate) async fn exclude(
    conn: &mut PgConnection,
    excluded: &[(Key, Exclusion)],
    claim: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    if excluded.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "with excluded as (
             update messaging.delivery d
             set status = 'EXCLUDED', reason = n.reason, finished_at = $5, due_at = null, claim_id = null, asked_at = null
             from unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::text[]) as n (business_id, message_id, claim_id, reason)
             where d.business_id = n.business_id and d.message_id = n.message_id and d.claim_id = n.claim_id
               and d.status = 'SENDING'
             returning d.business_id, d.message_id, d.reason
         )
         update messaging.message m set recipient = null, content = null
         from excluded e
         where e.reason = 'CONTACT_GONE' and m.business_id = e.business_id and m.message_id = e.message_id",
        &column(excluded, |(key, _)| key.business.0),
        &column(excluded, |(key, _)| key.id.0),
        &column(excluded, |_| claim),
        &column(excluded, |(_, exclusion)| exclusion.as_str().to_owned()),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Right before the step that cannot be taken back: those that are still ours may go, and are ours for at least as long as
/// `enough`. Once more for those that were refused together and are handed over in parts.
pub(crate) async fn mark(
    conn: &mut PgConnection,
    keys: &[Key],
    claim: Uuid,
    now: DateTime<Utc>,
    enough: DateTime<Utc>,
    lease: DateTime<Utc>,
) -> sqlx::Result<Vec<MessageId>> {
    // As long as the lease stays as it is, the row changes in place and no index does.
    sqlx::query_scalar!(
        r#"update messaging.delivery d
           set asked_at = $5, due_at = case when d.due_at < $6 then $7 else d.due_at end
           from unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::text[]) as k (business_id, message_id, claim_id, status)
           where d.business_id = k.business_id and d.message_id = k.message_id and d.claim_id = k.claim_id
             and d.status = k.status
           returning d.message_id as "id: MessageId""#,
        &column(keys, |key| key.business.0),
        &column(keys, |key| key.id.0),
        &column(keys, |_| claim),
        &column(keys, |_| MessageStatus::Sending) as &[MessageStatus],
        now,
        enough,
        lease,
    )
    .fetch_all(conn)
    .await
}
