//! What each code of KCP means, in one table.
//!
//! Source: KCP's own sheet of response codes. Which verdict a code gets is our judgement, and these
//! are its rules:
//!
//! - The code decides, never the HTTP status; only that a 5xx takes back a "no" about money.
//! - A code that is not in the table for this operation is [`Verdict::Unknown`], and so are timeouts and
//!   faults that invite another try: none of them promises that nothing was charged.
//! - A duplicate is `Unknown` for a charge. It proves that an earlier sending reached KCP, not that it
//!   was paid, and by an order number KCP cannot be asked.
//! - A code that may be the answer to the second sending of something that worked is never a "no".
//!
//! Deleting a key is the exception to all this: see [`Verdict::Gone`].

use reqwest::StatusCode;

use super::Operation::{self, Cancel, Charge, Confirm, Delete, Issue};
use crate::{Decline, DeclineClass, passed_on::Heard};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Declined(Decline),
    /// The payment tells. If it is as it was before, it is this decline.
    LookUpOr(Decline),
    /// The payment tells. If it is as it was before, KCP contradicts itself and nobody knows.
    LookUp,
    /// The batch key does not exist any more, which is what a deletion wants.
    Gone,
    Unknown,
}

#[derive(Clone, Copy)]
enum Means {
    Declined(DeclineClass),
    LookUpOr(DeclineClass),
    LookUp,
    Gone,
    Unknown,
}

struct Row {
    /// Codes and ranges of codes (`8101-8107`), separated by blanks.
    codes: &'static str,
    operations: &'static [Operation],
    means: Means,
    /// For the card holder.
    text: &'static str,
}

/// Where a card is asked for money.
const PAY: &[Operation] = &[Charge, Confirm];
const CARD: &[Operation] = &[Issue, Charge, Confirm];
const EVERY: &[Operation] = &[Issue, Charge, Confirm, Cancel, Delete];

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
const CHECK_INPUT: &str = "입력한 카드 정보가 올바르지 않습니다. 확인한 뒤 다시 등록해 주세요.";
const OTHER_CARD: &str = "이 결제에 사용할 수 없는 카드입니다. 다른 카드를 등록해 주세요.";
const SAFETY: &str = "안전한 거래를 위해 결제가 제한되었습니다. 카드사에 문의해 주세요.";
const START_AGAIN: &str = "결제 인증을 확인하지 못했습니다. 처음부터 다시 시도해 주세요.";
const NOT_REFUNDABLE: &str = "이 결제는 자동으로 취소할 수 없습니다. 고객센터로 문의해 주세요.";
const NOTHING_LEFT: &str = "취소할 수 있는 금액을 초과했습니다.";
const NOT_FOUND: &str = "취소할 결제를 찾을 수 없습니다. 고객센터로 문의해 주세요.";

const fn row(codes: &'static str, operations: &'static [Operation], means: Means, text: &'static str) -> Row {
    Row { codes, operations, means, text }
}

