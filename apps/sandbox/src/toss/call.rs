//! One call of the API on its way through an operation, and what the operation makes of it.

use axum::http::Uri;
use chrono::{DateTime, Utc};
use kernel::{KoreanTime, Krw};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use super::{
    answer::Answer, errors::Refusal, payment::Payment, state, switches::TossSwitches, webhooks::Delivery,
};
use crate::{
    book::{BookEntry, BookKind, BookStatus, Provider},
    faults::{Faults, Struck},
    store::Record,
};

pub(crate) struct Call<'a> {
    pub(crate) now: DateTime<Utc>,
    pub(crate) uri: &'a Uri,
    pub(crate) body: &'a [u8],
    /// Whose key it came with.
    pub(crate) merchant: &'a str,
    /// Made with a test key.
    pub(crate) is_test: bool,
    pub(crate) idempotency_key: Option<&'a str>,
    pub(crate) switches: TossSwitches,
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
        Self::Toss(record)
    }
}

impl Call<'_> {
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        serde_json::from_slice(self.body).map_err(|_| Refusal::new("INVALID_REQUEST"))
    }

    /// The code of a `decline` fault that strikes this call; it is used up by asking.
    pub(crate) fn decline(&self) -> Option<String> {
        self.faults.decline(self.struck)
    }

    /// The book's line about a charge or its newest cancel.
    pub(crate) fn book_line(&self, payment: &Payment, what: &Booked<'_>) -> Record {
        let (kind, amount, status, transaction_key, code) = match *what {
            Booked::Approved { transaction_key } => {
                (BookKind::Charge, payment.total, BookStatus::Approved, Some(transaction_key), None)
            }
            Booked::Declined { code } => {
                (BookKind::Charge, payment.total, BookStatus::Declined, None, Some(code))
            }
            Booked::Canceled { transaction_key, amount } => {
                (BookKind::Cancel, amount, BookStatus::Canceled, Some(transaction_key), None)
            }
        };
        Record::Book(BookEntry {
            seq: 0,
            provider: Provider::Toss,
            order_id: payment.order_id.clone(),
            payment_key: payment.key.clone(),
            transaction_key: transaction_key.map(str::to_owned),
            kind,
            amount,
            status,
            code: code.map(str::to_owned),
            idempotency_key: self.idempotency_key.map(str::to_owned),
            at: KoreanTime(self.now),
        })
    }
}

pub(crate) enum Booked<'a> {
    Approved { transaction_key: &'a str },
    Declined { code: &'a str },
    Canceled { transaction_key: &'a str, amount: Krw },
}

/// Amounts are JSON numbers; clients without integers write `1000.0`. Won have no fraction.
pub(crate) fn won<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Krw, D::Error> {
    whole(&serde_json::Number::deserialize(deserializer)?)
        .ok_or_else(|| serde::de::Error::custom("an amount is a whole number of won"))
}

/// Like [`won`], for fields that may be absent or null.
pub(crate) fn optional_won<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Krw>, D::Error> {
    match Option::<serde_json::Number>::deserialize(deserializer)? {
        None => Ok(None),
        Some(number) => whole(&number)
            .map(Some)
            .ok_or_else(|| serde::de::Error::custom("an amount is a whole number of won")),
    }
}

fn whole(number: &serde_json::Number) -> Option<Krw> {
    if let Some(amount) = number.as_i64() {
        return Some(Krw::won(amount));
    }
    // Up to 2^53 a float holds every whole number, and no amount of won comes near.
    let amount = number.as_f64().filter(|amount| amount.fract() == 0.0 && amount.abs() < 9e15)?;
    format!("{amount:.0}").parse().ok().map(Krw::won)
}
