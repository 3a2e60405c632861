//! `messaging.message` and `messaging.delivery`: what is said, and how it stands. Written, settled, read.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::column;
use crate::{
    Channel, MessageId, MessageStatus, Purpose, Speaker,
    channel::{Kind, Provider},
};

/// A message that is about to be written down.
pub(crate) struct NewRow {
    pub business: BusinessId,
    pub id: MessageId,
    pub dedup_key: String,
    pub batch: Option<String>,
    pub customer: Option<i64>,
    pub spoken_by: Speaker,
    pub purpose: Purpose,
    pub channel: Channel,
    pub recipient: Option<String>,
    pub content: Option<String>,
    pub contact_hash: Vec<u8>,
    pub opt_out_digest: Option<Vec<u8>>,
    /// QUEUED, or at once what it can only be: FAILED or EXCLUDED, with a reason.
    pub status: MessageStatus,
    pub reason: Option<String>,
    pub due_at: Option<DateTime<Utc>>,
    pub not_after: Option<DateTime<Utc>>,
}

/// Writes down those that are not there yet under their key; answers with their ids.
pub(crate) async fn insert_all(
    conn: &mut PgConnection,
    rows: &[NewRow],
    now: DateTime<Utc>,
) -> sqlx::Result<HashSet<MessageId>> {
    let fresh = sqlx::query_scalar!(
        r#"insert into messaging.message
               (business_id, message_id, dedup_key, batch, customer_id, spoken_by, purpose, channel, recipient, content,
                contact_hash, opt_out_digest, created_at)
           select fresh.*, $13
           from unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
                       $9::text[], $10::text[], $11::bytea[], $12::bytea[]) as fresh
           on conflict (business_id, dedup_key) do nothing
           returning message_id as "id: MessageId""#,
        &column(rows, |row| row.business.0),
        &column(rows, |row| row.id.0),
        &column(rows, |row| row.dedup_key.clone()),
        &column(rows, |row| row.batch.clone()) as &[Option<String>],
        &column(rows, |row| row.customer) as &[Option<i64>],
        &column(rows, |row| row.spoken_by) as &[Speaker],
        &column(rows, |row| row.purpose) as &[Purpose],
        &column(rows, |row| row.channel) as &[Channel],
        &column(rows, |row| row.recipient.clone()) as &[Option<String>],
        &column(rows, |row| row.content.clone()) as &[Option<String>],
        &column(rows, |row| row.contact_hash.clone()),
        &column(rows, |row| row.opt_out_digest.clone()) as &[Option<Vec<u8>>],
        now,
    )
    .fetch_all(&mut *conn)
    .await?;
    let fresh: HashSet<MessageId> = fresh.into_iter().collect();
    let rows: Vec<&NewRow> = rows.iter().filter(|row| fresh.contains(&row.id)).collect();
    sqlx::query!(
        "insert into messaging.delivery
             (business_id, message_id, channel, purpose, batch, status, reason, due_at, not_after, finished_at)
         select fresh.*, case when status <> 'QUEUED' then $10::timestamptz end
         from unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                     $8::timestamptz[], $9::timestamptz[])
             as fresh (business_id, message_id, channel, purpose, batch, status, reason, due_at, not_after)",
        &column(&rows, |row| row.business.0),
        &column(&rows, |row| row.id.0),
        &column(&rows, |row| row.channel) as &[Channel],
        &column(&rows, |row| row.purpose) as &[Purpose],
        &column(&rows, |row| row.batch.clone()) as &[Option<String>],
        &column(&rows, |row| row.status) as &[MessageStatus],
        &column(&rows, |row| row.reason.clone()) as &[Option<String>],
        &column(&rows, |row| row.due_at) as &[Option<DateTime<Utc>>],
        &column(&rows, |row| row.not_after) as &[Option<DateTime<Utc>>],
        now,
    )
    .execute(conn)
    .await?;
    Ok(fresh)
}

/// What came of handing a message over, or of asking about it.
#[derive(Clone, Debug)]
pub(crate) struct Settled {
    pub business: BusinessId,
    pub id: MessageId,
    /// Under which it was handed over or asked about: who lost it to another knows nothing worth writing down.
    pub claim: Uuid,
    pub was: MessageStatus,
    pub status: MessageStatus,
    /// It was asked for in vain, long enough after it was handed over.
    pub is_absent: bool,
    pub reason: Option<String>,
    pub provider_id: Option<String>,
    pub provider_code: Option<String>,
    pub delivered_by: Option<Kind>,
    pub sent_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub due_at: Option<DateTime<Utc>>,
}

