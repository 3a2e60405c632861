//! What belongs together, such as a campaign: held, let go on and cancelled together.

use kernel::BusinessId;
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{Exclusion, Messaging, MessagingError, store};

/// Whether a batch may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BatchState {
    Open,
    /// Waits until somebody lets it go on.
    Held,
    /// For good.
    Cancelled,
}

impl Messaging {
    /// Nothing of it goes out until it is let go on; what is on its way arrives.
    pub async fn hold_batch(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        batch: &str,
    ) -> Result<BatchState, MessagingError> {
        let state = store::batch::set(conn, business, batch, BatchState::Held, self.clock.now()).await?;
        store::message::hold_batch(conn, business, batch).await?;
        Ok(state)
    }

    /// It goes on. What was cancelled does not, as the answer says.
    pub async fn resume_batch(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        batch: &str,
    ) -> Result<BatchState, MessagingError> {
        let now = self.clock.now();
        let state = store::batch::set(conn, business, batch, BatchState::Open, now).await?;
        store::message::resume_batch(conn, business, batch, now).await?;
        Ok(state)
    }

    /// What still waits of it is not sent any more; what is on its way arrives. Answers with how many were stopped so far: what
    /// is just being sent and does not get through is stopped when it comes back.
    pub async fn cancel_batch(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        batch: &str,
    ) -> Result<u64, MessagingError> {
        let now = self.clock.now();
        store::batch::set(conn, business, batch, BatchState::Cancelled, now).await?;
        let stopped = store::message::cancel_batch(conn, business, batch, now).await?;
        crate::judgement::count(Exclusion::Cancelled, stopped);
        Ok(stopped)
    }
}
