//! What each refusal of PortOne means, in one table.
//!
//! Source: the error tables of the PortOne reference. Which verdict a type gets is our judgement, and
//! these are its rules:
//!
//! - The `type` decides, never the HTTP status: 502 is the everyday decline, and a 404 of something in
//!   between is not PortOne's. Only one thing the status may do: any other 5xx takes back what the type
//!   says, since whoever broke down cannot vouch for it.
//! - A type that is not in the table for this operation is [`Verdict::Unknown`]: new ones come without
//!   notice, and one of them may well mean "it worked, but".
//! - No refusal is the last word about a payment. An earlier sending of the same charge may have gone
//!   through, so the payment is looked up after every one of them, and what it says goes first.

use reqwest::StatusCode;

use super::{
    Operation::{self, Cancel, CancelReceipt, Charge, Confirm, Delete, Issue, IssueReceipt},
    pg_codes, wire,
};
use crate::{Decline, DeclineClass, passed_on::Heard};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Refused, unless the payment knows better.
    Declined(Decline),
    /// The state asked for is reached already, by this request or by another: only the payment tells.
    /// The decline is what it is if the payment disagrees.
    Reached(Decline),
    /// The billing key does not exist any more, which is what a deletion wants.
    Gone,
    /// A word of the PG's that is in no table, or by which it says that it does not know either.
    OfPg(String),
    Unknown,
}

#[derive(Clone, Copy)]
enum Means {
    Declined(DeclineClass),
    Reached,
    Gone,
    Unknown,
}

struct Row {
    kind: &'static str,
    operations: &'static [Operation],
    means: Means,
    /// For the card holder.
    text: &'static str,
}

const PAY: &[Operation] = &[Charge, Confirm];
const EVERY: &[Operation] = &[Issue, Charge, Confirm, Cancel, Delete, IssueReceipt, CancelReceipt];

const NEW_CARD: Means = Means::Declined(DeclineClass::NewCard);
const OUR_BUG: Means = Means::Declined(DeclineClass::OurBug);

const APOLOGY: &str = "요청을 처리하지 못했습니다. 고객센터로 문의해 주세요.";
const TRY_SOON: &str = "결제 기관이 일시적으로 요청을 처리하지 못했습니다. 잠시 후 다시 시도해 주세요.";
const REGISTER_AGAIN: &str = "등록된 결제 수단을 사용할 수 없습니다. 카드를 다시 등록해 주세요.";
const START_AGAIN: &str = "결제 정보가 일치하지 않습니다. 처음부터 다시 결제해 주세요.";
const ASK_ISSUER: &str = "카드사에서 승인을 거절했습니다. 카드사에 문의하거나 다른 카드를 이용해 주세요.";
const NOT_REFUNDABLE: &str = "이 결제는 자동으로 취소할 수 없습니다. 고객센터로 문의해 주세요.";
const NOTHING_LEFT: &str = "취소할 수 있는 금액을 초과했습니다.";

const fn row(kind: &'static str, operations: &'static [Operation], means: Means, text: &'static str) -> Row {
    Row { kind, operations, means, text }
}

