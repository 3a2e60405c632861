//! What each of Solapi's codes means, in one table.
//!
//! Source: the messaging reference (a.8), a list of 2022. Which class a code gets is our judgement. The first digit alone
//! says: 1 refused, 2 accepted or the platform's fault, 3 at the carrier (3000 is on its way), 4 arrived.

use super::super::Refusal;
use crate::FailureClass::{
    self, Account, BadNumber, Blocked, Charset, NoBalance, NoSuchUser, OurBug, QuietHours, Sender,
    SpamFilter, Template, Temporary, TooLong, Unexplained, Unreachable,
};

#[rustfmt::skip] // One code, one line.
const TABLE: &[(&str, FailureClass)] = &[
    // Refused.
    ("1010", OurBug),
    ("1011", BadNumber),
    ("1013", OurBug),
    ("1014", TooLong),
    ("1020", Account),
    ("1023", Temporary),
    ("1024", Temporary),
    ("1025", OurBug),
    ("1026", OurBug),
    ("1027", Charset),
    ("1028", Charset),
    ("1029", Charset),
    ("1030", NoBalance),
    ("1031", TooLong),
    ("1032", OurBug),
    ("1033", OurBug),
    ("1034", OurBug),
    ("1041", Sender),
    ("1042", Template),
    ("1043", Template),
    ("1058", Unreachable),
    ("1060", Blocked),
    ("1061", Blocked),
    ("1062", Sender),
    ("1064", Sender),
    // The platform's.
    ("2230", NoBalance),
    ("2254", SpamFilter),
    // The carriers'.
    ("3010", BadNumber),
    ("3013", Sender),
    ("3031", Unreachable),
    ("3032", BadNumber),
    ("3040", Unreachable),
    ("3041", Unreachable),
    ("3042", Unreachable),
    ("3043", Unreachable),
    ("3044", Unreachable),
    ("3045", Unreachable),
    ("3047", Blocked),
    ("3059", Sender),
    // Kakao's.
    ("3101", Sender),
    ("3102", NoSuchUser),
    ("3103", Template),
    ("3104", NoSuchUser),
    ("3105", Template),
    ("3106", Sender),
    ("3107", NoSuchUser),
    ("3108", QuietHours),
];

/// How a message stands that has this code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    OnItsWay,
    Arrived,
    Failed(Refusal),
}

pub(super) fn standing(code: &str) -> Standing {
    match code {
        // Without a code nothing is known yet.
        "2000" | "3000" | "" => Standing::OnItsWay,
        "4000" => Standing::Arrived,
        code => Standing::Failed(refusal(code)),
    }
}

/// A code that nobody explains is kept as it came: it failed, and nobody knows why.
pub(super) fn refusal(code: &str) -> Refusal {
    let known = TABLE.iter().find(|(known, _)| *known == code).map(|(_, class)| *class);
    let class = known.unwrap_or(match code.as_bytes() {
        // 1044 to 1053 are about buttons.
        [b'1', b'0', b'4' | b'5', _] => OurBug,
        [b'2', ..] => Temporary,
        _ => Unexplained,
    });
    Refusal::new(class, code)
}

/// Whether a text may follow where Kakao said this.
pub(super) fn is_kakaos(code: &str) -> bool {
    code.starts_with("31")
}

/// What an `errorCode` about a whole request means; `None` for a word that says nothing to us.
pub(super) fn of_request(code: &str) -> Option<FailureClass> {
    Some(match code {
        // The last two: our clock is wrong, or the signature was used; signed anew it may pass.
        "InvalidAPIKey"
        | "SignatureDoesNotMatch"
        | "Forbidden"
        | "BlockedApp"
        | "InactiveApp"
        | "RequestTimeTooSkewed"
        | "DuplicatedSignature" => Account,
        "NotEnoughBalance" => NoBalance,
        "ValidationError"
        | "RecipientsTooMany"
        | "InvalidScheduledDate"
        | "ResourceNotFound"
        | "ImageNotFound" => OurBug,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_meaning() {
        for (index, (code, _)) in TABLE.iter().enumerate() {
            assert!(TABLE[index + 1..].iter().all(|(other, _)| other != code), "{code}");
            assert_eq!(code.len(), 4);
        }
    }

    #[test]
    fn only_four_thousand_has_arrived() {
        assert_eq!(standing("4000"), Standing::Arrived);
        for code in ["2000", "3000", ""] {
            assert_eq!(standing(code), Standing::OnItsWay);
        }
        for code in ["1062", "2254", "3104", "4001", "9999"] {
            assert!(matches!(standing(code), Standing::Failed(_)), "{code}");
        }
    }

    #[test]
    fn what_nobody_explains_is_kept_as_it_came() {
        assert_eq!(refusal("3999"), Refusal::new(Unexplained, "3999"));
        assert_eq!(refusal("1047").class, OurBug);
        assert_eq!(refusal("2011").class, Temporary);
    }
}
