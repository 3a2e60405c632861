//! What can go wrong here, and how it looks as a [`Problem`].

use axum::http::StatusCode;
use messaging::{Exclusion, FailureClass, MessagingError};
use platform::{FieldError, Problem, VaultError};

use crate::{campaign::IllegalMove, coupon::CouponRefusal};

#[derive(Debug, thiserror::Error)]
pub enum CrmError {
    #[error("no such business")]
    NoSuchBusiness,
    #[error("no such thing, or not this business's")]
    NotFound,
    #[error("fields cannot be like that")]
    Invalid(Vec<FieldError>),
    #[error("a coupon cannot be used so: {0:?}")]
    Coupon(CouponRefusal),
    /// The plan lacks a feature, or the check of it failed.
    #[error("{}", .0.code())]
    Refused(Problem),
    #[error(transparent)]
    CampaignMove(#[from] IllegalMove),
    #[error("a campaign that has begun stays as it is")]
    CampaignHasBegun,
    #[error("the business cannot advertise by this channel yet")]
    SenderNotReady,
    #[error("enough samples for a day")]
    TooManySamples,
    #[error("nothing can be sent there: {0:?}")]
    NoSuchContact(FailureClass),
    #[error("the same request is running")]
    KeyInUse,
    #[error("the key belongs to another request")]
    KeyReused,
    #[error("no sample may go there: {0:?}")]
    SampleRefused(Exclusion),
    #[error("a customer gets no advertisement at this hour, nor a sample of one")]
    SampleAtNight,
    #[error(transparent)]
    Messaging(#[from] MessagingError),
    #[error("a stored segment cannot be read")]
    Unreadable,
    #[error("a stored secret cannot be opened")]
    Vault(#[from] VaultError),
    #[error("crm database failed")]
    Db(#[from] sqlx::Error),
}

impl From<Problem> for CrmError {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl From<CouponRefusal> for CrmError {
    fn from(refusal: CouponRefusal) -> Self {
        Self::Coupon(refusal)
    }
}

impl From<CrmError> for Problem {
    fn from(error: CrmError) -> Self {
        match error {
            CrmError::NoSuchBusiness => Self::not_found("사업장을 찾을 수 없습니다."),
            CrmError::NotFound => Self::not_found("요청한 항목을 찾을 수 없습니다."),
            CrmError::Invalid(errors) => Self::invalid(errors),
            CrmError::Coupon(refusal) => refusal.into(),
            CrmError::Refused(problem) => problem,
            CrmError::CampaignMove(_) => {
                Self::conflict("CAMPAIGN_STATUS_CONFLICT", "캠페인의 현재 상태에서는 할 수 없는 요청입니다.")
            }
            CrmError::CampaignHasBegun => {
                Self::conflict("CAMPAIGN_HAS_BEGUN", "발송이 시작되었거나 끝난 캠페인은 수정할 수 없습니다.")
            }
            CrmError::SenderNotReady => Self::conflict(
                "SENDER_NOT_READY",
                "광고를 보내려면 발신 정보와 무료 수신거부 번호를 먼저 등록해 주세요.",
            ),
            CrmError::TooManySamples => {
                Self::conflict("TOO_MANY_SAMPLES", "시험 발송은 하루에 20건까지 할 수 있습니다.")
            }
            CrmError::NoSuchContact(FailureClass::BadNumber) => {
                Self::invalid_field("to", "INVALID_CONTACT", "이 채널로 보낼 수 있는 번호나 주소가 아닙니다.")
            }
            CrmError::NoSuchContact(_) => {
                Self::invalid_field("to", "UNSENDABLE", "이 내용은 이 채널로 보낼 수 없습니다.")
            }
            CrmError::KeyInUse => Self::conflict(
                "IDEMPOTENCY_KEY_IN_USE",
                "같은 Idempotency-Key의 요청을 처리하고 있습니다. 잠시 후 다시 시도해 주세요.",
            ),
            CrmError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "IDEMPOTENCY_KEY_REUSED",
                "Idempotency key reused",
                "이 Idempotency-Key는 다른 요청에 이미 사용되었습니다.",
            ),
            CrmError::SampleRefused(exclusion) => {
                let message = match exclusion {
                    Exclusion::Refused | Exclusion::ConsentWithdrawn => {
                        "광고 수신을 거부한 번호나 주소입니다."
                    }
                    _ => "고객의 번호나 주소입니다. 광고를 받을 수 있는 고객에게만 시험 발송할 수 있습니다.",
                };
                Self::invalid_field("to", exclusion.as_str(), message)
            }
            CrmError::SampleAtNight => Self::invalid_field(
                "to",
                "NOT_AT_NIGHT",
                "고객에게는 시험 발송도 광고를 보낼 수 있는 시간에만 할 수 있습니다.",
            ),
            CrmError::Messaging(error) => error.into(),
            CrmError::Unreadable | CrmError::Vault(_) => Self::internal(&error),
            CrmError::Db(error) => error.into(),
        }
    }
}

impl From<CouponRefusal> for Problem {
    fn from(refusal: CouponRefusal) -> Self {
        let (code, detail) = match refusal {
            CouponRefusal::UnknownCode => {
                return Self::new(
                    StatusCode::NOT_FOUND,
                    "UNKNOWN_COUPON_CODE",
                    "Unknown coupon code",
                    "존재하지 않는 쿠폰 번호입니다.",
                );
            }
            CouponRefusal::OfAnotherCustomer => {
                ("COUPON_OF_ANOTHER_CUSTOMER", "다른 고객에게 발급된 쿠폰입니다.".to_owned())
            }
            CouponRefusal::NotYetValid(from) => {
                ("COUPON_NOT_YET_VALID", format!("{from}부터 사용할 수 있는 쿠폰입니다."))
            }
            CouponRefusal::Expired(until) => {
                ("COUPON_EXPIRED", format!("{until}까지 사용할 수 있던 쿠폰입니다."))
            }
            CouponRefusal::BelowMinimum(least) => {
                ("COUPON_BELOW_MINIMUM", format!("{least} 이상 결제할 때 사용할 수 있는 쿠폰입니다."))
            }
            CouponRefusal::AlreadyRedeemed => {
                ("COUPON_ALREADY_REDEEMED", "이미 사용된 쿠폰입니다.".to_owned())
            }
            CouponRefusal::OtherAmount => (
                "COUPON_REDEEMED_OTHERWISE",
                "같은 건에 다른 금액으로 이미 사용된 쿠폰입니다. 먼저 사용을 취소해 주세요.".to_owned(),
            ),
            CouponRefusal::RestoredBefore => (
                "COUPON_RESTORED",
                "이 건의 쿠폰 사용은 이미 취소되었습니다. 다시 사용하려면 다른 번호로 요청해 주세요."
                    .to_owned(),
            ),
            CouponRefusal::NotRedeemed => {
                ("COUPON_NOT_REDEEMED", "이 건에는 쿠폰이 사용되지 않았습니다.".to_owned())
            }
            CouponRefusal::Stopped => ("COUPON_STOPPED", "발급이 중지된 쿠폰입니다.".to_owned()),
            CouponRefusal::LimitReached => {
                ("COUPON_LIMIT_REACHED", "발급할 수 있는 수량을 넘었습니다.".to_owned())
            }
        };
        Self::conflict(code, detail)
    }
}