/// The first row that names the code counts: what is undecided stands before the ranges it is in.
#[rustfmt::skip] // One meaning, one line.
const TABLE: &[Row] = &[
    // Nobody can tell: duplicates, timeouts, faults on the way, and KCP's own cancel of a payment
    // whose result it could not hand over (9047, and 9048 where that failed too).
    row("8094 8128 8338 8586 9167 7101 CCSC", PAY, Means::Unknown, ""),
    row("3006-3010 CC72 CC98 CC99 CCPC CCSE 7512 7R01 8041-8044 8046-8048 8050 8173-8175 8671 8896 8996 8997 8999 9047 9048 9079", EVERY, Means::Unknown, ""),
    row("8314 8995 0900 0902 9999 8003 3999", EVERY, Means::Unknown, ""),

    // Confirming the same window data again may well get these: only the first time it is a "no".
    row("8310 8343", &[Confirm], Means::Unknown, ""),
    // Data that was used, or is too old, gives no key. The key it gave, if any, nobody can fetch.
    row("8094 8310 8343", &[Issue], NEW_CARD, START_AGAIN),

    // The holder's money and limits.
    row("CC10", CARD, HOLDER, BALANCE),
    row("CC88", PAY, HOLDER, "카드 포인트가 부족합니다. 다른 카드를 이용해 주세요."),
    row("CC07 CC08 CC61 CC65 CC85 CC86 8885 8886 8186-8189", CARD, HOLDER, OVER_LIMIT),
    row("CC01 CC03 CCS0 CCSJ CCSK", CARD, HOLDER, ASK_ISSUER),
    row("CC44 CCAF CCAG", CARD, HOLDER, "카드 상태를 카드사에 확인한 뒤 다시 시도해 주세요."),
    row("CC69", CARD, HOLDER, "카드 인증에 여러 번 실패하여 오늘은 사용할 수 없습니다. 카드사에 문의해 주세요."),
    row("3001", CARD, HOLDER, "결제창을 닫아 결제가 취소되었습니다."),
    row("CC25-CC28 CC41 CCP1-CCPJ CCS1-CCSM", CARD, HOLDER, START_AGAIN),

    // This card will never work here.
    row("CC04 CC43", CARD, NEW_CARD, LOST_CARD),
    row("CC45", CARD, NEW_CARD, STOPPED_CARD),
    row("CC54 CC55 8484", CARD, NEW_CARD, EXPIRED_CARD),
    // No code for a batch key that is gone is listed; most likely it is one of these.
    row("CC14 8108 2204", CARD, NEW_CARD, REGISTER_AGAIN),
    row("CC63 CC64 CC66-CC68", CARD, NEW_CARD, CHECK_INPUT),
    row("CC39 CC42 CC46 CC47 CC80 CC81 8126 8130 8183 9031", CARD, NEW_CARD, OTHER_CARD),

    row("8181 8182 8347 8786", CARD, FRAUD, SAFETY),

    // Closed or busy, and it said so before anything was sent on.
    row("CC75 CCC0 8045 3004 3005 8171 8172", EVERY, TEMPORARY, TRY_SOON),
    row("8122 8123", PAY, TEMPORARY, TRY_SOON),

    // The contract, the set-up, or what we send.
    row("8124 8125 CC02 8898 8998 CC12 CC15 CC21 CC33-CC37 CC40 CC62 8102 8121 8127 8100", CARD, OUR_BUG, APOLOGY),
    row("8897 5593 8370 8371 9200 9201 8001 8002 8004 8005 8024", EVERY, OUR_BUG, APOLOGY),
    row("3011-3013 3096 3097 5704 6004 8840 8847", EVERY, OUR_BUG, APOLOGY),
    row("CC13 CC16-CC20 CC24 CC73 CC84 CC97 8063 8135 9010 8129 8011 8564", CARD, OUR_BUG, APOLOGY),
    row("8006 8009 8010 8015-8022 8049 8051-8060 8091 8101-8107 8109-8120 8151-8168 8501-8510", CARD, OUR_BUG, APOLOGY),
    row("9001-9009 9011-9019 9502", CARD, OUR_BUG, APOLOGY),

    // Cancels. First those that may be the answer to a second sending.
    row("8133 8023 8150 8337 8340 8037 8381 CCA8 CCA9 8734", &[Cancel], Means::LookUp, ""),
    // A cancel is under way, and it may be ours.
    row("8040 8387 8388", &[Cancel], Means::Unknown, ""),
    row("8036 8039 8140 8382 8038 8344", &[Cancel], Means::LookUpOr(DeclineClass::OurBug), NOTHING_LEFT),
    row("8134 5002 CCAC CCA2-CCA7 CCAA CCAB CCAD CCAE", &[Cancel], Means::LookUpOr(DeclineClass::OurBug), NOT_REFUNDABLE),
    row("8132 8061 8585 5530 CCA1", &[Cancel], Means::LookUpOr(DeclineClass::OurBug), NOT_FOUND),
    // 8012: the address of this server is not registered at KCP.
    row("8012 8642", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("8178", &[Cancel], TEMPORARY, "지금은 환불할 수 없습니다. 정산 후 다시 시도해 주세요."),
    row("8029 8035 8141 8142 8149 8170 8345 8379 8384-8386 8392 8683 8684", &[Cancel], OUR_BUG, NOT_REFUNDABLE),
    row("8072 8073 8076 8078-8080 8082 8084 8098 8099", &[Cancel], OUR_BUG, APOLOGY),

    // Deleting a key that is not there (any more).
    row("8132 8061 8585 5530 8133 8023 CC14 8108 2204 8091 8101-8107 8109-8120", &[Delete], Means::Gone, ""),
];

pub(super) fn judge(operation: Operation, status: StatusCode, code: &str) -> Verdict {
    let Some(row) = find(operation, code) else { return unlisted(operation, status, code) };
    let decline = |class| Decline { class, code: code.to_owned(), message: row.text.to_owned() };
    match row.means {
        Means::Declined(_) | Means::LookUpOr(_) | Means::Gone if status.is_server_error() => Verdict::Unknown,
        Means::Declined(class) => Verdict::Declined(decline(class)),
        Means::LookUpOr(class) => Verdict::LookUpOr(decline(class)),
        Means::LookUp => Verdict::LookUp,
        Means::Gone => Verdict::Gone,
        Means::Unknown => Verdict::Unknown,
    }
}

/// KCP lists no code for deleting a key that is not there. So a proper refusal with a code that is in
/// no list is taken for that one: otherwise a deletion whose answer was lost would be tried for ever,
/// and a key that lives on at KCP while we have forgotten it can be charged by nobody.
fn unlisted(operation: Operation, status: StatusCode, code: &str) -> Verdict {
    let is_code = code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if operation == Delete && is_code && !status.is_server_error() { Verdict::Gone } else { Verdict::Unknown }
}

fn find(operation: Operation, code: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.operations.contains(&operation) && names(row.codes, code))
}

