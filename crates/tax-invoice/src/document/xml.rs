//! The invoice as a small XML of our own.
//!
//! The tax service's schema (a KEC profile of UN/CEFACT) is not public in our sources, and the signed
//! original in it comes from the issuer. This one is for the bookkeeping programs of shops: element
//! names are the English of the official sheet's fields, amounts are whole won, dates ISO 8601. Mail
//! addresses and telephone numbers are not in it.

use std::fmt::{self, Write};

use kernel::VatSplit;
use secrecy::ExposeSecret as _;

use super::escaped;
use crate::{ConfirmationNumber, LineItem, Party, TaxInvoice};

/// Changes with any change that a reader could notice.
const NAMESPACE: &str = "urn:dangol:tax-invoice:1";

/// The invoice as XML 1.0 in UTF-8.
pub fn xml(invoice: &TaxInvoice, confirmation_number: Option<&ConfirmationNumber>) -> String {
    let mut xml = String::with_capacity(4 * 1024);
    // Writing to a string cannot fail.
    let _ = write_xml(&mut xml, invoice, confirmation_number);
    xml
}

fn write_xml(
    xml: &mut String,
    invoice: &TaxInvoice,
    confirmation_number: Option<&ConfirmationNumber>,
) -> fmt::Result {
    writeln!(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<TaxInvoice xmlns=\"{NAMESPACE}\">")?;
    element(xml, "DocumentKey", invoice.key.as_str())?;
    if let Some(number) = confirmation_number {
        element(xml, "ConfirmationNumber", number.as_str())?;
    }
    element(xml, "WriteDate", &invoice.write_date.format("%Y-%m-%d").to_string())?;
    element(xml, "Purpose", invoice.purpose.as_korean())?;
    element(xml, "TaxKind", invoice.tax_kind.as_korean())?;
    if let Some(modification) = &invoice.modification {
        xml.write_str("<Modification>\n")?;
        element(xml, "ReasonCode", &modification.reason.code().to_string())?;
        element(xml, "Reason", modification.reason.as_korean())?;
        element(xml, "OriginalConfirmationNumber", modification.original.as_str())?;
        xml.write_str("</Modification>\n")?;
    }
    write_party(xml, "Seller", &invoice.seller)?;
    write_party(xml, "Buyer", &invoice.buyer)?;
    xml.write_str("<Totals>\n")?;
    write_amount(xml, invoice.total())?;
    element(xml, "Total", &invoice.total_amount().get().to_string())?;
    xml.write_str("</Totals>\n<Lines>\n")?;
    for line in &invoice.lines {
        write_line(xml, line)?;
    }
    xml.write_str("</Lines>\n")?;
    for remark in &invoice.remarks {
        element(xml, "Remark", remark)?;
    }
    xml.write_str("</TaxInvoice>\n")
}

fn write_party(xml: &mut String, name: &str, party: &Party) -> fmt::Result {
    writeln!(xml, "<{name}>")?;
    element(xml, "BusinessNumber", &party.number.to_string())?;
    if let Some(place) = &party.place {
        element(xml, "Place", place)?;
    }
    element(xml, "Name", &party.name)?;
    element(xml, "Representative", party.representative.expose_secret())?;
    element(xml, "Address", party.address.expose_secret())?;
    element(xml, "BusinessType", &party.business_type)?;
    element(xml, "BusinessItem", &party.business_item)?;
    writeln!(xml, "</{name}>")
}

fn write_line(xml: &mut String, line: &LineItem) -> fmt::Result {
    xml.write_str("<Line>\n")?;
    element(xml, "SuppliedOn", &line.supplied_on.format("%Y-%m-%d").to_string())?;
    element(xml, "Name", &line.name)?;
    if !line.specification.is_empty() {
        element(xml, "Specification", &line.specification)?;
    }
    if let Some(quantity) = line.quantity {
        element(xml, "Quantity", &quantity.to_string())?;
    }
    if let Some(price) = line.unit_price {
        element(xml, "UnitPrice", &price.get().to_string())?;
    }
    write_amount(xml, line.amount)?;
    if !line.remark.is_empty() {
        element(xml, "Remark", &line.remark)?;
    }
    xml.write_str("</Line>\n")
}

fn write_amount(xml: &mut String, amount: VatSplit) -> fmt::Result {
    element(xml, "Supply", &amount.supply.get().to_string())?;
    element(xml, "Vat", &amount.vat.get().to_string())
}

fn element(xml: &mut String, name: &str, text: &str) -> fmt::Result {
    writeln!(xml, "<{name}>{}</{name}>", escaped(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::sample;

    /// Whether every element is closed in order and every special character stands for itself.
    fn is_well_formed(xml: &str) -> bool {
        let mut open: Vec<&str> = Vec::new();
        for piece in xml.split('<').skip(1) {
            let Some((tag, text)) = piece.split_once('>') else { return false };
            if text.contains('>')
                || text
                    .replace("&amp;", "")
                    .replace("&lt;", "")
                    .replace("&gt;", "")
                    .replace("&quot;", "")
                    .replace("&#39;", "")
                    .contains('&')
            {
                return false;
            }
            match tag.strip_prefix('/') {
                Some(name) if open.pop() != Some(name) => return false,
                None if !tag.starts_with('?') => open.push(tag.split(' ').next().unwrap_or_default()),
                _ => {}
            }
        }
        open.is_empty()
    }

    #[test]
    fn the_xml_says_what_the_page_says() {
        let number = sample::CONFIRMATION.parse().unwrap();
        let xml = xml(&sample::invoice(), Some(&number));
        for text in [
            "<ConfirmationNumber>202602144100020300000001</ConfirmationNumber>",
            "<WriteDate>2026-02-14</WriteDate>",
            "<Supply>39000</Supply>",
            "<Vat>3900</Vat>",
            "<Total>42900</Total>",
            "<Name>프로 요금제</Name>",
            "<BusinessNumber>123-45-67891</BusinessNumber>",
        ] {
            assert!(xml.contains(text), "{text}\n{xml}");
        }
        assert!(is_well_formed(&xml));
        assert!(super::xml(&sample::taken_back(), None).contains("<ReasonCode>6</ReasonCode>"));
    }

    #[test]
    fn the_check_of_the_next_test_sees_what_is_wrong() {
        for wrong in ["<a>", "<a><b></a></b>", "<a>&</a>", "<a>&nbsp;</a>", "<a>></a>", "<a"] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_text_leaves_the_xml_well_formed(text in "\\PC{0,40}|[<>&\"'\\x00-\\x1f]{0,20}") {
            let mut draft = sample::draft();
            draft.lines[0].name = format!("x{text}");
            draft.buyer.address = text.clone().into();
            draft.remarks = vec![text];
            let xml = xml(&crate::TaxInvoice::new(draft).unwrap(), None);
            prop_assert!(is_well_formed(&xml), "{}", xml);
            prop_assert!(!xml.chars().any(|it| it.is_control() && !matches!(it, '\n' | '\r' | '\t')));
        }
    }
}
