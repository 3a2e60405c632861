//! One call of the API on its way through an operation, and what the operation makes of it.

use chrono::{DateTime, Utc};
use kernel::{KoreanTime, Krw};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{errors::Refusal, notices::BootpayNotice, receipt::Payment, state, switches::BootpaySwitches};
use crate::{
    book::{BookEntry, BookKind, BookStatus, Provider},
    faults::{Faults, Struck},
    store::Record,
};

/// Won that no card pays; keeps sums far from where an i64 ends.
const TOO_MUCH: i64 = 1_000_000_000_000;

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self { status: 200, body }
    }
}

pub(super) struct Call<'a> {
    pub(super) now: DateTime<Utc>,
    pub(super) body: &'a [u8],
    pub(super) switches: BootpaySwitches,
    pub(super) faults: &'a Faults,
    pub(super) struck: &'a Struck<'a>,
}

/// An operation looks, decides, and leaves the writing to its caller.
///
/// `Err` changes nothing. A declined charge is not an `Err`: it leaves traces.
pub(super) type Decision = Result<Change, Refusal>;

pub(super) struct Change {
    pub(super) answer: Answer,
    pub(super) records: Vec<Record>,
    /// Webhooks that this change sets off.
    pub(super) news: Vec<BootpayNotice>,
}

impl Change {
    pub(super) fn answer(answer: Answer) -> Self {
        Self { answer, records: Vec::new(), news: Vec::new() }
    }
}

impl From<state::Record> for Record {
    fn from(record: state::Record) -> Self {
        Self::Bootpay(record)
    }
}

impl From<Payment> for Record {
    fn from(payment: Payment) -> Self {
        state::Record::Payment(Box::new(payment)).into()
    }
}

impl Call<'_> {
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(self.body).map_err(|error| Refusal::invalid(format!("파라미터 오류: {error}")))
    }

    /// The text of a `decline` fault that strikes this call; it is used up by asking.
    pub(super) fn decline(&self) -> Option<String> {
        self.faults.decline(self.struck)
    }

    pub(super) fn book_charge(&self, payment: &Payment) -> Record {
        let key = Some(payment.receipt_id.clone());
        self.line(payment, BookKind::Charge, BookStatus::Approved, payment.price, key, None)
    }

    pub(super) fn book_decline(&self, payment: &Payment, message: &str) -> Record {
        let code = Some(message.to_owned());
        self.line(payment, BookKind::Charge, BookStatus::Declined, payment.price, None, code)
    }

    /// Bootpay numbers no cancels; their place among those of the payment names them.
    pub(super) fn book_cancel(&self, payment: &Payment, amount: Krw) -> Record {
        let key = Some(format!("{}-{}", payment.receipt_id, payment.cancels.len()));
        self.line(payment, BookKind::Cancel, BookStatus::Canceled, amount, key, None)
    }

    /// What became of the payment's cash receipt.
    pub(super) fn book_cash_receipt(&self, payment: &Payment) -> Record {
        let (kind, status) = match payment.cash_receipt {
            Some(_) => (BookKind::CashReceipt, BookStatus::Issued),
            None => (BookKind::CashReceiptCancel, BookStatus::Revoked),
        };
        self.line(payment, kind, status, payment.price, None, None)
    }

    fn line(
        &self,
        payment: &Payment,
        kind: BookKind,
        status: BookStatus,
        amount: Krw,
        transaction_key: Option<String>,
        code: Option<String>,
    ) -> Record {
        Record::Book(BookEntry {
            seq: 0,
            provider: Provider::Bootpay,
            order_id: payment.order_id.clone(),
            payment_key: payment.receipt_id.clone(),
            transaction_key,
            kind,
            amount,
            status,
            code,
            idempotency_key: None,
            at: KoreanTime(self.now),
        })
    }
}

pub(super) fn positive(amount: i64, field: &str) -> Result<Krw, Refusal> {
    if (1..TOO_MUCH).contains(&amount) {
        Ok(Krw::won(amount))
    } else {
        Err(Refusal::invalid(format!("{field} 파라미터의 금액이 올바르지 않습니다.")))
    }
}
