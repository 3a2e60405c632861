//! What each of Popbill's codes means, in one table.
//!
//! Source: the Popbill reference. Which class a code gets is our judgement. The reference does not give
//! the codes for "this document id is used" and "too few points", so nothing here depends on them: what
//! is not in the table is unknown, and no refusal is believed before the document was looked up.

use crate::{
    Refusal,
    RefusalClass::{self, Account, Buyer, OurBug},
};

struct Row {
    code: i64,
    class: RefusalClass,
    /// For the shop owner.
    text: &'static str,
}

const APOLOGY: &str = "세금계산서를 발행하지 못했습니다. 고객센터로 문의해 주세요.";
const NOT_READY: &str = "세금계산서 발행 준비가 끝나지 않았습니다. 확인 후 다시 발행하겠습니다.";
const CHECK_NUMBER: &str = "사업자등록번호가 올바르지 않습니다. 확인한 뒤 다시 입력해 주세요.";
const TOO_LATE_TO_WITHDRAW: &str =
    "이미 국세청에 전송되어 발행을 취소할 수 없습니다. 수정세금계산서를 발행해야 합니다.";
const NO_SUCH_DOCUMENT: &str = "해당하는 세금계산서가 없습니다.";
const KEY_TAKEN: &str = "같은 문서번호의 다른 세금계산서가 있습니다. 고객센터로 문의해 주세요.";
const WITHDRAWN: &str = "발행이 취소된 세금계산서입니다. 새 문서번호로 발행해야 합니다.";

const fn row(code: i64, class: RefusalClass, text: &'static str) -> Row {
    Row { code, class, text }
}

#[rustfmt::skip] // One code, one line.
const TABLE: &[Row] = &[
    // The buyer's number.
    row(-11_001_021, Buyer, CHECK_NUMBER),

    // Our account: certificate missing, expired or revoked, no member, no rights.
    row(-11_002_031, Account, NOT_READY),
    row(-10_002_009, Account, NOT_READY),
    row(-99_003_008, Account, NOT_READY),
    row(-11_000_007, Account, NOT_READY),
    row(-11_000_008, Account, NOT_READY),
    row(-11_000_009, Account, NOT_READY),

    // What we wrote: document id, numbers, dates, kinds, amounts.
    row(-11_000_005, OurBug, APOLOGY),
    row(-11_000_006, OurBug, APOLOGY),
    row(-11_001_000, OurBug, APOLOGY),
    row(-11_001_001, OurBug, APOLOGY),
    row(-11_001_003, OurBug, APOLOGY),
    row(-11_001_004, OurBug, APOLOGY),
    row(-11_001_005, OurBug, APOLOGY),
    row(-11_001_007, OurBug, APOLOGY),
    row(-11_001_009, OurBug, APOLOGY),
    row(-11_001_010, OurBug, APOLOGY),
    row(-11_001_012, OurBug, APOLOGY),
    row(-11_001_013, OurBug, APOLOGY),
    row(-11_001_014, OurBug, APOLOGY),
    row(-11_001_015, OurBug, APOLOGY),
    row(-11_001_016, OurBug, APOLOGY),
];

/// What a refusal means; `None` for a code that says nothing to us.
pub(super) fn judge(code: i64) -> Option<Refusal> {
    let row = TABLE.iter().find(|row| row.code == code)?;
    Some(Refusal { class: row.class, code: code.to_string(), message: row.text.to_owned() })
}

/// Two codes say it; which of them when is not documented.
pub(super) fn is_not_found(code: i64) -> bool {
    matches!(code, -11_000_000 | -11_000_001)
}

fn ours(class: RefusalClass, code: &str, text: &str) -> Refusal {
    Refusal { class, code: code.to_owned(), message: text.to_owned() }
}

/// The key stands for another document.
pub(super) fn key_taken() -> Refusal {
    ours(OurBug, "KEY_TAKEN", KEY_TAKEN)
}

/// The key stands for a document that was taken back.
pub(super) fn withdrawn() -> Refusal {
    ours(RefusalClass::State, "WITHDRAWN", WITHDRAWN)
}

/// It is with the tax service.
pub(super) fn too_late_to_withdraw(state_code: &str) -> Refusal {
    ours(RefusalClass::State, state_code, TOO_LATE_TO_WITHDRAW)
}

pub(super) fn nothing_to_withdraw() -> Refusal {
    ours(RefusalClass::State, "NOT_FOUND", NO_SUCH_DOCUMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_meaning() {
        for (index, row) in TABLE.iter().enumerate() {
            assert!(TABLE[index + 1..].iter().all(|other| other.code != row.code), "{}", row.code);
            assert!(!is_not_found(row.code));
            assert!(row.code < 0 && row.text.ends_with('.'));
        }
    }

    #[test]
    fn the_buyer_our_account_and_we_are_told_apart() {
        let class = |code| judge(code).map(|refusal| refusal.class);
        assert_eq!(class(-11_001_021), Some(Buyer));
        assert_eq!(class(-11_002_031), Some(Account));
        assert_eq!(class(-11_001_010), Some(OurBug));
        for unknown in [-1, 0, 1, -99_999_999, -11_000_000, i64::MIN] {
            assert_eq!(class(unknown), None, "{unknown}");
        }
    }
}