#[rustfmt::skip] // One type, one line.
const TABLE: &[Row] = &[
    // The state is reached already. For a cancel the guard has spoken too: something was cancelled
    // since the payment was read, and it may have been this.
    row("ALREADY_PAID", PAY, Means::Reached, "이미 처리된 주문입니다."),
    row("PAYMENT_ALREADY_CANCELLED", &[Cancel], Means::Reached, "이미 취소된 결제입니다."),
    row("CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT", &[Cancel], Means::Reached, NOTHING_LEFT),

    // The stored card.
    row("BILLING_KEY_NOT_FOUND", &[Issue, Charge], NEW_CARD, REGISTER_AGAIN),
    row("BILLING_KEY_NOT_ISSUED", &[Issue, Charge], NEW_CARD, REGISTER_AGAIN),
    row("BILLING_KEY_ALREADY_DELETED", &[Issue, Charge], NEW_CARD, REGISTER_AGAIN),
    // The token was used, and the key that it made is not told again: a new one costs nothing.
    row("BILLING_KEY_ALREADY_ISSUED", &[Issue], NEW_CARD, REGISTER_AGAIN),

    // We asked wrongly, or the shop is set up wrongly; or a page was manipulated.
    row("INVALID_REQUEST", EVERY, OUR_BUG, APOLOGY),
    row("UNAUTHORIZED", EVERY, OUR_BUG, APOLOGY),
    row("FORBIDDEN", EVERY, OUR_BUG, APOLOGY),
    row("CHANNEL_NOT_FOUND", &[Issue, Charge, Confirm, IssueReceipt], OUR_BUG, APOLOGY),
    row("INFORMATION_MISMATCH", &[Issue, Confirm], OUR_BUG, START_AGAIN),
    row("INVALID_PAYMENT_TOKEN", &[Confirm], OUR_BUG, START_AGAIN),
    row("PAYMENT_NOT_FOUND", &[Confirm, Cancel], OUR_BUG, APOLOGY),
    row("MAX_TRANSACTION_COUNT_REACHED", PAY, OUR_BUG, APOLOGY),
    row("SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT", PAY, OUR_BUG, APOLOGY),
    row("PROMOTION_PAY_METHOD_DOES_NOT_MATCH", PAY, OUR_BUG, APOLOGY),
    row("DISCOUNT_AMOUNT_EXCEEDS_TOTAL_AMOUNT", PAY, OUR_BUG, APOLOGY),

    // A cancel that no repetition will make possible: somebody has to give the money back by hand.
    row("PAYMENT_NOT_PAID", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("MAX_CANCEL_COUNT_REACHED", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("NEGATIVE_PROMOTION_ADJUSTED_CANCEL_AMOUNT", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("PROMOTION_DISCOUNT_RETAIN_OPTION_SHOULD_NOT_BE_CHANGED", &[Cancel], OUR_BUG, NOT_REFUNDABLE),

    // Cash receipts.
    row("CASH_RECEIPT_ALREADY_ISSUED", &[IssueReceipt], Means::Reached, "이미 현금영수증을 발급한 결제입니다."),
    row("CASH_RECEIPT_NOT_FOUND", &[CancelReceipt], OUR_BUG, "취소할 현금영수증이 없습니다."),
    row("CASH_RECEIPT_NOT_ISSUED", &[CancelReceipt], OUR_BUG, "취소할 현금영수증이 없습니다."),

    // A deletion. Only these types mean "gone"; a bare 404 does not.
    row("BILLING_KEY_ALREADY_DELETED", &[Delete], Means::Gone, ""),
    row("BILLING_KEY_NOT_FOUND", &[Delete], Means::Gone, ""),
    row("BILLING_KEY_NOT_ISSUED", &[Delete], Means::Gone, ""),
    row("PAYMENT_SCHEDULE_ALREADY_EXISTS", &[Delete], OUR_BUG, APOLOGY),

    // Nobody can tell. Absent types are treated alike; these are here because somebody will look.
    row("IDEMPOTENCY_OUTSTANDING_REQUEST", EVERY, Means::Unknown, TRY_SOON),
    // Something else was cancelled between our look and our cancel: the next try looks again.
    row("CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN", &[Cancel], Means::Unknown, TRY_SOON),
    // Somebody reserved a charge under this id, and it may still be made.
    row("PAYMENT_SCHEDULE_ALREADY_EXISTS", PAY, Means::Unknown, TRY_SOON),
    row("CHANNEL_SPECIFIC", EVERY, Means::Unknown, TRY_SOON),
];

/// What a refusal means.
pub(super) fn judge(operation: Operation, status: StatusCode, refusal: &wire::Error) -> Verdict {
    if refusal.r#type == "PG_PROVIDER" {
        return said_by_pg(operation, refusal.pg_code.as_deref().unwrap_or_default());
    }
    if status.is_server_error() {
        return Verdict::Unknown;
    }
    let row = TABLE.iter().find(|row| row.kind == refusal.r#type && row.operations.contains(&operation));
    let Some(row) = row else { return Verdict::Unknown };
    let decline = |class| Decline { class, code: row.kind.to_owned(), message: row.text.to_owned() };
    match row.means {
        Means::Declined(class) => Verdict::Declined(decline(class)),
        Means::Reached => Verdict::Reached(decline(DeclineClass::OurBug)),
        Means::Gone => Verdict::Gone,
        Means::Unknown => Verdict::Unknown,
    }
}

/// A PG's time-outs come in the same wrapping as its refusals. Which PG it was stands in the payment
/// and not here, so only codes that are unmistakable count.
fn said_by_pg(operation: Operation, code: &str) -> Verdict {
    match (operation, pg_codes::hear(None, code)) {
        (Charge | Confirm | Issue, Heard::No(decline)) => Verdict::Declined(decline),
        // No money moves: what the PG would not do is a no, and the payment is asked all the same.
        (IssueReceipt, _) => Verdict::Declined(Decline {
            class: DeclineClass::NewCard,
            code: code.to_owned(),
            message: "현금영수증을 발급하지 못했습니다. 번호를 확인한 뒤 다시 요청해 주세요.".to_owned(),
        }),
        _ => Verdict::OfPg(code.to_owned()),
    }
}

/// Why a payment failed that PortOne reports as failed.
///
/// That it failed is certain here, so a code that tells nothing must still become some class: one
/// that the PG's table calls unclear was its own trouble; one that is in none is most likely the
/// issuer's refusal, and a later day is the careful guess.
pub(super) fn failure(pg_provider: Option<&str>, code: &str) -> Decline {
    let other = |class, message: &str| Decline {
        class,
        code: if code.is_empty() { "FAILED".to_owned() } else { code.chars().take(100).collect() },
        message: message.to_owned(),
    };
    match pg_codes::hear(pg_provider, code) {
        Heard::No(decline) => decline,
        Heard::Unclear => other(DeclineClass::Temporary, TRY_SOON),
        Heard::Nothing => other(DeclineClass::RetryLater, ASK_ISSUER),
    }
}

/// A request that must not be sent because it could only be wrong.
pub(super) fn refused_here(code: &str) -> Decline {
    Decline { class: DeclineClass::OurBug, code: code.to_owned(), message: APOLOGY.to_owned() }
}

/// A billing key that exists and is not one that we may charge.
pub(super) fn useless_key(code: &str) -> Decline {
    Decline { class: DeclineClass::NewCard, code: code.to_owned(), message: REGISTER_AGAIN.to_owned() }
}

/// A cancel that was taken and then failed.
pub(super) fn cancel_failed() -> Decline {
    let message = "결제 기관에서 환불을 거절했습니다. 고객센터로 문의해 주세요.".to_owned();
    Decline { class: DeclineClass::OurBug, code: "CANCEL_FAILED".to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(kind: &str, pg_code: Option<&str>) -> wire::Error {
        wire::Error { r#type: kind.to_owned(), pg_code: pg_code.map(str::to_owned) }
    }

    fn class(operation: Operation, kind: &str, pg_code: Option<&str>) -> Option<DeclineClass> {
        match judge(operation, StatusCode::BAD_REQUEST, &refusal(kind, pg_code)) {
            Verdict::Declined(decline) => Some(decline.class),
            _ => None,
        }
    }

    #[test]
    fn a_type_has_one_meaning_per_operation() {
        for (index, row) in TABLE.iter().enumerate() {
            for operation in row.operations {
                let twin = TABLE[index + 1..]
                    .iter()
                    .find(|other| other.kind == row.kind && other.operations.contains(operation));
                assert!(twin.is_none(), "{} twice for {operation:?}", row.kind);
            }
        }
    }

    #[test]
    fn every_decline_has_a_sentence_for_the_card_holder() {
        for row in TABLE.iter().filter(|row| !matches!(row.means, Means::Gone)) {
            assert!(row.text.ends_with('.'), "{}", row.kind);
        }
    }

    #[test]
    fn the_words_of_a_pg_are_understood_where_they_are_unmistakable() {
        assert_eq!(class(Charge, "PG_PROVIDER", Some("REJECT_CARD_PAYMENT")), Some(DeclineClass::RetryLater));
        assert_eq!(class(Charge, "PG_PROVIDER", Some("CC45")), Some(DeclineClass::NewCard));
        assert_eq!(class(Confirm, "PG_PROVIDER", Some("FDS_ERROR")), Some(DeclineClass::Fraud));
        // Four digits may be anybody's.
        for code in ["8178", "3001", "", "PROVIDER_ERROR", "CC72", "SOMETHING_NEW"] {
            let verdict = judge(Charge, StatusCode::BAD_GATEWAY, &refusal("PG_PROVIDER", Some(code)));
            assert_eq!(verdict, Verdict::OfPg(code.to_owned()));
        }
        assert_eq!(class(Charge, "PG_PROVIDER", None), None);
        assert_eq!(class(Cancel, "PG_PROVIDER", Some("REJECT_CARD_PAYMENT")), None);
    }

    #[test]
    fn what_is_not_in_the_table_is_unknown() {
        for operation in EVERY {
            for kind in ["", "SOMETHING_NEW", "BillingKeyNotFoundError", "IDEMPOTENCY_OUTSTANDING_REQUEST"] {
                let verdict = judge(*operation, StatusCode::CONFLICT, &refusal(kind, None));
                assert_eq!(verdict, Verdict::Unknown, "{operation:?} {kind}");
            }
        }
        let gone = refusal("BILLING_KEY_NOT_FOUND", None);
        assert_eq!(judge(Delete, StatusCode::NOT_FOUND, &gone), Verdict::Gone);
        // A no from a server that broke down is no answer.
        assert_eq!(judge(Delete, StatusCode::SERVICE_UNAVAILABLE, &gone), Verdict::Unknown);
        assert_eq!(class(Charge, "BILLING_KEY_NOT_FOUND", None), Some(DeclineClass::NewCard));
    }

    #[test]
    fn a_payment_that_failed_always_gets_a_class() {
        assert_eq!(failure(Some("TOSSPAYMENTS"), "INVALID_STOPPED_CARD").class, DeclineClass::NewCard);
        assert_eq!(failure(Some("KCP_V2"), "8186").class, DeclineClass::RetryLater);
        assert_eq!(failure(Some("KCP_V2"), "CC72").class, DeclineClass::Temporary);
        assert_eq!(failure(Some("NICE_V2"), "3041").class, DeclineClass::RetryLater);
        assert_eq!(failure(None, "").class, DeclineClass::RetryLater);
    }
}
