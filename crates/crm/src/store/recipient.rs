//! `crm.campaign_recipient`, and what became of the messages to them.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::BusinessId;
use messaging::{MessageId, MessageStatus};
use platform::SystemTx;
use sqlx::PgConnection;

use crate::campaign::CampaignId;

/// Somebody whom a campaign found: with a message, or with the reason why there is none.
pub(crate) struct NewRecipient {
    pub customer_id: i64,
    pub message: Option<MessageId>,
    pub exclusion: Option<&'static str>,
    pub link_code: Option<String>,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    business: BusinessId,
    campaign: CampaignId,
    recipients: &[NewRecipient],
) -> sqlx::Result<()> {
    let customers: Vec<_> = recipients.iter().map(|recipient| recipient.customer_id).collect();
    let messages: Vec<_> = recipients.iter().map(|recipient| recipient.message.map(|id| id.0)).collect();
    let exclusions: Vec<_> =
        recipients.iter().map(|recipient| recipient.exclusion.map(str::to_owned)).collect();
    let codes: Vec<_> = recipients.iter().map(|recipient| recipient.link_code.clone()).collect();
    sqlx::query!(
        "insert into crm.campaign_recipient (business_id, campaign_id, customer_id, message_id, exclusion, link_code)
         select $1, $2, * from unnest($3::bigint[], $4::uuid[], $5::text[], $6::text[])",
        business.0,
        campaign.0,
        &customers,
        &messages as &[Option<uuid::Uuid>],
        &exclusions as &[Option<String>],
        &codes as &[Option<String>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// How many recipients of some campaigns stand how.
pub(crate) struct Count {
    /// `None`: there is no message.
    pub status: Option<MessageStatus>,
    pub reason: Option<String>,
    /// Whether it was handed to a carrier.
    pub was_asked: bool,
    pub recipients: i64,
    pub clicked: i64,
    pub opened: i64,
    pub first_sent_at: Option<DateTime<Utc>>,
}

pub(crate) async fn count(
    conn: &mut PgConnection,
    business: BusinessId,
    campaigns: &[i64],
) -> sqlx::Result<Vec<Count>> {
    sqlx::query_as!(
        Count,
        r#"select m.status as "status?: MessageStatus", coalesce(r.exclusion, m.reason) as reason,
                  m.asked_at is not null as "was_asked!", count(*) as "recipients!",
                  count(*) filter (where r.clicks > 0) as "clicked!",
                  count(*) filter (where r.clicks > 0 or r.opened_at is not null) as "opened!", min(m.asked_at) as first_sent_at
           from crm.campaign_recipient r
           left join messaging_read.message m on m.business_id = r.business_id and m.message_id = r.message_id
           where r.business_id = $1 and r.campaign_id = any($2)
           group by m.status, coalesce(r.exclusion, m.reason), m.asked_at is not null"#,
        business.0,
        campaigns,
    )
    .fetch_all(conn)
    .await
}

/// How many recipients reserved within a time after the message, or began a visit that took place. A reservation is the
/// success of the campaign that its customer heard of last before they made it, or, if they heard of none shortly before that,
/// of the last one before the visit. What was cancelled, or nobody came to, is none; nor is a visit of long ago that a feed
/// tells of late. A message went out when its carrier was asked; that it did may have been found out hours later.
///
/// Whose success each is, is asked of those few alone who came: asked first, it took twenty seconds of a campaign to 100,000.
pub(crate) async fn converted(
    conn: &mut PgConnection,
    business: BusinessId,
    campaigns: &[i64],
    window: TimeDelta,
) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"with sent as materialized (
               select r.campaign_id, r.customer_id, m.asked_at, m.asked_at + make_interval(secs => $3) as until
               from crm.campaign_recipient r
               join messaging_read.message m on m.business_id = r.business_id and m.message_id = r.message_id
               where r.business_id = $1 and r.campaign_id = any($2) and m.sent_at is not null and m.status <> 'FAILED'
           ), came as materialized (
               select sent.campaign_id, sent.customer_id, v.created_at, v.start_at, v.status
               from sent
               join booking_read.reservation v
                   on v.business_id = $1 and v.customer_id = sent.customer_id
                  and v.visit_on >= (sent.asked_at at time zone 'Asia/Seoul')::date
               where v.start_at > sent.asked_at and v.status in ('PENDING', 'CONFIRMED', 'COMPLETED')
                 and (v.created_at between sent.asked_at and sent.until or v.start_at <= sent.until)
           )
           select count(distinct (came.campaign_id, came.customer_id)) as "converted!"
           from came
           where coalesce(
                 (select o.campaign_id
                  from crm.campaign_recipient o
                  join messaging_read.message om on om.business_id = o.business_id and om.message_id = o.message_id
                  where o.business_id = $1 and o.customer_id = came.customer_id and om.status <> 'FAILED'
                    and om.sent_at is not null
                    and om.asked_at between came.created_at - make_interval(secs => $3) and came.created_at
                    and om.asked_at < came.start_at
                  order by om.asked_at desc, o.campaign_id desc limit 1),
                 (select o.campaign_id
                  from crm.campaign_recipient o
                  join messaging_read.message om on om.business_id = o.business_id and om.message_id = o.message_id
                  where came.status = 'COMPLETED' and o.business_id = $1 and o.customer_id = came.customer_id
                    and om.status <> 'FAILED' and om.sent_at is not null
                    and om.asked_at >= came.start_at - make_interval(secs => $3) and om.asked_at < came.start_at
                  order by om.asked_at desc, o.campaign_id desc limit 1)) = came.campaign_id"#,
        business.0,
        campaigns,
        window.as_seconds_f64(),
    )
    .fetch_one(conn)
    .await
}

