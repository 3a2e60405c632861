//! Reacting to events: each exactly once, in the order in which their transactions were begun.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use kernel::BusinessId;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::{PgPool, error::DatabaseError};

use super::EventId;
use crate::SystemTx;

/// How many events are dealt with in one transaction, and then the rest of those that the last one was published with.
const BATCH: i64 = 1_000;

/// How many transactions may pass before it is remembered that nothing came of them.
const REMEMBER_EVERY: u64 = 1_000;

/// Somebody who reacts to events. The name is that of its row in `platform.event_consumer`, which a migration of its context made.
#[derive(Clone, Copy, Debug)]
pub struct Consumer {
    pub name: &'static str,
    /// What it wants to hear of: `payment` as in `payment.succeeded`.
    pub nouns: &'static [&'static str],
}

/// An event, for whoever reacts to it.
#[derive(Clone, Debug)]
pub struct Happened {
    pub id: EventId,
    pub business: BusinessId,
    pub kind: String,
    pub at: DateTime<Utc>,
    /// Events of one transaction share it.
    pub transaction: String,
    pub data: Value,
}

impl Happened {
    /// Its facts. One that says something else than its consumer expects is passed over: a later version, or a
    /// mistake, must not hold up all that comes behind.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(&self.data)
            // What serde says of it quotes the event, and events name people.
            .inspect_err(|_| tracing::error!(event = %self.id, kind = self.kind, "an event cannot be read; passed over"))
            .ok()
    }
}

/// What a consumer does with a batch, inside the transaction that also remembers that it was done.
pub type Reaction<'a> =
    &'a (dyn for<'t> Fn(&'t mut SystemTx, &'t [Happened]) -> BoxFuture<'t, sqlx::Result<()>> + Sync);

/// How a consumer stands.
#[derive(Clone, Debug)]
pub struct Lag {
    pub consumer: &'static str,
    /// How old the oldest event is that it has not dealt with; zero if there is none.
    pub seconds: f64,
}

impl Consumer {
    /// Deals with the next events and answers with how many they were: there may be more, unless it is 0. Events of one
    /// transaction are dealt with together. Nothing is done twice: what the reaction writes is committed together with how far
    /// the consumer has come. One process at a time; to another the answer is 0 at once.
    ///
    /// Events that cannot be dealt with together are halved until the one is found that is to blame, and passed over.
    pub async fn consume(&self, db: &PgPool, react: Reaction<'_>) -> sqlx::Result<usize> {
        let (mut dealt_with, mut suspects, mut at_most) = (0, 0_usize, None);
        loop {
            match self.consume_batch(db, react, at_most).await {
                Ok(some) => {
                    dealt_with += some;
                    suspects = if some == 0 { 0 } else { suspects.saturating_sub(some) };
                    if suspects == 0 {
                        return Ok(dealt_with);
                    }
                }
                Err(Failure { error, events }) if is_about_the_data(&error) && events > 0 => {
                    if events == 1 {
                        return Ok(dealt_with + self.pass_over(db, &error).await?);
                    }
                    if suspects == 0 {
                        let (code, constraint) = what_of(&error);
                        tracing::warn!(
                            code,
                            constraint,
                            consumer = self.name,
                            events,
                            "one of some events cannot be dealt with"
                        );
                    }
                    suspects = events;
                }
                Err(Failure { error, .. }) => return Err(error),
            }
            at_most = Some(i64::try_from(suspects / 2).unwrap_or(BATCH).max(1));
        }
    }

    /// `at_most` so many, which may be a part of what a transaction published; else a whole batch.
    async fn consume_batch(
        &self,
        db: &PgPool,
        react: Reaction<'_>,
        at_most: Option<i64>,
    ) -> Result<usize, Failure> {
        let mut tx = SystemTx::begin(db).await?;
        let dealt_with = self.consume_in(&mut tx, react, at_most).await;
        match &dealt_with {
            Ok(events) => tx.commit().await.map_err(|error| Failure { error, events: *events })?,
            // A lock that is only dropped is let go when its connection gets round to it.
            Err(_) => tx.rollback().await?,
        }
        dealt_with
    }

    async fn consume_in(
        &self,
        tx: &mut SystemTx,
        react: Reaction<'_>,
        at_most: Option<i64>,
    ) -> Result<usize, Failure> {
        let Some(position) = self.position(tx).await? else { return Ok(0) };
        let limit = at_most.unwrap_or(BATCH);
        let mut events = self.events_behind(tx, &position, limit).await?;
        let is_all = i64::try_from(events.len()).unwrap_or(i64::MAX) < limit;
        if let Some(last) = events.last()
            && !is_all
            && at_most.is_none()
        {
            let rest = self.rest_of_transaction(tx, last).await?;
            events.extend(rest);
        }
        if !events.is_empty() {
            react(tx, &events).await.map_err(|error| Failure { error, events: events.len() })?;
        }
        // What does not interest this consumer must not be looked through again and again.
        match events.last() {
            Some(last) if !is_all => self.remember(tx, &last.transaction, last.id.0).await?,
            // Now and then is enough where nothing came: to look is a transaction itself, and would always find one more.
            _ if events.is_empty() && !position.is_worth_remembering() => {}
            _ => self.remember(tx, &position.horizon, 0).await?,
        }
        Ok(events.len())
    }

    /// The next event makes its consumer fail, whoever is to blame.
    async fn pass_over(&self, db: &PgPool, error: &sqlx::Error) -> sqlx::Result<usize> {
        let (code, constraint) = what_of(error);
        let mut tx = SystemTx::begin(db).await?;
        let Some(position) = self.position(&mut tx).await? else { return Ok(0) };
        let events = self.events_behind(&mut tx, &position, 1).await?;
        for event in &events {
            tracing::error!(
                event = %event.id, kind = event.kind, code, constraint, consumer = self.name,
                "an event cannot be dealt with; passed over"
            );
            self.remember(&mut tx, &event.transaction, event.id.0).await?;
        }
        tx.commit().await?;
        Ok(events.len())
    }

