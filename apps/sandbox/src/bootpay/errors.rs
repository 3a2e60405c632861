//! Refusals. The real codes and statuses are not published: these are invented.

use serde_json::json;

use super::{call::Answer, switches::BootpaySwitches};

pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    /// Often the PG's own, in Korean.
    pub(super) message: String,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, "SIM_UNAUTHORIZED", "인증 정보가 올바르지 않습니다.")
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "SIM_INVALID_PARAMETER", message)
    }

    pub(super) fn no_receipt() -> Self {
        Self::new(404, "SIM_RECEIPT_NOT_FOUND", "영수증을 찾을 수 없습니다.")
    }

    pub(super) fn no_billing_key() -> Self {
        Self::new(404, "SIM_BILLING_KEY_NOT_FOUND", "존재하지 않는 빌링키입니다.")
    }

    pub(super) fn deleted_billing_key() -> Self {
        Self::new(400, "SIM_BILLING_KEY_DELETED", "이미 삭제된 빌링키입니다.")
    }

    pub(super) fn repeated_order() -> Self {
        Self::new(400, "SIM_ORDER_ID_USED", "이미 결제된 order_id입니다.")
    }

    pub(super) fn repeated_cancel() -> Self {
        Self::new(400, "SIM_CANCEL_ID_USED", "중복된 cancel_id입니다.")
    }

    pub(super) fn not_confirmable() -> Self {
        Self::new(400, "SIM_NOT_CONFIRMABLE", "승인할 수 있는 상태가 아닙니다.")
    }

    pub(super) fn cancelled_already() -> Self {
        Self::new(400, "SIM_CANCELLED_ALREADY", "이미 취소된 결제입니다.")
    }

    pub(super) fn more_than_is_left() -> Self {
        Self::new(400, "SIM_CANCEL_PRICE", "취소 가능 금액을 초과했습니다.")
    }

    /// The PG's no, in its own words.
    pub(super) fn of_pg(message: impl Into<String>) -> Self {
        Self::new(400, "SIM_PG_DECLINED", message)
    }

    pub(super) fn internal() -> Self {
        Self::new(500, "SIM_INTERNAL", "서버 오류가 발생했습니다.")
    }

    pub(super) fn too_many_requests() -> Self {
        Self::new(429, "SIM_TOO_MANY_REQUESTS", "요청이 너무 많습니다.")
    }

    pub(super) fn answer(&self, switches: BootpaySwitches) -> Answer {
        let code = if switches.numeric_error_codes { json!(-4000) } else { json!(self.code) };
        let hides_status = switches.errors_with_status_200 && (400..500).contains(&self.status);
        let body = json!({"error_code": code, "message": self.message});
        Answer { status: if hides_status { 200 } else { self.status }, body }
    }
}
