//! `messaging.consent`: written once, and never changed.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use super::column;
use crate::{
    Channel,
    consent::{Act, ConsentId, ConsentPurpose, Method},
};

/// Something that somebody said about advertising.
#[derive(Clone, Debug)]
pub(crate) struct NewConsent {
    pub business: BusinessId,
    pub customer: i64,
    pub channel: Channel,
    pub purpose: ConsentPurpose,
    pub act: Act,
    pub acted_at: DateTime<Utc>,
    pub method: Method,
    pub wording: Option<String>,
    pub evidence: Option<String>,
    pub recorded_by: Option<String>,
}

/// A line of the ledger.
#[derive(Clone, Debug)]
pub(crate) struct Consent {
    pub id: ConsentId,
    pub channel: Channel,
    pub purpose: ConsentPurpose,
    pub act: Act,
    pub acted_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub method: Method,
    pub wording: Option<String>,
    pub evidence: Option<String>,
    pub recorded_by: Option<String>,
}

/// Lines that were written, as follow-up work needs them.
pub(crate) struct Written {
    pub business: BusinessId,
    pub id: ConsentId,
    pub customer: i64,
    pub channel: Channel,
    pub purpose: ConsentPurpose,
    pub act: Act,
    pub acted_at: DateTime<Utc>,
}

pub(crate) async fn insert_all(
    conn: &mut PgConnection,
    said: &[NewConsent],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Written>> {
    sqlx::query_as!(
        Written,
        r#"insert into messaging.consent
               (business_id, customer_id, channel, purpose, act, acted_at, recorded_at, method, wording, evidence, recorded_by)
           select business_id, customer_id, channel, purpose, act, acted_at, $11, method, wording, evidence, recorded_by
           from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[],
                       $8::text[], $9::text[], $10::text[]) with ordinality
               as said (business_id, customer_id, channel, purpose, act, acted_at, method, wording, evidence, recorded_by,
                        position)
           order by position
           returning business_id as "business: BusinessId", consent_id as "id: ConsentId", customer_id as customer,
                     channel as "channel: Channel", purpose as "purpose: ConsentPurpose", act as "act: Act", acted_at"#,
        &column(said, |row| row.business.0),
        &column(said, |row| row.customer),
        &column(said, |row| row.channel) as &[Channel],
        &column(said, |row| row.purpose) as &[ConsentPurpose],
        &column(said, |row| row.act) as &[Act],
        &column(said, |row| row.acted_at),
        &column(said, |row| row.method) as &[Method],
        &column(said, |row| row.wording.clone()) as &[Option<String>],
        &column(said, |row| row.evidence.clone()) as &[Option<String>],
        &column(said, |row| row.recorded_by.clone()) as &[Option<String>],
        now,
    )
    .fetch_all(conn)
    .await
}

/// What a customer said, the newest first.
pub(crate) async fn of_customer(
    conn: &mut PgConnection,
    business: BusinessId,
    customer: i64,
    before: Option<ConsentId>,
    limit: i64,
) -> sqlx::Result<Vec<Consent>> {
    sqlx::query_as!(
        Consent,
        r#"select consent_id as "id: ConsentId", channel as "channel: Channel", purpose as "purpose: ConsentPurpose",
                  act as "act: Act", acted_at, recorded_at, method as "method: Method", wording, evidence, recorded_by
           from messaging.consent
           where business_id = $1 and customer_id = $2 and ($3::bigint is null or consent_id < $3)
           order by consent_id desc limit $4"#,
        business.0,
        customer,
        before.map(|id| id.0),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// The last that a customer said for each channel and purpose.
pub(crate) async fn standing_of(
    conn: &mut PgConnection,
    business: BusinessId,
    customer: i64,
) -> sqlx::Result<Vec<Consent>> {
    sqlx::query_as!(
        Consent,
        r#"select distinct on (channel, purpose)
                  consent_id as "id: ConsentId", channel as "channel: Channel", purpose as "purpose: ConsentPurpose",
                  act as "act: Act", acted_at, recorded_at, method as "method: Method", wording, evidence, recorded_by
           from messaging.consent where business_id = $1 and customer_id = $2
           order by channel, purpose, consent_id desc"#,
        business.0,
        customer,
    )
    .fetch_all(conn)
    .await
}

/// Customers of a business, or of all (0), who are reached at a contact, with those of their consents that hold.
pub(crate) async fn agreed_at(
    conn: &mut PgConnection,
    business: BusinessId,
    channel: Channel,
    contact_hash: &[u8],
) -> sqlx::Result<Vec<(BusinessId, i64, ConsentPurpose)>> {
    let rows = sqlx::query!(
        r#"select c.business_id as "business!: BusinessId", c.customer_id as "customer!", last.purpose as "purpose!: ConsentPurpose"
           from booking_read.customer c
           join lateral (
               select distinct on (purpose) purpose, act from messaging.consent said
               where said.business_id = c.business_id and said.customer_id = c.customer_id and said.channel = $2::text
               order by purpose, consent_id desc) last on last.act <> 'WITHDRAWN'
           where ($1::bigint = 0 or c.business_id = $1)
             and case when $2 = 'EMAIL' then c.email_hash else c.phone_hash end = $3"#,
        business.0,
        channel as Channel,
        contact_hash,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.business, row.customer, row.purpose)).collect())
}

