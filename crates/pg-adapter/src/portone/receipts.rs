//! Cash receipts (현금영수증) on request.
//!
//! A receipt hangs on the payment, so a second one for it is refused and the payment says what there is.
//! That holds for ever; the idempotency key only brings the first answer back. Only all of one can be taken
//! back. Whether a payment whose receipt was taken back gets another one is not stated.

use kernel::Krw;
use secrecy::ExposeSecret;

use super::{
    Operation, PortOneGateway,
    errors::{self, Verdict},
    http::Answer,
    idempotency_key, wire,
};
use crate::{
    CancelCashReceipt, CashReceiptKind, CashReceiptLookup, FindCashReceipt, IssueCashReceipt,
    IssuedCashReceipt, Outcome, http::path,
};

impl PortOneGateway {
    pub(super) async fn issue_receipt(&self, request: &IssueCashReceipt) -> Outcome<IssuedCashReceipt> {
        let operation = Operation::IssueReceipt;
        let Some(key) = idempotency_key(operation, &request.reference) else {
            return Outcome::Declined(errors::refused_here("INVALID_IDEMPOTENCY_KEY"));
        };
        let split = request.amount.split_vat();
        let body = wire::CashReceiptRequest {
            payment_id: &request.payment_key,
            store_id: &self.ours.store_id,
            channel_key: &self.ours.channel_key,
            r#type: match request.kind {
                CashReceiptKind::IncomeDeduction => "PERSONAL",
                CashReceiptKind::ExpenseProof => "CORPORATE",
            },
            order_name: &request.order_name,
            currency: "KRW",
            amount: wire::CashReceiptAmount { total: request.amount, vat: split.vat },
            customer: wire::CashReceiptCustomer { identity_number: request.identity_number.expose_secret() },
            paid_at: request.paid_at,
        };
        match self.http.post(operation, &request.reference, "/cash-receipts", key, &body).await {
            Answer::Accepted(body) => issued(&body),
            Answer::Refused { status, error } => {
                let (decline, is_reached) = match errors::judge(operation, status, &error) {
                    Verdict::Declined(decline) => (decline, false),
                    Verdict::Reached(decline) => (decline, true),
                    Verdict::OfPg(_) | Verdict::Gone | Verdict::Unknown => {
                        return Outcome::Unknown(format!("{status} {}", error.r#type));
                    }
                };
                // An earlier sending may have gone through: what the payment says goes first.
                match self.receipt_of(&request.payment_key, request.amount).await {
                    CashReceiptLookup::Issued(receipt) => Outcome::Approved(receipt),
                    CashReceiptLookup::Unknown(reason) => Outcome::Unknown(reason),
                    CashReceiptLookup::NotFound if is_reached => {
                        Outcome::Unknown(format!("{}, and there is none", decline.code))
                    }
                    // One that was taken back is in the way, or the request is wrong.
                    CashReceiptLookup::NotFound
                    | CashReceiptLookup::Canceled
                    | CashReceiptLookup::Refused(_) => Outcome::Declined(decline),
                }
            }
            Answer::NotSent(reason) => Outcome::NotSent(reason),
            Answer::Unclear(reason) => Outcome::Unknown(reason),
        }
    }

    pub(super) async fn cancel_receipt(&self, request: &CancelCashReceipt) -> Outcome<()> {
        let operation = Operation::CancelReceipt;
        let (Some(key), Some(path)) = (
            idempotency_key(operation, &request.reference),
            path(&["payments", &request.payment_key, "cash-receipt", "cancel"]),
        ) else {
            return Outcome::Declined(errors::refused_here("CASH_RECEIPT_NOT_FOUND"));
        };
        match self.http.post_for_store(operation, &request.reference, &path, key).await {
            Answer::Accepted(body) => canceled(&body, request.amount),
            Answer::Refused { status, error } => {
                let refusal = match errors::judge(operation, status, &error) {
                    Verdict::Declined(decline) | Verdict::Reached(decline) => Ok(decline),
                    Verdict::OfPg(code) => Err(format!("the PG said `{code}`")),
                    Verdict::Gone | Verdict::Unknown => {
                        return Outcome::Unknown(format!("{status} {}", error.r#type));
                    }
                };
                match (self.receipt_of(&request.payment_key, request.amount).await, refusal) {
                    (CashReceiptLookup::Canceled, _) => Outcome::Approved(()),
                    (CashReceiptLookup::Unknown(reason), _) | (_, Err(reason)) => Outcome::Unknown(reason),
                    (_, Ok(decline)) => Outcome::Declined(decline),
                }
            }
            Answer::NotSent(reason) => Outcome::NotSent(reason),
            Answer::Unclear(reason) => Outcome::Unknown(reason),
        }
    }

    pub(super) async fn look_up_receipt(&self, request: &FindCashReceipt) -> CashReceiptLookup {
        match self.receipt_of(&request.payment_key, request.amount).await {
            CashReceiptLookup::Issued(receipt)
                if request.receipt_key.as_ref().is_some_and(|key| *key != receipt.receipt_key) =>
            {
                CashReceiptLookup::Unknown("the payment has another receipt".to_owned())
            }
            lookup => lookup,
        }
    }

    /// A payment has one; of several that were taken back and issued again, the last is shown.
    async fn receipt_of(&self, payment_id: &str, amount: Krw) -> CashReceiptLookup {
        let Some(path) = path(&["payments", payment_id, "cash-receipt"]) else {
            return CashReceiptLookup::Unknown("not a payment id".to_owned());
        };
        match self.http.get(Operation::LookUpReceipt, payment_id, &path).await {
            Answer::Accepted(body) => found(&body, amount),
            // The types say so, not the 404.
            Answer::Refused { error, .. } if error.r#type == "CASH_RECEIPT_NOT_FOUND" => {
                CashReceiptLookup::NotFound
            }
            Answer::Refused { status, error } => {
                CashReceiptLookup::Unknown(format!("{status} {}", error.r#type))
            }
            Answer::NotSent(reason) | Answer::Unclear(reason) => CashReceiptLookup::Unknown(reason),
        }
    }
}

pub(super) fn issued(body: &[u8]) -> Outcome<IssuedCashReceipt> {
    match serde_json::from_slice::<wire::CashReceiptAnswer>(body) {
        Ok(wire::CashReceiptAnswer { cash_receipt }) if !cash_receipt.issue_number.is_empty() => {
            Outcome::Approved(receipt(cash_receipt.issue_number, cash_receipt.url))
        }
        Ok(_) => Outcome::Unknown("the cash receipt has no number".to_owned()),
        Err(error) => Outcome::Unknown(format!("the cash receipt is not readable: {error}")),
    }
}

pub(super) fn canceled(body: &[u8], amount: Krw) -> Outcome<()> {
    match serde_json::from_slice::<wire::CanceledCashReceipt>(body) {
        Ok(canceled) if canceled.cancelled_amount == amount => Outcome::Approved(()),
        Ok(canceled) => {
            tracing::error!(canceled = %canceled.cancelled_amount, "portone took back another part of a cash receipt");
            Outcome::Unknown("another amount was taken back".to_owned())
        }
        Err(error) => Outcome::Unknown(format!("the cancel is not readable: {error}")),
    }
}

pub(super) fn found(body: &[u8], amount: Krw) -> CashReceiptLookup {
    let found: wire::FoundCashReceipt = match serde_json::from_slice(body) {
        Ok(found) => found,
        Err(error) => {
            return CashReceiptLookup::Unknown(format!("the cash receipt is not readable: {error}"));
        }
    };
    match found.status.as_str() {
        "ISSUED" if found.amount.is_some_and(|about| about != amount.get()) => {
            tracing::error!("portone issued a cash receipt about another amount");
            CashReceiptLookup::Unknown("it is about another amount".to_owned())
        }
        "ISSUED" => match found.issue_number.filter(|number| !number.is_empty()) {
            Some(number) => CashReceiptLookup::Issued(receipt(number, found.url)),
            None => CashReceiptLookup::Unknown("the cash receipt has no number".to_owned()),
        },
        "CANCELLED" => CashReceiptLookup::Canceled,
        // Of an earlier request or of this one: another one may be tried.
        "ISSUE_FAILED" => CashReceiptLookup::NotFound,
        other => CashReceiptLookup::Unknown(format!("the cash receipt has the unknown status `{other}`")),
    }
}

/// The PG's id of it need not stand in a look-up, so the tax service's number is what it is known by.
fn receipt(number: String, url: Option<String>) -> IssuedCashReceipt {
    IssuedCashReceipt { receipt_key: number.clone(), issue_number: Some(number), url, is_accepted: true }
}
