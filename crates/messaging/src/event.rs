//! What messaging tells the rest of the platform. Nothing of it says who somebody is, or what was said.

use platform::events::Event;
use serde::Serialize;

use crate::{Channel, FailureClass, MessageId, Purpose};

/// An event of this context. The members of each variant are its published `data`.
///
/// That a message was sent or arrived is not told: there are many, and `messaging_read.message` shows them.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(crate) enum MessagingEvent {
    MessageFailed {
        message_id: MessageId,
        customer_id: Option<i64>,
        batch: Option<String>,
        channel: Channel,
        purpose: Purpose,
        reason: FailureClass,
    },
}

impl Event for MessagingEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::MessageFailed { .. } => "message.failed",
        }
    }
}