/// What was said before under the keys of these.
pub(crate) async fn known_under(
    conn: &mut PgConnection,
    rows: &[&NewRow],
) -> sqlx::Result<HashMap<(BusinessId, String), MessageId>> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let known = sqlx::query!(
        r#"select m.business_id as "business: BusinessId", m.dedup_key, m.message_id as "id: MessageId"
           from unnest($1::bigint[], $2::text[]) as asked (business_id, dedup_key)
           join messaging.message m on m.business_id = asked.business_id and m.dedup_key = asked.dedup_key"#,
        &column(rows, |row| row.business.0),
        &column(rows, |row| row.dedup_key.clone()),
    )
    .fetch_all(conn)
    .await?;
    Ok(known.into_iter().map(|row| ((row.business, row.dedup_key), row.id)).collect())
}

impl Settled {
    /// As it was, with nothing new.
    pub(crate) fn blank(business: BusinessId, id: MessageId, claim: Uuid, was: MessageStatus) -> Self {
        Self {
            business,
            id,
            claim,
            was,
            status: was,
            is_absent: false,
            reason: None,
            provider_id: None,
            provider_code: None,
            delivered_by: None,
            sent_at: None,
            finished_at: None,
            due_at: None,
        }
    }
}

/// What fits; nothing where nothing was said. Nobody promises that a provider's words are short.
fn fitting(text: Option<&String>, longest: usize) -> Option<String> {
    let text: String = text?.chars().filter(|c| *c != '\0').take(longest).collect();
    (!text.is_empty()).then_some(text)
}

/// Writes answers down, of those that are still under their claim; answers with the ids of these. A message that is put back
/// forgets that it was asked for.
pub(crate) async fn settle(conn: &mut PgConnection, settled: &[Settled]) -> sqlx::Result<HashSet<MessageId>> {
    // In the same order as whoever has news of them, so that nobody waits for each other.
    let mut settled: Vec<&Settled> = settled.iter().collect();
    settled.sort_by_key(|row| (row.business, row.id));
    let settled = settled.as_slice();
    let changed = sqlx::query_scalar!(
        r#"update messaging.delivery d
           set status = n.status, reason = n.reason,
               provider_id = coalesce(n.provider_id, d.provider_id),
               provider_code = coalesce(n.provider_code, d.provider_code),
               delivered_by = n.delivered_by,
               sent_at = coalesce(d.sent_at, n.sent_at), finished_at = n.finished_at, due_at = n.due_at,
               claim_id = null,
               asked_at = case when n.status = 'QUEUED' then null else d.asked_at end,
               attempts = d.attempts + case when n.status = 'QUEUED' then 1 else 0 end,
               checks = case when n.status = d.status then d.checks else 0 end,
               absences = case when n.is_absent then d.absences + 1 when n.status = 'QUEUED' then 0 else d.absences end
           from unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                       $9::timestamptz[], $10::timestamptz[], $11::timestamptz[], $12::uuid[], $13::boolean[])
               as n (business_id, message_id, was, status, reason, provider_id, provider_code, delivered_by, sent_at,
                     finished_at, due_at, claim_id, is_absent)
           where d.business_id = n.business_id and d.message_id = n.message_id and d.status = n.was
             and d.claim_id = n.claim_id
           returning d.message_id as "id: MessageId""#,
        &column(settled, |row| row.business.0),
        &column(settled, |row| row.id.0),
        &column(settled, |row| row.was) as &[MessageStatus],
        &column(settled, |row| row.status) as &[MessageStatus],
        &column(settled, |row| row.reason.clone()) as &[Option<String>],
        &column(settled, |row| fitting(row.provider_id.as_ref(), 200)) as &[Option<String>],
        &column(settled, |row| fitting(row.provider_code.as_ref(), 60)) as &[Option<String>],
        &column(settled, |row| row.delivered_by) as &[Option<Kind>],
        &column(settled, |row| row.sent_at) as &[Option<DateTime<Utc>>],
        &column(settled, |row| row.finished_at) as &[Option<DateTime<Utc>>],
        &column(settled, |row| row.due_at) as &[Option<DateTime<Utc>>],
        &column(settled, |row| row.claim),
        &column(settled, |row| row.is_absent),
    )
    .fetch_all(conn)
    .await?;
    Ok(changed.into_iter().collect())
}

/// What is told of a message that failed.
pub(crate) struct Said {
    pub business: BusinessId,
    pub id: MessageId,
    pub customer: Option<i64>,
    pub batch: Option<String>,
    pub spoken_by: Speaker,
    pub channel: Channel,
    pub purpose: Purpose,
    pub contact_hash: Vec<u8>,
}

