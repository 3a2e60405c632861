//! Cash receipts (현금영수증) on request.
//!
//! Toss asks neither whether there is such an order nor how it was paid, and a second request for one order
//! is a second receipt. Only the idempotency key keeps it from that, for 15 days. There is no look-up by key
//! or order but the list of a day, so the receipt's `orderId` is our reference, which is nobody else's.

use kernel::Krw;
use secrecy::ExposeSecret;

use super::{
    FirstWord, Operation, TossGateway, errors, first_word,
    http::{Answer, path},
    idempotency_key, wire,
};
use crate::{
    CancelCashReceipt, CashReceiptKind, CashReceiptLookup, FindCashReceipt, IssueCashReceipt,
    IssuedCashReceipt, Outcome, reference,
};

/// A day with more receipts than this many pages hold is not read to its end.
const MOST_PAGES: usize = 200;

impl TossGateway {
    pub(super) async fn issue_receipt(&self, request: &IssueCashReceipt) -> Outcome<IssuedCashReceipt> {
        let key = match idempotency_key(&request.reference) {
            Ok(key) if reference::is_reference(&request.reference) => key,
            _ => return Outcome::Declined(errors::refused_here("INVALID_IDEMPOTENCY_KEY")),
        };
        let body = wire::CashReceiptRequest {
            amount: request.amount,
            order_id: &request.reference,
            order_name: &request.order_name,
            r#type: match request.kind {
                CashReceiptKind::IncomeDeduction => "소득공제",
                CashReceiptKind::ExpenseProof => "지출증빙",
            },
            customer_identity_number: request.identity_number.expose_secret(),
        };
        let operation = Operation::IssueReceipt;
        let answer = self.http.post(operation, &request.reference, "/v1/cash-receipts", &key, &body).await;
        match first_word(operation, answer, |body| issued(body, request)) {
            FirstWord::Settled(outcome) => outcome,
            // The same key would have brought the first answer back, so the other one is none of ours. Whoever
            // sent this before looks at the days' lists all the same, as after any no.
            FirstWord::LookUp(decline) => Outcome::Declined(decline),
        }
    }

    pub(super) async fn cancel_receipt(&self, request: &CancelCashReceipt) -> Outcome<()> {
        let (Ok(key), Some(path)) =
            (idempotency_key(&request.reference), path(&["cash-receipts", &request.receipt_key, "cancel"]))
        else {
            return Outcome::Declined(errors::refused_here("INVALID_REQUEST"));
        };
        let body = wire::CashReceiptCancelRequest { amount: request.amount };
        let operation = Operation::CancelReceipt;
        let answer = self.http.post(operation, &request.reference, &path, &key, &body).await;
        match first_word(operation, answer, |body| canceled(body, request)) {
            FirstWord::Settled(outcome) => outcome,
            FirstWord::LookUp(decline) => Outcome::Declined(decline),
        }
    }

    pub(super) async fn look_up_receipt(&self, request: &FindCashReceipt) -> CashReceiptLookup {
        let (first, last) = request.days;
        let mut rows = Vec::new();
        for day in first.iter_days().take_while(|day| *day <= last) {
            match self.receipts_of(day, request).await {
                Ok(of_day) => rows.extend(of_day),
                Err(reason) => return CashReceiptLookup::Unknown(reason),
            }
        }
        found(&rows, request)
    }

    /// The receipts of a Korean day that carry our reference.
    async fn receipts_of(
        &self,
        day: chrono::NaiveDate,
        request: &FindCashReceipt,
    ) -> Result<Vec<wire::CashReceiptRow>, String> {
        let mut rows = Vec::new();
        let mut cursor: Option<i64> = None;
        for _ in 0..MOST_PAGES {
            let mut query =
                vec![("requestDate", day.to_string()), ("limit", self.transactions_per_page.to_string())];
            query.extend(cursor.map(|cursor| ("cursor", cursor.to_string())));
            let body = match self.http.list(Operation::LookUpReceipt, "/v1/cash-receipts", &query).await {
                Answer::Accepted(body) => body,
                Answer::Refused { status, code } => return Err(format!("{status} {code}")),
                Answer::NotSent(reason) | Answer::Unclear(reason) => return Err(reason),
            };
            let page = page(&body)?;
            rows.extend(page.data.into_iter().filter(|row| row.order_id == request.reference));
            match page.last_cursor.filter(|_| page.has_next) {
                None if page.has_next => return Err("the list goes on without a cursor".to_owned()),
                None => return Ok(rows),
                same if same == cursor => return Err("the list does not go on".to_owned()),
                next => cursor = next,
            }
        }
        Err("the list does not end".to_owned())
    }
}

