//! What people write in their own words.

use crate::{BillingError, card::is_card_number};

/// Refuses an id, of which a card number may be a part with anything between its groups. Digits among letters are none:
/// of random ids in hexadecimal, ours among them, one in some thousands has a row of digits that could be one.
pub(super) fn is_no_card_number(id: &str) -> Result<(), BillingError> {
    let parts = id.split(|c: char| !c.is_ascii_alphanumeric());
    let numbers = parts.map(|part| if part.bytes().all(|byte| byte.is_ascii_digit()) { part } else { "x" });
    without_card_number(&numbers.collect::<Vec<_>>().join(" "))
}

/// Refuses text with a card number in it: it would be kept in clear, and shown to whoever may read
/// payments. Meant is what looks like one, 13 digits or more in a row or printed as on a card; a
/// date beside a telephone number does not.
pub(super) fn without_card_number(text: &str) -> Result<(), BillingError> {
    let groups: Vec<&str> = text.split(|c: char| !c.is_ascii_digit() && !matches!(c, ' ' | '-')).collect();
    let holds_one = groups.iter().any(|run| {
        let groups: Vec<&str> = run.split([' ', '-']).filter(|group| !group.is_empty()).collect();
        let in_a_row = groups.iter().any(|digits| is_issued(digits) && is_card_number(digits));
        in_a_row
            || [&[4, 4, 4, 4][..], &[4, 6, 5], &[4, 6, 4]].iter().any(|print| {
                groups.windows(print.len()).any(|window| {
                    let fits = window.iter().zip(*print).all(|(group, length)| group.len() == *length);
                    fits && is_issued(window[0]) && is_card_number(&window.concat())
                })
            })
    });
    if holds_one { Err(BillingError::RawCardNumber) } else { Ok(()) }
}

/// Card numbers begin with 3 to 6, Korea's domestic ones with 9, some of Mastercard's with 2221 to
/// 2720. Dates and telephone numbers do not.
fn is_issued(digits: &str) -> bool {
    match digits.as_bytes() {
        [b'3'..=b'6' | b'9', ..] => true,
        [b'2', ..] => digits.get(..4).is_some_and(|prefix| ("2221"..="2720").contains(&prefix)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_number_is_found_wherever_it_stands() {
        for text in [
            "4111111111111111",
            "카드 4111-1111-1111-1111로 결제했는데 환불해 주세요",
            "2026-02-14 4111 1111 1111 1111",
            "amex:3782 822463 10005.",
            "(378282246310005)",
            "번호는5555555555554444입니다",
        ] {
            assert!(without_card_number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_is_no_card_number_because_digits_stand_among_its_letters() {
        for id in
            ["dga4111111111111111b", "4111-1111-1111-111a1", "dg4111111111111111", "user_1", "order-20260214"]
        {
            assert!(is_no_card_number(id).is_ok(), "{id}");
        }
        for id in
            ["4111111111111111", "4111-1111-1111-1111", "user_4111.1111.1111.1111", "order-378282246310005"]
        {
            assert!(is_no_card_number(id).is_err(), "{id}");
        }
    }

    #[test]
    fn other_numbers_are_just_numbers() {
        for text in [
            "고객 요청",
            "",
            "2026-02-14 010-1234-5678 요청",
            "주문 20260214103000123 취소",
            "4111-1111-1111-1112",
            "dg_5f0c7a1e9b3d4c2f8a6e0d1b2c3f4a5e",
            "29,000원 환불 1588-7654",
        ] {
            assert!(without_card_number(text).is_ok(), "{text}");
        }
    }
}
