//! Who a business is when it writes.

use axum::extract::State;
use kernel::{BusinessId, KoreanTime};
use platform::{
    BodyProblems, CommonProblems, Data, FieldError, InBusiness, InBusinessOrAdmin, Json, List, PageQuery,
    PlatformAdmin, Problem, Query, SystemTx, TenantCrm, TenantTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::consents::line;
use crate::{
    Messaging, MessagingError, PlatformSender,
    store::{
        self,
        sender::{Numbers, Wanted},
    },
};

/// Who a business is when it writes. What it did not say is the platform's.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageSender {
    #[schema(example = 1)]
    business_id: BusinessId,
    #[schema(example = "미소헤어")]
    name: String,
    /// 발신번호.
    #[schema(example = "0231234567")]
    phone: Option<String>,
    /// 080 number where advertising is refused.
    #[schema(example = "0801234567")]
    refusal_number: Option<String>,
    /// The Kakao channel as the carrier names it.
    kakao_channel: Option<String>,
    /// What stands behind the name in advertisements, where it is another than the sender number.
    contact: Option<String>,
    /// When an operator approved the numbers and the channel; until then the platform's are used in their place.
    approved_at: Option<KoreanTime>,
    /// Whether advertising by text can be sent: there is a number to send from and one to refuse at.
    may_advertise: bool,
}

/// Numbers however they are written; null is the platform's.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"phone": "02-3123-4567", "refusalNumber": "080-123-4567", "contact": "02-3123-4567"}))]
pub(crate) struct MessageSenderBody {
    phone: Option<String>,
    refusal_number: Option<String>,
    #[schema(max_length = 100)]
    kakao_channel: Option<String>,
    #[schema(max_length = 60)]
    contact: Option<String>,
}

/// What an operator saw and found to be the business's: exactly this is approved.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"businessId": 1, "phone": "0231234567", "refusalNumber": "0801234567"}))]
pub(crate) struct ApprovalBody {
    business_id: BusinessId,
    phone: Option<String>,
    refusal_number: Option<String>,
    #[schema(max_length = 100)]
    kakao_channel: Option<String>,
}

/// Who the business is when it writes
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/message-sender", operation_id = "getMessageSender", tag = "messaging",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "The sender", body = Data<MessageSender>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_message_sender(
    State(messaging): State<Messaging>,
    caller: InBusinessOrAdmin<TenantCrm>,
) -> Result<Json<Data<MessageSender>>, Problem> {
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let wanted = wanted(&mut tx, caller.business).await?;
    tx.commit().await?;
    Ok(Data::json(shown(&messaging, wanted)))
}

