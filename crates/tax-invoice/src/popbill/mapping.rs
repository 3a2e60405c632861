//! Between the words of the port and the words of Popbill.

use kernel::{Krw, VatSplit};
use secrecy::ExposeSecret as _;

use super::wire;
use crate::{
    AfterDeadline, ConfirmationNumber, DocumentKey, InvoiceState, LineItem, Lookup, Standing, TaxInvoice,
};

pub(super) fn regist_issue(invoice: &TaxInvoice) -> wire::RegistIssue<'_> {
    let (seller, buyer, total) = (&invoice.seller, &invoice.buyer, invoice.total());
    let remark = |index: usize| invoice.remarks.get(index).map(String::as_str);
    let modification = invoice.modification.as_ref();
    wire::RegistIssue {
        issue_type: "정발행",
        tax_type: invoice.tax_kind.as_korean(),
        charge_direction: "정과금",
        write_date: wire::yyyymmdd(invoice.write_date),
        purpose_type: invoice.purpose.as_korean(),
        supply_cost_total: won(total.supply),
        tax_total: won(total.vat),
        total_amount: won(invoice.total_amount()),
        invoicer_mgt_key: invoice.key.as_str(),
        invoicer_corp_num: seller.number.digits(),
        invoicer_tax_reg_id: seller.place.as_deref().unwrap_or_default(),
        invoicer_corp_name: &seller.name,
        invoicer_ceo_name: seller.representative.expose_secret(),
        invoicer_addr: seller.address.expose_secret(),
        invoicer_biz_type: &seller.business_type,
        invoicer_biz_class: &seller.business_item,
        invoicer_contact_name: seller.contact.name.expose_secret(),
        invoicer_tel: seller.contact.phone.expose_secret(),
        invoicer_email: seller.contact.email.expose_secret(),
        // A text message to the buyer costs points, and nobody asked for one.
        invoicer_sms_send_yn: false,
        // Never a private person: that would take a resident registration number, which we do not hold.
        invoicee_type: "사업자",
        invoicee_corp_num: buyer.number.digits(),
        invoicee_tax_reg_id: buyer.place.as_deref().unwrap_or_default(),
        invoicee_corp_name: &buyer.name,
        invoicee_ceo_name: buyer.representative.expose_secret(),
        invoicee_addr: buyer.address.expose_secret(),
        invoicee_biz_type: &buyer.business_type,
        invoicee_biz_class: &buyer.business_item,
        invoicee_contact_name1: buyer.contact.name.expose_secret(),
        invoicee_tel1: buyer.contact.phone.expose_secret(),
        invoicee_email1: buyer.contact.email.expose_secret(),
        remark1: remark(0),
        remark2: remark(1),
        remark3: remark(2),
        modify_code: modification.map(|modification| modification.reason.code()),
        org_nts_confirm_num: modification.map(|modification| modification.original.as_str()),
        detail_list: invoice.lines.iter().enumerate().map(detail).collect(),
        force_issue: force_issue(invoice),
        write_specification: false,
    }
}

fn detail((index, line): (usize, &LineItem)) -> wire::Detail<'_> {
    wire::Detail {
        serial_num: index + 1,
        purchase_dt: wire::yyyymmdd(line.supplied_on),
        item_name: &line.name,
        spec: &line.specification,
        qty: line.quantity.map(|quantity| quantity.to_string()),
        unit_cost: line.unit_price.map(won),
        supply_cost: won(line.amount.supply),
        tax: won(line.amount.vat),
        remark: &line.remark,
    }
}

fn won(amount: Krw) -> String {
    amount.get().to_string()
}

pub(super) fn force_issue(invoice: &TaxInvoice) -> bool {
    match invoice.after_deadline {
        AfterDeadline::Refuse => false,
        AfterDeadline::IssueLate => true,
    }
}

/// A document that Popbill has, and what is compared of it.
pub(super) struct Document {
    pub(super) standing: Standing,
    buyer: String,
    modify_code: Option<u8>,
}

