//! Who a business is when it writes.

use axum::extract::State;
use kernel::BusinessId;
use platform::{
    BodyProblems, CommonProblems, Data, FieldError, InBusiness, InBusinessOrAdmin, Json, Problem, TenantCrm,
    TenantTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::consents::line;
use crate::{
    Messaging, MessagingError,
    store::{self, sender::Profile},
};

/// Who a business is when it writes. What it did not say is the platform's.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MessageSender {
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
    /// Whether advertising by text can be sent: there is a number to send from and one to refuse at.
    may_advertise: bool,
}

/// Numbers however they are written; null is the platform's.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"phone": "02-312-3456", "refusalNumber": "080-123-4567", "contact": "02-312-3456"}))]
pub(crate) struct MessageSenderBody {
    phone: Option<String>,
    refusal_number: Option<String>,
    #[schema(max_length = 100)]
    kakao_channel: Option<String>,
    #[schema(max_length = 60)]
    contact: Option<String>,
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
    let profile = profile(&mut tx, caller.business).await?;
    tx.commit().await?;
    Ok(Data::json(shown(&messaging, profile)))
}

/// Say who the business is when it writes
///
/// A sender number has to be registered with the carrier first (발신번호 사전등록), or everything from it is refused.
#[utoipa::path(
    put, path = "/api/businesses/{businessId}/message-sender", operation_id = "setMessageSender", tag = "messaging",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = MessageSenderBody,
    responses(
        (status = 200, description = "The sender", body = Data<MessageSender>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn set_message_sender(
    State(messaging): State<Messaging>,
    caller: InBusiness<TenantCrm>,
    Json(body): Json<MessageSenderBody>,
) -> Result<Json<Data<MessageSender>>, Problem> {
    let mut errors = Vec::new();
    let phone = number(body.phone, "phone", |digits| (8..=12).contains(&digits.len()), &mut errors);
    let is_080 = |digits: &str| digits.starts_with("080") && (10..=11).contains(&digits.len());
    let refusal_number = number(body.refusal_number, "refusalNumber", is_080, &mut errors);
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let kakao_channel = line(body.kakao_channel, "kakaoChannel", 100)?;
    let contact = line(body.contact, "contact", 60)?;
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let before = profile(&mut tx, caller.business).await?;
    let profile = Profile { phone, refusal_number, kakao_channel, contact, ..before };
    store::sender::put(&mut tx, &profile, messaging.clock.now()).await?;
    tx.commit().await?;
    Ok(Data::json(shown(&messaging, profile)))
}

async fn profile(tx: &mut TenantTx, business: BusinessId) -> Result<Profile, Problem> {
    let mut profiles = store::sender::profiles(tx, &[business.0]).await?;
    Ok(profiles.remove(&business).ok_or(MessagingError::NotFound)?)
}

fn shown(messaging: &Messaging, profile: Profile) -> MessageSender {
    let platform = &messaging.settings.sender;
    let has = |own: &Option<String>, platforms: &Option<String>| own.is_some() || platforms.is_some();
    MessageSender {
        may_advertise: has(&profile.phone, &platform.phone)
            && has(&profile.refusal_number, &platform.refusal_number),
        name: profile.name,
        phone: profile.phone,
        refusal_number: profile.refusal_number,
        kakao_channel: profile.kakao_channel,
        contact: profile.contact,
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
