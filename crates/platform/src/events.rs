//! What happened, for whoever wants to react to it.
//!
//! A context publishes an event in the transaction that made it true, so an event exists exactly if
//! its fact does. Whoever reacts must be ready to see one twice and recognises it by its id.

mod consume;

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use kernel::{BusinessId, KoreanTime};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
use tokio::sync::watch;
use utoipa::ToSchema;

pub use consume::{Consumer, Happened, Lag, Reaction};

/// That this process published something lately. Whoever wakes the consumers waits for it, so that it need not be said
/// by every transaction.
static PUBLISHED: LazyLock<watch::Sender<()>> = LazyLock::new(|| watch::Sender::new(()));

/// Changes whenever this process has written events. Their transaction may take a moment to commit, or fail.
pub fn published() -> watch::Receiver<()> {
    PUBLISHED.subscribe()
}

kernel::number_id!(
    /// Names one event; later events of a business have larger ids.
    EventId
);

/// A typed event of some context.
pub trait Event: Serialize {
    /// `noun.past_tense`, such as `payment.succeeded`.
    fn kind(&self) -> &'static str;
}

impl<E: Event> Event for &E {
    fn kind(&self) -> &'static str {
        E::kind(self)
    }
}

/// An event as it was recorded.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RecordedEvent {
    #[schema(example = 1)]
    pub id: EventId,
    /// What kind of thing happened.
    #[serde(rename = "type")]
    #[schema(example = "payment.succeeded")]
    pub kind: String,
    pub occurred_at: KoreanTime,
    /// The facts of this kind of event.
    #[schema(value_type = Object, example = json!({"paymentId": 101, "amount": 29000}))]
    pub data: Value,
}

/// Records that something happened to a business.
pub async fn publish(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    event: &impl Event,
) -> sqlx::Result<()> {
    publish_all(conn, now, &[(business, event)]).await
}

/// Records many things that happened, in this order, with one statement.
pub async fn publish_all(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    events: &[(BusinessId, impl Event)],
) -> sqlx::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let businesses: Vec<i64> = events.iter().map(|(business, _)| business.0).collect();
    let kinds: Vec<String> = events.iter().map(|(_, event)| event.kind().to_owned()).collect();
    let data: Vec<Value> = events
        .iter()
        .map(|(_, event)| serde_json::to_value(event))
        .collect::<Result<_, _>>()
        .map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query!(
        "insert into platform.event (business_id, kind, occurred_at, data)
         select business_id, kind, $4, data
         from unnest($1::bigint[], $2::text[], $3::jsonb[]) with ordinality as fresh (business_id, kind, data, position)
         order by position",
        &businesses,
        &kinds,
        &data,
        now,
    )
    .execute(conn)
    .await?;
    PUBLISHED.send_replace(());
    Ok(())
}

/// The events of a business about some nouns, `payment` as in `payment.succeeded`; newest first, up to `limit` of those
/// before `before`.
pub async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    nouns: &[&str],
    before: Option<EventId>,
    limit: i64,
) -> sqlx::Result<Vec<RecordedEvent>> {
    sqlx::query_as!(
        RecordedEvent,
        r#"select event_id as "id: EventId", kind, occurred_at as "occurred_at: KoreanTime", data
           from platform.event
           where business_id = $1 and split_part(kind, '.', 1) = any($2) and ($3::bigint is null or event_id < $3)
           order by event_id desc limit $4"#,
        business.0,
        nouns as &[&str],
        before.map(|id| id.0),
        limit,
    )
    .fetch_all(conn)
    .await
}
