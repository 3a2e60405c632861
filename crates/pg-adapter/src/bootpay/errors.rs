//! What each refusal of Bootpay means, in one table.
//!
//! Bootpay publishes no list of its error codes, and passes the PG's Korean text on. So the table goes by
//! the words of the message; no row rests on a real answer. These are its rules:
//!
//! - 5xx, 408 and 429 decide nothing, whatever they say.
//! - What is in no row is [`Verdict::Unclear`]: the payment is asked, and if it does not tell, nobody knows.
//! - No refusal is the last word about a payment. An earlier sending may have gone through, so the payment
//!   is looked up after every one of them, and what it says goes first.

use reqwest::StatusCode;

use super::{
    Operation::{self, Cancel, CancelReceipt, Charge, Confirm, Delete, Issue, IssueReceipt},
    wire,
};
use crate::{Decline, DeclineClass};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Refused, unless the payment knows better.
    Declined(Decline),
    /// The billing key does not exist any more, which is what a deletion wants.
    Gone,
    /// In no row, or in doubt: only the payment tells.
    Unclear,
    /// Whoever broke down cannot vouch for anything.
    Unknown,
}

#[derive(Clone, Copy)]
enum Means {
    Declined(DeclineClass),
    Gone,
    Unclear,
}

struct Row {
    /// Any of these texts, separated by bars; of one, all words that blanks separate.
    texts: &'static str,
    operations: &'static [Operation],
    means: Means,
    /// For the card holder.
    text: &'static str,
}

const PAY: &[Operation] = &[Charge, Confirm];
const MONEY: &[Operation] = &[Charge, Confirm, Cancel, IssueReceipt, CancelReceipt];

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
const LOST_CARD: &str = "분실 또는 도난 신고된 카드입니다. 다른 카드를 등록해 주세요.";
const STOPPED_CARD: &str = "정지된 카드입니다. 다른 카드를 등록해 주세요.";
const EXPIRED_CARD: &str = "카드 유효기간이 지났거나 올바르지 않습니다. 다른 카드를 등록해 주세요.";
const REGISTER_AGAIN: &str = "등록된 카드를 사용할 수 없습니다. 카드를 다시 등록해 주세요.";
const SAFETY: &str = "안전한 거래를 위해 결제가 제한되었습니다. 카드사에 문의해 주세요.";
const NOT_REFUNDABLE: &str = "이 결제는 자동으로 취소할 수 없습니다. 고객센터로 문의해 주세요.";
const NOTHING_LEFT: &str = "취소할 수 있는 금액을 초과했습니다.";

const fn row(texts: &'static str, operations: &'static [Operation], means: Means, text: &'static str) -> Row {
    Row { texts, operations, means, text }
}

/// The first row that fits counts.
#[rustfmt::skip] // One meaning, one line.
const TABLE: &[Row] = &[
    row("빌링키 삭제|빌링키 해지|빌링키 존재하지|빌링키 찾을 수|빌링키 만료", &[Delete], Means::Gone, ""),
    row("빌링키 삭제|빌링키 해지|빌링키 존재하지|빌링키 찾을 수|빌링키 만료", &[Charge, Issue], NEW_CARD, REGISTER_AGAIN),

    // Nobody can tell: faults on the way, something under way, something that happened before.
    row("응답 시간|응답 없|타임아웃|timeout|Timeout|통신|처리중|처리 중|진행중|진행 중|망취소", MONEY, Means::Unclear, ""),
    row("중복|이미 결제|이미 승인|이미 취소|이미 처리|이미 사용", MONEY, Means::Unclear, ""),

    // The contract, the set-up, or what we send. Before the holder's limits: a shop has limits too.
    row("가맹점|상점|계약|파라미터|필수", MONEY, OUR_BUG, APOLOGY),

    row("잔액 부족", PAY, HOLDER, BALANCE),
    row("한도 초과|한도초과|횟수 초과|횟수초과", PAY, HOLDER, OVER_LIMIT),
    row("분실|도난|사고신고", PAY, NEW_CARD, LOST_CARD),
    row("정지 카드", PAY, NEW_CARD, STOPPED_CARD),
    row("유효기간", PAY, NEW_CARD, EXPIRED_CARD),
    row("카드번호|카드 번호|해지 카드|탈회|거래불가 카드", PAY, NEW_CARD, REGISTER_AGAIN),
    row("부정사용|부정 사용|이상거래|이상 거래|이상금융", PAY, FRAUD, SAFETY),
    row("점검|거래 가능 시간|서비스 시간", MONEY, TEMPORARY, TRY_SOON),

    row("식별번호|휴대폰번호|휴대전화번호|사업자번호|사업자등록번호", &[IssueReceipt], NEW_CARD, "현금영수증을 발급할 수 없는 번호입니다. 번호를 확인한 뒤 다시 요청해 주세요."),
    row("현금영수증 불가|현금영수증 없", &[IssueReceipt, CancelReceipt], OUR_BUG, APOLOGY),

    row("금액 초과", &[Cancel], OUR_BUG, NOTHING_LEFT),
    row("정산", &[Cancel], TEMPORARY, "지금은 환불할 수 없습니다. 정산 후 다시 시도해 주세요."),
    row("부분취소|부분 취소|취소 불가|취소할 수 없", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
];

pub(super) fn judge(operation: Operation, status: StatusCode, error: &wire::Error) -> Verdict {
    let declined =
        |class, text: &str| Verdict::Declined(Decline { class, code: code(error), message: text.to_owned() });
    if decides_nothing(status) {
        return Verdict::Unknown;
    }
    // A wrong key, or the address of this server is not on the project's list.
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        return declined(DeclineClass::OurBug, APOLOGY);
    }
    match find(operation, &error.message).map(|row| (row.means, row.text)) {
        Some((Means::Declined(class), text)) => declined(class, text),
        Some((Means::Gone, _)) => Verdict::Gone,
        None if status == StatusCode::NOT_FOUND && operation == Delete => Verdict::Gone,
        // Reading a key moves nothing: what is not there cannot be registered.
        None if status == StatusCode::NOT_FOUND && operation == Issue => {
            declined(DeclineClass::NewCard, REGISTER_AGAIN)
        }
        Some((Means::Unclear, _)) | None => Verdict::Unclear,
    }
}

