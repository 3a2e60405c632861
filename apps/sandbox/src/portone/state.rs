//! Everything PortOne remembers. Changes come only as [`Record`]s, so that a replayed journal and a
//! living sandbox go the same way.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    billing_key::{BillingKey, IssueToken},
    cash_receipt::CashReceipt,
    confirm::PreRegistered,
    idempotency::KeptAnswer,
    payment::Payment,
    webhooks::Delivery,
};

/// One thing as it is after a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    IssueToken(IssueToken),
    BillingKey(Box<BillingKey>),
    PreRegistered(PreRegistered),
    Payment(Box<Payment>),
    Answer(KeptAnswer),
    Delivery(Box<Delivery>),
    CashReceipt(Box<CashReceipt>),
}

#[derive(Default)]
pub(crate) struct State {
    issue_tokens: HashMap<String, IssueToken>,
    billing_keys: HashMap<String, BillingKey>,
    pre_registered: HashMap<String, PreRegistered>,
    payments: HashMap<String, Payment>,
    /// Payment ids, oldest first.
    payment_order: Vec<String>,
    answers: HashMap<String, KeptAnswer>,
    /// Idempotency keys of requests that are under way. Not recorded: nothing is after a restart.
    pub(crate) running: HashSet<String>,
    deliveries: HashMap<String, Delivery>,
    /// Webhook ids, oldest first.
    delivery_order: Vec<String>,
    /// The latest of each payment.
    cash_receipts: HashMap<String, CashReceipt>,
}

impl State {
    pub(crate) fn apply(&mut self, record: Record) {
        match record {
            Record::IssueToken(token) => {
                self.issue_tokens.insert(token.token.clone(), token);
            }
            Record::BillingKey(billing) => {
                self.billing_keys.insert(billing.key.clone(), *billing);
            }
            Record::PreRegistered(registered) => {
                self.pre_registered.insert(registered.payment_id.clone(), registered);
            }
            Record::Payment(payment) => {
                let id = payment.id.clone();
                if self.payments.insert(id.clone(), *payment).is_none() {
                    self.payment_order.push(id);
                }
            }
            Record::CashReceipt(receipt) => {
                self.cash_receipts.insert(receipt.payment_id.clone(), *receipt);
            }
            Record::Answer(kept) => {
                self.answers.insert(kept.key.clone(), kept);
            }
            Record::Delivery(delivery) => {
                let id = delivery.webhook_id.clone();
                if self.deliveries.insert(id.clone(), *delivery).is_none() {
                    self.delivery_order.push(id);
                }
            }
        }
    }

    pub(crate) fn issue_token(&self, token: &str) -> Option<&IssueToken> {
        self.issue_tokens.get(token)
    }

    pub(crate) fn billing_key(&self, key: &str) -> Option<&BillingKey> {
        self.billing_keys.get(key)
    }

    pub(crate) fn billing_keys(&self) -> impl Iterator<Item = &BillingKey> {
        self.billing_keys.values()
    }

    pub(crate) fn pre_registered(&self, payment_id: &str) -> Option<&PreRegistered> {
        self.pre_registered.get(payment_id)
    }

    pub(crate) fn payment(&self, id: &str) -> Option<&Payment> {
        self.payments.get(id)
    }

    /// Oldest first.
    pub(crate) fn payments(&self) -> impl Iterator<Item = &Payment> {
        self.payment_order.iter().filter_map(|id| self.payments.get(id))
    }

    /// The kept answer, unless its three hours are over.
    pub(crate) fn kept_answer(&self, key: &str, now: DateTime<Utc>) -> Option<&KeptAnswer> {
        self.answers.get(key).filter(|kept| !kept.is_expired(now))
    }

    pub(crate) fn cash_receipt(&self, payment_id: &str) -> Option<&CashReceipt> {
        self.cash_receipts.get(payment_id)
    }

    pub(crate) fn delivery(&self, webhook_id: &str) -> Option<&Delivery> {
        self.deliveries.get(webhook_id)
    }

    pub(crate) fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.delivery_order.iter().filter_map(|id| self.deliveries.get(id))
    }

    /// The records that make this state again, without what time has taken.
    pub(crate) fn snapshot(&self, now: DateTime<Utc>) -> impl Iterator<Item = Record> + '_ {
        // A sandbox whose clock was moved ahead and started again without must not forget too early.
        let patience = TimeDelta::days(30);
        let issue_tokens = self.issue_tokens.values().cloned().map(Record::IssueToken);
        let billing_keys = self.billing_keys.values().cloned().map(|key| Record::BillingKey(Box::new(key)));
        let pre_registered = self.pre_registered.values().cloned().map(Record::PreRegistered);
        let payments = self.payments().cloned().map(|payment| Record::Payment(Box::new(payment)));
        let answers = self.answers.values().filter(move |kept| !kept.is_expired(now - patience));
        let answers = answers.cloned().map(Record::Answer);
        let deliveries = self.deliveries().cloned().map(|delivery| Record::Delivery(Box::new(delivery)));
        let receipts = self.cash_receipts.values().cloned().map(|it| Record::CashReceipt(Box::new(it)));
        issue_tokens
            .chain(receipts)
            .chain(billing_keys)
            .chain(pre_registered)
            .chain(payments)
            .chain(answers)
            .chain(deliveries)
    }
}