pub(crate) async fn said(conn: &mut PgConnection, settled: &[&Settled]) -> sqlx::Result<Vec<Said>> {
    if settled.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_as!(
        Said,
        r#"select m.business_id as "business: BusinessId", m.message_id as "id: MessageId", m.customer_id as customer, m.batch,
                  m.spoken_by as "spoken_by: Speaker", m.channel as "channel: Channel", m.purpose as "purpose: Purpose",
                  m.contact_hash
           from unnest($1::bigint[], $2::uuid[]) as asked (business_id, message_id)
           join messaging.message m on m.business_id = asked.business_id and m.message_id = asked.message_id"#,
        &column(settled, |row| row.business.0),
        &column(settled, |row| row.id.0),
    )
    .fetch_all(conn)
    .await
}

/// A message that is open at its provider: handed over, or perhaps handed over.
pub(crate) struct Open {
    pub business: BusinessId,
    pub id: MessageId,
    pub status: MessageStatus,
    pub provider_id: Option<String>,
    pub recipient: Option<String>,
    pub content: Option<String>,
    pub asked_at: Option<DateTime<Utc>>,
    pub sent_at: Option<DateTime<Utc>>,
    pub attempts: i32,
    pub checks: i32,
    pub absences: i32,
}

/// Takes those of a provider that are due to be asked about, until `lease` runs out.
pub(crate) async fn claim_open(
    conn: &mut PgConnection,
    provider: Provider,
    claim: Uuid,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Open>> {
    sqlx::query_as!(
        Open,
        r#"with taken as (
               update messaging.delivery d
               set due_at = $3, checks = d.checks + 1, claim_id = $5
               from (select business_id, message_id from messaging.delivery
                     where status in ('SENDING', 'SENT', 'UNKNOWN') and provider = $1 and due_at <= $2
                     order by due_at limit $4 for update skip locked) due
               where d.business_id = due.business_id and d.message_id = due.message_id
               returning d.*
           )
           select taken.business_id as "business!: BusinessId", taken.message_id as "id!: MessageId",
                  taken.status as "status!: MessageStatus", taken.provider_id, m.recipient, m.content, taken.asked_at,
                  taken.sent_at, taken.attempts as "attempts!", taken.checks as "checks!", taken.absences as "absences!"
           from taken
           join messaging.message m on m.business_id = taken.business_id and m.message_id = taken.message_id"#,
        provider as Provider,
        now,
        lease,
        limit,
        claim,
    )
    .fetch_all(conn)
    .await
}

/// The provider has news of these: they are due to be asked about now.
pub(crate) async fn hear_of(
    conn: &mut PgConnection,
    provider: Provider,
    provider_ids: &[String],
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let heard = sqlx::query!(
        "update messaging.delivery d set due_at = $3
         from (select business_id, message_id from messaging.delivery
               where provider = $1 and provider_id = any($2) and status in ('SENT', 'UNKNOWN')
                 and (due_at is null or due_at > $3)
               order by business_id, message_id for update) news
         where d.business_id = news.business_id and d.message_id = news.message_id",
        provider as Provider,
        provider_ids,
        now,
    )
    .execute(conn)
    .await?;
    Ok(heard.rows_affected())
}