fn decides_nothing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}

fn find(operation: Operation, message: &str) -> Option<&'static Row> {
    let says = |text: &str| text.split(' ').all(|word| message.contains(word));
    TABLE.iter().find(|row| row.operations.contains(&operation) && row.texts.split('|').any(says))
}

fn code(error: &wire::Error) -> String {
    if error.code.is_empty() { "BOOTPAY".to_owned() } else { error.code.clone() }
}

/// Whether an answer to a look-up says that there is no such payment: in Bootpay's own form, since a
/// wrong URL answers 404 as well. The code is not documented.
pub(super) fn is_not_found(status: StatusCode) -> bool {
    status == StatusCode::NOT_FOUND
}

/// A payment that Bootpay shows as failed. A receipt does not say why.
pub(super) fn failed(status: i64) -> Decline {
    Decline { class: DeclineClass::RetryLater, code: status.to_string(), message: ASK_ISSUER.to_owned() }
}

/// A request that must not be sent, or an answer that must not be taken, because it could only be wrong.
pub(super) fn refused_here(code: &str) -> Decline {
    Decline { class: DeclineClass::OurBug, code: code.to_owned(), message: APOLOGY.to_owned() }
}

pub(super) fn useless_key(code: &str) -> Decline {
    Decline { class: DeclineClass::NewCard, code: code.to_owned(), message: REGISTER_AGAIN.to_owned() }
}

/// A cancel of more than is left.
pub(super) fn nothing_left() -> Decline {
    let code = "CANCEL_PRICE_EXCEEDS_REST".to_owned();
    Decline { class: DeclineClass::OurBug, code, message: NOTHING_LEFT.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(operation: Operation, status: u16, message: &str) -> Verdict {
        let error = wire::Error { code: "ANY".to_owned(), message: message.to_owned() };
        judge(operation, StatusCode::from_u16(status).unwrap(), &error)
    }

    fn class(operation: Operation, message: &str) -> Option<DeclineClass> {
        match judged(operation, 400, message) {
            Verdict::Declined(decline) => Some(decline.class),
            _ => None,
        }
    }

    #[test]
    fn every_decline_has_a_sentence_for_the_card_holder() {
        for row in TABLE.iter().filter(|row| matches!(row.means, Means::Declined(_))) {
            assert!(row.text.ends_with('.'), "{}", row.texts);
        }
    }

    #[test]
    fn the_holder_the_card_and_we_are_told_apart() {
        for (message, expected) in [
            ("잔액이 부족합니다.", DeclineClass::RetryLater),
            ("1회 이용한도초과", DeclineClass::RetryLater),
            ("가맹점 한도초과", DeclineClass::OurBug),
            ("거래정지 카드입니다.", DeclineClass::NewCard),
            ("도난 신고된 카드", DeclineClass::NewCard),
            ("존재하지 않는 빌링키입니다.", DeclineClass::NewCard),
            ("이상거래로 의심되어 거절", DeclineClass::Fraud),
            ("은행 점검 시간입니다.", DeclineClass::Temporary),
        ] {
            assert_eq!(class(Charge, message), Some(expected), "{message}");
        }
    }

    #[test]
    fn what_is_in_no_row_or_in_doubt_decides_nothing() {
        for message in [
            "",
            "알 수 없는 오류",
            "이미 결제된 order_id입니다.",
            "카드사 응답 시간 초과",
            "처리중 잔액 부족",
        ] {
            for operation in MONEY {
                assert_eq!(judged(*operation, 400, message), Verdict::Unclear, "{message}");
            }
        }
        for status in [408, 429, 500, 502, 503] {
            assert_eq!(judged(Charge, status, "잔액이 부족합니다."), Verdict::Unknown, "{status}");
            assert_eq!(judged(Delete, status, "이미 삭제된 빌링키입니다."), Verdict::Unknown, "{status}");
        }
    }

    #[test]
    fn a_key_that_is_not_there_is_deleted() {
        assert_eq!(judged(Delete, 400, "이미 삭제된 빌링키입니다."), Verdict::Gone);
        assert_eq!(judged(Delete, 404, "?"), Verdict::Gone);
        assert_eq!(judged(Delete, 400, "?"), Verdict::Unclear);
    }
}
