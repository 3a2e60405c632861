//! The one consumer that writes notifications down.

use std::time::Duration;

use platform::{
    SystemTx,
    events::{Consumer, Happened},
};
use tokio::time::Instant;

use crate::{
    Notifications, Topic,
    compose::{self, News},
    store,
};

/// As it is registered in this context's migrations.
pub const CONSUMER: Consumer = Consumer {
    name: "notifications",
    nouns: &["customer", "notice", "payment", "reminder", "reservation", "review", "subscription"],
};

/// How long a transaction that goes on is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

impl Notifications {
    /// Writes down what is to be told of the next events, and wakes those who show it. Answers with how many events that
    /// were: there may be more, unless it is 0.
    pub async fn react(&self) -> sqlx::Result<usize> {
        let reacted = CONSUMER.consume(&self.db, &|tx, events| Box::pin(write_down(tx, events))).await?;
        if reacted > 0 {
            crate::crash_point!("react::before_signal");
            self.signal.send(Topic::Notifications).await;
        }
        Ok(reacted)
    }

    /// The same until nothing is left that was committed before, which may take the patience to let an older
    /// transaction end or another process finish. For a clock that was moved, where everything has to be done by the answer.
    pub async fn react_to_all(&self) -> sqlx::Result<()> {
        let patience = Instant::now() + PATIENCE;
        loop {
            if self.react().await? > 0 {
                continue;
            }
            if !CONSUMER.is_behind(&self.db).await? || Instant::now() >= patience {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn write_down(tx: &mut SystemTx, events: &[Happened]) -> sqlx::Result<()> {
    let news: Vec<News> = events.iter().filter_map(News::read).collect();
    let customers = store::people::customers(tx, &compose::customers_in(&news)).await?;
    let businesses = store::people::business_names(tx, &compose::businesses_in(&news)).await?;
    let told = compose::compose(&news, &compose::People { customers, businesses });
    store::notification::insert(tx, &told).await?;
    // Behind the rest, which may be about the same person.
    for (business, customer) in compose::erased_in(&news) {
        store::forget_about(tx, business, customer).await?;
    }
    crate::crash_point!("react::before_commit");
    Ok(())
}
