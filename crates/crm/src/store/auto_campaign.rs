//! `crm.auto_campaign`, and what its runs said.

use std::collections::HashSet;

use chrono::{DateTime, NaiveDate, Utc};
use kernel::BusinessId;
use messaging::Channel;
use sqlx::PgConnection;

use crate::{
    campaign::{
        CampaignId,
        auto::{AutoCampaign, AutoCampaignId, AutoTerms, Obstacle, Occasion},
        wording::Wording,
    },
    coupon::CouponId,
};

struct Row {
    id: AutoCampaignId,
    occasion: Occasion,
    channel: Channel,
    subject: Option<String>,
    message: String,
    coupon: Option<CouponId>,
    link: Option<String>,
    trigger_days: i16,
    hour: i16,
    covered_on: NaiveDate,
    next_run_at: Option<DateTime<Utc>>,
    last_run_at: Option<DateTime<Utc>>,
    obstacle: Option<Obstacle>,
}

impl From<Row> for AutoCampaign {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            terms: AutoTerms {
                occasion: row.occasion,
                wording: Wording {
                    channel: row.channel,
                    subject: row.subject,
                    message: row.message,
                    coupon: row.coupon,
                    link: row.link,
                },
                trigger_days: row.trigger_days,
                hour: row.hour,
            },
            covered_on: row.covered_on,
            next_run_at: row.next_run_at,
            last_run_at: row.last_run_at,
            obstacle: row.obstacle,
        }
    }
}

/// Sets it up, or changes it.
pub(crate) async fn save(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    terms: &AutoTerms,
    covered_on: NaiveDate,
    next_run_at: Option<DateTime<Utc>>,
) -> sqlx::Result<AutoCampaignId> {
    let AutoTerms { occasion, wording, trigger_days, hour } = terms;
    sqlx::query_scalar!(
        r#"insert into crm.auto_campaign
               (business_id, occasion, channel, subject, message, coupon_id, link, trigger_days, hour, covered_on,
                next_run_at, created_at, changed_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
           on conflict (business_id, occasion) do update
               set channel = excluded.channel, subject = excluded.subject, message = excluded.message,
                   coupon_id = excluded.coupon_id, link = excluded.link, trigger_days = excluded.trigger_days,
                   hour = excluded.hour, covered_on = excluded.covered_on, next_run_at = excluded.next_run_at,
                   obstacle = null, changed_at = excluded.changed_at
           returning auto_campaign_id as "id: AutoCampaignId""#,
        business.0,
        *occasion as Occasion,
        wording.channel as Channel,
        wording.subject,
        wording.message,
        wording.coupon.map(|id| id.0),
        wording.link,
        trigger_days,
        hour,
        covered_on,
        next_run_at,
        now,
    )
    .fetch_one(conn)
    .await
}

/// Whoever runs it, and whoever changes it, wait for each other.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    business: BusinessId,
    occasion: Occasion,
) -> sqlx::Result<Option<AutoCampaign>> {
    let locked = sqlx::query_scalar!(
        r#"select auto_campaign_id as "id: AutoCampaignId" from crm.auto_campaign
           where business_id = $1 and occasion = $2 for update"#,
        business.0,
        occasion as Occasion,
    )
    .fetch_optional(&mut *conn)
    .await?;
    match locked {
        Some(id) => Ok(list(conn, business, Some(id)).await?.pop()),
        None => Ok(None),
    }
}

/// All of a business, as they were set up; or one of them.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    only: Option<AutoCampaignId>,
) -> sqlx::Result<Vec<AutoCampaign>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select auto_campaign_id as "id: AutoCampaignId", occasion as "occasion: Occasion", channel as "channel: Channel",
                  subject, message, coupon_id as "coupon: CouponId", link, trigger_days, hour, covered_on, next_run_at,
                  last_run_at, obstacle as "obstacle: Obstacle"
           from crm.auto_campaign
           where business_id = $1 and ($2::bigint is null or auto_campaign_id = $2) order by auto_campaign_id"#,
        business.0,
        only.map(|id| id.0),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(AutoCampaign::from).collect())
}

