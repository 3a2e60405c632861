//! Tickets: what a browser connects with, since neither its WebSocket nor its event source can send a header.

use chrono::{DateTime, TimeDelta, Utc};
use platform::{Principal, SystemTx};
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    Notifications,
    audience::Reader,
    store::{self, ticket::StoredTicket},
};

/// How long a ticket is good, seconds.
pub(crate) const GOOD_FOR_SECONDS: i64 = 30;

impl Notifications {
    /// A ticket that is good once, at any process, and stands for its holder's token.
    pub(crate) async fn issue_ticket(
        &self,
        principal: &Principal,
        session_ends: DateTime<Utc>,
    ) -> sqlx::Result<SecretString> {
        // 244 random bits: the address that it stands in is logged by proxies, and useless half a minute later.
        let ticket = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let expires_at = self.clock.now() + TimeDelta::seconds(GOOD_FOR_SECONDS);
        let stored = StoredTicket { principal: principal.clone(), session_ends, expires_at };
        let mut tx = SystemTx::begin(&self.db).await?;
        store::ticket::insert(&mut tx, &platform::digest(ticket.as_bytes()), &stored).await?;
        tx.commit().await?;
        Ok(ticket.into())
    }

    /// Who comes with this ticket; `None` if it is used, too old or invented.
    pub(crate) async fn redeem_ticket(&self, ticket: &str) -> sqlx::Result<Option<Reader>> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let stored = store::ticket::take(&mut tx, &platform::digest(ticket.as_bytes())).await?;
        tx.commit().await?;
        let now = self.clock.now();
        let good = stored.filter(|ticket| ticket.expires_at >= now);
        Ok(good.map(|ticket| Reader::new(&ticket.principal, ticket.session_ends)))
    }
}
