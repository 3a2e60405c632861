//! Messages of which nobody will ever know whether they were sent: a mail whose last answer got lost.

use axum::extract::State;
use kernel::{BusinessId, KoreanTime};
use platform::{
    BodyProblems, CommonProblems, Data, Json, List, PageQuery, PlatformAdmin, Problem, Query, SystemTx,
    TenantTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Channel, MessageId, MessageStatus, Messaging, MessagingError, Purpose,
    message::MessageMove,
    store::{self, message::LostRow},
};

/// A message that got lost from sight. Whom it went to and what it said is not told.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LostMessage {
    message_id: MessageId,
    #[schema(example = 1)]
    business_id: BusinessId,
    channel: Channel,
    purpose: Purpose,
    /// When it was handed over, or perhaps was.
    asked_at: KoreanTime,
}

impl From<LostRow> for LostMessage {
    fn from(row: LostRow) -> Self {
        Self {
            message_id: row.id,
            business_id: row.business,
            channel: row.channel,
            purpose: row.purpose,
            asked_at: KoreanTime(row.asked_at),
        }
    }
}

/// What is done about it.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum LostResolution {
    /// Sent again, at the risk that it arrives twice. A mail has the same Message-ID again, by which many programs show it once.
    Resend,
    /// Left as it is.
    Close,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "businessId": 1, "messageId": "msg_0199f6b2c0de7a52a0f1d2c3b4a59687", "resolution": "RESEND",
}))]
pub(crate) struct LostBody {
    business_id: BusinessId,
    message_id: MessageId,
    resolution: LostResolution,
}

/// List the messages that nobody can be asked about
///
/// The newest first.
#[utoipa::path(
    get, path = "/api/admin/messages/lost", operation_id = "listLostMessages", tag = "admin",
    security(("bearer" = [])), params(PageQuery),
    responses((status = 200, description = "A page of messages", body = List<LostMessage>), CommonProblems),
)]
pub(crate) async fn list_lost_messages(
    State(messaging): State<Messaging>,
    _: PlatformAdmin,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<LostMessage>>, Problem> {
    let (limit, before) = (page.limit()?, page.after()?);
    let mut tx = SystemTx::begin(&messaging.db).await?;
    let lost = store::message::lost(&mut tx, before, limit + 1).await?;
    tx.commit().await?;
    let lost = lost.into_iter().map(LostMessage::from).collect();
    Ok(Json(List::cut(lost, limit, |message: &LostMessage| message.message_id)))
}

/// Decide about a message that nobody can be asked about
///
/// After a look at the mail server's log.
#[utoipa::path(
    post, path = "/api/admin/messages/lost/resolve", operation_id = "resolveLostMessage", tag = "admin",
    security(("bearer" = [])), request_body = LostBody,
    responses(
        (status = 200, description = "As it stands now: `QUEUED`, or `FAILED`", body = Data<MessageStatus>),
        (status = 404, description = "`NOT_FOUND`: no such message, or it is not lost", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn resolve_lost_message(
    State(messaging): State<Messaging>,
    _: PlatformAdmin,
    Json(body): Json<LostBody>,
) -> Result<Json<Data<MessageStatus>>, Problem> {
    let wanted = match body.resolution {
        LostResolution::Resend => MessageMove::PutBack,
        LostResolution::Close => MessageMove::Fail,
    };
    let status = MessageStatus::Unknown.after(wanted).map_err(MessagingError::from)?;
    let mut tx = TenantTx::begin(&messaging.db, body.business_id).await?;
    let now = messaging.clock.now();
    if !store::message::resolve_lost(&mut tx, body.business_id, body.message_id, status, now).await? {
        return Err(MessagingError::NotFound.into());
    }
    tx.commit().await?;
    Ok(Data::json(status))
}