pub(crate) async fn next_due(conn: &mut PgConnection) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!("select min(next_run_at) from crm.auto_campaign where next_run_at is not null")
        .fetch_one(conn)
        .await
}

/// One that is due.
pub(crate) struct Due {
    pub id: AutoCampaignId,
    pub occasion: Occasion,
}

/// The one whose turn it is, of those that nobody is at.
pub(crate) async fn due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<(BusinessId, Due)>> {
    let row = sqlx::query!(
        r#"select business_id as "business: BusinessId", auto_campaign_id as "id: AutoCampaignId",
                  occasion as "occasion: Occasion"
           from crm.auto_campaign where next_run_at <= $1 order by next_run_at limit 1 for update skip locked"#,
        now,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.business, Due { id: row.id, occasion: row.occasion })))
}

/// It ran.
pub(crate) async fn write_run(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    ran: &AutoCampaign,
    next_run_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update crm.auto_campaign
         set covered_on = $3, next_run_at = $4, last_run_at = $5, obstacle = $6
         where business_id = $1 and auto_campaign_id = $2",
        business.0,
        ran.id.0,
        ran.covered_on,
        next_run_at,
        now,
        ran.obstacle as Option<Obstacle>,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Tried again later, unless somebody saved it meanwhile.
pub(crate) async fn put_off(
    conn: &mut PgConnection,
    business: BusinessId,
    id: AutoCampaignId,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update crm.auto_campaign set next_run_at = $3
         where business_id = $1 and auto_campaign_id = $2 and next_run_at <= $4",
        business.0,
        id.0,
        until,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Its runs that are not over.
pub(crate) async fn open_runs(
    conn: &mut PgConnection,
    business: BusinessId,
    id: AutoCampaignId,
) -> sqlx::Result<Vec<CampaignId>> {
    sqlx::query_scalar!(
        r#"select campaign_id as "id: CampaignId" from crm.campaign
           where business_id = $1 and auto_campaign_id = $2 and ended_at is null order by campaign_id"#,
        business.0,
        id.0,
    )
    .fetch_all(conn)
    .await
}

/// A run, as far as its figures need it.
pub(crate) struct Run {
    pub id: CampaignId,
    pub channel: Channel,
    pub has_link: bool,
}

/// Its runs since some time.
pub(crate) async fn runs_since(
    conn: &mut PgConnection,
    business: BusinessId,
    id: AutoCampaignId,
    since: DateTime<Utc>,
) -> sqlx::Result<Vec<Run>> {
    sqlx::query_as!(
        Run,
        r#"select campaign_id as "id: CampaignId", channel as "channel: Channel", link is not null as "has_link!"
           from crm.campaign
           where business_id = $1 and auto_campaign_id = $2 and started_at > $3 order by started_at"#,
        business.0,
        id.0,
        since,
    )
    .fetch_all(conn)
    .await
}

/// Which of some customers another run wrote to, each since a time of their own. All who write pages of one auto campaign wait
/// for each other, so that none of them misses what the other is writing.
pub(crate) async fn heard_since(
    conn: &mut PgConnection,
    business: BusinessId,
    id: AutoCampaignId,
    run: CampaignId,
    customers: &[(i64, DateTime<Utc>)],
) -> sqlx::Result<HashSet<i64>> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended('auto campaign ' || $1::bigint, $2)) is null as locked",
        id.0,
        business.0,
    )
    .fetch_one(&mut *conn)
    .await?;
    let (ids, since): (Vec<_>, Vec<_>) = customers.iter().copied().unzip();
    let heard = sqlx::query_scalar!(
        r#"select asked.customer_id as "customer_id!"
           from unnest($4::bigint[], $5::timestamptz[]) as asked (customer_id, since)
           where exists (select from crm.campaign_recipient r
                         join crm.campaign c on c.business_id = r.business_id and c.campaign_id = r.campaign_id
                         where r.business_id = $1 and r.customer_id = asked.customer_id and r.message_id is not null
                           and c.auto_campaign_id = $2 and c.campaign_id <> $3 and c.started_at >= asked.since)"#,
        business.0,
        id.0,
        run.0,
        &ids,
        &since,
    )
    .fetch_all(conn)
    .await?;
    Ok(heard.into_iter().collect())
}
