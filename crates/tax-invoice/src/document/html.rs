//! The printed form: one A4 page with the fields of the official sheet (세금계산서 별지 서식), in Korean.

use std::fmt::{self, Write};

use kernel::Krw;
use secrecy::ExposeSecret as _;

use super::escaped;
use crate::{ConfirmationNumber, LineItem, Party, TaxInvoice};

const STYLE: &str = include_str!("tax_invoice.css");
/// Short invoices keep the look of the official sheet, which has room for four lines.
const ROOM: usize = 4;

/// The invoice as a page of its own that prints on A4. It shows what the law asks for, and neither mail
/// addresses nor telephone numbers. Everything from outside is escaped; it loads nothing.
pub fn html(invoice: &TaxInvoice, confirmation_number: Option<&ConfirmationNumber>) -> String {
    let mut page = String::with_capacity(8 * 1024);
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, invoice, confirmation_number);
    page
}

fn write_page(
    page: &mut String,
    invoice: &TaxInvoice,
    confirmation_number: Option<&ConfirmationNumber>,
) -> fmt::Result {
    let title = title(invoice);
    write!(
        page,
        "<!doctype html>\n<html lang=\"ko\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} {key}</title><style>{STYLE}</style></head>\n<body><main>\n<h1>{title}</h1>\n",
        key = escaped(invoice.key.as_str()),
    )?;
    let confirmation = confirmation_number.map_or_else(|| "(발행 전)".to_owned(), ToString::to_string);
    writeln!(
        page,
        "<table class=\"numbers\"><tr><th>문서번호</th><td>{}</td><th>국세청 승인번호</th><td>{}</td></tr></table>",
        escaped(invoice.key.as_str()),
        escaped(&confirmation),
    )?;
    page.write_str("<div class=\"parties\">\n")?;
    write_party(page, "공급자", "seller", &invoice.seller)?;
    write_party(page, "공급받는자", "buyer", &invoice.buyer)?;
    page.write_str("</div>\n")?;
    write_totals(page, invoice)?;
    write_lines(page, invoice)?;
    write!(
        page,
        "<p class=\"purpose\">이 금액을 <strong>({})</strong> 함</p>\n</main></body>\n</html>\n",
        invoice.purpose.as_korean()
    )
}

fn title(invoice: &TaxInvoice) -> &'static str {
    if invoice.modification.is_some() { "수정전자세금계산서" } else { "전자세금계산서" }
}

fn write_party(page: &mut String, title: &str, class: &str, party: &Party) -> fmt::Result {
    let place = party.place.as_deref().unwrap_or_default();
    writeln!(
        page,
        "<table class=\"party {class}\"><caption>{title}</caption>\
         <tr><th>등록번호</th><td>{number}</td><th>종사업장번호</th><td>{place}</td></tr>\
         <tr><th>상호</th><td>{name}</td><th>성명</th><td>{representative}</td></tr>\
         <tr><th>주소</th><td colspan=\"3\">{address}</td></tr>\
         <tr><th>업태</th><td>{kind}</td><th>종목</th><td>{item}</td></tr></table>",
        number = party.number,
        place = escaped(place),
        name = escaped(&party.name),
        representative = escaped(party.representative.expose_secret()),
        address = escaped(party.address.expose_secret()),
        kind = escaped(&party.business_type),
        item = escaped(&party.business_item),
    )
}

fn write_totals(page: &mut String, invoice: &TaxInvoice) -> fmt::Result {
    let total = invoice.total();
    writeln!(
        page,
        "<table class=\"totals\"><tr><th>작성일자</th><th>공급가액</th><th>세액</th><th>합계금액</th></tr>\
         <tr><td>{date}</td><td class=\"won\">{supply}</td><td class=\"won\">{vat}</td><td class=\"won\">{sum}</td></tr>",
        date = invoice.write_date.format("%Y-%m-%d"),
        supply = won(total.supply),
        vat = won(total.vat),
        sum = won(invoice.total_amount()),
    )?;
    if let Some(modification) = &invoice.modification {
        writeln!(
            page,
            "<tr><th>수정사유</th><td colspan=\"3\">{} (당초 승인번호 {})</td></tr>",
            modification.reason.as_korean(),
            escaped(modification.original.as_str()),
        )?;
    }
    let remarks: Vec<String> = invoice.remarks.iter().map(|remark| escaped(remark)).collect();
    writeln!(page, "<tr><th>비고</th><td colspan=\"3\">{}</td></tr></table>", remarks.join("<br>"))
}

