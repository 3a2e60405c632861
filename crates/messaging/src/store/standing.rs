//! What is known of recipients at this moment.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use super::{claim::Waiting, column};
use crate::{
    Channel, MessageId,
    consent::{Act, LastWord},
    law::{Standing, Word},
};

/// How far back advertising is counted.
const A_WEEK: TimeDelta = TimeDelta::days(7);

/// How long a mailbox that did not exist is not written to. It may have been made since, or the server have been wrong.
const DEAD_FOR: TimeDelta = TimeDelta::days(90);

/// Somebody whom an advertisement is for, under the name that they are told apart by.
#[derive(Clone, Debug)]
pub(crate) struct Addressee {
    pub id: MessageId,
    pub business: BusinessId,
    pub channel: Channel,
    pub customer: Option<i64>,
    /// The campaign.
    pub batch: Option<String>,
    pub contact_hash: Vec<u8>,
}

impl From<&Waiting> for Addressee {
    fn from(message: &Waiting) -> Self {
        Self {
            id: message.id,
            business: message.business,
            channel: message.channel,
            customer: message.customer,
            batch: message.batch.clone(),
            contact_hash: message.contact_hash.clone(),
        }
    }
}

pub(crate) async fn of_information(
    conn: &mut PgConnection,
    messages: &[Waiting],
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<MessageId, Standing>> {
    let rows = sqlx::query!(
        r#"select m.message_id as "id!: MessageId"
           from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[]) as m (message_id, business_id, channel, contact_hash)
           join messaging.dead_contact dead using (business_id, channel, contact_hash)
           where dead.found_at > $5"#,
        &column(messages, |message| message.id.0),
        &column(messages, |message| message.business.0),
        &column(messages, |message| message.channel) as &[Channel],
        &column(messages, |message| message.contact_hash.clone()),
        now - DEAD_FOR,
    )
    .fetch_all(conn)
    .await?;
    let dead = |row: &MessageId| (*row, Standing { is_dead: true, ..Standing::default() });
    Ok(rows.iter().map(|row| dead(&row.id)).collect())
}

/// A sample goes to whatever number somebody types. Whose it is decides whether it is an advertisement.
pub(crate) async fn of_samples(
    conn: &mut PgConnection,
    mut samples: Vec<Addressee>,
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<MessageId, Standing>> {
    let owners = sqlx::query!(
        r#"select m.message_id as "id!: MessageId", min(c.customer_id) as "customer!"
           from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[]) as m (message_id, business_id, channel, contact_hash)
           join booking_read.customer c
               on c.business_id = m.business_id and c.deleted_at is null
              and case when m.channel = 'EMAIL' then c.email_hash else c.phone_hash end = m.contact_hash
           group by m.message_id"#,
        &column(&samples, |sample| sample.id.0),
        &column(&samples, |sample| sample.business.0),
        &column(&samples, |sample| sample.channel) as &[Channel],
        &column(&samples, |sample| sample.contact_hash.clone()),
    )
    .fetch_all(&mut *conn)
    .await?;
    let owners: HashMap<MessageId, i64> = owners.iter().map(|row| (row.id, row.customer)).collect();
    for sample in &mut samples {
        (sample.customer, sample.batch) = (owners.get(&sample.id).copied(), None);
    }
    let mut standings = of_advertising(conn, &samples, now).await?;
    for (id, standing) in &mut standings {
        standing.is_customers = owners.contains_key(id);
    }
    Ok(standings)
}

