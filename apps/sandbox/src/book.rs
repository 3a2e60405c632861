//! The book: every charge and every cancel that a provider holds, and every cash receipt, in the order they
//! happened.
//!
//! It is the judge of crash tests: whatever the product believes, the money is where the book says.

use std::{collections::HashMap, sync::Arc};

use kernel::{KoreanTime, Krw};
use serde::{Deserialize, Serialize};

/// The providers that the sandbox plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Provider {
    /// Toss Payments (토스페이먼츠).
    Toss,
    /// PortOne V2 (포트원).
    #[serde(rename = "PORTONE")]
    PortOne,
    /// NHN KCP.
    Kcp,
    /// Bootpay (부트페이).
    Bootpay,
    /// Popbill (팝빌), which has no money and so no line in the book.
    Popbill,
    /// Solapi (솔라피): texts and KakaoTalk. What it carries lies in the inbox.
    Solapi,
    /// NHN Cloud: texts and KakaoTalk.
    Nhn,
    /// A mail server.
    Smtp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BookKind {
    Charge,
    Cancel,
    /// A cash receipt that was issued on request: no money moved.
    CashReceipt,
    /// One, or a part of one, that was taken back.
    CashReceiptCancel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BookStatus {
    /// A charge that took money.
    Approved,
    /// A charge that the card refused: no money moved.
    Declined,
    /// A cancel that gave money back.
    Canceled,
    /// A cash receipt that the provider took.
    Issued,
    /// One that was taken back.
    Revoked,
}

impl BookStatus {
    /// A declined charge took nothing, and a cash receipt is paper.
    pub(crate) fn moved_money(self) -> bool {
        match self {
            Self::Approved | Self::Canceled => true,
            Self::Declined | Self::Issued | Self::Revoked => false,
        }
    }
}

/// One line of the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BookEntry {
    /// Position in the book, from 1.
    #[serde(default)]
    pub seq: u64,
    pub provider: Provider,
    pub order_id: String,
    pub payment_key: String,
    /// The provider's name of this one money movement; a declined charge has none.
    pub transaction_key: Option<String>,
    pub kind: BookKind,
    pub amount: Krw,
    pub status: BookStatus,
    /// Why a charge was declined, in the provider's word.
    pub code: Option<String>,
    pub idempotency_key: Option<String>,
    pub at: KoreanTime,
}

/// Which lines of the book to show.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BookFilter {
    pub(crate) order_id: Option<String>,
    pub(crate) kind: Option<BookKind>,
    pub(crate) status: Option<BookStatus>,
    /// Lines at or after this time.
    pub(crate) since: Option<KoreanTime>,
    /// Lines after this position: cheap polling of a long book.
    pub(crate) after_seq: Option<u64>,
}

#[derive(Default)]
pub(crate) struct Book {
    entries: Vec<Arc<BookEntry>>,
    by_order: HashMap<String, Vec<usize>>,
    by_transaction: HashMap<String, usize>,
}

impl Book {
    pub(crate) fn push(&mut self, mut entry: BookEntry) {
        let index = self.entries.len();
        entry.seq = index as u64 + 1;
        self.by_order.entry(entry.order_id.clone()).or_default().push(index);
        if let Some(key) = &entry.transaction_key {
            self.by_transaction.insert(key.clone(), index);
        }
        self.entries.push(Arc::new(entry));
    }

    pub(crate) fn entries(&self) -> &[Arc<BookEntry>] {
        &self.entries
    }

    /// The lines after the one of this transaction; `None` if there is no such transaction.
    pub(crate) fn after_transaction(&self, key: &str) -> Option<&[Arc<BookEntry>]> {
        self.by_transaction.get(key).map(|index| &self.entries[index + 1..])
    }

    /// Hands out shared lines, so that the caller can write 100,000 of them without holding the lock.
    pub(crate) fn select(&self, filter: &BookFilter) -> Vec<Arc<BookEntry>> {
        let wanted = |entry: &&Arc<BookEntry>| {
            filter.kind.is_none_or(|kind| entry.kind == kind)
                && filter.status.is_none_or(|status| entry.status == status)
                && filter.since.is_none_or(|since| entry.at >= since)
                && filter.after_seq.is_none_or(|seq| entry.seq > seq)
        };
        match &filter.order_id {
            Some(order) => {
                let lines = self.by_order.get(order).map_or(&[][..], Vec::as_slice);
                lines.iter().map(|index| &self.entries[*index]).filter(wanted).cloned().collect()
            }
            None => self.entries.iter().filter(wanted).cloned().collect(),
        }
    }
}
