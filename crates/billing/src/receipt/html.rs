//! Our own receipt: a page that prints, in Korean.

use std::fmt::{self, Write};

use ::tax_invoice::{Party, document::escaped};
use kernel::{KoreanTime, Krw};
use secrecy::ExposeSecret as _;

use super::Receipt;

const STYLE: &str = include_str!("receipt.css");

/// The receipt as a page of its own. Everything from outside is escaped; it loads nothing.
pub(crate) fn html(receipt: &Receipt, seller: Option<&Party>) -> String {
    let mut page = String::with_capacity(4 * 1024);
    // Writing to a string cannot fail.
    let _ = write_page(&mut page, receipt, seller);
    page
}

fn write_page(page: &mut String, receipt: &Receipt, seller: Option<&Party>) -> fmt::Result {
    let payment = receipt.payment();
    write!(
        page,
        "<!doctype html>\n<html lang=\"ko\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>영수증 {}</title><style>{STYLE}</style></head>\n<body><main>\n<h1>영수증</h1>\n",
        payment.payment_id
    )?;
    write_payment(page, receipt)?;
    write_amounts(page, receipt)?;
    write_refunds(page, receipt)?;
    if let Some(seller) = seller {
        write_seller(page, seller)?;
    }
    page.write_str(
        "<p class=\"note\">이 영수증은 결제 내역을 확인하기 위한 것으로, 부가가치세법에 따른 세금계산서가 아닙니다.</p>\n\
         </main></body>\n</html>\n",
    )
}

fn write_payment(page: &mut String, receipt: &Receipt) -> fmt::Result {
    let payment = receipt.payment();
    page.write_str("<table>\n")?;
    row(page, "결제번호", &payment.payment_id.to_string())?;
    row(page, "주문번호", &payment.order_id)?;
    row(page, "결제일시", &time(&KoreanTime(receipt.supply.paid_at)))?;
    row(page, "상품", &receipt.supply.plan_name)?;
    row(page, "이용기간", &receipt.supply.days_paid_for())?;
    if let Some(paid_with) = payment.paid_with {
        row(page, "결제수단", paid_with.as_korean())?;
    }
    if let Some(card) = receipt.card_info() {
        row(page, "카드사·기관", &card)?;
    }
    if let Some(cash_receipt) = &payment.cash_receipt {
        let text = format!("{} {}", cash_receipt.kind.as_korean(), cash_receipt.issue_number);
        row(page, "현금영수증", &text)?;
    }
    page.write_str("</table>\n")
}

fn write_amounts(page: &mut String, receipt: &Receipt) -> fmt::Result {
    let payment = receipt.payment();
    page.write_str("<h2>결제 금액</h2>\n<table>\n")?;
    won(page, "", "공급가액", payment.supply_amount)?;
    won(page, "", "부가세", payment.vat_amount)?;
    won(page, "total", "합계", payment.amount)?;
    page.write_str("</table>\n")
}

fn write_refunds(page: &mut String, receipt: &Receipt) -> fmt::Result {
    if receipt.refunds().next().is_none() {
        return Ok(());
    }
    page.write_str("<h2>환불 내역</h2>\n<table>\n")?;
    for refund in receipt.refunds() {
        let on = refund.settled_at.as_ref().map(time).unwrap_or_default();
        writeln!(
            page,
            "<tr><th>{}</th><td>{}</td><td class=\"won\">-{}</td></tr>",
            escaped(&on),
            escaped(&refund.reason),
            refund.amount
        )?;
    }
    page.write_str("</table>\n<table>\n")?;
    won(page, "total", "환불 후 결제 금액", receipt.left())?;
    page.write_str("</table>\n")
}

fn write_seller(page: &mut String, seller: &Party) -> fmt::Result {
    page.write_str("<h2>공급자</h2>\n<table>\n")?;
    row(page, "상호", &seller.name)?;
    row(page, "사업자등록번호", &seller.number.to_string())?;
    for (label, text) in [("대표자", &seller.representative), ("주소", &seller.address)] {
        let text = text.expose_secret();
        if !text.is_empty() {
            row(page, label, text)?;
        }
    }
    page.write_str("</table>\n")
}

fn row(page: &mut String, label: &str, text: &str) -> fmt::Result {
    writeln!(page, "<tr><th>{label}</th><td>{}</td></tr>", escaped(text))
}

fn won(page: &mut String, class: &str, label: &str, amount: Krw) -> fmt::Result {
    writeln!(page, "<tr class=\"{class}\"><th>{label}</th><td class=\"won\">{amount}</td></tr>")
}

/// `2026-02-14 10:00:00`, in Korea.
fn time(at: &KoreanTime) -> String {
    at.to_string().chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect()
}
