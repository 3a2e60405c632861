//! Cash receipts (현금영수증) on request.
//!
//! A receipt is published on a payment, names no amount and has no id of ours. What its answers look like is
//! in no reference, so the payment is read after every one of them, and its `cash_receipt_data` counts. That
//! this is absent once the receipt was taken back is our reading. Whether asking twice makes two nobody says,
//! so it is not asked twice.

use secrecy::ExposeSecret;
use serde_json::Value;

use super::{
    BootpayGateway, Operation,
    errors::{self, Verdict},
    http::Answer,
    mapping, wire,
};
use crate::{
    CancelCashReceipt, CashReceiptKind, CashReceiptLookup, Decline, FindCashReceipt, IssueCashReceipt,
    IssuedCashReceipt, Outcome, http::path,
};

impl BootpayGateway {
    pub(super) async fn issue_receipt(&self, request: &IssueCashReceipt) -> Outcome<IssuedCashReceipt> {
        if !mapping::is_receipt_id(&request.payment_key) {
            return Outcome::Declined(errors::refused_here("NOT_A_RECEIPT"));
        }
        let body = wire::CashReceiptRequest {
            receipt_id: &request.payment_key,
            identity_no: request.identity_number.expose_secret(),
            cash_receipt_type: match request.kind {
                CashReceiptKind::IncomeDeduction => "소득공제",
                CashReceiptKind::ExpenseProof => "지출증빙",
            },
        };
        let (path, now) = ("/request/receipt/cash/publish", self.clock.now());
        let operation = Operation::IssueReceipt;
        let refusal = match self.http.post(operation, &request.reference, path, &body, now).await {
            Answer::Accepted(_) => None,
            Answer::Refused { status, error } => match errors::judge(operation, status, &error) {
                Verdict::Declined(decline) => Some(decline),
                Verdict::Gone | Verdict::Unclear => None,
                Verdict::Unknown => return Outcome::Unknown(format!("{status} {}", error.code)),
            },
            Answer::NotSent(reason) => return Outcome::NotSent(reason),
            Answer::Unclear(reason) => return Outcome::Unknown(reason),
        };
        after_issue(self.receipt_on(&request.payment_key).await, refusal)
    }

    pub(super) async fn cancel_receipt(&self, request: &CancelCashReceipt) -> Outcome<()> {
        let path = path(&["request", "receipt", "cash", "cancel", &request.payment_key])
            .filter(|_| mapping::is_receipt_id(&request.payment_key));
        let Some(path) = path else { return Outcome::Declined(errors::refused_here("NOT_A_RECEIPT")) };
        // One of the SDKs writes these into the address, another one into a body.
        let query = [("cancel_username", "dangol"), ("cancel_message", request.reference.as_str())];
        let operation = Operation::CancelReceipt;
        let now = self.clock.now();
        let refusal = match self.http.delete_with(operation, &request.reference, &path, &query, now).await {
            Answer::Accepted(_) => None,
            Answer::Refused { status, error } => match errors::judge(operation, status, &error) {
                Verdict::Declined(decline) => Some(decline),
                Verdict::Gone | Verdict::Unclear => None,
                Verdict::Unknown => return Outcome::Unknown(format!("{status} {}", error.code)),
            },
            Answer::NotSent(reason) => return Outcome::NotSent(reason),
            Answer::Unclear(reason) => return Outcome::Unknown(reason),
        };
        match (self.receipt_on(&request.payment_key).await, refusal) {
            (CashReceiptLookup::NotFound | CashReceiptLookup::Canceled, _) => Outcome::Approved(()),
            (CashReceiptLookup::Unknown(reason), _) => Outcome::Unknown(reason),
            (CashReceiptLookup::Issued(_) | CashReceiptLookup::Refused(_), Some(decline)) => {
                Outcome::Declined(decline)
            }
            (CashReceiptLookup::Issued(_) | CashReceiptLookup::Refused(_), None) => {
                Outcome::Unknown("taken back, and the payment still has it".to_owned())
            }
        }
    }

    pub(super) async fn look_up_receipt(&self, request: &FindCashReceipt) -> CashReceiptLookup {
        match (self.receipt_on(&request.payment_key).await, &request.receipt_key) {
            // It was there.
            (CashReceiptLookup::NotFound, Some(_)) => CashReceiptLookup::Canceled,
            (CashReceiptLookup::Issued(receipt), Some(key)) if receipt.receipt_key != *key => {
                CashReceiptLookup::Unknown("the payment has another receipt".to_owned())
            }
            (lookup, _) => lookup,
        }
    }

    async fn receipt_on(&self, receipt_id: &str) -> CashReceiptLookup {
        let Some(path) = path(&["receipt", receipt_id]).filter(|_| mapping::is_receipt_id(receipt_id)) else {
            return CashReceiptLookup::Unknown("not a receipt id".to_owned());
        };
        match self.http.get(Operation::LookUpReceipt, receipt_id, &path, self.clock.now()).await {
            Answer::Accepted(body) => found(&body, receipt_id),
            Answer::Refused { status, error } => {
                CashReceiptLookup::Unknown(format!("{status} {}", error.code))
            }
            Answer::NotSent(reason) | Answer::Unclear(reason) => CashReceiptLookup::Unknown(reason),
        }
    }
}

/// The payment goes before the answer; `refusal` is a no in so many words.
pub(super) fn after_issue(lookup: CashReceiptLookup, refusal: Option<Decline>) -> Outcome<IssuedCashReceipt> {
    match (lookup, refusal) {
        (CashReceiptLookup::Issued(receipt), _) => Outcome::Approved(receipt),
        (CashReceiptLookup::NotFound, Some(decline)) => Outcome::Declined(decline),
        (CashReceiptLookup::Unknown(reason), _) => Outcome::Unknown(reason),
        (lookup, _) => Outcome::Unknown(format!("answered, and the payment says {lookup:?}")),
    }
}

pub(super) fn found(body: &[u8], receipt_id: &str) -> CashReceiptLookup {
    let payment = match serde_json::from_slice::<wire::Receipt>(body) {
        Ok(payment) if payment.receipt_id != receipt_id => {
            return CashReceiptLookup::Unknown("bootpay answered about another receipt".to_owned());
        }
        Ok(payment) => payment,
        Err(error) => {
            return CashReceiptLookup::Unknown(format!("the receipt is not readable: {error}"));
        }
    };
    // Whether it is absent, null or empty where there is none is not stated.
    let data = match payment.cash_receipt_data {
        Value::Null => return CashReceiptLookup::NotFound,
        Value::Object(fields) if fields.is_empty() => return CashReceiptLookup::NotFound,
        data => serde_json::from_value::<wire::CashReceipt>(data).ok(),
    };
    let number = data.as_ref().and_then(|data| data.cash_receipt_no.clone());
    let url = data.and_then(|data| data.receipt_url);
    // Nor is what it is like half-way: without a number it may still become one.
    match number.filter(|number| !number.is_empty()) {
        Some(number) => CashReceiptLookup::Issued(IssuedCashReceipt {
            receipt_key: number.clone(),
            issue_number: Some(number),
            url,
            is_accepted: true,
        }),
        None => CashReceiptLookup::Unknown("the cash receipt has no number".to_owned()),
    }
}