/// Codes of one length compare as text: digits come before letters, as KCP counts them.
fn names(codes: &str, code: &str) -> bool {
    codes.split(' ').any(|entry| match entry.split_once('-') {
        Some((first, last)) => code.len() == first.len() && (first..=last).contains(&code),
        None => entry == code,
    })
}

/// Whether an inquiry says that there is no such payment.
pub(super) fn is_not_found(code: &str) -> bool {
    names("8132 8061 8585 5530 CCA1", code)
}

/// A payment that KCP reports as failed for good.
pub(super) fn failed(state: &str) -> Decline {
    let message = ASK_ISSUER.to_owned();
    Decline { class: DeclineClass::RetryLater, code: state.chars().take(100).collect(), message }
}

/// A code of KCP about a payment, as somebody in between passes it on.
pub(crate) fn passed_on(code: &str) -> Heard {
    let Some(row) = PAY.iter().find_map(|operation| find(*operation, code)) else { return Heard::Nothing };
    match row.means {
        Means::Declined(class) => {
            Heard::No(Decline { class, code: code.to_owned(), message: row.text.to_owned() })
        }
        Means::LookUpOr(_) | Means::LookUp | Means::Gone | Means::Unknown => Heard::Unclear,
    }
}

/// A request that must not be sent because it could only be wrong.
pub(super) fn refused_here(code: &str) -> Decline {
    Decline { class: DeclineClass::OurBug, code: code.to_owned(), message: APOLOGY.to_owned() }
}

