//! `messaging.consent`: written once, and never changed.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use super::column;
use crate::{
    Channel, MessageId,
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

/// Who refuses, and what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Refusing<'a> {
    /// Whose advertising; 0 is everybody's.
    pub business: BusinessId,
    pub channel: Channel,
    pub contact_hash: &'a [u8],
    /// Whom the advertisement was for, whatever they are reached at by now.
    pub customer: Option<i64>,
}

/// Lines that were written, as follow-up work needs them.
#[derive(Clone, Copy, Debug)]
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
           order by channel, purpose, acted_at desc, consent_id desc"#,
        business.0,
        customer,
    )
    .fetch_all(conn)
    .await
}

/// When the customer last agreed explicitly to advertising by each channel.
pub(crate) async fn last_given(
    conn: &mut PgConnection,
    business: BusinessId,
    customer: i64,
) -> sqlx::Result<HashMap<Channel, DateTime<Utc>>> {
    let rows = sqlx::query!(
        r#"select channel as "channel: Channel", max(acted_at) as "acted_at!"
           from messaging.consent
           where business_id = $1 and customer_id = $2 and purpose = 'MARKETING' and act = 'GIVEN'
           group by channel"#,
        business.0,
        customer,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel, row.acted_at)).collect())
}

/// Who is reached at a contact, or is meant by name, and agreed before then: with those of their consents that hold.
pub(crate) async fn agreed_before(
    conn: &mut PgConnection,
    whose: &Refusing<'_>,
    at: DateTime<Utc>,
) -> sqlx::Result<Vec<(BusinessId, i64, ConsentPurpose)>> {
    // From shop to shop, since that is how customers are found by what they are reached at.
    let rows = sqlx::query!(
        r#"select who.business_id as "business!: BusinessId", who.customer_id as "customer!",
                  last.purpose as "purpose!: ConsentPurpose"
           from (select shop.business_id, c.customer_id
                 from identity_read.business shop
                 join booking_read.customer c on c.business_id = shop.business_id and c.phone_hash = $3
                 where $2::text <> 'EMAIL' and ($1::bigint = 0 or shop.business_id = $1)
                 union
                 select shop.business_id, c.customer_id
                 from identity_read.business shop
                 join booking_read.customer c on c.business_id = shop.business_id and c.email_hash = $3
                 where $2::text = 'EMAIL' and ($1::bigint = 0 or shop.business_id = $1)
                 union
                 select $1::bigint, $4::bigint where $4::bigint is not null) who
           join lateral (
               select distinct on (purpose) purpose, act, acted_at from messaging.consent said
               where said.business_id = who.business_id and said.customer_id = who.customer_id
                 and said.channel = $2::text
               order by purpose, said.acted_at desc, consent_id desc) last
               on last.act <> 'WITHDRAWN' and last.acted_at < $5"#,
        whose.business.0,
        whose.channel as Channel,
        whose.contact_hash,
        whose.customer,
        at,
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
             and exists (select from booking_read.customer c
                         where c.business_id = said.business_id and c.customer_id = said.customer_id
                           and c.deleted_at is null)
             and not exists (
                 select from messaging.consent later
                 where later.business_id = said.business_id and later.customer_id = said.customer_id
                   and later.channel = said.channel and later.purpose = said.purpose
                   and (later.acted_at, later.consent_id) > (said.acted_at, said.consent_id))
             and not exists (
                 select from messaging.reconfirmation asked
                 where asked.business_id = said.business_id and asked.consent_id = said.consent_id)
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
           join messaging.reconfirmation notice
               on notice.business_id = said.business_id and notice.consent_id = said.consent_id
           join messaging.delivery asked
               on asked.business_id = notice.business_id and asked.message_id = notice.message_id
           where said.act <> 'WITHDRAWN' and said.acted_at < $1
             and (asked.status = 'DELIVERED' or (asked.status = 'SENT' and asked.due_at is null))
             -- One that came too late confirms nothing: the consent was over.
             and (asked.sent_at at time zone 'Asia/Seoul')::date
                 < (said.acted_at at time zone 'Asia/Seoul')::date + interval '2 years'
             and not exists (
                 select from messaging.consent later
                 where later.business_id = said.business_id and later.customer_id = said.customer_id
                   and later.channel = said.channel and later.purpose = said.purpose
                   and (later.acted_at, later.consent_id) > (said.acted_at, said.consent_id))
           order by said.acted_at, said.consent_id limit $2"#,
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

/// A notice asks about these.
pub(crate) async fn note_asked(
    conn: &mut PgConnection,
    asked: &[(BusinessId, ConsentId, MessageId)],
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.reconfirmation (business_id, consent_id, message_id)
         select * from unnest($1::bigint[], $2::bigint[], $3::uuid[]) on conflict do nothing",
        &column(asked, |(business, _, _)| business.0),
        &column(asked, |(_, consent, _)| consent.0),
        &column(asked, |(_, _, message)| message.0),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// When the oldest consent was given, not before `over`, about which nobody was asked yet.
pub(crate) async fn next_to_grow_old(
    conn: &mut PgConnection,
    over: DateTime<Utc>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select acted_at from messaging.consent said
         where act <> 'WITHDRAWN' and acted_at >= $1
           and exists (select from booking_read.customer c
                       where c.business_id = said.business_id and c.customer_id = said.customer_id
                         and c.deleted_at is null)
           and not exists (
               select from messaging.consent later
               where later.business_id = said.business_id and later.customer_id = said.customer_id
                 and later.channel = said.channel and later.purpose = said.purpose
                 and (later.acted_at, later.consent_id) > (said.acted_at, said.consent_id))
           and not exists (
               select from messaging.reconfirmation asked
               where asked.business_id = said.business_id and asked.consent_id = said.consent_id)
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
