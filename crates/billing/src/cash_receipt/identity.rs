//! Whose a cash receipt is: a number that the tax service knows somebody by.

use ::tax_invoice::BusinessNumber;
use secrecy::{ExposeSecret, SecretString};

use crate::{BillingError, payment::CashReceiptKind, tax_invoice::NumberCheck};

/// The digits of a number that fits the kind of receipt.
#[derive(Clone)]
pub(crate) struct IdentityNumber(pub SecretString);

const FIELD: &str = "identityNumber";
const PERSON: &str = "휴대전화번호(10~11자리)나 현금영수증 카드번호(13~19자리)를 입력해 주세요.";
const BUSINESS: &str = "올바른 사업자등록번호(10자리)나 현금영수증 카드번호(13~19자리)를 입력해 주세요.";
const RESIDENT: &str =
    "주민등록번호는 보관하지 않으므로 받지 않습니다. 휴대전화번호나 현금영수증 카드번호를 입력해 주세요.";

impl IdentityNumber {
    /// Reads it with hyphens and blanks or without.
    pub(crate) fn read(
        text: &SecretString,
        kind: CashReceiptKind,
        check: NumberCheck,
    ) -> Result<Self, BillingError> {
        let text = text.expose_secret().trim();
        let message = match kind {
            CashReceiptKind::IncomeDeduction => PERSON,
            CashReceiptKind::ExpenseProof => BUSINESS,
        };
        let invalid = BillingError::InvalidField { field: FIELD, code: "INVALID_IDENTITY_NUMBER", message };
        if text.len() > 30 || !text.bytes().all(|byte| byte.is_ascii_digit() || b" -".contains(&byte)) {
            return Err(invalid);
        }
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if is_resident_number(&digits) {
            return Err(BillingError::InvalidField {
                field: FIELD,
                code: "RESIDENT_NUMBER_REFUSED",
                message: RESIDENT,
            });
        }
        let fits = match kind {
            CashReceiptKind::IncomeDeduction => is_telephone(&digits),
            CashReceiptKind::ExpenseProof => {
                digits.parse::<BusinessNumber>().is_ok_and(|number| check.passes(number))
            }
        };
        if fits || (13..=19).contains(&digits.len()) { Ok(Self(digits.into())) } else { Err(invalid) }
    }
}

/// A mobile number. `010-000-1234` is among them, with which the tax service has receipts issued that
/// nobody claims.
fn is_telephone(digits: &str) -> bool {
    (10..=11).contains(&digits.len())
        && ["010", "011", "016", "017", "018", "019"].iter().any(|prefix| digits.starts_with(prefix))
}

/// A birthday, then a digit for the century and the sex (주민등록번호, 외국인등록번호).
fn is_resident_number(digits: &str) -> bool {
    let number = |range| digits.get(range).and_then(|part: &str| part.parse::<u32>().ok());
    digits.len() == 13
        && number(2..4).is_some_and(|month| (1..=12).contains(&month))
        && number(4..6).is_some_and(|day| (1..=31).contains(&day))
}

#[cfg(test)]
mod tests {
    use CashReceiptKind::{ExpenseProof, IncomeDeduction};

    use super::*;

    fn read(text: &str, kind: CashReceiptKind, check: NumberCheck) -> Result<String, &'static str> {
        match IdentityNumber::read(&text.to_owned().into(), kind, check) {
            Ok(number) => Ok(number.0.expose_secret().to_owned()),
            Err(BillingError::InvalidField { code, .. }) => Err(code),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn a_person_has_a_telephone_or_a_cash_receipt_card() {
        for (text, digits) in [
            ("010-1234-5678", "01012345678"),
            ("011 123 4567", "0111234567"),
            ("010-000-1234", "0100001234"),
            ("1544-2020-1234-567890", "154420201234567890"),
        ] {
            assert_eq!(read(text, IncomeDeduction, NumberCheck::Checksum).as_deref(), Ok(digits));
        }
        for text in [
            "",
            "02-123-4567",
            "010-1234-567a",
            "０１０12345678",
            "1234567890",
            "123456789012",
            &"1".repeat(20),
        ] {
            assert_eq!(
                read(text, IncomeDeduction, NumberCheck::Format),
                Err("INVALID_IDENTITY_NUMBER"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_business_has_a_business_number_or_a_cash_receipt_card() {
        assert_eq!(read("111-11-11119", ExpenseProof, NumberCheck::Checksum).as_deref(), Ok("1111111119"));
        assert_eq!(read("123-45-67890", ExpenseProof, NumberCheck::Format).as_deref(), Ok("1234567890"));
        assert_eq!(read("123-45-67890", ExpenseProof, NumberCheck::Checksum), Err("INVALID_IDENTITY_NUMBER"));
        assert_eq!(read("010-1234-5678", ExpenseProof, NumberCheck::Format), Err("INVALID_IDENTITY_NUMBER"));
        assert!(read("154420201234567890", ExpenseProof, NumberCheck::Checksum).is_ok());
    }

    #[test]
    fn a_resident_number_is_nobodys_to_keep() {
        for kind in [IncomeDeduction, ExpenseProof] {
            for text in ["900101-1234567", "9912315234567"] {
                assert_eq!(read(text, kind, NumberCheck::Format), Err("RESIDENT_NUMBER_REFUSED"), "{text}");
            }
            assert!(read("1544201234567", kind, NumberCheck::Format).is_ok(), "no month has the number 44");
        }
    }
}
