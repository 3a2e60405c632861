//! What is said again and again.

use std::collections::BTreeMap;

use axum::{extract::State, http::StatusCode};
use kernel::{BusinessId, KoreanTime};
use platform::{
    BodyProblems, CommonProblems, Data, InBusiness, InBusinessOrAdmin, Json, List, PageQuery, Path, Problem,
    Query, TenantCrm, TenantTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::consents::line;
use crate::{
    Channel, Content, Messaging, MessagingError, Purpose,
    channel::Kind,
    store::{
        self,
        template::{Template, TemplateFacts, TemplateId},
    },
    template,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TemplatePath {
    template_id: TemplateId,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageTemplate {
    #[schema(example = 1)]
    template_id: TemplateId,
    #[schema(example = "재방문 안내")]
    name: String,
    channel: Channel,
    purpose: Purpose,
    /// Of a mail.
    subject: Option<String>,
    #[schema(example = "{{customerName}}님, 다시 뵙고 싶어요.")]
    body: String,
    /// The code under which Kakao approved this text as AlimTalk.
    kakao_code: Option<String>,
    created_at: KoreanTime,
    changed_at: KoreanTime,
}

impl From<Template> for MessageTemplate {
    fn from(template: Template) -> Self {
        Self {
            template_id: template.id,
            name: template.name,
            channel: template.channel,
            purpose: template.purpose,
            subject: template.subject,
            body: template.body,
            kakao_code: template.kakao_code,
            created_at: KoreanTime(template.created_at),
            changed_at: KoreanTime(template.changed_at),
        }
    }
}

/// A template. `{{customerName}}`, `{{businessName}}`, `{{lastVisitDate}}`, `{{couponName}}`, `{{couponCode}}`,
/// `{{couponValidUntil}}`, `{{visitDate}}` and `{{link}}` are filled in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "재방문 안내", "channel": "SMS", "purpose": "ADVERTISING", "body": "{{customerName}}님, 다시 뵙고 싶어요. {{link}}",
}))]
pub(crate) struct MessageTemplateBody {
    #[schema(min_length = 1, max_length = 50)]
    name: String,
    channel: Channel,
    purpose: Purpose,
    /// Of a mail, required; of others none.
    #[schema(max_length = 100)]
    subject: Option<String>,
    #[schema(min_length = 1, max_length = 5_000)]
    body: String,
    /// Required for KAKAO with INFORMATION, which is AlimTalk; of others none.
    #[schema(max_length = 50)]
    kakao_code: Option<String>,
}

/// What is to be looked at.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"channel": "SMS", "purpose": "ADVERTISING", "body": "{{customerName}}님, 다시 뵙고 싶어요."}))]
pub(crate) struct MessagePreviewBody {
    channel: Channel,
    purpose: Purpose,
    #[schema(max_length = 100)]
    subject: Option<String>,
    #[schema(min_length = 1, max_length = 5_000)]
    body: String,
}

/// A message as somebody would read it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessagePreview {
    /// With sample values, and in an advertisement with all that the law wants.
    text: String,
    subject: Option<String>,
    /// In which form it goes out.
    kind: Kind,
    /// In CP949, as the carriers count; null where a character cannot be sent.
    #[schema(example = 87)]
    bytes: Option<usize>,
    /// How many bytes this form holds; null where bytes are not what counts.
    #[schema(example = 90)]
    most_bytes: Option<usize>,
    /// Characters that a text message cannot carry, such as emoji.
    #[schema(example = json!(["🎉"]))]
    unsendable: Vec<String>,
    /// Why it could not be sent like this: `TOO_LONG`, `CHARSET`, `SENDER_NOT_READY`.
    reason: Option<&'static str>,
    /// The places that it has.
    variables: Vec<String>,
    /// What one costs, won; null where that is not configured.
    #[schema(example = 18)]
    price: Option<u32>,
}

