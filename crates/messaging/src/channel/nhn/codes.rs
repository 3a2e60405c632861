//! What each of NHN Cloud's codes means, in one table.
//!
//! Source: the messaging reference (b). Which class a code gets is our judgement.

use super::super::Refusal;
use crate::FailureClass::{
    self, Account, BadNumber, Blocked, Charset, NoSuchUser, OurBug, QuietHours, Sender, SpamFilter, Template,
    Temporary, TooLong, Unexplained, Unreachable,
};

/// Of the API, about a request or one recipient of it.
#[rustfmt::skip] // One code, one line.
const API: &[(i64, FailureClass)] = &[
    (-1000, Account),
    (-1001, Account),
    (-1027, Account),
    (-1028, Template),
    (-1031, OurBug),
    (-2016, OurBug),
    (-2019, BadNumber),
    (-2022, OurBug),
    (-2023, Charset),
    (-2312, Sender),
    (-3003, Template),
    (-3005, Template),
    (-3010, Template),
    (-3011, Template),
    (-3301, Blocked),
    (-6001, Blocked),
    (-6003, OurBug),
    (-6004, Sender),
    (-8006, OurBug),
];

/// Of a carrier, about a text.
#[rustfmt::skip]
const CARRIER: &[(&str, FailureClass)] = &[
    ("3001", BadNumber),
    ("3003", BadNumber),
    ("3006", Blocked),
    ("3012", SpamFilter),
    ("3018", Sender),
    ("3019", Sender),
];

/// Of Kakao.
#[rustfmt::skip]
const KAKAO: &[(&str, FailureClass)] = &[
    ("1003", Sender),
    ("1006", Sender),
    ("1007", Sender),
    ("1028", Blocked),
    ("3008", BadNumber),
    ("3014", TooLong),
    ("3015", Template),
    ("3016", Template),
    ("3018", NoSuchUser),
    ("3019", NoSuchUser),
    ("3020", Blocked),
    ("3021", NoSuchUser),
    ("3022", QuietHours),
    ("3025", TooLong),
    ("3027", Template),
    ("4131", OurBug),
    ("9998", Temporary),
    ("9999", Temporary),
];

/// The same request came before, within ten minutes: what became of that one is to be looked for.
pub(super) const REPEATED: i64 = -1005;

pub(super) fn of_api(code: i64) -> Refusal {
    let known = API.iter().find(|(known, _)| *known == code).map(|(_, class)| *class);
    Refusal::new(known.unwrap_or(Unexplained), code.to_string())
}

pub(super) fn of_carrier(code: &str) -> Refusal {
    let known = CARRIER.iter().find(|(known, _)| *known == code).map(|(_, class)| *class);
    let class = known.unwrap_or(match code.as_bytes() {
        // Time ran out, phone off and the like.
        [b'2', b'0', b'0', _] => Unreachable,
        _ => Unexplained,
    });
    Refusal::new(class, code)
}

pub(super) fn of_kakao(code: &str) -> Refusal {
    let known = KAKAO.iter().find(|(known, _)| *known == code).map(|(_, class)| *class);
    let class = known.unwrap_or(match code.as_bytes() {
        [b'1', b'0', b'2', _] => Sender,
        _ => Unexplained,
    });
    Refusal::new(class, code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_meaning() {
        for table in [CARRIER, KAKAO] {
            for (index, (code, _)) in table.iter().enumerate() {
                assert!(table[index + 1..].iter().all(|(other, _)| other != code), "{code}");
            }
        }
        for (index, (code, _)) in API.iter().enumerate() {
            assert!(*code < 0 && *code != REPEATED);
            assert!(API[index + 1..].iter().all(|(other, _)| other != code), "{code}");
        }
    }

    #[test]
    fn what_nobody_explains_is_kept_as_it_came() {
        assert_eq!(of_api(-4242), Refusal::new(Unexplained, "-4242"));
        assert_eq!(of_carrier("2003").class, Unreachable);
        assert_eq!(of_kakao("1024").class, Sender);
        assert_eq!(of_kakao("7777").class, Unexplained);
    }
}
