//! What a business said, and what became of it.

use axum::extract::State;
use kernel::KoreanTime;
use platform::{
    CommonProblems, Data, InBusinessOrAdmin, Json, List, PageQuery, Path, Problem, Query, TenantCrm, TenantTx,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Channel, Content, MessageId, MessageStatus, Messaging, MessagingError, Purpose,
    channel::Kind,
    contact::masked,
    content::{content_purpose, recipient_purpose},
    store::{
        self,
        view::{MessageFilter, MessageRow},
    },
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessagePath {
    message_id: MessageId,
}

/// A message and its fate.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageView {
    message_id: MessageId,
    customer_id: Option<i64>,
    /// What it belongs to, such as a campaign.
    batch: Option<String>,
    channel: Channel,
    purpose: Purpose,
    status: MessageStatus,
    /// Why it failed (`BAD_NUMBER`, `BLOCKED`, ...) or was left out (`NO_CONSENT`, `REFUSED`, ...).
    #[schema(example = "NO_CONSENT")]
    reason: Option<String>,
    /// The carrier's own word.
    #[schema(example = "4000")]
    provider_code: Option<String>,
    /// In which form it arrived: a Kakao message that could not be delivered arrives as a text.
    delivered_by: Option<Kind>,
    /// Masked; null once it is old enough to be forgotten.
    #[schema(example = "010-****-5678")]
    recipient: Option<String>,
    /// What it said, label and all; null once it is forgotten.
    text: Option<String>,
    created_at: KoreanTime,
    sent_at: Option<KoreanTime>,
    /// When it arrived, failed or was left out.
    finished_at: Option<KoreanTime>,
}

impl MessageView {
    fn of(row: MessageRow, messaging: &Messaging) -> Result<Self, MessagingError> {
        let open = |sealed: Option<String>, purpose: String| {
            sealed.map(|sealed| messaging.vault.open(&purpose, &sealed)).transpose()
        };
        let recipient = open(row.recipient, recipient_purpose(row.id))?;
        let content = open(row.content, content_purpose(row.id))?;
        let content = content.as_ref().map(Content::from_sealed).transpose()?;
        Ok(Self {
            message_id: row.id,
            customer_id: row.customer,
            batch: row.batch,
            channel: row.channel,
            purpose: row.purpose,
            status: row.status,
            reason: row.reason,
            provider_code: row.provider_code,
            delivered_by: row.delivered_by,
            recipient: recipient.as_ref().map(masked),
            text: content.map(said),
            created_at: KoreanTime(row.created_at),
            sent_at: row.sent_at.map(KoreanTime),
            finished_at: row.finished_at.map(KoreanTime),
        })
    }
}

fn said(content: Content) -> String {
    match content {
        Content::Text(text) => text.text,
        Content::AlimTalk(talk) => talk.text,
        Content::Brand(brand) => brand.text,
        Content::Mail(mail) => format!("{}\n\n{}", mail.subject, mail.text),
    }
}

/// Which messages are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageQuery {
    status: Option<MessageStatus>,
    channel: Option<Channel>,
    /// Those to one customer.
    #[param(example = 1)]
    customer_id: Option<i64>,
    /// Those that belong together, such as a campaign's.
    #[param(example = "campaign:1")]
    batch: Option<String>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// List the messages
///
/// The newest first.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/messages", operation_id = "listMessages", tag = "messaging",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), MessageQuery),
    responses(
        (status = 200, description = "A page of messages", body = List<MessageView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_messages(
    State(messaging): State<Messaging>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Query(query): Query<MessageQuery>,
) -> Result<Json<List<MessageView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let is_a_name =
        |batch: &String| (1..=100).contains(&batch.chars().count()) && !batch.contains(char::is_control);
    if !query.batch.as_ref().is_none_or(is_a_name) || query.customer_id.is_some_and(|id| id < 1) {
        return Err(Problem::bad_request("INVALID_PARAMETER", "조회 조건이 올바르지 않습니다."));
    }
    let filter = MessageFilter {
        only: None,
        batch: query.batch,
        customer: query.customer_id,
        channel: query.channel,
        status: query.status,
        before: page.after()?,
        limit: limit + 1,
    };
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let rows = store::view::list(&mut tx, caller.business, &filter).await?;
    tx.commit().await?;
    let views: Vec<_> =
        rows.into_iter().map(|row| MessageView::of(row, &messaging)).collect::<Result<_, _>>()?;
    Ok(Json(List::cut(views, limit, |view| view.message_id)))
}

/// Get a message
///
/// By the id that the list shows: ids are random, so the example is nobody's.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/messages/{messageId}", operation_id = "getMessage", tag = "messaging",
    security(("bearer" = [])),
    params(
        ("businessId" = i64, Path, example = 1),
        ("messageId" = MessageId, Path, example = "msg_0199f6b2c0de7a52a0f1d2c3b4a59687"),
    ),
    responses(
        (status = 200, description = "The message", body = Data<MessageView>),
        (status = 404, description = "`NOT_FOUND`: no such message, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_message(
    State(messaging): State<Messaging>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Path(path): Path<MessagePath>,
) -> Result<Json<Data<MessageView>>, Problem> {
    let filter = MessageFilter {
        only: Some(path.message_id),
        batch: None,
        customer: None,
        channel: None,
        status: None,
        before: None,
        limit: 1,
    };
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let mut rows = store::view::list(&mut tx, caller.business, &filter).await?;
    tx.commit().await?;
    let row = rows.pop().ok_or(MessagingError::NotFound)?;
    Ok(Data::json(MessageView::of(row, &messaging)?))
}
