//! Everything Toss remembers. Changes come only as [`Record`]s, so that a replayed journal and a
//! living sandbox go the same way.

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{
    billing_key::{AuthKey, BillingKey},
    cash_receipt::CashReceipt,
    idempotency::{KeptAnswer, Slot},
    payment::{Payment, PaymentState},
    webhooks::Delivery,
};

/// One thing as it is after a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    AuthKey(AuthKey),
    BillingKey(BillingKey),
    Payment(Box<Payment>),
    Answer(KeptAnswer),
    Delivery(Box<Delivery>),
    /// Where a merchant wants its webhooks.
    MerchantUrl {
        merchant: String,
        url: String,
    },
    CashReceipt(Box<CashReceipt>),
}

#[derive(Default)]
pub(crate) struct State {
    auth_keys: HashMap<String, AuthKey>,
    billing_keys: HashMap<String, BillingKey>,
    payments: HashMap<String, Payment>,
    /// The payment that a look-up by order finds.
    orders: HashMap<String, String>,
    /// Payments that wait for their confirm, by the end of their time.
    sessions: BTreeSet<(DateTime<Utc>, String)>,
    answers: HashMap<Slot, KeptAnswer>,
    /// Idempotent requests that are under way. Not recorded: nothing is under way after a restart.
    pub(crate) running: HashSet<Slot>,
    deliveries: HashMap<String, Delivery>,
    /// Transmission ids, oldest first.
    delivery_order: Vec<String>,
    merchant_urls: HashMap<String, String>,
    /// Receipts and their cancels, oldest first.
    cash_receipts: Vec<CashReceipt>,
}

impl State {
    pub(crate) fn apply(&mut self, record: Record) {
        match record {
            Record::AuthKey(auth) => {
                self.auth_keys.insert(auth.key.clone(), auth);
            }
            Record::BillingKey(billing) => {
                self.billing_keys.insert(billing.key.clone(), billing);
            }
            Record::Payment(payment) => self.apply_payment(*payment),
            Record::MerchantUrl { merchant, url } => {
                self.merchant_urls.insert(merchant, url);
            }
            Record::CashReceipt(receipt) => self.cash_receipts.push(*receipt),
            Record::Answer(kept) => {
                self.answers.insert(kept.slot, kept);
            }
            Record::Delivery(delivery) => {
                let id = delivery.transmission_id.clone();
                if self.deliveries.insert(id.clone(), *delivery).is_none() {
                    self.delivery_order.push(id);
                }
            }
        }
    }

    /// Of several payments for one order the approved one is found, else the latest.
    fn apply_payment(&mut self, payment: Payment) {
        let found = self.orders.get(&payment.order_id).and_then(|key| self.payments.get(key));
        let replaces = found.is_none_or(|old| {
            old.key == payment.key
                || (!old.is_approved() && (payment.is_approved() || payment.requested_at >= old.requested_at))
        });
        if replaces {
            self.orders.insert(payment.order_id.clone(), payment.key.clone());
        }
        if let PaymentState::InProgress { until } = payment.state {
            self.sessions.insert((until, payment.key.clone()));
        } else if let Some(Payment { state: PaymentState::InProgress { until }, .. }) =
            self.payments.get(&payment.key)
        {
            self.sessions.remove(&(*until, payment.key.clone()));
        }
        self.payments.insert(payment.key.clone(), payment);
    }

    pub(crate) fn auth_key(&self, key: &str) -> Option<&AuthKey> {
        self.auth_keys.get(key)
    }

    pub(crate) fn billing_key(&self, key: &str) -> Option<&BillingKey> {
        self.billing_keys.get(key)
    }

    pub(crate) fn billing_keys(&self) -> impl Iterator<Item = &BillingKey> {
        self.billing_keys.values()
    }

    pub(crate) fn payment(&self, key: &str) -> Option<&Payment> {
        self.payments.get(key)
    }

    pub(crate) fn payment_of_order(&self, order_id: &str) -> Option<&Payment> {
        self.payments.get(self.orders.get(order_id)?)
    }

    /// One order is approved at most once, whatever idempotency keys it comes with.
    pub(crate) fn is_order_approved(&self, order_id: &str) -> bool {
        self.payment_of_order(order_id).is_some_and(Payment::is_approved)
    }

    /// Payments whose ten minutes are over.
    pub(crate) fn overdue_sessions(&self, now: DateTime<Utc>) -> Vec<Payment> {
        let overdue = self.sessions.iter().take_while(|(until, _)| *until <= now);
        overdue.filter_map(|(_, key)| self.payments.get(key).cloned()).collect()
    }

    /// The kept answer, unless its fifteen days are over.
    pub(crate) fn kept_answer(&self, slot: &Slot, now: DateTime<Utc>) -> Option<&KeptAnswer> {
        self.answers.get(slot).filter(|kept| !kept.is_expired(now))
    }

    pub(crate) fn webhook_url_of(&self, merchant: &str) -> Option<&str> {
        self.merchant_urls.get(merchant).map(String::as_str)
    }

    pub(crate) fn cash_receipts<'a>(&'a self, merchant: &'a str) -> impl Iterator<Item = &'a CashReceipt> {
        self.cash_receipts.iter().filter(move |receipt| receipt.merchant == merchant)
    }

    pub(crate) fn delivery(&self, transmission_id: &str) -> Option<&Delivery> {
        self.deliveries.get(transmission_id)
    }

    pub(crate) fn deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.delivery_order.iter().filter_map(|id| self.deliveries.get(id))
    }

    /// The records that make this state again, without what time has taken.
    pub(crate) fn snapshot(&self, now: DateTime<Utc>) -> impl Iterator<Item = Record> + '_ {
        // A sandbox whose clock was moved ahead and started again without must not forget too early.
        let patience = TimeDelta::days(30);
        let auth_keys = self.auth_keys.values().cloned().map(Record::AuthKey);
        let billing_keys = self.billing_keys.values().cloned().map(Record::BillingKey);
        let payments = self.payments.values().cloned().map(|payment| Record::Payment(Box::new(payment)));
        let answers = self.answers.values().filter(move |kept| !kept.is_expired(now - patience));
        let answers = answers.cloned().map(Record::Answer);
        let deliveries = self.deliveries().cloned().map(|delivery| Record::Delivery(Box::new(delivery)));
        let receipts = self.cash_receipts.iter().cloned().map(|it| Record::CashReceipt(Box::new(it)));
        let urls = self.merchant_urls.iter();
        let urls =
            urls.map(|(merchant, url)| Record::MerchantUrl { merchant: merchant.clone(), url: url.clone() });
        urls.chain(auth_keys)
            .chain(billing_keys)
            .chain(payments)
            .chain(answers)
            .chain(deliveries)
            .chain(receipts)
    }
}
