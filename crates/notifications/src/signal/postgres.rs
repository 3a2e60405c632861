//! Signals over LISTEN and NOTIFY.
//!
//! Never one for each row: a transaction that notifies takes a lock at its commit that the whole server has one of. A
//! signal is a statement of its own, and whoever sends them sends one for many rows.

use std::{sync::Once, time::Duration};

use async_trait::async_trait;
use sqlx::{PgPool, postgres::PgListener};
use tokio::sync::watch;

use super::{Bells, Signal, Topic};

const PAUSE: Duration = Duration::from_secs(1);

pub struct PostgresSignal {
    db: PgPool,
    bells: Bells,
    /// A process in which nobody listens holds no connection for it.
    listening: Once,
}

impl PostgresSignal {
    pub fn new(db: PgPool) -> Self {
        Self { db, bells: Bells::default(), listening: Once::new() }
    }
}

#[async_trait]
impl Signal for PostgresSignal {
    async fn send(&self, topic: Topic) {
        let sent = sqlx::query!("select pg_notify($1, '')", topic.name()).execute(&self.db).await;
        if let Err(error) = sent {
            tracing::warn!(%error, topic = topic.name(), "a signal was not sent; others look again within a second");
        }
    }

    fn listen(&self, topic: Topic) -> watch::Receiver<()> {
        self.listening.call_once(|| {
            tokio::spawn(listen(self.db.clone(), self.bells.clone()));
        });
        self.bells.of(topic).subscribe()
    }
}

/// Listens until the pool is closed. Comes back by itself after the database was away.
async fn listen(db: PgPool, bells: Bells) {
    loop {
        match listen_once(&db, &bells).await {
            Err(sqlx::Error::PoolClosed) => return,
            Err(error) => {
                tracing::warn!(%error, "not listening to the database; tried again in a second");
            }
            // The connection was lost.
            Ok(()) => {}
        }
        if db.is_closed() {
            return;
        }
        bells.ring_all();
        tokio::time::sleep(PAUSE).await;
    }
}

async fn listen_once(db: &PgPool, bells: &Bells) -> sqlx::Result<()> {
    let mut listener = PgListener::connect_with(db).await?;
    listener.listen_all(Topic::ALL.map(Topic::name)).await?;
    bells.ring_all();
    while let Some(signal) = listener.try_recv().await? {
        for topic in Topic::ALL.into_iter().filter(|topic| topic.name() == signal.channel()) {
            bells.ring(topic);
        }
    }
    Ok(())
}
