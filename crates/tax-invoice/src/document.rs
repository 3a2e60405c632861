//! The invoice as something to read: a page to print, and an XML of the same content.
//!
//! Neither is the legal original: that is the signed XML which the issuer filed
//! ([`crate::TaxInvoiceIssuer::xml`]). Both show the confirmation number as soon as there is one.

mod html;
mod xml;

pub use html::html;
pub use xml::xml;

/// Text as it may stand in HTML and in XML, in elements and in quoted attributes.
///
/// Control characters that XML forbids become a space: nobody can read them, and one of them would make
/// the whole document unreadable.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(character),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            other if other.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
pub(crate) mod sample {
    use kernel::Krw;

    use crate::{
        AfterDeadline, Contact, Draft, LineItem, Mistake, Modification, ModifyReason, Party, Purpose,
        TaxInvoice, TaxKind, law::vat::split_lines,
    };

    pub(crate) const CONFIRMATION: &str = "202602144100020300000001";

    pub(crate) fn party(number: &str, name: &str) -> Party {
        Party {
            number: number.parse().unwrap(),
            place: None,
            name: name.to_owned(),
            representative: "김단골".to_owned().into(),
            address: "서울특별시 마포구 월드컵로 1".to_owned().into(),
            business_type: "서비스업".to_owned(),
            business_item: "소프트웨어 개발".to_owned(),
            contact: Contact {
                name: "이담당".to_owned().into(),
                email: "billing@shop.example".to_owned().into(),
                phone: "02-000-0000".to_owned().into(),
            },
        }
    }

    pub(crate) fn draft() -> Draft {
        let prices = [33_000, 9_900].map(Krw::won);
        let lines = split_lines(&prices).unwrap();
        let line = |index: usize, name: &str| LineItem {
            supplied_on: "2026-02-14".parse().unwrap(),
            name: name.to_owned(),
            specification: "월".to_owned(),
            quantity: Some(1),
            unit_price: Some(lines[index].supply),
            amount: lines[index],
            remark: String::new(),
        };
        Draft {
            key: "INV-20260214-001".parse().unwrap(),
            write_date: "2026-02-14".parse().unwrap(),
            purpose: Purpose::Received,
            tax_kind: TaxKind::Taxed,
            seller: party("123-45-67891", "주식회사 단골"),
            buyer: party("222-22-22227", "헤어살롱"),
            lines: vec![line(0, "프로 요금제"), line(1, "문자 묶음")],
            remarks: vec![],
            modification: None,
            after_deadline: AfterDeadline::Refuse,
        }
    }

    pub(crate) fn invoice() -> TaxInvoice {
        TaxInvoice::new(draft()).unwrap()
    }

    pub(crate) fn taken_back() -> TaxInvoice {
        let original = CONFIRMATION.parse().unwrap();
        invoice().taken_back("INV-20260301-001".parse().unwrap(), original, Mistake::IssuedTwice).unwrap()
    }

    #[test]
    fn the_modification_of_a_sample_names_its_original() {
        let Modification { reason, original } = taken_back().modification.clone().unwrap();
        assert_eq!((reason, original.as_str()), (ModifyReason::IssuedTwice, CONFIRMATION));
    }
}
