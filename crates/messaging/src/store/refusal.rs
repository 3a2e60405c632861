//! `messaging.refusal`: numbers and addresses that want no advertising, whoever they belong to.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use super::column;
use crate::{Channel, channel::Provider, consent::Source};

/// These contacts refuse, as their carrier says.
pub(crate) async fn add_contacts(
    conn: &mut PgConnection,
    contacts: &[(i64, Channel, Vec<u8>)],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.refusal (business_id, channel, contact_hash, refused_at, source)
         select distinct business_id, channel, contact_hash, $4::timestamptz, 'PROVIDER_LIST'
         from unnest($1::bigint[], $2::text[], $3::bytea[]) as refused (business_id, channel, contact_hash)
         on conflict (business_id, channel, contact_hash) do update
         set refused_at = excluded.refused_at, source = excluded.source, lifted_at = null",
        &column(contacts, |(business, _, _)| *business),
        &column(contacts, |(_, channel, _)| *channel) as &[Channel],
        &column(contacts, |(_, _, hash)| hash.clone()),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A contact refuses. One that was heard of already stays as it is, unless it agreed again since.
pub(crate) async fn add(
    conn: &mut PgConnection,
    business: BusinessId,
    channel: Channel,
    contact_hash: &[u8],
    source: Source,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.refusal as known (business_id, channel, contact_hash, refused_at, source)
         values ($1, $2, $3, $4, $5)
         on conflict (business_id, channel, contact_hash) do update
         set refused_at = excluded.refused_at, source = excluded.source, lifted_at = null
         where known.lifted_at < excluded.refused_at",
        business.0,
        channel as Channel,
        contact_hash,
        at,
        source as Source,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The person behind it agreed anew to what this business says. What refuses everybody stays.
pub(crate) async fn lift(
    conn: &mut PgConnection,
    business: BusinessId,
    channel: Channel,
    contact_hash: &[u8],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update messaging.refusal set lifted_at = $4
         where business_id = $1 and channel = $2 and contact_hash = $3 and lifted_at is null",
        business.0,
        channel as Channel,
        contact_hash,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whose advertising a refusal line stands in; empty where nobody has it for their own.
pub(crate) async fn owners_of_line(conn: &mut PgConnection, number: &str) -> sqlx::Result<Vec<BusinessId>> {
    sqlx::query_scalar!(
        r#"select business_id as "id: BusinessId" from messaging.sender where refusal_number = $1"#,
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
}

pub(crate) async fn linked(conn: &mut PgConnection, digest: &[u8]) -> sqlx::Result<Option<Linked>> {
    sqlx::query_as!(
        Linked,
        r#"select business_id as "business: BusinessId", channel as "channel: Channel", contact_hash
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
