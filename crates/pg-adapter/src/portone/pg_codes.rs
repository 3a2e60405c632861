//! What the PGs behind PortOne say, passed through in their own codes.
//!
//! There is no common list. Sources: the Toss Payments reference (its table is `toss/errors.rs`) and
//! the result codes of the KCP guide. Of NICE, Inicis and the others nothing is certain enough to be
//! here.

use crate::{
    Decline, DeclineClass,
    DeclineClass::{Fraud, NewCard, OurBug, RetryLater, Temporary},
    toss::{self, TossWord},
};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A no, in so many words.
    No(Decline),
    /// The PG itself does not know: a time-out, a fault on its way to the issuer.
    Unclear,
    /// Not in any table.
    Nothing,
}

pub(super) const ASK_ISSUER: &str =
    "카드사에서 승인을 거절했습니다. 카드사에 문의하거나 다른 카드를 이용해 주세요.";
const BALANCE: &str = "잔액이 부족합니다. 잔액을 확인한 뒤 다시 시도해 주세요.";
const OVER_LIMIT: &str = "결제 한도를 초과했습니다. 카드사에 한도를 확인하거나 다른 카드를 이용해 주세요.";
const STOPPED: &str = "사용할 수 없는 카드입니다. 다른 카드를 등록해 주세요.";
const EXPIRED: &str = "카드 유효기간이 지났거나 올바르지 않습니다. 다른 카드를 등록해 주세요.";
const WRONG_INPUT: &str = "카드 정보가 올바르지 않습니다. 카드를 다시 등록해 주세요.";
const BLOCKED: &str = "안전한 거래를 위해 결제가 제한되었습니다. 카드사에 문의해 주세요.";
const MAINTENANCE: &str = "결제 기관이 점검 중입니다. 잠시 후 다시 시도해 주세요.";
const APOLOGY: &str = "요청을 처리하지 못했습니다. 고객센터로 문의해 주세요.";

type KcpRow = (&'static [&'static str], DeclineClass, &'static str);

/// Result codes of NHN KCP for payments.
const KCP: &[KcpRow] = &[
    (&["CC10"], RetryLater, BALANCE),
    (&["CC07", "CC08", "CC61", "CC65", "CC85", "CC86"], RetryLater, OVER_LIMIT),
    (&["8122", "8123", "8186", "8187", "8188", "8189", "8885", "8886"], RetryLater, OVER_LIMIT),
    (&["CC01", "CC03", "CC69", "CCS0", "CCSJ", "CCSK", "CC88"], RetryLater, ASK_ISSUER),
    (
        &["CC04", "CC43", "CC44", "CC45", "CCAF", "CCAG", "CC39", "CC46", "CC47", "CC80", "CC81"],
        NewCard,
        STOPPED,
    ),
    (&["CC54", "CC55", "8484"], NewCard, EXPIRED),
    (&["CC14", "8108", "2204", "CC63", "CC64", "CC66", "CC67", "CC68"], NewCard, WRONG_INPUT),
    (&["8126", "8183", "8130", "9031"], NewCard, STOPPED),
    (&["8181", "8182", "8347", "8786"], Fraud, BLOCKED),
    (&["CC75", "CCC0", "8045"], Temporary, MAINTENANCE),
    (&["CC02", "8898", "8998", "CC12", "CC15", "CC21", "CC33", "8102", "8121", "8127"], OurBug, APOLOGY),
    (&["CC34", "CC35", "CC36", "CC37", "CC40", "CC62", "8124", "8125", "8063", "8135"], OurBug, APOLOGY),
    (&["CC13", "CC16", "CC17", "CC18", "CC19", "CC20", "CC24", "CC73", "CC84", "CC97"], OurBug, APOLOGY),
];

const KCP_UNCLEAR: &[&str] = &[
    "CC72", "CC98", "CC99", "CCPC", "CCSE", "7512", "7R01", "8041", "8042", "8043", "8044", "8046", "8047",
    "8048", "8050", "8173", "8174", "8175", "8671", "8896", "8996", "8997", "8999", "8314", "8995", "3006",
    "3007", "3008", "3009", "3010", "9047", "9048", "9079",
];

/// What a code means for a payment. Where the PG is not known, only codes count that no other has.
pub(super) fn hear(pg_provider: Option<&str>, code: &str) -> Heard {
    match pg_provider {
        Some("TOSSPAYMENTS") => from_toss(code),
        Some(provider) if provider.starts_with("KCP") => from_kcp(code),
        Some(_) => Heard::Nothing,
        None => match from_toss(code) {
            Heard::Nothing if code.starts_with("CC") => from_kcp(code),
            heard => heard,
        },
    }
}

/// Toss's codes are words, like nobody else's.
fn from_toss(code: &str) -> Heard {
    match toss::word_about_a_payment(code) {
        Some(TossWord::No(decline)) => Heard::No(decline),
        Some(TossWord::Unclear) => Heard::Unclear,
        None => Heard::Nothing,
    }
}

fn from_kcp(code: &str) -> Heard {
    if KCP_UNCLEAR.contains(&code) {
        return Heard::Unclear;
    }
    match KCP.iter().find(|(codes, ..)| codes.contains(&code)) {
        Some((_, class, message)) => {
            Heard::No(Decline { class: *class, code: code.to_owned(), message: (*message).to_owned() })
        }
        None => Heard::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_code_of_kcp_stands_in_one_place() {
        let all: Vec<_> = KCP.iter().flat_map(|(codes, ..)| codes.iter()).chain(KCP_UNCLEAR).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    #[test]
    fn digits_are_only_understood_from_the_pg_whose_they_are() {
        assert!(matches!(hear(Some("KCP_V2"), "8186"), Heard::No(_)));
        assert_eq!(hear(Some("NICE_V2"), "8186"), Heard::Nothing);
        assert_eq!(hear(None, "8186"), Heard::Nothing);
        assert!(matches!(hear(None, "CC10"), Heard::No(_)));
        assert_eq!(hear(Some("TOSSPAYMENTS"), "CC10"), Heard::Nothing);
        assert_eq!(hear(Some("TOSSPAYMENTS"), "PROVIDER_ERROR"), Heard::Unclear);
    }
}