/// Consents that were given, or confirmed, before then and are still the last word: their two years are nearly over.
pub(crate) async fn nearly_over(
    conn: &mut PgConnection,
    acted_before: DateTime<Utc>,
    acted_after: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<Written>> {
    sqlx::query_as!(
        Written,
        r#"select business_id as "business: BusinessId", consent_id as "id: ConsentId", customer_id as customer,
                  channel as "channel: Channel", purpose as "purpose: ConsentPurpose", act as "act: Act", acted_at
           from messaging.consent said
           where act <> 'WITHDRAWN' and acted_at < $1 and acted_at >= $2
             and not exists (
                 select from messaging.consent later
                 where later.business_id = said.business_id and later.customer_id = said.customer_id
                   and later.channel = said.channel and later.purpose = said.purpose
                   and later.consent_id > said.consent_id)
             and not exists (
                 select from messaging.message asked
                 where asked.business_id = said.business_id and asked.dedup_key = 'reconfirm:' || said.consent_id)
           order by acted_at limit $3"#,
        acted_before,
        acted_after,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Those who were asked whether they still agree, and were reached, and did not refuse: when that was.
pub(crate) async fn asked_and_reached(
    conn: &mut PgConnection,
    acted_before: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<(Written, DateTime<Utc>)>> {
    let rows = sqlx::query!(
        r#"select said.business_id as "business: BusinessId", said.consent_id as "id: ConsentId", said.customer_id as customer,
                  said.channel as "channel: Channel", said.purpose as "purpose: ConsentPurpose", said.act as "act: Act",
                  said.acted_at, asked.sent_at as "sent_at!"
           from messaging.consent said
           join messaging.message asked
               on asked.business_id = said.business_id and asked.dedup_key = 'reconfirm:' || said.consent_id
           where said.act <> 'WITHDRAWN' and said.acted_at < $1
             and (asked.status = 'DELIVERED' or (asked.status = 'SENT' and asked.due_at is null))
             and not exists (
                 select from messaging.consent later
                 where later.business_id = said.business_id and later.customer_id = said.customer_id
                   and later.channel = said.channel and later.purpose = said.purpose
                   and later.consent_id > said.consent_id)
           limit $2"#,
        acted_before,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let written = Written {
                business: row.business,
                id: row.id,
                customer: row.customer,
                channel: row.channel,
                purpose: row.purpose,
                act: row.act,
                acted_at: row.acted_at,
            };
            (written, row.sent_at)
        })
        .collect())
}

/// When the oldest consent was given, not before `over`, about which nobody was asked yet.
pub(crate) async fn next_to_grow_old(
    conn: &mut PgConnection,
    over: DateTime<Utc>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select acted_at from messaging.consent said
         where act <> 'WITHDRAWN' and acted_at >= $1
           and not exists (
               select from messaging.consent later
               where later.business_id = said.business_id and later.customer_id = said.customer_id
                 and later.channel = said.channel and later.purpose = said.purpose
                 and later.consent_id > said.consent_id)
           and not exists (
               select from messaging.message asked
               where asked.business_id = said.business_id and asked.dedup_key = 'reconfirm:' || said.consent_id)
         order by acted_at limit 1",
        over,
    )
    .fetch_optional(conn)
    .await
}

/// Old consents are gone through by one process at a time, so that nobody's is written down twice.
pub(crate) async fn one_at_a_time(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtext('messaging consents')) is null as \"locked!\"")
        .fetch_one(conn)
        .await?;
    Ok(())
}
