//! `crm.campaign`.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use messaging::Channel;
use serde_json::Value;
use sqlx::PgConnection;

use crate::{
    campaign::{
        Audience, Campaign, CampaignFailure, CampaignId, CampaignStatus, Course, TemplateType, Terms,
        auto::AutoCampaignId, wording::Wording,
    },
    coupon::CouponId,
    segment::SegmentId,
};

struct Row {
    id: CampaignId,
    name: String,
    segment: Option<SegmentId>,
    segment_name: Option<String>,
    auto: Option<AutoCampaignId>,
    conditions: Value,
    version: i16,
    channel: Channel,
    template_type: TemplateType,
    subject: Option<String>,
    message: String,
    coupon: Option<CouponId>,
    link: Option<String>,
    sample_code: String,
    status: CampaignStatus,
    scheduled_at: Option<DateTime<Utc>>,
    recipient_count: i64,
    position: Option<i64>,
    due_at: Option<DateTime<Utc>>,
    started_at: Option<DateTime<Utc>>,
    written_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
    failure: Option<CampaignFailure>,
    created_at: DateTime<Utc>,
    changed_at: DateTime<Utc>,
}

impl TryFrom<Row> for Campaign {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let audience = match (row.segment.zip(row.segment_name), row.auto) {
            (Some((id, name)), _) => Audience::Segment { id, name },
            (None, Some(id)) => Audience::Auto(id),
            (None, None) => return Err(sqlx::Error::Decode("a campaign of nobody's".into())),
        };
        Ok(Self {
            id: row.id,
            terms: Terms {
                name: row.name,
                audience,
                conditions: row.conditions,
                version: row.version,
                template_type: row.template_type,
                wording: Wording {
                    channel: row.channel,
                    subject: row.subject,
                    message: row.message,
                    coupon: row.coupon,
                    link: row.link,
                },
                scheduled_at: row.scheduled_at,
            },
            course: Course {
                status: row.status,
                recipient_count: row.recipient_count,
                position: row.position,
                due_at: row.due_at,
                started_at: row.started_at,
                written_at: row.written_at,
                ended_at: row.ended_at,
                failure: row.failure,
            },
            sample_code: row.sample_code,
            created_at: row.created_at,
            changed_at: row.changed_at,
        })
    }
}

/// A campaign to be written down.
pub(crate) struct NewCampaign<'a> {
    pub terms: &'a Terms,
    pub course: &'a Course,
    pub sample_code: &'a str,
    /// Under which it is asked for, if it is to happen once.
    pub key: Option<&'a str>,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    new: &NewCampaign<'_>,
) -> sqlx::Result<CampaignId> {
    let NewCampaign { terms, course, sample_code, key } = new;
    sqlx::query_scalar!(
        r#"insert into crm.campaign
               (business_id, name, segment_id, segment_name, conditions, version, channel, template_type, subject,
                message, coupon_id, link, sample_code, status, scheduled_at, recipient_count, due_at,
                started_at, auto_campaign_id, idempotency_key, created_at, changed_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $21)
           returning campaign_id as "id: CampaignId""#,
        business.0,
        terms.name,
        terms.audience.segment().map(|id| id.0),
        terms.audience.name(),
        terms.conditions,
        terms.version,
        terms.wording.channel as Channel,
        terms.template_type as TemplateType,
        terms.wording.subject,
        terms.wording.message,
        terms.wording.coupon.map(|id| id.0),
        terms.wording.link,
        sample_code,
        course.status as CampaignStatus,
        terms.scheduled_at,
        course.recipient_count,
        course.due_at,
        course.started_at,
        terms.audience.auto().map(|id| id.0),
        *key,
        now,
    )
    .fetch_one(conn)
    .await
}

/// The campaign that was made under a key.
pub(crate) async fn under_key(
    conn: &mut PgConnection,
    business: BusinessId,
    key: &str,
) -> sqlx::Result<Option<CampaignId>> {
    sqlx::query_scalar!(
        r#"select campaign_id as "id: CampaignId" from crm.campaign where business_id = $1 and idempotency_key = $2"#,
        business.0,
        key,
    )
    .fetch_optional(conn)
    .await
}

