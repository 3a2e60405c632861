//! Everything the sandbox remembers, and the one door through which it changes.

use std::io;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    book::{Book, BookEntry},
    bootpay,
    journal::{Journal, JournalFolder},
    kcp, nhn, popbill, portone, post, solapi, toss,
};

/// One thing as it is after a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    Book(BookEntry),
    Toss(toss::Record),
    PortOne(portone::Record),
    Kcp(kcp::Record),
    Bootpay(bootpay::Record),
    Popbill(popbill::Record),
    Post(post::Record),
    Solapi(solapi::Record),
    Nhn(nhn::Record),
}

enum Keeping {
    /// Nothing survives the process.
    InMemory,
    InJournal(Journal),
    /// The sandbox was stopped. Whoever still works must not believe that it is remembered.
    Stopped,
}

pub(crate) struct Store {
    keeping: Keeping,
    pub(crate) book: Book,
    pub(crate) toss: toss::State,
    pub(crate) portone: portone::State,
    pub(crate) kcp: kcp::State,
    pub(crate) bootpay: bootpay::State,
    pub(crate) popbill: popbill::State,
    pub(crate) post: post::State,
    pub(crate) solapi: solapi::State,
    pub(crate) nhn: nhn::State,
}

impl Store {
    pub(crate) fn in_memory() -> Self {
        Self {
            keeping: Keeping::InMemory,
            book: Book::default(),
            toss: toss::State::default(),
            portone: portone::State::default(),
            kcp: kcp::State::default(),
            bootpay: bootpay::State::default(),
            popbill: popbill::State::default(),
            post: post::State::default(),
            solapi: solapi::State::default(),
            nhn: nhn::State::default(),
        }
    }

    /// Takes up what the folder's journal tells, and starts a shorter one that tells the same.
    pub(crate) fn open(folder: JournalFolder, now: DateTime<Utc>) -> anyhow::Result<Self> {
        let mut store = Self::in_memory();
        folder.replay(|records| store.apply(records))?;
        let book = store.book.entries().iter().map(|entry| Record::Book(BookEntry::clone(entry)));
        let snapshot = book
            .chain(store.toss.snapshot(now).map(Record::Toss))
            .chain(store.portone.snapshot(now).map(Record::PortOne))
            .chain(store.kcp.snapshot().map(Record::Kcp))
            .chain(store.bootpay.snapshot().map(Record::Bootpay))
            .chain(store.popbill.snapshot(now).map(Record::Popbill))
            .chain(store.post.snapshot().map(Record::Post))
            .chain(store.solapi.snapshot().map(Record::Solapi))
            .chain(store.nhn.snapshot().map(Record::Nhn));
        let journal = folder.compact(snapshot.map(|record| [record]))?;
        store.keeping = Keeping::InJournal(journal);
        Ok(store)
    }

    /// Writes, then applies: all records of one change or none.
    pub(crate) fn commit(&mut self, records: Vec<Record>) -> io::Result<()> {
        match &mut self.keeping {
            Keeping::InJournal(journal) if !records.is_empty() => journal.append(&records)?,
            Keeping::InJournal(_) | Keeping::InMemory => {}
            Keeping::Stopped => return Err(io::Error::other("the sandbox was stopped")),
        }
        self.apply(records);
        Ok(())
    }

    /// Lets go of the journal, so that the next sandbox can take it up at once.
    pub(crate) fn stop(&mut self) {
        self.keeping = Keeping::Stopped;
    }

    fn apply(&mut self, records: Vec<Record>) {
        for record in records {
            match record {
                Record::Book(entry) => self.book.push(entry),
                Record::Toss(record) => self.toss.apply(record),
                Record::PortOne(record) => self.portone.apply(record),
                Record::Kcp(record) => self.kcp.apply(record),
                Record::Bootpay(record) => self.bootpay.apply(record),
                Record::Popbill(record) => self.popbill.apply(record),
                Record::Post(record) => self.post.apply(record),
                Record::Solapi(record) => self.solapi.apply(record),
                Record::Nhn(record) => self.nhn.apply(record),
            }
        }
    }
}
