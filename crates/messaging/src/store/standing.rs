//! What is known of recipients at this moment.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use super::{claim::Waiting, column};
use crate::{
    Channel, MessageId,
    consent::{Act, ConsentPurpose, LastWord},
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

/// Of what is no advertisement: whether it can be delivered, and whether whom it is for is still a customer.
pub(crate) async fn of_information(
    conn: &mut PgConnection,
    messages: &[Addressee],
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<MessageId, Standing>> {
    let (dead, erased) = (dead(conn, messages, now).await?, erased(conn, messages).await?);
    let standing = |message: &Addressee| Standing {
        is_dead: dead.contains(&message.id),
        is_gone: erased.contains(&message.id),
        ..Standing::default()
    };
    Ok(messages.iter().map(|message| (message.id, standing(message))).collect())
}

/// A sample goes to whatever number somebody types. Whose it is decides whether it is an advertisement.
pub(crate) async fn of_samples(
    conn: &mut PgConnection,
    mut samples: Vec<Addressee>,
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<MessageId, Standing>> {
    let owners = sqlx::query!(
        r#"with m as (
               select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[])
                   as m (message_id, business_id, channel, contact_hash)
           )
           select owned.message_id as "id!: MessageId", min(owned.customer_id) as "customer!"
           from (select m.message_id, c.customer_id from m
                 join booking_read.customer c
                     on c.business_id = m.business_id and c.phone_hash = m.contact_hash and c.deleted_at is null
                 where m.channel <> 'EMAIL'
                 union all
                 select m.message_id, c.customer_id from m
                 join booking_read.customer c
                     on c.business_id = m.business_id and c.email_hash = m.contact_hash and c.deleted_at is null
                 where m.channel = 'EMAIL') owned
           group by owned.message_id"#,
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
        standing.is_gone &= standing.is_customers;
    }
    Ok(standings)
}

/// Of advertisements that are about to go out: also how much somebody had.
pub(crate) async fn of_advertising(
    conn: &mut PgConnection,
    messages: &[Addressee],
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<MessageId, Standing>> {
    let mut standings = of_objections(conn, messages, now).await?;
    for history in histories(conn, messages, now).await? {
        let standing = standings.entry(history.id).or_default();
        standing.is_gone = history.is_gone;
        standing.had_the_same = history.had_the_same;
        standing.had_lately = history.had_lately;
    }
    Ok(standings)
}

/// What speaks against an advertisement whenever it goes out: of everybody who is named.
pub(crate) async fn of_objections(
    conn: &mut PgConnection,
    messages: &[Addressee],
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<MessageId, Standing>> {
    // What they said first: whoever refuses in between is heard.
    let words = words(conn, messages).await?;
    let refusals = refusals(conn, messages).await?;
    let dead = dead(conn, messages, now).await?;
    let never_said = Words::default();
    let standing = |message: &Addressee| {
        let said = message.customer.and_then(|customer| words.get(&(message.business, customer)));
        let said = said.unwrap_or(&never_said);
        let word = |channel| said.on(channel, refusals.get(&(message.id, channel)).copied());
        Standing {
            is_dead: dead.contains(&message.id),
            word: word(message.channel),
            word_on_texts: word(Channel::Sms),
            night_consent: said.last(message.channel, ConsentPurpose::MarketingNight),
            ..Standing::default()
        }
    };
    Ok(messages.iter().map(|message| (message.id, standing(message))).collect())
}

/// To which of these nothing can be delivered.
async fn dead(
    conn: &mut PgConnection,
    messages: &[Addressee],
    now: DateTime<Utc>,
) -> sqlx::Result<HashSet<MessageId>> {
    let dead = sqlx::query_scalar!(
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
    Ok(dead.into_iter().collect())
}

/// Which of these are for a customer who was erased.
async fn erased(conn: &mut PgConnection, messages: &[Addressee]) -> sqlx::Result<HashSet<MessageId>> {
    let erased = sqlx::query_scalar!(
        r#"select m.message_id as "id!: MessageId"
           from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as m (message_id, business_id, customer_id)
           where m.customer_id is not null
             and not exists (select from booking_read.customer person
                             where person.business_id = m.business_id and person.customer_id = m.customer_id
                               and person.deleted_at is null)"#,
        &column(messages, |message| message.id.0),
        &column(messages, |message| message.business.0),
        &column(messages, |message| message.customer) as &[Option<i64>],
    )
    .fetch_all(conn)
    .await?;
    Ok(erased.into_iter().collect())
}

/// Since when their contacts refuse advertising by their channel, and by texts.
async fn refusals(
    conn: &mut PgConnection,
    messages: &[Addressee],
) -> sqlx::Result<HashMap<(MessageId, Channel), DateTime<Utc>>> {
    let rows = sqlx::query!(
        r#"select m.message_id as "id!: MessageId", refusal.channel as "channel!: Channel",
                  max(refusal.refused_at) as "refused_at!"
           from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[]) as m (message_id, business_id, channel, contact_hash)
           join messaging.refusal
               on refusal.business_id in (m.business_id, 0) and refusal.channel in (m.channel, 'SMS')
              and refusal.contact_hash = m.contact_hash
           group by m.message_id, refusal.channel"#,
        &column(messages, |message| message.id.0),
        &column(messages, |message| message.business.0),
        &column(messages, |message| message.channel) as &[Channel],
        &column(messages, |message| message.contact_hash.clone()),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| ((row.id, row.channel), row.refused_at)).collect())
}

/// What was sent to somebody before.
struct History {
    id: MessageId,
    is_gone: bool,
    had_the_same: bool,
    had_lately: i64,
}

/// Looked for by number and address: by campaign, the planner would go through all of it for each.
async fn histories(
    conn: &mut PgConnection,
    messages: &[Addressee],
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<History>> {
    sqlx::query_as!(
        History,
        r#"select m.message_id as "id!: MessageId",
                  (case when m.channel = 'EMAIL' then person.email_hash else person.phone_hash end = m.contact_hash)
                      is not true as "is_gone!",
                  coalesce(here.had_the_same, false) as "had_the_same!",
                  here.had_lately + elsewhere.had_lately as "had_lately!"
           from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bytea[], $5::bigint[], $6::text[])
               as m (message_id, business_id, channel, contact_hash, customer_id, batch)
           left join booking_read.customer person
               on person.business_id = m.business_id and person.customer_id = m.customer_id and person.deleted_at is null
           cross join lateral (
               select count(*) filter (where went.asked_at > $7) as had_lately,
                      bool_or(had.purpose = 'ADVERTISING' and had.channel = m.channel and had.batch = m.batch
                              and had.customer_id <> m.customer_id) as had_the_same
               from messaging.message had
               join messaging.delivery went on went.business_id = had.business_id and went.message_id = had.message_id
               where had.business_id = m.business_id and had.contact_hash = m.contact_hash
                 and had.purpose in ('ADVERTISING', 'SAMPLE') and had.message_id <> m.message_id
                 and went.asked_at is not null and went.status <> 'FAILED') here
           cross join lateral (
               select count(*) as had_lately
               from messaging.message had
               join messaging.delivery went on went.business_id = had.business_id and went.message_id = had.message_id
               where had.business_id = m.business_id
                 and had.contact_hash = case when m.channel = 'EMAIL' then person.phone_hash else person.email_hash end
                 and had.purpose in ('ADVERTISING', 'SAMPLE')
                 and went.asked_at > $7 and went.status <> 'FAILED') elsewhere"#,
        &column(messages, |message| message.id.0),
        &column(messages, |message| message.business.0),
        &column(messages, |message| message.channel) as &[Channel],
        &column(messages, |message| message.contact_hash.clone()),
        &column(messages, |message| message.customer) as &[Option<i64>],
        &column(messages, |message| message.batch.clone()) as &[Option<String>],
        now - A_WEEK,
    )
    .fetch_all(conn)
    .await
}

/// What a customer said about advertising.
#[derive(Default)]
struct Words {
    last: HashMap<(Channel, ConsentPurpose), LastWord>,
    /// When they agreed explicitly.
    given_at: HashMap<Channel, DateTime<Utc>>,
}

impl Words {
    fn last(&self, channel: Channel, purpose: ConsentPurpose) -> Option<LastWord> {
        self.last.get(&(channel, purpose)).copied()
    }

    /// A refusal is over once the customer agreed explicitly to this business since; that they did not answer a notice is no such
    /// word.
    fn on(&self, channel: Channel, refused_at: Option<DateTime<Utc>>) -> Word {
        let given_at = self.given_at.get(&channel).copied();
        Word {
            has_refused: refused_at.is_some_and(|refused| given_at.is_none_or(|given| refused >= given)),
            consent: self.last(channel, ConsentPurpose::Marketing),
        }
    }
}

/// What they wrote into the ledger, or had written there. A few lines each, so they are read as they stand.
async fn words(
    conn: &mut PgConnection,
    messages: &[Addressee],
) -> sqlx::Result<HashMap<(BusinessId, i64), Words>> {
    let customers: HashSet<(i64, i64)> =
        messages.iter().filter_map(|message| Some((message.business.0, message.customer?))).collect();
    let (businesses, customers): (Vec<i64>, Vec<i64>) = customers.into_iter().unzip();
    // `offset 0`: one after another, instead of all the ledger for some of it.
    let lines = sqlx::query!(
        r#"select asked.business_id as "business!: BusinessId", asked.customer_id as "customer!",
                  said.channel as "channel!: Channel", said.purpose as "purpose!: ConsentPurpose", said.act as "act!: Act",
                  said.acted_at as "acted_at!"
           from unnest($1::bigint[], $2::bigint[]) as asked (business_id, customer_id)
           cross join lateral (
               select c.channel, c.purpose, c.act, c.acted_at, c.consent_id from messaging.consent c
               where c.business_id = asked.business_id and c.customer_id = asked.customer_id
               offset 0) said
           order by said.acted_at, said.consent_id"#,
        &businesses,
        &customers,
    )
    .fetch_all(conn)
    .await?;
    let mut words: HashMap<(BusinessId, i64), Words> = HashMap::with_capacity(businesses.len());
    for line in lines {
        let said = words.entry((line.business, line.customer)).or_default();
        if line.purpose == ConsentPurpose::Marketing && line.act == Act::Given {
            said.given_at.insert(line.channel, line.acted_at);
        }
        said.last.insert((line.channel, line.purpose), LastWord { act: line.act, acted_at: line.acted_at });
    }
    Ok(words)
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
