//! What goes over the wire. A notification is written as JSON once, however many are told of it.

use std::sync::OnceLock;

use axum::{body::Bytes, extract::ws::Utf8Bytes};
use serde::Serialize;

use crate::{NotificationId, NotificationType, notification::Notification};

/// A notification as it is sent.
#[derive(Debug)]
pub(crate) struct Frame {
    pub id: NotificationId,
    pub kind: NotificationType,
    /// As a WebSocket's text.
    pub text: Utf8Bytes,
    /// As a server-sent event.
    event: OnceLock<Bytes>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
enum Said<'a> {
    Connected { message: &'static str, unread_count: i64 },
    Notification { data: &'a Notification },
    Read { id: NotificationId, unread_count: i64 },
    Pong,
    Error { code: &'static str, message: &'static str },
}

impl Said<'_> {
    fn text(&self) -> Utf8Bytes {
        // Texts and numbers under known names always encode.
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

impl Frame {
    pub(crate) fn notification(notification: &Notification) -> Self {
        Self {
            id: notification.id,
            kind: notification.notification_type,
            text: Said::Notification { data: notification }.text(),
            event: OnceLock::new(),
        }
    }

    /// JSON has no line breaks, so it is one line of data.
    pub(crate) fn event(&self) -> Bytes {
        let written =
            || format!("event: NOTIFICATION\nid: {}\ndata: {}\n\n", self.id, self.text.as_str()).into();
        self.event.get_or_init(written).clone()
    }
}

/// The first frame.
pub(crate) fn connected(unread_count: i64) -> Utf8Bytes {
    Said::Connected { message: "알림 서버에 연결되었습니다.", unread_count }.text()
}

/// The answer to `READ`.
pub(crate) fn read(id: NotificationId, unread_count: i64) -> Utf8Bytes {
    Said::Read { id, unread_count }.text()
}

/// The answer to `PING`.
pub(crate) fn pong() -> Utf8Bytes {
    Said::Pong.text()
}

/// The answer to a frame of which nothing comes.
pub(crate) fn refused(code: &'static str, message: &'static str) -> Utf8Bytes {
    Said::Error { code, message }.text()
}
