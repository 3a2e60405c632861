//! One call of the API on its way through an operation, and what the operation makes of it.

use chrono::{DateTime, Utc};
use kernel::{KoreanTime, Krw};

use super::{
    answer::{Answer, Fields},
    certificate::Credentials,
    codes::Refusal,
    notices::KcpNotice,
    payment::Payment,
    state::State,
    switches::{DuplicateOrders, KcpSwitches},
};
use crate::{
    book::{BookEntry, BookFilter, BookKind, BookStatus, Provider},
    faults::{Faults, Struck},
    random,
    store::{Record, Store},
};

pub(super) struct Call<'a> {
    pub(super) now: DateTime<Utc>,
    pub(super) fields: &'a Fields,
    pub(super) credentials: &'a Credentials,
    pub(super) switches: KcpSwitches,
    pub(super) store: &'a Store,
    pub(super) faults: &'a Faults,
    pub(super) struck: &'a Struck<'a>,
}

/// An operation looks, decides, and leaves the writing to its caller.
///
/// `Err` changes nothing. A declined charge is not an `Err`: it leaves traces.
pub(super) type Decision = Result<Change, Refusal>;

#[derive(Default)]
pub(super) struct Change {
    pub(super) answer: Answer,
    pub(super) records: Vec<Record>,
    /// Notifications that this change sets off.
    pub(super) news: Vec<KcpNotice>,
}

impl Change {
    pub(super) fn answer(answer: Answer) -> Self {
        Self { answer, ..Self::default() }
    }

    /// The same, and the answer is a code that makes believe it was not.
    pub(super) fn behind(self, code: &str) -> Self {
        Self { answer: Refusal::new(code).answer(), ..self }
    }
}

impl Call<'_> {
    pub(super) fn state(&self) -> &State {
        &self.store.kcp
    }

    pub(super) fn site_cd(&self) -> &str {
        self.fields.get("site_cd")
    }

    /// The code of a `decline` fault that strikes this call; it is used up by asking.
    pub(super) fn decline(&self) -> Option<String> {
        self.faults.decline(self.struck)
    }

    /// KCP's sheet names the case (8338); which earlier charges count is documented nowhere.
    pub(super) fn check_order_is_new(&self, order_no: &str) -> Result<(), Refusal> {
        let used = || {
            let filter = BookFilter { order_id: Some(order_no.to_owned()), ..BookFilter::default() };
            self.store.book.select(&filter).iter().any(|line| line.provider == Provider::Kcp)
        };
        let duplicate = match self.switches.duplicate_orders {
            DuplicateOrders::RefusedOncePaid => self.state().is_paid(self.site_cd(), order_no),
            DuplicateOrders::RefusedOnceUsed => used(),
            DuplicateOrders::Charged => false,
        };
        if duplicate { Err(Refusal::new("8338")) } else { Ok(()) }
    }

    pub(super) fn book_charge(&self, payment: &Payment) -> Record {
        self.line(payment, BookKind::Charge, BookStatus::Approved, payment.amount, &payment.tno)
    }

    pub(super) fn book_cancel(&self, payment: &Payment, amount: Krw, sequence_no: &str) -> Record {
        self.line(payment, BookKind::Cancel, BookStatus::Canceled, amount, sequence_no)
    }

    /// A declined charge gets no transaction number, so the book knows it by its order alone.
    pub(super) fn book_decline(&self, order_no: &str, amount: Krw, code: &str) -> Record {
        Record::Book(BookEntry {
            seq: 0,
            provider: Provider::Kcp,
            order_id: order_no.to_owned(),
            payment_key: String::new(),
            transaction_key: None,
            kind: BookKind::Charge,
            amount,
            status: BookStatus::Declined,
            code: Some(code.to_owned()),
            idempotency_key: None,
            at: KoreanTime(self.now),
        })
    }

    fn line(
        &self,
        payment: &Payment,
        kind: BookKind,
        status: BookStatus,
        amount: Krw,
        transaction_key: &str,
    ) -> Record {
        Record::Book(BookEntry {
            seq: 0,
            provider: Provider::Kcp,
            order_id: payment.order_no.clone(),
            payment_key: payment.tno.clone(),
            transaction_key: Some(transaction_key.to_owned()),
            kind,
            amount,
            status,
            code: None,
            idempotency_key: None,
            at: KoreanTime(self.now),
        })
    }

    /// A transaction number that is not taken: the day, then digits.
    pub(super) fn new_tno(&self) -> String {
        loop {
            let tno = format!("{}{}", super::time::short_day(self.now), random::digits(8));
            if self.state().payment(&tno).is_none() {
                return tno;
            }
        }
    }
}
