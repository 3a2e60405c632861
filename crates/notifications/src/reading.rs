//! What a person looks at: the list, the count, what they have read and how they want to be told.

use kernel::BusinessId;
use platform::{FieldError, UserTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Channel, NotificationType, Notifications, NotificationsError,
    audience::Reader,
    kind::Types,
    notification::{Notification, NotificationId},
    store::{
        self,
        reading::{ListFilter, Standing},
    },
};

/// Every type over every channel.
const PREFERENCES: usize = NotificationType::ALL.len() * Channel::ALL.len();

/// A notification in somebody's list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listed {
    /// Of which business it tells; null if the platform tells it.
    pub business_id: Option<BusinessId>,
    #[serde(flatten)]
    pub notification: Notification,
    pub read: bool,
}

/// Whether somebody wants to be told of something over a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Preference {
    pub notification_type: NotificationType,
    pub channel: Channel,
    pub enabled: bool,
}

impl Notifications {
    pub(crate) async fn reader_tx(&self, reader: &Reader) -> sqlx::Result<UserTx> {
        UserTx::begin(&self.db, &reader.user, &reader.businesses()).await
    }

    pub(crate) async fn count_unread(&self, reader: &Reader) -> sqlx::Result<i64> {
        let mut tx = self.reader_tx(reader).await?;
        let unread = standing(&mut tx, reader).await?.unread;
        tx.commit().await?;
        Ok(unread)
    }

    /// One entry more than `limit` if there is one.
    pub(crate) async fn list(
        &self,
        reader: &Reader,
        unread_only: bool,
        before: Option<NotificationId>,
        limit: i64,
    ) -> sqlx::Result<Vec<Listed>> {
        let mut tx = self.reader_tx(reader).await?;
        let muted = store::preference::muted(&mut tx, &reader.user).await?;
        let filter = ListFilter { unread_only, muted, before, limit: limit + 1 };
        let listed = store::reading::list(&mut tx, &reader.user, &reader.audiences, &filter).await?;
        tx.commit().await?;
        Ok(listed)
    }

    /// Answers with how many are left.
    pub(crate) async fn read_one(
        &self,
        reader: &Reader,
        id: NotificationId,
    ) -> Result<i64, NotificationsError> {
        let mut tx = self.reader_tx(reader).await?;
        if !store::reading::was_told(&mut tx, &reader.audiences, id).await? {
            return Err(NotificationsError::NotFound);
        }
        store::reading::mark_one(&mut tx, &reader.user, id).await?;
        let unread = standing(&mut tx, reader).await?.unread;
        tx.commit().await?;
        Ok(unread)
    }

    /// Reads everything, or everything up to the newest that somebody has seen. Answers with how many are left.
    pub(crate) async fn read_all(
        &self,
        reader: &Reader,
        seen: Option<NotificationId>,
    ) -> Result<i64, NotificationsError> {
        let mut tx = self.reader_tx(reader).await?;
        let newest = standing(&mut tx, reader).await?.newest;
        // What is yet to come is unread, whatever number is named.
        let up_to = seen.map_or(newest, |seen| seen.min(newest));
        store::reading::mark_up_to(&mut tx, &reader.user, up_to).await?;
        let unread = standing(&mut tx, reader).await?.unread;
        tx.commit().await?;
        Ok(unread)
    }

    /// What a person does not want to see.
    pub(crate) async fn muted(&self, reader: &Reader) -> sqlx::Result<Types> {
        let mut tx = self.reader_tx(reader).await?;
        let muted = store::preference::muted(&mut tx, &reader.user).await?;
        tx.commit().await?;
        Ok(muted)
    }

    /// Every type over every channel, as a person wants it.
    pub(crate) async fn preferences(&self, reader: &Reader) -> sqlx::Result<Vec<Preference>> {
        let mut tx = self.reader_tx(reader).await?;
        let said = store::preference::said(&mut tx, &reader.user).await?;
        tx.commit().await?;
        let of = |notification_type, channel| {
            let known = said
                .iter()
                .find(|said| said.notification_type == notification_type && said.channel == channel);
            known.copied().unwrap_or(Preference { notification_type, channel, enabled: true })
        };
        let types = NotificationType::ALL.into_iter();
        Ok(types.flat_map(|kind| Channel::ALL.map(|channel| of(kind, channel))).collect())
    }

    /// Changes those that are named. The screens of this process follow at once, others within a heartbeat.
    pub(crate) async fn prefer(
        &self,
        reader: &Reader,
        preferences: &[Preference],
    ) -> Result<(), NotificationsError> {
        if preferences.len() > PREFERENCES {
            return Err(NotificationsError::Invalid(vec![FieldError {
                field: "preferences".to_owned(),
                code: "TOO_MANY",
                message: "설정은 36개까지 보낼 수 있습니다.".to_owned(),
            }]));
        }
        let mut errors = Vec::new();
        for (position, wanted) in preferences.iter().enumerate() {
            let same = |other: &Preference| {
                (other.notification_type, other.channel) == (wanted.notification_type, wanted.channel)
            };
            let refused = |code, message: &str| FieldError {
                field: format!("preferences[{position}]"),
                code,
                message: message.to_owned(),
            };
            if preferences[..position].iter().any(same) {
                errors.push(refused("DUPLICATE", "같은 설정이 두 번 들어 있습니다."));
            }
            if (wanted.notification_type, wanted.channel, wanted.enabled)
                == (NotificationType::System, Channel::InApp, false)
            {
                errors.push(refused("ALWAYS_ON", "시스템 공지는 끌 수 없습니다."));
            }
        }
        if !errors.is_empty() {
            return Err(NotificationsError::Invalid(errors));
        }
        let mut tx = self.reader_tx(reader).await?;
        store::preference::say(&mut tx, &reader.user, preferences).await?;
        let muted = store::preference::muted(&mut tx, &reader.user).await?;
        tx.commit().await?;
        self.hub.mute(&reader.user, muted);
        Ok(())
    }
}

/// Where a person stands now.
async fn standing(tx: &mut UserTx, reader: &Reader) -> sqlx::Result<Standing> {
    store::reading::standing(tx, &reader.user, &reader.audiences).await
}
