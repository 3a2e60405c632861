//! The documents of these stories.

use chrono::NaiveDate;
use kernel::Krw;
use tax_invoice::{
    AfterDeadline, BusinessNumber, ConfirmationNumber, Contact, Draft, LineItem, Mistake, Party, Purpose,
    TaxInvoice, TaxKind, law::vat::split_lines,
};

pub(crate) fn seller_number() -> BusinessNumber {
    "123-45-67891".parse().unwrap()
}

fn party(number: BusinessNumber, name: &str) -> Party {
    Party {
        number,
        place: None,
        name: name.to_owned(),
        representative: "김단골".to_owned().into(),
        address: "서울특별시 마포구 월드컵로 1".to_owned().into(),
        business_type: "서비스업".to_owned(),
        business_item: "소프트웨어 개발".to_owned(),
        contact: Contact::default(),
    }
}

/// 33,000 won, VAT included.
pub(crate) fn draft(key: &str, write_date: NaiveDate) -> Draft {
    let amount = split_lines(&[Krw::won(33_000)]).unwrap()[0];
    Draft {
        key: key.parse().unwrap(),
        write_date,
        purpose: Purpose::Received,
        tax_kind: TaxKind::Taxed,
        seller: party(seller_number(), "주식회사 단골"),
        buyer: party("222-22-22227".parse().unwrap(), "헤어살롱"),
        lines: vec![LineItem {
            supplied_on: write_date,
            name: "프로 요금제".to_owned(),
            specification: String::new(),
            quantity: Some(1),
            unit_price: Some(amount.supply),
            amount,
            remark: String::new(),
        }],
        remarks: vec![],
        modification: None,
        after_deadline: AfterDeadline::Refuse,
    }
}

pub(crate) fn invoice(key: &str, write_date: NaiveDate) -> TaxInvoice {
    TaxInvoice::new(draft(key, write_date)).unwrap()
}

/// The whole invoice taken back under another number.
pub(crate) fn taken_back(invoice: &TaxInvoice, key: &str, number: &ConfirmationNumber) -> TaxInvoice {
    invoice.taken_back(key.parse().unwrap(), number.clone(), Mistake::IssuedTwice).unwrap()
}
