//! One call of the API on its way through an operation, and what the operation makes of it.

use chrono::{DateTime, Utc};
use kernel::{KoreanTime, Krw};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    STORE_ID, errors::Refusal, payment::Payment, state, switches::PortOneSwitches, webhooks::Delivery,
};
use crate::{
    book::{BookEntry, BookKind, BookStatus, Provider},
    faults::{Faults, Struck},
    store::Record,
};

/// Won that no card pays; keeps sums far from where an i64 ends.
const TOO_MUCH: i64 = 1_000_000_000_000;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    /// All successes are 200, creations and deletions too.
    pub(crate) fn ok(body: &Value) -> Self {
        Self { status: 200, body: body.to_string() }
    }
}

pub(crate) struct Call<'a> {
    pub(crate) now: DateTime<Utc>,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) idempotency_key: Option<&'a str>,
    pub(crate) switches: PortOneSwitches,
    pub(crate) faults: &'a Faults,
    pub(crate) struck: &'a Struck<'a>,
}

/// An operation looks, decides, and leaves the writing to its caller.
///
/// `Err` changes nothing. A declined charge is not an `Err`: it leaves traces.
pub(crate) type Decision = Result<Change, Refusal>;

pub(crate) struct Change {
    pub(crate) answer: Answer,
    pub(crate) records: Vec<Record>,
    /// Webhooks that this change sets off.
    pub(crate) news: Vec<Delivery>,
}

impl Change {
    pub(crate) fn answer(answer: Answer) -> Self {
        Self { answer, records: Vec::new(), news: Vec::new() }
    }
}

impl From<state::Record> for Record {
    fn from(record: state::Record) -> Self {
        Self::PortOne(record)
    }
}

impl From<Payment> for Record {
    fn from(payment: Payment) -> Self {
        state::Record::Payment(Box::new(payment)).into()
    }
}

impl Call<'_> {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let body = if self.body.is_empty() { b"{}" } else { self.body };
        serde_json::from_slice(body).map_err(|error| Refusal::invalid_request(&error.to_string()))
    }

    /// The parameters of a list: JSON in the body, or in the one query parameter `requestBody`.
    pub(crate) fn list_parameters<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        match self.parameter("requestBody") {
            Some(text) => serde_json::from_str(&text)
                .map_err(|error| Refusal::invalid_request(&format!("requestBody: {error}"))),
            None => self.json(),
        }
    }

    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let pairs = query_pairs(self.query);
        pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The code of a `decline` fault that strikes this call; it is used up by asking.
    pub(crate) fn decline(&self) -> Option<String> {
        self.faults.decline(self.struck)
    }

    /// The book's line about a charge or one of its cancels.
    pub(crate) fn book_line(&self, payment: &Payment, what: &Booked<'_>) -> Record {
        book_line(payment, what, self.now, self.idempotency_key)
    }
}

fn query_pairs(query: &str) -> Vec<(String, String)> {
    // The URL parser of the HTTP client reads query strings as browsers write them.
    let Ok(mut url) = reqwest::Url::parse("http://sandbox.invalid/") else { return Vec::new() };
    url.set_query(Some(query));
    url.query_pairs().into_owned().collect()
}

/// Absent is the store of the secret. Another one is none of this merchant's.
pub(crate) fn check_store(store_id: Option<&str>) -> Result<(), Refusal> {
    match store_id {
        None | Some(STORE_ID) => Ok(()),
        Some(_) => Err(Refusal::new("FORBIDDEN")),
    }
}

/// A 64-bit integer in the smallest unit of the currency; of won there is no smaller one.
pub(crate) fn positive(amount: i64, field: &str) -> Result<Krw, Refusal> {
    if (1..TOO_MUCH).contains(&amount) {
        Ok(Krw::won(amount))
    } else {
        Err(Refusal::invalid_request(&format!("{field}: 금액이 올바르지 않습니다.")))
    }
}

/// Zero is fine for a part of an amount.
pub(crate) fn part(amount: Option<i64>, field: &str) -> Result<Option<Krw>, Refusal> {
    match amount {
        None => Ok(None),
        Some(0) => Ok(Some(Krw::ZERO)),
        Some(amount) => positive(amount, field).map(Some),
    }
}

pub(crate) enum Booked<'a> {
    Approved,
    Declined { code: &'a str },
    Canceled { cancellation_id: &'a str, amount: Krw },
}

pub(crate) fn book_line(
    payment: &Payment,
    what: &Booked<'_>,
    now: DateTime<Utc>,
    idempotency_key: Option<&str>,
) -> Record {
    let (kind, amount, status, transaction_key, code) = match *what {
        Booked::Approved => {
            let key = payment.transaction_id.as_str();
            (BookKind::Charge, payment.total, BookStatus::Approved, Some(key), None)
        }
        Booked::Declined { code } => {
            (BookKind::Charge, payment.total, BookStatus::Declined, None, Some(code))
        }
        Booked::Canceled { cancellation_id, amount } => {
            (BookKind::Cancel, amount, BookStatus::Canceled, Some(cancellation_id), None)
        }
    };
    Record::Book(BookEntry {
        seq: 0,
        provider: Provider::PortOne,
        order_id: payment.id.clone(),
        payment_key: payment.id.clone(),
        transaction_key: transaction_key.map(str::to_owned),
        kind,
        amount,
        status,
        code: code.map(str::to_owned),
        idempotency_key: idempotency_key.map(str::to_owned),
        at: KoreanTime(now),
    })
}