/// List the templates
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/message-templates", operation_id = "listMessageTemplates", tag = "messaging",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), PageQuery),
    responses(
        (status = 200, description = "A page of templates", body = List<MessageTemplate>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_message_templates(
    State(messaging): State<Messaging>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<MessageTemplate>>, Problem> {
    let limit = page.limit()?;
    let before = page.after()?.map(TemplateId);
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let templates = store::template::list(&mut tx, caller.business, None, before, limit + 1).await?;
    tx.commit().await?;
    let templates = templates.into_iter().map(MessageTemplate::from).collect();
    Ok(Json(List::cut(templates, limit, |template: &MessageTemplate| template.template_id)))
}

/// Get a template
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/message-templates/{templateId}", operation_id = "getMessageTemplate", tag = "messaging",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("templateId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "The template", body = Data<MessageTemplate>),
        (status = 404, description = "`NOT_FOUND`: no such template, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_message_template(
    State(messaging): State<Messaging>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Path(path): Path<TemplatePath>,
) -> Result<Json<Data<MessageTemplate>>, Problem> {
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let template = one(&mut tx, caller.business, path.template_id).await?;
    tx.commit().await?;
    Ok(Data::json(template.into()))
}

/// Add a template
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/message-templates", operation_id = "createMessageTemplate", tag = "messaging",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = MessageTemplateBody,
    responses(
        (status = 201, description = "Added", body = Data<MessageTemplate>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`TEMPLATE_EXISTS`: another one has this name", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn create_message_template(
    State(messaging): State<Messaging>,
    caller: InBusiness<TenantCrm>,
    Json(body): Json<MessageTemplateBody>,
) -> Result<(StatusCode, Json<Data<MessageTemplate>>), Problem> {
    let facts = read(body)?;
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let id = store::template::insert(&mut tx, caller.business, &facts, messaging.clock.now()).await?;
    let id = id.ok_or(MessagingError::TemplateExists)?;
    let template = one(&mut tx, caller.business, id).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Data::json(template.into())))
}

/// Change a template
///
/// What was sent already said what it said.
#[utoipa::path(
    put, path = "/api/businesses/{businessId}/message-templates/{templateId}", operation_id = "changeMessageTemplate", tag = "messaging",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("templateId" = i64, Path, example = 1)),
    request_body = MessageTemplateBody,
    responses(
        (status = 200, description = "Changed", body = Data<MessageTemplate>),
        (status = 404, description = "`NOT_FOUND`: no such template, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`TEMPLATE_EXISTS`: another one has this name", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn change_message_template(
    State(messaging): State<Messaging>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<TemplatePath>,
    Json(body): Json<MessageTemplateBody>,
) -> Result<Json<Data<MessageTemplate>>, Problem> {
    let facts = read(body)?;
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let now = messaging.clock.now();
    let updated = store::template::update(&mut tx, caller.business, path.template_id, &facts, now).await;
    match updated {
        Ok(true) => {}
        Ok(false) => return Err(MessagingError::NotFound.into()),
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            return Err(MessagingError::TemplateExists.into());
        }
        Err(error) => return Err(error.into()),
    }
    let template = one(&mut tx, caller.business, path.template_id).await?;
    tx.commit().await?;
    Ok(Data::json(template.into()))
}

/// Delete a template
#[utoipa::path(
    delete, path = "/api/businesses/{businessId}/message-templates/{templateId}", operation_id = "deleteMessageTemplate", tag = "messaging",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("templateId" = i64, Path, example = 1)),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "`NOT_FOUND`: no such template, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn delete_message_template(
    State(messaging): State<Messaging>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<TemplatePath>,
) -> Result<StatusCode, Problem> {
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    if !store::template::delete(&mut tx, caller.business, path.template_id).await? {
        return Err(MessagingError::NotFound.into());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// See a message before anybody gets it
///
/// With sample values, with what the law puts into an advertisement, and how long it is. Nothing is stored or sent.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/message-templates/preview", operation_id = "previewMessage", tag = "messaging",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = MessagePreviewBody,
    responses(
        (status = 200, description = "As somebody would read it", body = Data<MessagePreview>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn preview_message(
    State(messaging): State<Messaging>,
    caller: InBusiness<TenantCrm>,
    Json(body): Json<MessagePreviewBody>,
) -> Result<Json<Data<MessagePreview>>, Problem> {
    is_no_sample(body.purpose)?;
    let said = checked_text(&body.body)?;
    let subject = line(body.subject, "subject", 100)?;
    template::check("subject", subject.as_deref().unwrap_or_default())?;
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let name = store::sender::profiles(&mut tx, &[caller.business.0]).await?.remove(&caller.business);
    let mut values: BTreeMap<&str, String> =
        template::VARIABLES.iter().map(|(name, sample)| (*name, (*sample).to_owned())).collect();
    values.extend(name.map(|profile| ("businessName", profile.name)));
    // All places have samples: unknown ones were refused above.
    let filled = |text: &str| template::fill(text, &values).unwrap_or_else(|_| text.to_owned());
    let text = filled(said);
    let subject = subject.as_deref().map(filled);
    let content = Content::written(body.channel, body.purpose, subject, text);
    let preview = messaging.preview(&mut tx, caller.business, body.channel, body.purpose, content).await?;
    tx.commit().await?;
    Ok(Data::json(MessagePreview {
        text: preview.text,
        subject: preview.subject,
        kind: preview.kind,
        bytes: preview.bytes,
        most_bytes: preview.most_bytes,
        unsendable: preview.unsendable.into_iter().map(String::from).collect(),
        reason: preview.reason,
        price: preview.price,
        variables: template::names(said).into_iter().map(str::to_owned).collect(),
    }))
}

fn checked_text(body: &str) -> Result<&str, Problem> {
    let said = body.trim();
    if said.is_empty() {
        return Err(Problem::invalid_field("body", "REQUIRED", "내용을 입력해 주세요."));
    }
    if said.chars().count() > 5_000 {
        return Err(Problem::invalid_field("body", "TOO_LONG", "5,000자 이하여야 합니다."));
    }
    template::check("body", said)?;
    Ok(said)
}

/// A sample is of an advertisement, which the template is of.
fn is_no_sample(purpose: Purpose) -> Result<(), Problem> {
    if purpose == Purpose::Sample {
        return Err(Problem::invalid_field(
            "purpose",
            "NOT_ALLOWED",
            "INFORMATION 또는 ADVERTISING이어야 합니다.",
        ));
    }
    Ok(())
}

fn read(body: MessageTemplateBody) -> Result<TemplateFacts, Problem> {
    is_no_sample(body.purpose)?;
    let name = line(Some(body.name), "name", 50)?;
    let name = name.ok_or_else(|| Problem::invalid_field("name", "REQUIRED", "이름을 입력해 주세요."))?;
    let said = checked_text(&body.body)?.to_owned();
    let subject = line(body.subject, "subject", 100)?;
    let kakao_code = line(body.kakao_code, "kakaoCode", 50)?;
    template::check("subject", subject.as_deref().unwrap_or_default())?;
    match (&subject, body.channel) {
        (None, Channel::Email) => {
            return Err(Problem::invalid_field("subject", "REQUIRED", "메일에는 제목이 필요합니다."));
        }
        (Some(_), Channel::Sms | Channel::Kakao) => {
            return Err(Problem::invalid_field(
                "subject",
                "NOT_ALLOWED",
                "제목은 메일에만 사용할 수 있습니다.",
            ));
        }
        _ => {}
    }
    let is_alim_talk = body.channel == Channel::Kakao && body.purpose == Purpose::Information;
    match (&kakao_code, is_alim_talk) {
        (None, true) => {
            return Err(Problem::invalid_field(
                "kakaoCode",
                "REQUIRED",
                "알림톡에는 승인된 템플릿 코드가 필요합니다. 광고는 브랜드메시지로 보내 주세요.",
            ));
        }
        (Some(_), false) => {
            return Err(Problem::invalid_field(
                "kakaoCode",
                "NOT_ALLOWED",
                "템플릿 코드는 정보성 알림톡에만 사용할 수 있습니다.",
            ));
        }
        _ => {}
    }
    Ok(TemplateFacts { name, channel: body.channel, purpose: body.purpose, subject, body: said, kakao_code })
}

async fn one(tx: &mut TenantTx, business: BusinessId, id: TemplateId) -> Result<Template, Problem> {
    let mut found = store::template::list(tx, business, Some(id), None, 1).await?;
    Ok(found.pop().ok_or(MessagingError::NotFound)?)
}