    /// How far it has come, locked; `None` while another process is at it. One that was cut off in the middle has the lock
    /// until its transaction is ended, so that is not left to the network.
    async fn position(&self, tx: &mut SystemTx) -> sqlx::Result<Option<Position>> {
        let position = sqlx::query!(
            r#"select xid::text as "xid!", event_id,
                      greatest(xid, pg_snapshot_xmin(pg_current_snapshot()))::text as "horizon!",
                      xid > pg_snapshot_xmax(pg_current_snapshot()) as "is_from_another_server!",
                      set_config('idle_in_transaction_session_timeout', '10s', true) as "timeout!"
               from platform.event_consumer where name = $1 for update skip locked"#,
            self.name,
        )
        .fetch_optional(&mut **tx)
        .await?;
        Ok(position.map(|row| {
            if row.is_from_another_server {
                // A dump that was restored elsewhere: transactions are counted anew there.
                tracing::error!(
                    consumer = self.name,
                    "events are those of another PostgreSQL; see docs/operations.md"
                );
            }
            Position { xid: row.xid, event_id: row.event_id, horizon: row.horizon }
        }))
    }

    async fn events_behind(
        &self,
        tx: &mut SystemTx,
        position: &Position,
        limit: i64,
    ) -> sqlx::Result<Vec<Happened>> {
        sqlx::query_as!(
            Happened,
            r#"select event_id as "id: EventId", business_id as "business: BusinessId", kind, occurred_at as at,
                      xid::text as "transaction!", data
               from platform.event
               where (xid, event_id) > ($1::text::xid8, $2) and xid < $3::text::xid8
                 and split_part(kind, '.', 1) = any($4)
               order by xid, event_id limit $5"#,
            position.xid,
            position.event_id,
            position.horizon,
            self.nouns as &[&str],
            limit,
        )
        .fetch_all(&mut **tx)
        .await
    }

    /// What else was published with an event, behind it.
    async fn rest_of_transaction(&self, tx: &mut SystemTx, event: &Happened) -> sqlx::Result<Vec<Happened>> {
        sqlx::query_as!(
            Happened,
            r#"select event_id as "id: EventId", business_id as "business: BusinessId", kind, occurred_at as at,
                      xid::text as "transaction!", data
               from platform.event
               where xid = $1::text::xid8 and event_id > $2 and split_part(kind, '.', 1) = any($3)
               order by event_id"#,
            event.transaction,
            event.id.0,
            self.nouns as &[&str],
        )
        .fetch_all(&mut **tx)
        .await
    }

    async fn remember(&self, tx: &mut SystemTx, xid: &str, event_id: i64) -> sqlx::Result<()> {
        sqlx::query!(
            "update platform.event_consumer set xid = $2::text::xid8, event_id = $3 where name = $1",
            self.name,
            xid,
            event_id,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }

    /// Whether something was committed that this consumer has not dealt with yet, be it that an older
    /// transaction still runs.
    pub async fn is_behind(&self, db: &PgPool) -> sqlx::Result<bool> {
        let mut tx = SystemTx::begin(db).await?;
        sqlx::query_scalar!(
            r#"select exists (
                   select from platform.event, platform.event_consumer c
                   where c.name = $1 and (event.xid, event.event_id) > (c.xid, c.event_id)
                     and split_part(kind, '.', 1) = any($2)) as "is_behind!""#,
            self.name,
            self.nouns as &[&str],
        )
        .fetch_one(&mut *tx)
        .await
    }

    /// How far it is behind.
    pub async fn lag(&self, db: &PgPool, now: DateTime<Utc>) -> sqlx::Result<Lag> {
        let mut tx = SystemTx::begin(db).await?;
        let oldest = sqlx::query_scalar!(
            "select event.occurred_at
             from platform.event_consumer c
             cross join lateral (
                 select occurred_at from platform.event
                 where (xid, event_id) > (c.xid, c.event_id) and split_part(kind, '.', 1) = any($2)
                 order by xid, event_id limit 1) event
             where c.name = $1",
            self.name,
            self.nouns as &[&str],
        )
        .fetch_optional(&mut *tx)
        .await?;
        let seconds = oldest.map_or(0.0, |oldest| (now - oldest).as_seconds_f64().max(0.0));
        Ok(Lag { consumer: self.name, seconds })
    }
}

/// Why some events were not dealt with, and how many they were.
struct Failure {
    error: sqlx::Error,
    events: usize,
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self { error, events: 0 }
    }
}

/// Where a consumer stands, and how far it may go.
struct Position {
    xid: String,
    event_id: i64,
    /// Every transaction before this one is over.
    horizon: String,
}

impl Position {
    fn is_worth_remembering(&self) -> bool {
        let number = |xid: &str| xid.parse::<u64>().unwrap_or(0);
        number(&self.horizon).saturating_sub(number(&self.xid)) > REMEMBER_EVERY
    }
}

/// A value or a constraint: the same events would fail again, and fail alone.
fn is_about_the_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| code.starts_with("22") || code.starts_with("23"))
        }
        sqlx::Error::Encode(_) | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => true,
        _ => false,
    }
}

/// As much of an error as can be logged: the database's words may quote somebody's.
fn what_of(error: &sqlx::Error) -> (Option<String>, Option<String>) {
    let error = error.as_database_error();
    let code = error.and_then(DatabaseError::code).map(Cow::into_owned);
    (code, error.and_then(DatabaseError::constraint).map(str::to_owned))
}
