//! Documents as they are read: states, contents, links, PDF and XML.

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Value, json};

use super::{
    errors::{self, Refusal},
    exchange::json_reply,
    invoice::Invoice,
    issue::Seller,
};
use crate::wire::{self, Reply};

const KOREA: FixedOffset = FixedOffset::east_opt(9 * 3600).expect("nine hours are an offset");
const MOST_KEYS: usize = 1_000;

impl Seller<'_> {
    pub(super) fn info(&self, key: &str) -> Result<Reply, Refusal> {
        Ok(json_reply(self.info_of(self.find(key)?).to_string()))
    }

    /// Keys without a document are left out. What Popbill does with them is unverified.
    pub(super) fn infos(&self, body: &[u8]) -> Result<Reply, Refusal> {
        let keys: Vec<String> = serde_json::from_slice(body).map_err(|_| Refusal::new(errors::UNREADABLE))?;
        if keys.is_empty() || keys.len() > MOST_KEYS {
            return Err(Refusal::new(errors::UNREADABLE));
        }
        let every = if self.switches.partial_lists { 2 } else { 1 };
        let found = keys.iter().filter_map(|key| self.state.invoice(self.corp_num, key)).step_by(every);
        let infos: Vec<Value> = found.map(|invoice| self.info_of(invoice)).collect();
        Ok(json_reply(Value::Array(infos).to_string()))
    }

    /// The document as it came, with its confirmation number.
    pub(super) fn detail(&self, key: &str) -> Result<Reply, Refusal> {
        let invoice = self.find(key)?;
        let mut form = invoice.form.clone();
        if invoice.issued_at.is_some() {
            form["ntsconfirmNum"] = invoice.confirmation_number.clone().into();
        }
        Ok(json_reply(form.to_string()))
    }

    /// The link leads to the sandbox's own list; the real one shows a page for thirty seconds.
    pub(super) fn link(&self, key: &str, view: &str, host: &str) -> Result<Reply, Refusal> {
        let invoice = self.find(key)?;
        let query = format!("corpNum={}&mgtKey={}&view={view}", invoice.corp_num, invoice.mgt_key);
        let url = format!("http://{host}/_sandbox/popbill/invoices?{query}");
        Ok(json_reply(json!({"url": url}).to_string()))
    }

    pub(super) fn pdf(&self, key: &str) -> Result<Reply, Refusal> {
        self.find(key)?;
        let body = axum::body::Bytes::from_static(include_bytes!("blank.pdf"));
        Ok(wire::reply(200, "application/pdf", body))
    }

    pub(super) fn xml(&self, key: &str) -> Result<Reply, Refusal> {
        let invoice = self.find(key)?;
        if invoice.issued_at.is_none() {
            return Err(Refusal::new(errors::WRONG_STATE));
        }
        // The real one is the signed document in the tax service's schema, which is not in the reference.
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><TaxInvoice><IssueID>{}</IssueID></TaxInvoice>",
            invoice.confirmation_number
        );
        Ok(json_reply(json!({"code": 1, "message": "성공", "retObject": xml}).to_string()))
    }

    /// `TaxinvoiceInfo`.
    fn info_of(&self, invoice: &Invoice) -> Value {
        let now = self.now;
        let past = |at: Option<DateTime<Utc>>| at.filter(|at| *at <= now).map(digits);
        let text = |name: &str| invoice.form.get(name).cloned().unwrap_or(Value::Null);
        let is_issued = invoice.issued_at.is_some();
        let is_filed = invoice.withdrawn_at.is_none();
        let answered = past(invoice.answered_at()).filter(|_| is_filed);
        let state_code = invoice.state_code(now);
        let mut info = json!({
            "itemKey": invoice.item_key,
            "taxType": text("taxType"),
            "writeDate": invoice.write_date.format("%Y%m%d").to_string(),
            "regDT": digits(invoice.saved_at),
            "issueType": text("issueType"),
            "issueDT": invoice.issued_at.map(digits),
            "supplyCostTotal": invoice.supply.get().to_string(),
            "taxTotal": invoice.tax.get().to_string(),
            "purposeType": text("purposeType"),
            "modifyCode": invoice.modify_code,
            "stateCode": state_code,
            "stateDT": digits(invoice.withdrawn_at.or(invoice.issued_at).unwrap_or(invoice.saved_at)),
            "stateMemo": null,
            "openYN": false,
            "openDT": null,
            "lateIssueYN": false,
            "interOPYN": false,
            "ntsconfirmNum": is_issued.then_some(&invoice.confirmation_number),
            "ntsresult": answered.is_some().then_some(if state_code == 304 { "성공" } else { "실패" }),
            "ntssendDT": past(invoice.sent_at()).filter(|_| is_filed),
            "ntsresultDT": answered,
            "ntssendErrCode": answered.is_some().then_some(&invoice.verdict),
            "invoicerCorpName": text("invoicerCorpName"),
            "invoicerCorpNum": invoice.corp_num,
            "invoicerMgtKey": invoice.mgt_key,
            "invoicerPrintYN": false,
            "invoiceeCorpName": text("invoiceeCorpName"),
            "invoiceeCorpNum": text("invoiceeCorpNum"),
            "invoiceeMgtKey": null,
            "invoiceePrintYN": false,
            "closeDownState": null,
            "closeDownStateDate": null,
        });
        if self.switches.plain_numbers {
            info["supplyCostTotal"] = invoice.supply.get().into();
            info["taxTotal"] = invoice.tax.get().into();
            info["stateCode"] = state_code.to_string().into();
        }
        if self.switches.unknown_fields {
            info["fieldOfNextYear"] = json!({"nested": [1, 2, 3]});
        }
        info
    }
}

/// `yyyyMMddHHmmss`, Korean time.
pub(super) fn digits(instant: DateTime<Utc>) -> String {
    instant.with_timezone(&KOREA).format("%Y%m%d%H%M%S").to_string()
}