/// Say who the business is when it writes
///
/// A sender number has to be registered with the carrier first (발신번호 사전등록), or everything from it is refused. Numbers
/// and the Kakao channel are used once an operator approved them; a change waits for that again.
#[utoipa::path(
    put, path = "/api/businesses/{businessId}/message-sender", operation_id = "setMessageSender", tag = "messaging",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = MessageSenderBody,
    responses(
        (status = 200, description = "The sender", body = Data<MessageSender>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: `THE_PLATFORMS` for what is the platform's own", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn set_message_sender(
    State(messaging): State<Messaging>,
    caller: InBusiness<TenantCrm>,
    Json(body): Json<MessageSenderBody>,
) -> Result<Json<Data<MessageSender>>, Problem> {
    let numbers = read(body.phone, body.refusal_number, body.kakao_channel, &messaging.settings.sender)?;
    let contact = line(body.contact, "contact", 60)?;
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let before = wanted(&mut tx, caller.business).await?;
    let approved_at = before.approved_at.filter(|_| before.numbers == numbers);
    let now = Wanted { numbers, contact, approved_at, ..before };
    store::sender::put(&mut tx, &now, messaging.clock.now()).await?;
    tx.commit().await?;
    Ok(Data::json(shown(&messaging, now)))
}

/// List the businesses whose numbers wait for an approval
#[utoipa::path(
    get, path = "/api/admin/message-senders", operation_id = "listMessageSendersToApprove", tag = "admin",
    security(("bearer" = [])), params(PageQuery),
    responses((status = 200, description = "A page of senders", body = List<MessageSender>), CommonProblems),
)]
pub(crate) async fn list_message_senders(
    State(messaging): State<Messaging>,
    _: PlatformAdmin,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<MessageSender>>, Problem> {
    let (limit, behind) = (page.limit()?, page.after()?.map(BusinessId));
    let mut tx = SystemTx::begin(&messaging.db).await?;
    let wanted = store::sender::wanted(&mut tx, None, behind, limit + 1).await?;
    tx.commit().await?;
    let senders = wanted.into_iter().map(|wanted| shown(&messaging, wanted)).collect();
    Ok(Json(List::cut(senders, limit, |sender: &MessageSender| sender.business_id)))
}

/// Approve a business's numbers and channel
///
/// After looking at the papers: they are the business's, and registered with the carrier. From now on it writes from them.
#[utoipa::path(
    post, path = "/api/admin/message-senders/approve", operation_id = "approveMessageSender", tag = "admin",
    security(("bearer" = [])), request_body = ApprovalBody,
    responses(
        (status = 200, description = "Approved", body = Data<MessageSender>),
        (status = 404, description = "`NOT_FOUND`: no such business", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`SENDER_CHANGED`: it wants something else by now; `SENDER_TAKEN`: another business has one of these", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn approve_message_sender(
    State(messaging): State<Messaging>,
    _: PlatformAdmin,
    Json(body): Json<ApprovalBody>,
) -> Result<Json<Data<MessageSender>>, Problem> {
    let numbers = read(body.phone, body.refusal_number, body.kakao_channel, &messaging.settings.sender)?;
    let mut tx = TenantTx::begin(&messaging.db, body.business_id).await?;
    let before = wanted(&mut tx, body.business_id).await?;
    if before.numbers != numbers || numbers.is_empty() {
        return Err(MessagingError::SenderChanged.into());
    }
    let now = messaging.clock.now();
    let approved = Wanted { approved_at: Some(now), ..before };
    match store::sender::put(&mut tx, &approved, now).await {
        Ok(()) => {}
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => {
            return Err(MessagingError::SenderTaken.into());
        }
        Err(error) => return Err(error.into()),
    }
    if let Some(line) = &approved.numbers.refusal_number {
        store::sender::print_line(&mut tx, body.business_id, line, now).await?;
    }
    tx.commit().await?;
    Ok(Data::json(shown(&messaging, approved)))
}

async fn wanted(tx: &mut TenantTx, business: BusinessId) -> Result<Wanted, Problem> {
    let mut wanted = store::sender::wanted(tx, Some(business), None, 1).await?;
    Ok(wanted.pop().ok_or(MessagingError::NotFound)?)
}

fn shown(messaging: &Messaging, wanted: Wanted) -> MessageSender {
    let platform = &messaging.settings.sender;
    let Wanted { business, name, numbers, contact, approved_at } = wanted;
    let has = |own: &Option<String>, platforms: &Option<String>| {
        approved_at.is_some() && own.is_some() || platforms.is_some()
    };
    MessageSender {
        may_advertise: has(&numbers.phone, &platform.phone)
            && has(&numbers.refusal_number, &platform.refusal_number),
        business_id: business,
        name,
        phone: numbers.phone,
        refusal_number: numbers.refusal_number,
        kakao_channel: numbers.kakao_channel,
        contact,
        approved_at: approved_at.map(KoreanTime),
    }
}

/// What is the platform's is nobody's own: whoever calls its 080 line means everybody.
fn read(
    phone: Option<String>,
    refusal_number: Option<String>,
    kakao_channel: Option<String>,
    platform: &PlatformSender,
) -> Result<Numbers, Problem> {
    let mut errors = Vec::new();
    let phone = number(phone, "phone", |digits| (8..=12).contains(&digits.len()), &mut errors);
    let is_080 = |digits: &str| digits.starts_with("080") && (10..=11).contains(&digits.len());
    let refusal_number = number(refusal_number, "refusalNumber", is_080, &mut errors);
    let kakao_channel = line(kakao_channel, "kakaoChannel", 100)?;
    for (field, own, platforms) in [
        ("phone", &phone, &platform.phone),
        ("refusalNumber", &refusal_number, &platform.refusal_number),
        ("kakaoChannel", &kakao_channel, &platform.kakao_channel),
    ] {
        let plain = |text: &String| text.replace(['-', ' '], "");
        if own.is_some() && own.as_ref().map(plain) == platforms.as_ref().map(plain) {
            errors.push(FieldError {
                field: field.to_owned(),
                code: "THE_PLATFORMS",
                message: "플랫폼이 사용하는 값입니다. 비워 두면 플랫폼의 것을 사용합니다.".to_owned(),
            });
        }
    }
    if errors.is_empty() {
        Ok(Numbers { phone, refusal_number, kakao_channel })
    } else {
        Err(Problem::invalid(errors))
    }
}

fn number(
    text: Option<String>,
    field: &str,
    is_one: impl Fn(&str) -> bool,
    errors: &mut Vec<FieldError>,
) -> Option<String> {
    let digits: String = text?.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    if digits.is_empty() {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) && is_one(&digits) {
        return Some(digits);
    }
    errors.push(FieldError {
        field: field.to_owned(),
        code: "INVALID",
        message: "올바른 전화번호가 아닙니다.".to_owned(),
    });
    None
}