/// What is waiting of a batch waits until somebody says otherwise, and is in nobody's way.
pub(crate) async fn hold_batch(
    conn: &mut PgConnection,
    business: BusinessId,
    batch: &str,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.delivery set due_at = 'infinity' where business_id = $1 and batch = $2 and status = 'QUEUED'",
        business.0,
        batch,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Its turn comes again.
pub(crate) async fn resume_batch(
    conn: &mut PgConnection,
    business: BusinessId,
    batch: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.delivery set due_at = $3
         where business_id = $1 and batch = $2 and status = 'QUEUED' and due_at = 'infinity'",
        business.0,
        batch,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What is still waiting of a batch is not sent any more.
pub(crate) async fn cancel_batch(
    conn: &mut PgConnection,
    business: BusinessId,
    batch: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let cancelled = sqlx::query!(
        "update messaging.delivery
         set status = 'EXCLUDED', reason = 'CANCELLED', finished_at = $3, due_at = null
         where business_id = $1 and batch = $2 and status = 'QUEUED'",
        business.0,
        batch,
        now,
    )
    .execute(conn)
    .await?;
    Ok(cancelled.rows_affected())
}

/// A message that nobody can be asked about.
pub(crate) struct LostRow {
    pub business: BusinessId,
    pub id: MessageId,
    pub channel: Channel,
    pub purpose: Purpose,
    pub asked_at: DateTime<Utc>,
}

/// The newest first.
pub(crate) async fn lost(
    conn: &mut PgConnection,
    before: Option<MessageId>,
    limit: i64,
) -> sqlx::Result<Vec<LostRow>> {
    sqlx::query_as!(
        LostRow,
        r#"select business_id as "business: BusinessId", message_id as "id: MessageId", channel as "channel: Channel",
                  purpose as "purpose: Purpose", asked_at as "asked_at!"
           from messaging.delivery
           where status = 'UNKNOWN' and due_at is null and ($1::uuid is null or message_id < $1)
           order by message_id desc limit $2"#,
        before.map(|id| id.0),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Somebody decided what is done about it. False where nobody has to.
pub(crate) async fn resolve_lost(
    conn: &mut PgConnection,
    business: BusinessId,
    id: MessageId,
    status: MessageStatus,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let resolved = sqlx::query!(
        "update messaging.delivery d
         set status = $3,
             due_at = case when $3 = 'QUEUED' then $4::timestamptz end,
             asked_at = case when $3 = 'QUEUED' then null else asked_at end,
             not_after = case when $3 = 'QUEUED' then null else not_after end,
             reason = case when $3 = 'FAILED' then 'UNEXPLAINED' end,
             finished_at = case when $3 = 'FAILED' then $4::timestamptz end
         where business_id = $1 and message_id = $2 and status = 'UNKNOWN' and due_at is null
           and ($3 = 'FAILED' or exists (select from messaging.message m
                                         where m.business_id = d.business_id and m.message_id = d.message_id
                                           and m.recipient is not null))",
        business.0,
        id.0,
        status as MessageStatus,
        now,
    )
    .execute(conn)
    .await?;
    Ok(resolved.rows_affected() == 1)
}

/// What was taken for a carrier that is not known here, and whose lease is over: certainly not sent, it waits again;
/// perhaps sent, it stays unknown, since nobody can be asked.
pub(crate) async fn let_go_of_strangers(
    conn: &mut PgConnection,
    known: &[Provider],
    now: DateTime<Utc>,
) -> sqlx::Result<u64> {
    let left = sqlx::query!(
        "update messaging.delivery
         set status = case when asked_at is null then 'QUEUED' when status = 'SENDING' then 'UNKNOWN' else status end,
             due_at = case when asked_at is null then $2::timestamptz end, claim_id = null
         where status in ('SENDING', 'SENT', 'UNKNOWN') and due_at <= $2 and provider <> all ($1)",
        known as &[Provider],
        now,
    )
    .execute(conn)
    .await?;
    Ok(left.rows_affected())
}

/// A customer was erased: what waits for them is not sent, and whom the rest went to is forgotten. What is being sent this very
/// moment is forgotten when it is old.
pub(crate) async fn forget_customers(
    conn: &mut PgConnection,
    customers: &[(BusinessId, i64)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    // How they stand is locked before what they say is forgotten, so that none is taken in between.
    sqlx::query!(
        "with theirs as (
             update messaging.delivery d
             set status = case when d.status = 'QUEUED' then 'EXCLUDED' else d.status end,
                 reason = case when d.status = 'QUEUED' then 'CONTACT_GONE' else d.reason end,
                 finished_at = case when d.status = 'QUEUED' then $3 else d.finished_at end,
                 due_at = case when d.status = 'QUEUED' then null else d.due_at end
             from unnest($1::bigint[], $2::bigint[]) as gone (business_id, customer_id)
             join messaging.message m on m.business_id = gone.business_id and m.customer_id = gone.customer_id
             where d.business_id = m.business_id and d.message_id = m.message_id
               and m.recipient is not null and d.status <> 'SENDING'
             returning d.business_id, d.message_id
         )
         update messaging.message m set recipient = null, content = null
         from theirs where m.business_id = theirs.business_id and m.message_id = theirs.message_id",
        &column(customers, |(business, _)| business.0),
        &column(customers, |(_, customer)| *customer),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets whom old messages went to and what they said. What became of them stays.
pub(crate) async fn forget_old(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let forgotten = sqlx::query!(
        "update messaging.message m set recipient = null, content = null
         from (select m.business_id, m.message_id
               from messaging.message m
               join messaging.delivery d on d.business_id = m.business_id and d.message_id = m.message_id
               where m.created_at < $1 and m.recipient is not null and d.status not in ('QUEUED', 'SENDING')
               limit $2 for update skip locked) old
         where m.business_id = old.business_id and m.message_id = old.message_id",
        before,
        limit,
    )
    .execute(conn)
    .await?;
    Ok(forgotten.rows_affected())
}

/// Names of claims.
pub(crate) fn new_claim() -> Uuid {
    Uuid::new_v4()
}
