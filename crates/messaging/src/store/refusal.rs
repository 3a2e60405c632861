//! `messaging.refusal`: numbers and addresses that want no advertising, whoever they belong to.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use super::{column, consent::Refusing};
use crate::{Channel, channel::Provider, consent::Source};

/// A contact refuses. What it refused before and later stays refused.
pub(crate) async fn add(
    conn: &mut PgConnection,
    refusing: &Refusing<'_>,
    source: Source,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.refusal as known (business_id, channel, contact_hash, refused_at, source)
         values ($1, $2, $3, $4, $5)
         on conflict (business_id, channel, contact_hash) do update
         set refused_at = excluded.refused_at, source = excluded.source
         where known.refused_at < excluded.refused_at",
        refusing.business.0,
        refusing.channel as Channel,
        refusing.contact_hash,
        at,
        source as Source,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Since when these contacts refuse what a business says, for itself or as everybody's.
pub(crate) async fn of_contacts(
    conn: &mut PgConnection,
    business: BusinessId,
    contacts: &[(Channel, Vec<u8>)],
) -> sqlx::Result<HashMap<Channel, DateTime<Utc>>> {
    let rows = sqlx::query!(
        r#"select asked.channel as "channel!: Channel", max(refused_at) as "refused_at!"
           from unnest($2::text[], $3::bytea[]) as asked (channel, contact_hash)
           join messaging.refusal known
               on known.channel = asked.channel and known.contact_hash = asked.contact_hash
           where known.business_id in ($1, 0)
           group by asked.channel"#,
        business.0,
        &column(contacts, |(channel, _)| *channel) as &[Channel],
        &column(contacts, |(_, hash)| hash.clone()),
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.channel, row.refused_at)).collect())
}

/// Whose own a refusal line is or was: whoever calls it refuses what they have in hand.
pub(crate) async fn owners_of_line(conn: &mut PgConnection, number: &str) -> sqlx::Result<Vec<BusinessId>> {
    sqlx::query_scalar!(
        r#"select business_id as "id: BusinessId" from messaging.refusal_line where line = $1"#,
        number,
    )
    .fetch_all(conn)
    .await
}

/// What an opt-out link was in.
pub(crate) struct Linked {
    pub business: BusinessId,
    pub channel: Channel,
    pub contact_hash: Vec<u8>,
    pub customer: Option<i64>,
}

impl Linked {
    pub(crate) fn refusing(&self) -> Refusing<'_> {
        Refusing {
            business: self.business,
            channel: self.channel,
            contact_hash: &self.contact_hash,
            customer: self.customer,
        }
    }
}

pub(crate) async fn linked(conn: &mut PgConnection, digest: &[u8]) -> sqlx::Result<Option<Linked>> {
    sqlx::query_as!(
        Linked,
        r#"select business_id as "business: BusinessId", channel as "channel: Channel", contact_hash,
                  customer_id as customer
           from messaging.message where opt_out_digest = $1"#,
        digest,
    )
    .fetch_optional(conn)
    .await
}

/// From when on a provider's list is to be read, if its turn has come; then not again before `again`.
pub(crate) async fn begin_reading(
    conn: &mut PgConnection,
    provider: Provider,
    now: DateTime<Utc>,
    first: DateTime<Utc>,
    again: DateTime<Utc>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "insert into messaging.refusal_reading as known (provider, read_until, due_at) values ($1, $3, $4)
         on conflict (provider) do update set due_at = excluded.due_at where known.due_at <= $2
         returning read_until",
        provider as Provider,
        now,
        first,
        again,
    )
    .fetch_optional(conn)
    .await
}

pub(crate) async fn end_reading(
    conn: &mut PgConnection,
    provider: Provider,
    until: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.refusal_reading set read_until = greatest(read_until, $2) where provider = $1",
        provider as Provider,
        until,
    )
    .execute(conn)
    .await?;
    Ok(())
}