fn page(body: &[u8]) -> Result<wire::CashReceiptPage, String> {
    serde_json::from_slice(body).map_err(|error| format!("the list is not readable: {error}"))
}

fn row(body: &[u8]) -> Result<wire::CashReceiptRow, String> {
    serde_json::from_slice(body).map_err(|error| format!("the cash receipt is not readable: {error}"))
}

pub(super) fn issued(body: &[u8], request: &IssueCashReceipt) -> Outcome<IssuedCashReceipt> {
    let row = match row(body) {
        Ok(row) => row,
        Err(reason) => return Outcome::Unknown(reason),
    };
    if row.order_id != request.reference || row.amount != request.amount || row.transaction_type != "CONFIRM"
    {
        tracing::error!(reference = request.reference, "toss answered about another cash receipt");
        return Outcome::Unknown("toss answered about another cash receipt".to_owned());
    }
    match standing(&row) {
        CashReceiptLookup::Issued(receipt) => Outcome::Approved(receipt),
        CashReceiptLookup::Refused(decline) => Outcome::Declined(decline),
        CashReceiptLookup::Unknown(reason) => Outcome::Unknown(reason),
        CashReceiptLookup::Canceled | CashReceiptLookup::NotFound => {
            Outcome::Unknown("issued, and not there".to_owned())
        }
    }
}

pub(super) fn canceled(body: &[u8], request: &CancelCashReceipt) -> Outcome<()> {
    match row(body) {
        Ok(row) if row.transaction_type != "CANCEL" || row.amount != request.amount => {
            Outcome::Unknown("toss answered about something else".to_owned())
        }
        Ok(row) if row.issue_status == "FAILED" => {
            Outcome::Declined(errors::receipt_refused(failure_code(&row)))
        }
        Ok(_) => Outcome::Approved(()),
        Err(reason) => Outcome::Unknown(reason),
    }
}

/// What the rows with our reference say: one receipt, and perhaps its cancels.
pub(super) fn found(rows: &[wire::CashReceiptRow], request: &FindCashReceipt) -> CashReceiptLookup {
    let is_wanted =
        |row: &&wire::CashReceiptRow| request.receipt_key.as_ref().is_none_or(|key| *key == row.receipt_key);
    let confirms: Vec<_> =
        rows.iter().filter(|row| row.transaction_type == "CONFIRM").filter(is_wanted).collect();
    let receipt = match confirms[..] {
        [] => return CashReceiptLookup::NotFound,
        [receipt] => receipt,
        _ => {
            tracing::error!(reference = request.reference, "toss has several cash receipts of one request");
            return CashReceiptLookup::Unknown("toss has several of them".to_owned());
        }
    };
    if receipt.amount != request.amount {
        tracing::error!(reference = request.reference, "toss issued a cash receipt about another amount");
        return CashReceiptLookup::Unknown("it is about another amount".to_owned());
    }
    // The cancels of a receipt all have its key, after `c_`.
    let taken_back = rows
        .iter()
        .filter(|row| row.transaction_type == "CANCEL" && row.issue_status != "FAILED")
        .filter(|row| row.receipt_key.strip_prefix("c_") == Some(&receipt.receipt_key))
        .try_fold(Krw::ZERO, |sum, row| sum.checked_add(row.amount));
    if taken_back == Some(receipt.amount) {
        return CashReceiptLookup::Canceled;
    }
    standing(receipt)
}

fn standing(row: &wire::CashReceiptRow) -> CashReceiptLookup {
    let is_accepted = match row.issue_status.as_str() {
        "COMPLETED" => true,
        "IN_PROGRESS" => false,
        "FAILED" => return CashReceiptLookup::Refused(errors::receipt_refused(failure_code(row))),
        other => {
            return CashReceiptLookup::Unknown(format!("the cash receipt has the unknown status `{other}`"));
        }
    };
    if row.receipt_key.is_empty() {
        return CashReceiptLookup::Unknown("the cash receipt has no key".to_owned());
    }
    CashReceiptLookup::Issued(IssuedCashReceipt {
        receipt_key: row.receipt_key.clone(),
        issue_number: row.issue_number.clone().filter(|number| !number.is_empty()),
        url: row.receipt_url.clone(),
        is_accepted,
    })
}

fn failure_code(row: &wire::CashReceiptRow) -> Option<&str> {
    row.failure.as_ref().map(|failure| failure.code.as_str())
}
