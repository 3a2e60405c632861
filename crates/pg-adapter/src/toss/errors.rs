//! What each Toss error code means, in one table.
//!
//! Sources: the per-endpoint tables and the error catalogue of the Toss Payments reference, and
//! answers measured in its test environment. Which verdict a code gets is our judgement, and these
//! are its rules:
//!
//! - The code decides, never the HTTP status: `PROVIDER_ERROR` is a 400 and tells nothing,
//!   `REJECT_CARD_PAYMENT` is a 403 and has nothing to do with rights. Only one thing the status may
//!   do: a 5xx takes back a "no" about money, since whoever broke down cannot vouch for it.
//! - A code that is not in the table for this operation is [`Verdict::Unknown`]. Toss adds codes
//!   without notice, and one of them may well mean "it worked, but".
//! - A "no" to the request is not always a "no" to the payment. Where a code may also be the answer
//!   to a second sending of something that is still running, it is `Unknown`.

use reqwest::StatusCode;

use super::Operation::{self, Cancel, CancelReceipt, Charge, Confirm, Delete, Issue, IssueReceipt};
use crate::{Decline, DeclineClass, passed_on::Heard};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Declined(Decline),
    /// The state asked for is reached already, by this request or by another: the payment tells.
    LookUp(Decline),
    /// The billing key does not exist any more, which is what a deletion wants.
    Gone,
    Unknown,
}

#[derive(Clone, Copy)]
enum Means {
    Declined(DeclineClass),
    LookUp,
    Gone,
    Unknown,
}

struct Row {
    code: &'static str,
    operations: &'static [Operation],
    means: Means,
    /// For the card holder.
    text: &'static str,
}

/// Where a card (or an account) is asked for money or examined.
const CARD: &[Operation] = &[Issue, Charge, Confirm];
const PAY: &[Operation] = &[Charge, Confirm];
const RECEIPT: &[Operation] = &[IssueReceipt, CancelReceipt];
const EVERY: &[Operation] = &[Issue, Charge, Confirm, Cancel, Delete, IssueReceipt, CancelReceipt];

const HOLDER: Means = Means::Declined(DeclineClass::RetryLater);
const NEW_CARD: Means = Means::Declined(DeclineClass::NewCard);
const FRAUD: Means = Means::Declined(DeclineClass::Fraud);
const TEMPORARY: Means = Means::Declined(DeclineClass::Temporary);
const OUR_BUG: Means = Means::Declined(DeclineClass::OurBug);

const APOLOGY: &str = "요청을 처리하지 못했습니다. 고객센터로 문의해 주세요.";
const TRY_SOON: &str = "결제 기관이 일시적으로 요청을 처리하지 못했습니다. 잠시 후 다시 시도해 주세요.";
const OVER_LIMIT: &str = "결제 한도를 초과했습니다. 카드사에 한도를 확인하거나 다른 카드를 이용해 주세요.";
const BALANCE: &str = "잔액이 부족합니다. 잔액을 확인한 뒤 다시 시도해 주세요.";
const ASK_ISSUER: &str = "카드사에서 승인을 거절했습니다. 카드사에 문의하거나 다른 카드를 이용해 주세요.";
const REGISTER_AGAIN: &str = "등록된 결제 수단을 사용할 수 없습니다. 카드를 다시 등록해 주세요.";
const CHECK_INPUT: &str = "입력한 카드 정보가 올바르지 않습니다. 확인한 뒤 다시 등록해 주세요.";
const EXPIRED_CARD: &str = "카드 유효기간이 지났거나 올바르지 않습니다. 다른 카드를 등록해 주세요.";
const BANK_HOURS: &str = "지금은 은행 서비스 시간이 아닙니다. 잠시 후 다시 시도해 주세요.";
const START_AGAIN: &str = "결제 유효 시간이 지났습니다. 처음부터 다시 결제해 주세요.";
const NOT_REFUNDABLE: &str = "이 결제는 자동으로 취소할 수 없습니다. 고객센터로 문의해 주세요.";
const REFUND_REFUSED: &str = "결제 기관에서 환불을 거절했습니다. 고객센터로 문의해 주세요.";
const REFUND_ACCOUNT: &str = "환불 계좌 정보가 올바르지 않습니다. 고객센터로 문의해 주세요.";
const NOTHING_LEFT: &str = "취소할 수 있는 금액을 초과했습니다.";
const ALREADY_CANCELED: &str = "이미 취소된 결제입니다.";
const CHECK_NUMBER: &str = "현금영수증을 발급할 수 없는 번호입니다. 번호를 확인한 뒤 다시 요청해 주세요.";
const RECEIPT_REFUSED: &str =
    "국세청에서 현금영수증 발급을 거절했습니다. 번호를 확인한 뒤 다시 요청해 주세요.";