/// A cancel of more than is left.
pub(super) fn nothing_left() -> Decline {
    Decline { class: DeclineClass::OurBug, code: "8382".to_owned(), message: NOTHING_LEFT.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(operation: Operation, code: &str) -> Option<DeclineClass> {
        match judge(operation, StatusCode::OK, code) {
            Verdict::Declined(decline) => Some(decline.class),
            _ => None,
        }
    }

    fn entries() -> impl Iterator<Item = (&'static Row, &'static str)> {
        TABLE.iter().flat_map(|row| row.codes.split(' ').map(move |entry| (row, entry)))
    }

    #[test]
    fn codes_have_four_characters_and_ranges_go_upwards() {
        for (_, entry) in entries() {
            let (first, last) = entry.split_once('-').unwrap_or((entry, entry));
            assert!(first.len() == 4 && last.len() == 4 && first <= last, "{entry}");
        }
    }

    /// What is undecided may be cut out of a range; two single entries would be a mistake.
    #[test]
    fn a_code_has_one_meaning_per_operation() {
        for (index, (row, entry)) in entries().enumerate() {
            for (other, twin) in entries().skip(index + 1).filter(|(_, twin)| *twin == entry) {
                let shared = row.operations.iter().any(|operation| other.operations.contains(operation));
                assert!(!shared, "{twin} twice");
            }
        }
    }

    #[test]
    fn every_decline_has_a_sentence_for_the_card_holder() {
        for row in TABLE.iter().filter(|row| matches!(row.means, Means::Declined(_) | Means::LookUpOr(_))) {
            assert!(row.text.ends_with('.'), "{}", row.codes);
        }
    }

    #[test]
    fn the_holder_the_card_and_we_are_told_apart() {
        for (code, expected) in [
            ("CC10", DeclineClass::RetryLater),
            ("CC61", DeclineClass::RetryLater),
            ("CC45", DeclineClass::NewCard),
            ("8108", DeclineClass::NewCard),
            ("8182", DeclineClass::Fraud),
            ("CC75", DeclineClass::Temporary),
            ("8101", DeclineClass::OurBug),
            ("8059", DeclineClass::OurBug),
            ("CCP9", DeclineClass::RetryLater),
        ] {
            assert_eq!(class(Charge, code), Some(expected), "{code}");
        }
    }

    #[test]
    fn duplicates_timeouts_and_unlisted_codes_decide_nothing_about_money() {
        for code in
            ["8338", "8094", "CCSC", "CCPC", "CC72", "CC99", "8047", "3007", "8314", "9048", "S099", "", "0"]
        {
            for operation in [Charge, Confirm] {
                assert_eq!(judge(operation, StatusCode::OK, code), Verdict::Unknown, "{operation:?} {code}");
            }
        }
        for code in ["8310", "8343"] {
            assert_eq!(judge(Confirm, StatusCode::OK, code), Verdict::Unknown);
            assert_eq!(class(Issue, code), Some(DeclineClass::NewCard));
        }
    }

    #[test]
    fn a_no_from_a_server_that_broke_down_is_no_answer() {
        for operation in EVERY {
            for code in ["CC10", "8132", "8012", "S099"] {
                assert_eq!(judge(*operation, StatusCode::BAD_GATEWAY, code), Verdict::Unknown);
            }
        }
    }

    #[test]
    fn a_cancel_that_may_have_happened_is_looked_up() {
        for code in ["8133", "8381", "CCA9"] {
            assert_eq!(judge(Cancel, StatusCode::OK, code), Verdict::LookUp);
        }
        assert!(matches!(judge(Cancel, StatusCode::OK, "8382"), Verdict::LookUpOr(_)));
        assert_eq!(judge(Cancel, StatusCode::OK, "8387"), Verdict::Unknown);
        assert_eq!(class(Cancel, "8012"), Some(DeclineClass::OurBug));
    }

    #[test]
    fn an_unlisted_code_deletes_a_key_and_nothing_else() {
        assert_eq!(judge(Delete, StatusCode::OK, "S099"), Verdict::Gone);
        assert_eq!(judge(Delete, StatusCode::OK, "8132"), Verdict::Gone);
        assert_eq!(judge(Delete, StatusCode::OK, "CC99"), Verdict::Unknown);
        assert_eq!(judge(Delete, StatusCode::OK, "ERROR"), Verdict::Unknown);
        assert_eq!(class(Delete, "8001"), Some(DeclineClass::OurBug));
    }
}