fn write_lines(page: &mut String, invoice: &TaxInvoice) -> fmt::Result {
    page.write_str(
        "<table class=\"lines\"><thead><tr><th>월</th><th>일</th><th>품목</th><th>규격</th><th>수량</th>\
         <th>단가</th><th>공급가액</th><th>세액</th><th>비고</th></tr></thead><tbody>\n",
    )?;
    for line in &invoice.lines {
        write_line(page, line)?;
    }
    for _ in invoice.lines.len()..ROOM {
        writeln!(page, "<tr class=\"empty\">{}</tr>", "<td></td>".repeat(9))?;
    }
    page.write_str("</tbody></table>\n")
}

fn write_line(page: &mut String, line: &LineItem) -> fmt::Result {
    let quantity = line.quantity.map(|quantity| quantity.to_string()).unwrap_or_default();
    let unit_price = line.unit_price.map(won).unwrap_or_default();
    writeln!(
        page,
        "<tr><td>{month}</td><td>{day}</td><td class=\"text\">{name}</td><td>{specification}</td>\
         <td class=\"won\">{quantity}</td><td class=\"won\">{unit_price}</td><td class=\"won\">{supply}</td>\
         <td class=\"won\">{vat}</td><td class=\"text\">{remark}</td></tr>",
        month = line.supplied_on.format("%m"),
        day = line.supplied_on.format("%d"),
        name = escaped(&line.name),
        specification = escaped(&line.specification),
        supply = won(line.amount.supply),
        vat = won(line.amount.vat),
        remark = escaped(&line.remark),
    )
}

/// With separators and without the unit, as the official sheet has it.
fn won(amount: Krw) -> String {
    amount.to_string().trim_end_matches('원').to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::sample;

    #[test]
    fn the_page_has_every_field_of_the_official_sheet() {
        let number = sample::CONFIRMATION.parse().unwrap();
        let page = html(&sample::invoice(), Some(&number));
        for text in [
            "전자세금계산서",
            "공급자",
            "공급받는자",
            "등록번호",
            "123-45-67891",
            "222-22-22227",
            "상호",
            "헤어살롱",
            "성명",
            "김단골",
            "주소",
            "업태",
            "서비스업",
            "종목",
            "작성일자",
            "2026-02-14",
            "공급가액",
            "39,000",
            "세액",
            "3,900",
            "합계금액",
            "42,900",
            "품목",
            "프로 요금제",
            "이 금액을 <strong>(영수)</strong> 함",
            "국세청 승인번호",
            sample::CONFIRMATION,
            "@page",
            "A4",
        ] {
            assert!(page.contains(text), "{text}\n{page}");
        }
        assert!(!page.contains("수정사유"));
    }

    #[test]
    fn a_modified_invoice_says_why_and_shows_minus_signs() {
        let page = html(&sample::taken_back(), None);
        for text in [
            "수정전자세금계산서",
            "수정사유",
            "착오에 의한 이중발급",
            sample::CONFIRMATION,
            "-42,900",
            "(발행 전)",
        ] {
            assert!(page.contains(text), "{text}");
        }
    }

    #[test]
    fn no_mail_address_and_no_telephone_number_is_printed() {
        let page = html(&sample::invoice(), None);
        assert!(!page.contains("billing@shop.example") && !page.contains("02-000-0000"));
    }

    proptest! {
        #[test]
        fn no_text_of_anybody_becomes_markup(text in "[<>&\"'a-z/=]{1,40}") {
            let count = |page: &str| page.matches('<').count();
            let plain = count(&html(&sample::invoice(), None));
            let mut draft = sample::draft();
            draft.buyer.name.clone_from(&text);
            draft.buyer.representative = text.clone().into();
            draft.buyer.address = text.clone().into();
            draft.buyer.business_type.clone_from(&text);
            draft.buyer.business_item.clone_from(&text);
            for line in &mut draft.lines {
                line.name.clone_from(&text);
                line.specification.clone_from(&text);
                line.remark.clone_from(&text);
            }
            draft.remarks = vec![text];
            let page = html(&crate::TaxInvoice::new(draft)?, None);
            prop_assert_eq!(count(&page), plain);
        }
    }
}