const fn row(code: &'static str, operations: &'static [Operation], means: Means, text: &'static str) -> Row {
    Row { code, operations, means, text }
}

#[rustfmt::skip] // One code, one line.
const TABLE: &[Row] = &[
    // The state is reached already.
    // Listed for a charge only; a confirm may meet it where two windows were open for one order.
    row("DUPLICATED_ORDER_ID", PAY, Means::LookUp, "이미 처리된 주문입니다."),
    row("ALREADY_PROCESSED_PAYMENT", &[Confirm], Means::LookUp, "이미 처리된 결제입니다."),
    row("ALREADY_CANCELED_PAYMENT", &[Cancel], Means::LookUp, ALREADY_CANCELED),
    row("ALREADY_REFUND_PAYMENT", &[Cancel], Means::LookUp, ALREADY_CANCELED),
    // Measured: both "more than is left" and "all of it was given back in parts before".
    row("NOT_CANCELABLE_AMOUNT", &[Cancel], Means::LookUp, NOTHING_LEFT),
    row("NOT_MATCHES_REFUNDABLE_AMOUNT", &[Cancel], Means::LookUp, NOTHING_LEFT),

    // The holder's money, limits and bank. REJECT_CARD_PAYMENT is "over the limit" and
    // "insufficient balance" in one.
    row("REJECT_CARD_PAYMENT", CARD, HOLDER, "카드 한도를 초과했거나 잔액이 부족합니다. 카드사에 확인하거나 다른 카드를 이용해 주세요."),
    row("REJECT_ACCOUNT_PAYMENT", CARD, HOLDER, BALANCE),
    row("REJECT_CARD_COMPANY", CARD, HOLDER, ASK_ISSUER),
    row("INVALID_REJECT_CARD", CARD, HOLDER, ASK_ISSUER),
    row("NOT_REGISTERED_CARD_COMPANY", CARD, HOLDER, "카드사에 먼저 등록해야 하는 카드입니다. 카드사에 등록한 뒤 다시 시도해 주세요."),
    row("EXCEED_MAX_AMOUNT", PAY, HOLDER, OVER_LIMIT),
    row("EXCEED_MAX_PAYMENT_AMOUNT", PAY, HOLDER, OVER_LIMIT),
    row("EXCEED_MAX_DAILY_PAYMENT_COUNT", PAY, HOLDER, OVER_LIMIT),
    row("EXCEED_MAX_MONTHLY_PAYMENT_AMOUNT", PAY, HOLDER, OVER_LIMIT),
    row("EXCEED_MAX_ONE_DAY_WITHDRAW_AMOUNT", PAY, HOLDER, OVER_LIMIT),
    row("EXCEED_MAX_ONE_TIME_WITHDRAW_AMOUNT", PAY, HOLDER, OVER_LIMIT),
    row("EXCEED_MAX_ONE_DAY_AMOUNT", PAY, HOLDER, OVER_LIMIT),
    row("EXCEED_MAX_AUTH_COUNT", CARD, HOLDER, "카드 인증 횟수를 초과했습니다. 카드사에 문의해 주세요."),
    row("RESTRICTED_TRANSFER_ACCOUNT", PAY, HOLDER, "계좌는 등록 후 12시간이 지나야 결제에 사용할 수 있습니다."),
    row("REJECT_TOSSPAY_INVALID_ACCOUNT", PAY, HOLDER, "간편결제에 등록된 계좌를 다시 등록한 뒤 시도해 주세요."),
    row("INVALID_PASSWORD", PAY, HOLDER, "결제 비밀번호가 일치하지 않습니다. 다시 시도해 주세요."),
    row("FDS_ERROR", CARD, FRAUD, "안전한 거래를 위해 결제가 제한되었습니다. 카드사에 문의하거나 문자 안내에 따라 본인 확인을 해 주세요."),

    // This card will never work.
    row("INVALID_STOPPED_CARD", CARD, NEW_CARD, "정지된 카드입니다. 다른 카드를 등록해 주세요."),
    row("INVALID_CARD_LOST_OR_STOLEN", CARD, NEW_CARD, "분실 또는 도난 신고된 카드입니다. 다른 카드를 등록해 주세요."),
    row("INVALID_CARD_EXPIRATION", CARD, NEW_CARD, EXPIRED_CARD),
    row("INVALID_CARD_NUMBER", CARD, NEW_CARD, "카드번호가 올바르지 않습니다. 다시 등록해 주세요."),
    row("NOT_SUPPORTED_CARD_TYPE", CARD, NEW_CARD, "지원하지 않는 종류의 카드입니다. 다른 카드를 등록해 주세요."),
    row("INVALID_ACCOUNT_INFO_RE_REGISTER", PAY, NEW_CARD, REGISTER_AGAIN),
    // One merchant saw this right after issuing, in the test environment only.
    row("INVALID_BILL_KEY_REQUEST", &[Charge], NEW_CARD, REGISTER_AGAIN),
    row("ALREADY_REMOVED_BILLING_KEY", &[Charge], NEW_CARD, REGISTER_AGAIN),
    row("BILLING_KEY_NOT_FOUND", &[Charge], NEW_CARD, REGISTER_AGAIN),
    // On issue: an authKey that is invented or used up (measured for the former).
    row("NOT_FOUND_BILLING", &[Issue, Charge], NEW_CARD, REGISTER_AGAIN),
    row("INVALID_BILLING_AUTH", &[Issue, Charge], NEW_CARD, REGISTER_AGAIN),
    // The form was filled in wrongly: the holder starts the registration again.
    row("INVALID_CARD_PASSWORD", &[Issue], NEW_CARD, CHECK_INPUT),
    row("INVALID_CARD_IDENTITY", &[Issue], NEW_CARD, CHECK_INPUT),
    row("INVALID_BIRTH_DAY_FORMAT", &[Issue], NEW_CARD, CHECK_INPUT),
    row("INVALID_EMAIL", &[Issue], NEW_CARD, CHECK_INPUT),
    // Not in the catalogue, but integrators have met them.
    row("NOT_FOUND_BILLING_KEY", &[Charge], NEW_CARD, REGISTER_AGAIN),
    row("NOT_ENOUGH_BALANCE", PAY, HOLDER, BALANCE),
    row("EXPIRED_CARD", CARD, NEW_CARD, EXPIRED_CARD),

    // Closed, and said so before anything happened.
    row("NOT_AVAILABLE_BANK", &[Charge, Confirm, Cancel], TEMPORARY, BANK_HOURS),
    row("NOT_AVAILABLE_PAYMENT", PAY, TEMPORARY, BANK_HOURS),
    row("MAINTAINED_METHOD", CARD, TEMPORARY, "결제 기관이 점검 중입니다. 잠시 후 다시 시도해 주세요."),
    // The payer has to go through the window again; nothing was charged.
    row("NOT_FOUND_PAYMENT_SESSION", &[Confirm], TEMPORARY, START_AGAIN),
    // The key of a confirm comes from a browser: an invented one is not our mistake.
    row("NOT_FOUND_PAYMENT", &[Confirm], TEMPORARY, START_AGAIN),
    row("EXPIRED_PAYMENT", &[Confirm], TEMPORARY, START_AGAIN),

    // We asked wrongly, or the shop is set up wrongly.
    row("UNAUTHORIZED_KEY", EVERY, OUR_BUG, APOLOGY),
    row("INVALID_API_KEY", EVERY, OUR_BUG, APOLOGY),
    row("INCORRECT_BASIC_AUTH_FORMAT", EVERY, OUR_BUG, APOLOGY),
    row("FORBIDDEN_REQUEST", EVERY, OUR_BUG, APOLOGY),
    row("INVALID_REQUEST", EVERY, OUR_BUG, APOLOGY),
    row("INVALID_IDEMPOTENCY_KEY", EVERY, OUR_BUG, APOLOGY),
    row("NOT_MATCHES_CUSTOMER_KEY", &[Issue, Charge], OUR_BUG, APOLOGY),
    row("INVALID_CUSTOMER_KEY", &[Issue, Charge], OUR_BUG, APOLOGY),
    // Usually: no contract for automatic payment under this key.
    row("NOT_SUPPORTED_METHOD", CARD, OUR_BUG, APOLOGY),
    row("API_VERSION_UPDATE_NEEDED", EVERY, OUR_BUG, APOLOGY),
    row("BELOW_MINIMUM_AMOUNT", PAY, OUR_BUG, "결제할 수 있는 최소 금액보다 적은 금액입니다."),
    row("INVALID_AUTHORIZE_AUTH", PAY, OUR_BUG, APOLOGY),
    row("NOT_FOUND_TERMINAL_ID", PAY, OUR_BUG, APOLOGY),
    row("INVALID_UNREGISTERED_SUBMALL", PAY, OUR_BUG, APOLOGY),
    row("NOT_REGISTERED_BUSINESS", PAY, OUR_BUG, APOLOGY),
    row("UNAPPROVED_ORDER_ID", PAY, OUR_BUG, APOLOGY),
    row("EXCEED_MAX_CARD_INSTALLMENT_PLAN", PAY, OUR_BUG, APOLOGY),
    row("NOT_ALLOWED_POINT_USE", PAY, OUR_BUG, APOLOGY),
    row("INVALID_CARD_INSTALLMENT_PLAN", PAY, OUR_BUG, APOLOGY),
    row("NOT_SUPPORTED_MONTHLY_INSTALLMENT_PLAN", PAY, OUR_BUG, APOLOGY),
    row("NOT_SUPPORTED_INSTALLMENT_PLAN_CARD_OR_MERCHANT", PAY, OUR_BUG, APOLOGY),
    // The wrong paymentKey, or the key of another shop.
    row("NOT_FOUND_PAYMENT", &[Cancel], OUR_BUG, APOLOGY),
    // Measured on issue for an over-long customerKey. On a charge it stays unknown, being a 500.
    row("FAILED_DB_PROCESSING", &[Issue], OUR_BUG, APOLOGY),

    // A cancel that no repetition will make possible: somebody has to give the money back by hand.
    row("NOT_CANCELABLE_PAYMENT", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("NOT_CANCELABLE_PAYMENT_FOR_DORMANT_USER", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("EXCEED_MAX_REFUND_DUE", &[Cancel], OUR_BUG, "취소할 수 있는 기간이 지났습니다. 고객센터로 문의해 주세요."),
    row("EXCEED_CANCEL_LIMIT", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("EXCEED_CANCEL_AMOUNT_DISCOUNT_AMOUNT", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("NOT_ALLOWED_PARTIAL_REFUND", &[Cancel], OUR_BUG, "부분 취소를 할 수 없는 결제입니다."),
    row("NOT_ALLOWED_PARTIAL_REFUND_WAITING_DEPOSIT", &[Cancel], OUR_BUG, "입금 전에는 부분 취소를 할 수 없습니다."),
    row("REFUND_REJECTED", &[Cancel], OUR_BUG, REFUND_REFUSED),
    row("INVALID_REFUND_ACCOUNT_INFO", &[Cancel], OUR_BUG, REFUND_ACCOUNT),
    row("INVALID_REFUND_ACCOUNT_NUMBER", &[Cancel], OUR_BUG, REFUND_ACCOUNT),
    row("INVALID_BANK", &[Cancel], OUR_BUG, REFUND_ACCOUNT),
    row("FORBIDDEN_BANK_REFUND_REQUEST", &[Cancel], OUR_BUG, REFUND_ACCOUNT),
    // In the catalogue, though not in the list for cancels.
    row("INVALID_REFUND_AMOUNT", &[Cancel], OUR_BUG, NOTHING_LEFT),
    row("EXCEED_MAX_REFUND_AMOUNT", &[Cancel], OUR_BUG, NOTHING_LEFT),
    row("NOT_SUPPORTED_REFUND", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("NOT_ALLOWED_REFUND_BANK", &[Cancel], OUR_BUG, REFUND_ACCOUNT),

    // A deletion. What a second one is answered is not documented; any of these means "gone".
    // The 404 of a wrong URL does not: a worker that took every 404 for "gone" once deleted nothing.
    row("ALREADY_REMOVED_BILLING_KEY", &[Delete], Means::Gone, ""),
    row("BILLING_KEY_NOT_FOUND", &[Delete], Means::Gone, ""),
    row("NOT_FOUND_BILLING", &[Delete], Means::Gone, ""),
    row("INVALID_BILL_KEY_REQUEST", &[Delete], OUR_BUG, APOLOGY),
    row("NOT_FOUND_HTTP_METHOD", &[Delete], OUR_BUG, APOLOGY),

    // Cash receipts. The catalogue names three codes and says of none when it comes; nothing is known of cancels.
    row("DUPLICATED_CASH_RECEIPT", &[IssueReceipt], Means::LookUp, "이미 현금영수증을 발급한 결제입니다."),
    // Another number may be right, as another card may be good.
    row("INVALID_CASH_RECEIPT_INFO", &[IssueReceipt], NEW_CARD, CHECK_NUMBER),
    row("NTS_ERROR", &[IssueReceipt], NEW_CARD, RECEIPT_REFUSED),
    row("NOT_CANCELABLE_AMOUNT", &[CancelReceipt], OUR_BUG, "취소할 수 있는 현금영수증 금액을 초과했습니다."),
    row("MAINTAINED_METHOD", RECEIPT, TEMPORARY, TRY_SOON),

    // Nobody can tell. Absent codes are treated alike; these are here because somebody will look.
    row("IDEMPOTENT_REQUEST_PROCESSING", EVERY, Means::Unknown, TRY_SOON),
    // Said of repeated calls, so quite possibly of the second sending of a charge that still runs.
    row("FORBIDDEN_CONSECUTIVE_REQUEST", EVERY, Means::Unknown, TRY_SOON),
    row("PROVIDER_ERROR", EVERY, Means::Unknown, TRY_SOON),
    row("CARD_PROCESSING_ERROR", EVERY, Means::Unknown, TRY_SOON),
    row("FAILED_CARD_COMPANY_RESPONSE", EVERY, Means::Unknown, TRY_SOON),
    row("FAILED_INTERNAL_SYSTEM_PROCESSING", EVERY, Means::Unknown, TRY_SOON),
    row("FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING", EVERY, Means::Unknown, TRY_SOON),
    row("UNKNOWN_PAYMENT_ERROR", EVERY, Means::Unknown, TRY_SOON),
    row("UNKNOWN_ERROR", EVERY, Means::Unknown, TRY_SOON),
    row("COMMON_ERROR", EVERY, Means::Unknown, TRY_SOON),
    row("FAILED_DB_PROCESSING", &[Charge, Confirm, Cancel, Delete], Means::Unknown, TRY_SOON),
    // A key may exist that we never learn; repeating the request is the only way to hear of it.
    row("FAILED_BILL_KEY_AUTH_CREATION", &[Issue], Means::Unknown, TRY_SOON),
    row("FAILED_BILLING_AUTO_CANCEL", &[Issue, Charge], Means::Unknown, TRY_SOON),
    row("FAILED_REFUND_PROCESS", &[Cancel], Means::Unknown, TRY_SOON),
    row("FAILED_METHOD_HANDLING_CANCEL", &[Cancel], Means::Unknown, TRY_SOON),
    row("FAILED_PARTIAL_REFUND", &[Cancel], Means::Unknown, TRY_SOON),
];

fn find(operation: Operation, code: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.code == code && row.operations.contains(&operation))
}

/// What a refusal means.
pub(super) fn judge(operation: Operation, status: StatusCode, code: &str) -> Verdict {
    let Some(row) = find(operation, code) else { return Verdict::Unknown };
    let decline = |class| Decline { class, code: row.code.to_owned(), message: row.text.to_owned() };
    match row.means {
        Means::Declined(_) if status.is_server_error() && operation.happens_once() => Verdict::Unknown,
        Means::Declined(class) => Verdict::Declined(decline(class)),
        Means::LookUp => Verdict::LookUp(decline(DeclineClass::OurBug)),
        Means::Gone => Verdict::Gone,
        Means::Unknown => Verdict::Unknown,
    }
}

/// Why a payment failed that Toss reports as failed for good.
///
/// That it failed is certain here, so a code that tells nothing must still become some class: one
/// that the table calls unknown was the provider's own trouble; one that is not in it is most likely
/// the issuer's refusal, and a later day is the careful guess.
pub(super) fn failure(code: &str) -> Decline {
    let row = [Charge, Confirm].into_iter().find_map(|operation| find(operation, code));
    let (class, text) = match row.map(|row| (row.means, row.text)) {
        Some((Means::Declined(class), text)) => (class, text),
        Some((_, text)) => (DeclineClass::Temporary, text),
        None => (DeclineClass::RetryLater, ASK_ISSUER),
    };
    Decline { class, code: code.chars().take(100).collect(), message: text.to_owned() }
}

/// A code of Toss about a payment, as somebody in between passes it on.
pub(crate) fn passed_on(code: &str) -> Heard {
    let Some(row) = PAY.iter().find_map(|operation| find(*operation, code)) else { return Heard::Nothing };
    match row.means {
        Means::Declined(class) => {
            Heard::No(Decline { class, code: row.code.to_owned(), message: row.text.to_owned() })
        }
        Means::LookUp | Means::Gone | Means::Unknown => Heard::Unclear,
    }
}

/// A request that must not be sent because it could only be wrong.
pub(super) fn refused_here(code: &str) -> Decline {
    Decline { class: DeclineClass::OurBug, code: code.to_owned(), message: APOLOGY.to_owned() }
}

/// A cancel that began and failed.
pub(super) fn cancel_aborted() -> Decline {
    let message = REFUND_REFUSED.to_owned();
    Decline { class: DeclineClass::OurBug, code: "ABORTED".to_owned(), message }
}

/// A cash receipt that the tax service refused, or that was refused in a 200.
pub(super) fn receipt_refused(code: Option<&str>) -> Decline {
    let code = code.unwrap_or("FAILED").chars().take(100).collect();
    Decline { class: DeclineClass::NewCard, code, message: RECEIPT_REFUSED.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BAD_REQUEST: StatusCode = StatusCode::BAD_REQUEST;

    fn class(operation: Operation, code: &str) -> Option<DeclineClass> {
        match judge(operation, BAD_REQUEST, code) {
            Verdict::Declined(decline) => Some(decline.class),
            _ => None,
        }
    }

    #[test]
    fn a_code_has_one_meaning_per_operation() {
        for (index, row) in TABLE.iter().enumerate() {
            for operation in row.operations {
                let twin = TABLE[index + 1..]
                    .iter()
                    .find(|other| other.code == row.code && other.operations.contains(operation));
                assert!(twin.is_none(), "{} twice for {operation:?}", row.code);
            }
        }
    }

    #[test]
    fn every_decline_has_a_sentence_for_the_card_holder() {
        for row in TABLE.iter().filter(|row| !matches!(row.means, Means::Gone)) {
            assert!(row.text.ends_with('.'), "{}", row.code);
        }
    }

    #[test]
    fn the_holder_the_card_and_we_are_told_apart() {
        assert_eq!(class(Charge, "REJECT_CARD_PAYMENT"), Some(DeclineClass::RetryLater));
        assert_eq!(class(Charge, "INVALID_STOPPED_CARD"), Some(DeclineClass::NewCard));
        assert_eq!(class(Charge, "ALREADY_REMOVED_BILLING_KEY"), Some(DeclineClass::NewCard));
        assert_eq!(class(Confirm, "FDS_ERROR"), Some(DeclineClass::Fraud));
        assert_eq!(class(Confirm, "NOT_AVAILABLE_BANK"), Some(DeclineClass::Temporary));
        assert_eq!(class(Charge, "NOT_MATCHES_CUSTOMER_KEY"), Some(DeclineClass::OurBug));
        for code in ["UNAUTHORIZED_KEY", "INVALID_API_KEY", "INCORRECT_BASIC_AUTH_FORMAT"] {
            for operation in EVERY {
                assert_eq!(class(*operation, code), Some(DeclineClass::OurBug), "{operation:?} {code}");
            }
        }
    }

    #[test]
    fn the_status_alone_never_declines() {
        for status in [400, 401, 403, 404, 409, 429, 500, 503] {
            let status = StatusCode::from_u16(status).unwrap();
            for operation in EVERY {
                for code in ["", "SOMETHING_NEW", "PROVIDER_ERROR", "IDEMPOTENT_REQUEST_PROCESSING"] {
                    assert_eq!(judge(*operation, status, code), Verdict::Unknown, "{operation:?} {code}");
                }
            }
        }
    }

    #[test]
    fn a_no_from_a_server_that_broke_down_is_no_answer() {
        let broken = StatusCode::INTERNAL_SERVER_ERROR;
        assert_eq!(judge(Charge, broken, "REJECT_CARD_PAYMENT"), Verdict::Unknown);
        assert!(matches!(judge(Issue, broken, "FAILED_DB_PROCESSING"), Verdict::Declined(_)));
    }

    #[test]
    fn a_wrong_url_is_not_a_deleted_key() {
        for code in ["ALREADY_REMOVED_BILLING_KEY", "BILLING_KEY_NOT_FOUND", "NOT_FOUND_BILLING"] {
            assert_eq!(judge(Delete, BAD_REQUEST, code), Verdict::Gone);
        }
        assert_eq!(class(Delete, "NOT_FOUND_HTTP_METHOD"), Some(DeclineClass::OurBug));
    }

    #[test]
    fn a_payment_that_failed_for_good_always_gets_a_class() {
        assert_eq!(failure("INVALID_CARD_EXPIRATION").class, DeclineClass::NewCard);
        assert_eq!(failure("COMMON_ERROR").class, DeclineClass::Temporary);
        assert_eq!(failure("EXPIRED_PAYMENT").class, DeclineClass::Temporary);
        assert_eq!(failure("SOMETHING_NEW").class, DeclineClass::RetryLater);
    }
}
