//! What the platform tells everybody.

use kernel::BusinessId;
use platform::{
    SystemTx,
    events::{self, Event},
};
use serde::{Deserialize, Serialize};

use crate::{Notifications, NotificationsError, audience::PLATFORM};

/// It is an event like everything else that is told, so that one consumer writes all notifications, in one order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NoticePublished {
    pub title: String,
    pub message: String,
    pub link: Option<String>,
    /// The subject of the operator's token.
    pub published_by: Option<String>,
}

impl Event for NoticePublished {
    fn kind(&self) -> &'static str {
        "notice.published"
    }
}

impl Notifications {
    pub(crate) async fn publish_notice(&self, notice: &NoticePublished) -> Result<(), NotificationsError> {
        const NOBODYS: BusinessId = PLATFORM;
        let mut tx = SystemTx::begin(&self.db).await?;
        events::publish(&mut tx, NOBODYS, self.clock.now(), notice).await?;
        tx.commit().await?;
        Ok(())
    }
}