/// A recipient, and what became of the message.
pub(crate) struct Recipient {
    pub customer_id: i64,
    pub name: Option<String>,
    pub message: Option<MessageId>,
    pub status: Option<MessageStatus>,
    pub reason: Option<String>,
    pub was_asked: bool,
    pub sent_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub clicks: i32,
    pub first_clicked_at: Option<DateTime<Utc>>,
    pub opened_at: Option<DateTime<Utc>>,
}

/// Which recipients are wanted.
pub(crate) struct RecipientFilter {
    /// Any of these, where some are named; `EXCLUDED` also has those without a message.
    pub statuses: Option<Vec<MessageStatus>>,
    /// Of those that failed or are being sent: whether those are meant that were handed to a carrier.
    pub was_asked: Option<bool>,
    pub before: Option<i64>,
    pub limit: i64,
}

/// The newest customers first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    campaign: CampaignId,
    filter: &RecipientFilter,
) -> sqlx::Result<Vec<Recipient>> {
    sqlx::query_as!(
        Recipient,
        r#"select r.customer_id, c.name as "name?", r.message_id as "message: MessageId",
                  m.status as "status?: MessageStatus", coalesce(r.exclusion, m.reason) as reason,
                  m.asked_at is not null as "was_asked!", m.sent_at as "sent_at?", m.finished_at as "finished_at?",
                  r.clicks, r.first_clicked_at, r.opened_at
           from crm.campaign_recipient r
           left join messaging_read.message m on m.business_id = r.business_id and m.message_id = r.message_id
           left join booking_read.customer c
               on c.business_id = r.business_id and c.customer_id = r.customer_id and c.deleted_at is null
           where r.business_id = $1 and r.campaign_id = $2
             and ($3::text[] is null or coalesce(m.status, 'EXCLUDED') = any($3))
             and ($4::boolean is null or coalesce(m.status, '') not in ('FAILED', 'SENDING') or (m.asked_at is not null) = $4)
             and ($5::bigint is null or r.customer_id < $5)
           order by r.customer_id desc limit $6"#,
        business.0,
        campaign.0,
        filter.statuses.as_deref() as Option<&[MessageStatus]>,
        filter.was_asked,
        filter.before,
        filter.limit,
    )
    .fetch_all(conn)
    .await
}

/// Where a code leads, whoever's it is; of a sample's as well.
pub(crate) async fn target(tx: &mut SystemTx, code: &str) -> sqlx::Result<Option<String>> {
    let target = sqlx::query_scalar!(
        "select c.link
         from crm.campaign_recipient r
         join crm.campaign c on c.business_id = r.business_id and c.campaign_id = r.campaign_id
         where r.link_code = $1
         union all
         select link from crm.campaign where sample_code = $1
         limit 1",
        code,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(target.flatten())
}

/// Whether a mail has this code.
pub(crate) async fn is_in_a_mail(tx: &mut SystemTx, code: &str) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from crm.campaign_recipient r
                          join crm.campaign c on c.business_id = r.business_id and c.campaign_id = r.campaign_id
                          where r.link_code = $1 and c.channel = 'EMAIL') as "is!""#,
        code,
    )
    .fetch_one(&mut **tx)
    .await
}

/// Somebody opened it; the first time is kept.
pub(crate) async fn opened(tx: &mut SystemTx, code: &str, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "update crm.campaign_recipient set opened_at = $2 where link_code = $1 and opened_at is null",
        code,
        now,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Somebody followed it. Of a sample nobody counts it.
pub(crate) async fn clicked(tx: &mut SystemTx, code: &str, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "update crm.campaign_recipient
         set clicks = least(clicks, 2147483646) + 1, first_clicked_at = coalesce(first_clicked_at, $2)
         where link_code = $1",
        code,
        now,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
