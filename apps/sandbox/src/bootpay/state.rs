//! Everything Bootpay remembers. Changes come only as [`Record`]s, so that a replayed journal and a
//! living sandbox go the same way.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{billing_key::BillingKey, notices::BootpayNotice, receipt::Payment, token::Token};

/// One thing as it is after a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    Token(Token),
    BillingKey(BillingKey),
    Payment(Box<Payment>),
    Notice(Box<BootpayNotice>),
}

#[derive(Default)]
pub(crate) struct State {
    tokens: HashMap<String, Token>,
    billing_keys: HashMap<String, BillingKey>,
    /// Receipt of the window to billing key.
    issued: HashMap<String, String>,
    payments: HashMap<String, Payment>,
    /// Receipts of an order, oldest first.
    by_order: HashMap<String, Vec<String>>,
    notices: HashMap<String, BootpayNotice>,
    /// Ids of notices, oldest first.
    notice_order: Vec<String>,
}

impl State {
    pub(crate) fn apply(&mut self, record: Record) {
        match record {
            Record::Token(token) => {
                self.tokens.insert(token.value.clone(), token);
            }
            Record::BillingKey(key) => {
                self.issued.insert(key.receipt_id.clone(), key.key.clone());
                self.billing_keys.insert(key.key.clone(), key);
            }
            Record::Payment(payment) => {
                let (id, order_id) = (payment.receipt_id.clone(), payment.order_id.clone());
                if self.payments.insert(id.clone(), *payment).is_none() {
                    self.by_order.entry(order_id).or_default().push(id);
                }
            }
            Record::Notice(notice) => {
                let id = notice.id.clone();
                if self.notices.insert(id.clone(), *notice).is_none() {
                    self.notice_order.push(id);
                }
            }
        }
    }

    pub(super) fn token(&self, value: &str) -> Option<&Token> {
        self.tokens.get(value)
    }

    pub(super) fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.tokens.values()
    }

    pub(super) fn billing_key(&self, key: &str) -> Option<&BillingKey> {
        self.billing_keys.get(key)
    }

    pub(super) fn billing_keys(&self) -> impl Iterator<Item = &BillingKey> {
        self.billing_keys.values()
    }

    pub(super) fn key_of_receipt(&self, receipt_id: &str) -> Option<&BillingKey> {
        self.billing_key(self.issued.get(receipt_id)?)
    }

    pub(super) fn payment(&self, receipt_id: &str) -> Option<&Payment> {
        self.payments.get(receipt_id)
    }

    pub(super) fn payments_of(&self, order_id: &str) -> impl Iterator<Item = &Payment> {
        self.by_order.get(order_id).into_iter().flatten().filter_map(|id| self.payments.get(id))
    }

    pub(super) fn notice(&self, id: &str) -> Option<&BootpayNotice> {
        self.notices.get(id)
    }

    pub(crate) fn notices(&self) -> impl Iterator<Item = &BootpayNotice> {
        self.notice_order.iter().filter_map(|id| self.notices.get(id))
    }

    /// The records that make this state again.
    pub(crate) fn snapshot(&self) -> impl Iterator<Item = Record> + '_ {
        let tokens = self.tokens.values().cloned().map(Record::Token);
        let keys = self.billing_keys.values().cloned().map(Record::BillingKey);
        let of_orders = self.by_order.keys().flat_map(|order_id| self.payments_of(order_id));
        let payments = of_orders.cloned().map(|payment| Record::Payment(Box::new(payment)));
        let notices = self.notices().cloned().map(|notice| Record::Notice(Box::new(notice)));
        tokens.chain(keys).chain(payments).chain(notices)
    }
}
