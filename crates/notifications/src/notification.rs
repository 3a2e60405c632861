//! A notification as it is stored and as it is shown.

use chrono::{DateTime, Utc};
use kernel::KoreanTime;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{NotificationType, audience::Audience};

kernel::number_id!(
    /// Names a notification; one that was told later has a larger id.
    NotificationId
);

impl Default for NotificationId {
    /// Before all others.
    fn default() -> Self {
        Self(0)
    }
}

/// What somebody is to be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NewNotification {
    pub audience: Audience,
    /// Whom of the business's customers it is about.
    pub customer: Option<i64>,
    pub kind: NotificationType,
    pub title: String,
    pub message: String,
    pub link: Option<String>,
    pub created_at: DateTime<Utc>,
}

/// What was told to an audience.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub audience: Audience,
    pub notification: Notification,
}

/// What somebody is told.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Notification {
    #[schema(example = 17)]
    pub id: NotificationId,
    pub notification_type: NotificationType,
    #[schema(example = "새 예약")]
    pub title: String,
    #[schema(example = "김민서님이 3월 14일(토) 10:00 여성 컷을 예약했습니다.")]
    pub message: String,
    /// A path of the frontend; null where there is nothing to be seen.
    #[schema(example = "/reservations/1")]
    pub link: Option<String>,
    pub created_at: KoreanTime,
}
