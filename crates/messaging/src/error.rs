//! What can go wrong here, and how it looks as a [`Problem`].

use platform::{FieldError, Problem, VaultError};

use crate::{channel::WebhookRefused, message::IllegalMove};

#[derive(Debug, thiserror::Error)]
pub enum MessagingError {
    #[error("no such thing, or not this business's")]
    NotFound,
    #[error("fields cannot be like that")]
    Invalid(Vec<FieldError>),
    #[error("the customer cannot be reached by this channel")]
    Unreachable,
    #[error("a template of this name exists")]
    TemplateExists,
    #[error("a sender is not what was approved")]
    SenderChanged,
    #[error("a number or channel is another business's")]
    SenderTaken,
    #[error("this installation has no such channel")]
    ChannelNotOffered,
    #[error(transparent)]
    WebhookRefused(#[from] WebhookRefused),
    #[error("a message's content cannot be read")]
    UnreadableContent,
    #[error(transparent)]
    IllegalMove(#[from] IllegalMove),
    #[error("a stored secret cannot be opened")]
    Vault(#[from] VaultError),
    #[error("messaging database failed")]
    Db(#[from] sqlx::Error),
}

impl MessagingError {
    pub(crate) fn field(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.to_owned(), code, message: message.into() }])
    }
}

impl From<MessagingError> for Problem {
    fn from(error: MessagingError) -> Self {
        use MessagingError as E;
        match error {
            E::NotFound => Self::not_found("요청한 항목을 찾을 수 없습니다."),
            E::Invalid(errors) => Self::invalid(errors),
            E::Unreachable => {
                Self::conflict("CUSTOMER_UNREACHABLE", "이 채널로 연락할 수 있는 연락처가 없습니다.")
            }
            E::TemplateExists => Self::conflict("TEMPLATE_EXISTS", "같은 이름의 템플릿이 이미 있습니다."),
            E::SenderChanged => {
                Self::conflict("SENDER_CHANGED", "신청된 발신 정보와 다릅니다. 다시 확인해 주세요.")
            }
            E::SenderTaken => {
                Self::conflict("SENDER_TAKEN", "다른 사업장이 사용하고 있는 번호 또는 채널입니다.")
            }
            E::ChannelNotOffered => {
                Self::conflict("CHANNEL_NOT_OFFERED", "이 서비스에서 사용할 수 없는 발송 채널입니다.")
            }
            E::WebhookRefused(refused) => {
                tracing::warn!(%refused, "webhook of a message provider refused");
                match refused {
                    WebhookRefused::Malformed(_) => {
                        Self::bad_request("MALFORMED_WEBHOOK", "웹훅 본문을 읽을 수 없습니다.")
                    }
                    WebhookRefused::BadSignature => Self::new(
                        axum::http::StatusCode::UNAUTHORIZED,
                        "BAD_SIGNATURE",
                        "Unauthorized",
                        "웹훅 서명이 올바르지 않습니다.",
                    ),
                }
            }
            E::UnreadableContent | E::IllegalMove(_) | E::Vault(_) => Self::internal(&error),
            E::Db(error) => error.into(),
        }
    }
}