/// A key that was used before then is free again.
pub(crate) async fn forget_key(
    conn: &mut PgConnection,
    business: BusinessId,
    key: &str,
    before: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update crm.campaign set idempotency_key = null
         where business_id = $1 and idempotency_key = $2 and created_at < $3",
        business.0,
        key,
        before,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes what it says, to whom and when.
pub(crate) async fn write_terms(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    id: CampaignId,
    terms: &Terms,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update crm.campaign
         set name = $3, segment_id = $4, segment_name = $5, conditions = $6, version = $7, channel = $8,
             template_type = $9, subject = $10, message = $11, coupon_id = $12, link = $13, scheduled_at = $14,
             changed_at = $15
         where business_id = $1 and campaign_id = $2",
        business.0,
        id.0,
        terms.name,
        terms.audience.segment().map(|id| id.0),
        terms.audience.name(),
        terms.conditions,
        terms.version,
        terms.wording.channel as Channel,
        terms.template_type as TemplateType,
        terms.wording.subject,
        terms.wording.message,
        terms.wording.coupon.map(|id| id.0),
        terms.wording.link,
        terms.scheduled_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes how far it has come.
pub(crate) async fn write_course(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    id: CampaignId,
    course: &Course,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update crm.campaign
         set status = $3, recipient_count = $4, position = $5, due_at = $6, started_at = $7, written_at = $8,
             ended_at = $9, failure = $10, changed_at = $11
         where business_id = $1 and campaign_id = $2",
        business.0,
        id.0,
        course.status as CampaignStatus,
        course.recipient_count,
        course.position,
        course.due_at,
        course.started_at,
        course.written_at,
        course.ended_at,
        course.failure as Option<CampaignFailure>,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whoever writes recipients down, and whoever stops it, wait for each other.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    business: BusinessId,
    id: CampaignId,
) -> sqlx::Result<Option<Campaign>> {
    let locked = sqlx::query!(
        r#"select campaign_id from crm.campaign where business_id = $1 and campaign_id = $2 for update"#,
        business.0,
        id.0,
    )
    .fetch_optional(&mut *conn)
    .await?;
    if locked.is_none() {
        return Ok(None);
    }
    one(conn, business, id).await
}

pub(crate) async fn one(
    conn: &mut PgConnection,
    business: BusinessId,
    id: CampaignId,
) -> sqlx::Result<Option<Campaign>> {
    let filter =
        CampaignFilter { only: Some(id), written_by: WrittenBy::Any, status: None, before: None, limit: 1 };
    Ok(list(conn, business, filter).await?.pop())
}

/// Who wrote a campaign.
#[derive(Clone, Copy)]
pub(crate) enum WrittenBy {
    Any,
    Somebody,
    /// An auto campaign: its runs.
    Auto(AutoCampaignId),
}

impl WrittenBy {
    fn auto(self) -> Option<AutoCampaignId> {
        match self {
            Self::Auto(id) => Some(id),
            Self::Any | Self::Somebody => None,
        }
    }
}

/// Which campaigns are wanted.
#[derive(Clone, Copy)]
pub(crate) struct CampaignFilter {
    pub only: Option<CampaignId>,
    pub written_by: WrittenBy,
    pub status: Option<CampaignStatus>,
    pub before: Option<CampaignId>,
    pub limit: i64,
}

/// The newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    filter: CampaignFilter,
) -> sqlx::Result<Vec<Campaign>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select campaign_id as "id: CampaignId", name, segment_id as "segment: SegmentId", segment_name,
                  auto_campaign_id as "auto: AutoCampaignId", conditions,
                  version, channel as "channel: Channel", template_type as "template_type: TemplateType", subject,
                  message, coupon_id as "coupon: CouponId", link, sample_code, status as "status: CampaignStatus",
                  scheduled_at, recipient_count, position, due_at, started_at, written_at, ended_at,
                  failure as "failure: CampaignFailure", created_at, changed_at
           from crm.campaign
           where business_id = $1 and ($2::bigint is null or campaign_id = $2) and ($3::text is null or status = $3)
             and ($4::bigint is null or campaign_id < $4)
             and ($5::bigint is null or auto_campaign_id = $5) and (not $6 or auto_campaign_id is null)
           order by campaign_id desc limit $7"#,
        business.0,
        filter.only.map(|id| id.0),
        filter.status as Option<CampaignStatus>,
        filter.before.map(|id| id.0),
        filter.written_by.auto().map(|id| id.0),
        matches!(filter.written_by, WrittenBy::Somebody),
        filter.limit,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Campaign::try_from).collect()
}

/// The one whose turn it is, of those that nobody is at: they take turns, some pages each.
pub(crate) async fn due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<(BusinessId, CampaignId)>> {
    let row = sqlx::query!(
        r#"select business_id as "business: BusinessId", campaign_id as "id: CampaignId" from crm.campaign
           where due_at <= $1 order by due_at, changed_at limit 1 for update skip locked"#,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.business, row.id)))
}

pub(crate) async fn next_due(conn: &mut PgConnection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!("select min(due_at) from crm.campaign where due_at is not null").fetch_one(conn).await
}

/// Tried again later, unless somebody chose another time meanwhile.
pub(crate) async fn put_off(
    conn: &mut PgConnection,
    business: BusinessId,
    id: CampaignId,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update crm.campaign set due_at = $3 where business_id = $1 and campaign_id = $2 and due_at <= $4",
        business.0,
        id.0,
        until,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Those of which everybody was written down, and nothing is on its way any more. What nobody looks for any longer stays
/// unknown, and holds up nothing.
pub(crate) async fn over(conn: &mut PgConnection) -> sqlx::Result<Vec<(BusinessId, CampaignId)>> {
    let rows = sqlx::query!(
        r#"select c.business_id as "business: BusinessId", c.campaign_id as "id: CampaignId"
           from crm.campaign c
           where c.status = 'SENDING' and c.written_at is not null
             and not exists (select from messaging_read.message m
                             where m.business_id = c.business_id and m.batch = 'campaign:' || c.campaign_id
                               and m.status in ('QUEUED', 'SENDING', 'UNKNOWN')
                               and (m.status <> 'UNKNOWN' or m.due_at is not null))
           order by c.written_at limit 100"#,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.business, row.id)).collect())
}

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

/// How many samples a business sent since. Those who send some at once are counted one after another.
pub(crate) async fn samples_since(
    conn: &mut PgConnection,
    business: BusinessId,
    since: DateTime<Utc>,
) -> sqlx::Result<i64> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('campaign samples', $1)) is null as locked",
        business.0
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from messaging_read.message
           where business_id = $1 and batch = 'samples' and created_at > $2"#,
        business.0,
        since,
    )
    .fetch_one(conn)
    .await
}