/// Whoever had the same is looked for by their number or address: an `=` would let the planner go through the whole campaign for each.
///
/// A refusal is over once the customer agreed explicitly to this business since; that they did not answer a notice is no such word.
pub(crate) async fn of_advertising(
    conn: &mut PgConnection,
    messages: &[Addressee],
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<MessageId, Standing>> {
    let rows = sqlx::query!(
        r#"select m.message_id as "id!: MessageId",
                  exists (select from messaging.dead_contact d
                          where d.business_id = m.business_id and d.channel = m.channel
                            and d.contact_hash = m.contact_hash and d.found_at > $7) as "is_dead!",
                  (case when m.channel = 'EMAIL' then person.email_hash else person.phone_hash end = m.contact_hash)
                      is not true as "is_gone!",
                  exists (select from messaging.refusal r
                          where r.business_id in (m.business_id, 0) and r.channel = m.channel
                            and r.contact_hash = m.contact_hash
                            and r.refused_at >= coalesce(given.said_at, '-infinity')) as "has_refused!",
                  exists (select from messaging.refusal r
                          where r.business_id in (m.business_id, 0) and r.channel = 'SMS'
                            and r.contact_hash = m.contact_hash
                            and r.refused_at >= coalesce(given.text_said_at, '-infinity')) as "has_refused_texts!",
                  day.act as "act?: Act", day.acted_at as "acted_at?",
                  night.act as "night_act?: Act", night.acted_at as "night_acted_at?",
                  texts.act as "text_act?: Act", texts.acted_at as "text_acted_at?",
                  exists (select from messaging.message same
                          where same.business_id = m.business_id and same.contact_hash = m.contact_hash
                            and same.purpose = 'ADVERTISING' and same.channel = m.channel
                            and m.batch is not null and same.batch is not distinct from m.batch
                            and same.customer_id <> m.customer_id
                            and same.status in ('SENDING', 'SENT', 'DELIVERED', 'UNKNOWN')) as "had_the_same!",
                  (select count(*) from messaging.message had
                   where had.business_id = m.business_id and had.contact_hash = m.contact_hash
                     and had.purpose = 'ADVERTISING'
                     and (had.status = 'SENDING' or (had.asked_at > $6 and had.status <> 'FAILED')))
                  + (select count(*) from messaging.message had
                     where had.business_id = m.business_id
                       and had.contact_hash = case when m.channel = 'EMAIL' then person.phone_hash else person.email_hash end
                       and had.purpose = 'ADVERTISING'
                       and (had.status = 'SENDING' or (had.asked_at > $6 and had.status <> 'FAILED'))) as "had_lately!"
           from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[], $5::bigint[], $8::text[])
               as m (message_id, business_id, channel, contact_hash, customer_id, batch)
           left join booking_read.customer person
               on person.business_id = m.business_id and person.customer_id = m.customer_id and person.deleted_at is null
           left join lateral (
               select max(acted_at) filter (where c.channel = m.channel) as said_at,
                      max(acted_at) filter (where c.channel = 'SMS') as text_said_at
               from messaging.consent c
               where c.business_id = m.business_id and c.customer_id = m.customer_id
                 and c.purpose = 'MARKETING' and c.act = 'GIVEN') given on true
           left join lateral (
               select act, acted_at from messaging.consent c
               where c.business_id = m.business_id and c.customer_id = m.customer_id and c.channel = m.channel
                 and c.purpose = 'MARKETING'
               order by acted_at desc, consent_id desc limit 1) day on true
           left join lateral (
               select act, acted_at from messaging.consent c
               where c.business_id = m.business_id and c.customer_id = m.customer_id and c.channel = m.channel
                 and c.purpose = 'MARKETING_NIGHT'
               order by acted_at desc, consent_id desc limit 1) night on true
           left join lateral (
               select act, acted_at from messaging.consent c
               where c.business_id = m.business_id and c.customer_id = m.customer_id and c.channel = 'SMS'
                 and c.purpose = 'MARKETING'
               order by acted_at desc, consent_id desc limit 1) texts on true"#,
        &column(messages, |message| message.id.0),
        &column(messages, |message| message.business.0),
        &column(messages, |message| message.channel) as &[Channel],
        &column(messages, |message| message.contact_hash.clone()),
        &column(messages, |message| message.customer) as &[Option<i64>],
        now - A_WEEK,
        now - DEAD_FOR,
        &column(messages, |message| message.batch.clone()) as &[Option<String>],
    )
    .fetch_all(conn)
    .await?;
    let word = |(act, acted_at)| LastWord { act, acted_at };
    Ok(rows
        .into_iter()
        .map(|row| {
            let standing = Standing {
                is_dead: row.is_dead,
                is_gone: row.is_gone,
                word: Word { has_refused: row.has_refused, consent: row.act.zip(row.acted_at).map(word) },
                word_on_texts: Word {
                    has_refused: row.has_refused_texts,
                    consent: row.text_act.zip(row.text_acted_at).map(word),
                },
                night_consent: row.night_act.zip(row.night_acted_at).map(word),
                had_the_same: row.had_the_same,
                had_lately: row.had_lately,
                is_customers: false,
            };
            (row.id, standing)
        })
        .collect())
}

/// Nothing can be delivered to these any more.
pub(crate) async fn bury(
    conn: &mut PgConnection,
    contacts: &[(i64, Channel, Vec<u8>)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.dead_contact (business_id, channel, contact_hash, found_at)
         select distinct business_id, channel, contact_hash, $4::timestamptz
         from unnest($1::bigint[], $2::text[], $3::bytea[]) as dead (business_id, channel, contact_hash)
         on conflict (business_id, channel, contact_hash) do update set found_at = excluded.found_at",
        &column(contacts, |(business, _, _)| *business),
        &column(contacts, |(_, channel, _)| *channel) as &[Channel],
        &column(contacts, |(_, _, hash)| hash.clone()),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
