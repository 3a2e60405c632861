//! PortOne's refusals: `{"type", "message"?}`, and for those of a PG its own code and words.

use serde_json::json;

use super::call::Answer;

#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) pg: Option<PgWord>,
}

/// What a PG said, passed through as it is: there is no common list of codes.
#[derive(Clone, Debug)]
pub(crate) struct PgWord {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Refusal {
    /// A type that is not in the table is answered with 400: new ones come without notice.
    pub(crate) fn new(kind: &str) -> Self {
        let status = status_of(kind).unwrap_or(400);
        Self { status, kind: kind.to_owned(), message: format!("{kind} (sandbox)"), pg: None }
    }

    pub(crate) fn invalid_request(message: &str) -> Self {
        Self { message: message.to_owned(), ..Self::new("INVALID_REQUEST") }
    }

    /// The usual shape of a decline.
    pub(crate) fn of_pg(word: PgWord) -> Self {
        Self {
            message: "PG사에서 결제를 거절했습니다.".to_owned(),
            pg: Some(word),
            ..Self::new("PG_PROVIDER")
        }
    }

    /// 500 and 429 are not in the schema, so their types are invented.
    pub(crate) fn internal() -> Self {
        Self { status: 500, ..Self::new("INTERNAL_SERVER_ERROR") }
    }

    pub(crate) fn too_many_requests() -> Self {
        Self { status: 429, ..Self::new("TOO_MANY_REQUESTS") }
    }

    /// What a `decline` fault asks for: a type of PortOne's, or the code of a PG.
    pub(crate) fn forced(code: &str) -> Self {
        if status_of(code).is_some() {
            return Self::new(code);
        }
        Self::of_pg(PgWord { code: code.to_owned(), message: "승인이 거절되었습니다.".to_owned() })
    }

    pub(crate) fn answer(&self) -> Answer {
        let mut body = json!({"type": self.kind, "message": self.message});
        if let Some(pg) = &self.pg {
            body["pgCode"] = json!(pg.code);
            body["pgMessage"] = json!(pg.message);
        }
        Answer { status: self.status, body: body.to_string() }
    }
}

fn status_of(kind: &str) -> Option<u16> {
    Some(match kind {
        "INVALID_REQUEST"
        | "INVALID_PAYMENT_TOKEN"
        | "MAX_TRANSACTION_COUNT_REACHED"
        | "PROMOTION_PAY_METHOD_DOES_NOT_MATCH"
        | "DISCOUNT_AMOUNT_EXCEEDS_TOTAL_AMOUNT"
        | "NEGATIVE_PROMOTION_ADJUSTED_CANCEL_AMOUNT"
        | "PROMOTION_DISCOUNT_RETAIN_OPTION_SHOULD_NOT_BE_CHANGED" => 400,
        "UNAUTHORIZED" => 401,
        "FORBIDDEN" => 403,
        "BILLING_KEY_NOT_FOUND"
        | "BILLING_KEY_NOT_ISSUED"
        | "CASH_RECEIPT_NOT_FOUND"
        | "CASH_RECEIPT_NOT_ISSUED"
        | "CHANNEL_NOT_FOUND"
        | "PAYMENT_NOT_FOUND" => 404,
        "ALREADY_PAID"
        | "ALREADY_PAID_OR_WAITING"
        | "BILLING_KEY_ALREADY_DELETED"
        | "BILLING_KEY_ALREADY_ISSUED"
        | "CASH_RECEIPT_ALREADY_ISSUED"
        | "CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT"
        | "CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT"
        | "CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT"
        | "CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN"
        | "IDEMPOTENCY_OUTSTANDING_REQUEST"
        | "INFORMATION_MISMATCH"
        | "MAX_CANCEL_COUNT_REACHED"
        | "PAYMENT_ALREADY_CANCELLED"
        | "PAYMENT_NOT_PAID"
        | "PAYMENT_SCHEDULE_ALREADY_EXISTS"
        | "SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT"
        | "SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT" => 409,
        "PG_PROVIDER" | "CHANNEL_SPECIFIC" => 502,
        _ => return None,
    })
}