/// What a look-up found.
pub(super) fn document(body: &[u8], key: &DocumentKey) -> Result<Document, String> {
    // Not the text of the error: it may quote what the document says.
    let info = serde_json::from_slice(body).map_err(|_| "the document is not readable".to_owned())?;
    from_info(info, key)
}

fn from_info(info: wire::Info, key: &DocumentKey) -> Result<Document, String> {
    if info.invoicer_mgt_key != key.as_str() {
        tracing::error!(asked = %key, "popbill answered about another document");
        return Err("popbill answered about another document".to_owned());
    }
    let state = state(info.state_code).ok_or_else(|| format!("the unknown state {}", info.state_code))?;
    let confirmation_number = info.nts_confirm_num.and_then(|number| number.parse().ok());
    if state != InvoiceState::Saved && confirmation_number.is_none() {
        return Err("the document was issued and has no confirmation number".to_owned());
    }
    Ok(Document {
        standing: Standing {
            key: key.clone(),
            state,
            state_code: info.state_code.to_string(),
            confirmation_number,
            write_date: info.write_date,
            amount: VatSplit { supply: info.supply_cost_total, vat: info.tax_total },
            issued_at: info.issue_dt,
            sent_at: info.nts_send_dt,
            answered_at: info.nts_result_dt,
            tax_service_code: info.nts_send_err_code.filter(|code| !code.is_empty()),
        },
        buyer: info.invoicee_corp_num,
        modify_code: info.modify_code,
    })
}

/// The states that a document of ours passes. Those of the other party's approval (2xx, 4xx, 5xx) are
/// never ours, and their numbers unverified, as is 100.
fn state(code: i64) -> Option<InvoiceState> {
    Some(match code {
        100 => InvoiceState::Saved,
        // Issued; before filing; filing pending.
        300..=302 => InvoiceState::Issued,
        303 => InvoiceState::Sent,
        304 => InvoiceState::Accepted,
        305 => InvoiceState::Rejected,
        600 => InvoiceState::Withdrawn,
        _ => return None,
    })
}

impl Document {
    /// Whether it is the document that this request wants, and not another one under its key.
    pub(super) fn is(&self, invoice: &TaxInvoice) -> bool {
        let wanted = invoice.modification.as_ref().map(|modification| modification.reason.code());
        self.standing.write_date == invoice.write_date
            && self.standing.amount == invoice.total()
            && self.buyer.parse() == Ok(invoice.buyer.number)
            // Absent in the answer is no proof of an ordinary one: not every answer was seen to have it.
            && (self.modify_code.is_none() || self.modify_code == wanted)
    }

    pub(super) fn into_lookup(self) -> Lookup {
        Lookup::Found(Box::new(self.standing))
    }
}

/// A list of documents: what can be read of it, each for itself. `None` if it is no list.
pub(super) fn documents(body: &[u8], keys: &[DocumentKey]) -> Option<Vec<Document>> {
    let list: Vec<serde_json::Value> = serde_json::from_slice(body).ok()?;
    let read = |value: serde_json::Value| {
        let info: wire::Info = serde_json::from_value(value).ok()?;
        let key = keys.iter().find(|key| key.as_str() == info.invoicer_mgt_key)?;
        from_info(info, key).ok()
    };
    Some(list.into_iter().filter_map(read).collect())
}

/// The confirmation number in the answer to an issue: `Err` where the answer does not say that it was
/// issued, `Ok(None)` where it says so without a number.
pub(super) fn issued(body: &[u8]) -> Result<Option<ConfirmationNumber>, String> {
    let reply: wire::Reply =
        serde_json::from_slice(body).map_err(|_| "the answer is not readable".to_owned())?;
    if reply.code != 1 {
        return Err(format!("accepted with the code {}", reply.code));
    }
    Ok(reply.nts_confirm_num.and_then(|number| number.parse().ok()))
}
