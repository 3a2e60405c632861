//! Everything KCP remembers. Changes come only as [`Record`]s, so that a replayed journal and a
//! living sandbox go the same way.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{batch_key::BatchKey, notices::KcpNotice, payment::Payment, trade::Trade, window::WindowAuth};

/// One thing as it is after a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    Trade(Trade),
    Window(Box<WindowAuth>),
    BatchKey(BatchKey),
    Payment(Box<Payment>),
    Notice(Box<KcpNotice>),
}

impl From<Record> for crate::store::Record {
    fn from(record: Record) -> Self {
        Self::Kcp(record)
    }
}

#[derive(Default)]
pub(crate) struct State {
    trades: HashMap<String, Trade>,
    windows: HashMap<String, WindowAuth>,
    batch_keys: HashMap<String, BatchKey>,
    payments: HashMap<String, Payment>,
    /// Site and order number of every payment.
    paid: HashSet<(String, String)>,
    notices: HashMap<String, KcpNotice>,
    /// Ids of notices, oldest first.
    notice_order: Vec<String>,
}

impl State {
    pub(crate) fn apply(&mut self, record: Record) {
        match record {
            Record::Trade(trade) => {
                self.trades.insert(trade.approval_key.clone(), trade);
            }
            Record::Window(auth) => {
                self.windows.insert(auth.enc_data.clone(), *auth);
            }
            Record::BatchKey(key) => {
                self.batch_keys.insert(key.key.clone(), key);
            }
            Record::Payment(payment) => {
                self.paid.insert((payment.site_cd.clone(), payment.order_no.clone()));
                self.payments.insert(payment.tno.clone(), *payment);
            }
            Record::Notice(notice) => {
                let id = notice.id.clone();
                if self.notices.insert(id.clone(), *notice).is_none() {
                    self.notice_order.push(id);
                }
            }
        }
    }

    pub(super) fn trade(&self, approval_key: &str) -> Option<&Trade> {
        self.trades.get(approval_key)
    }

    pub(super) fn window(&self, enc_data: &str) -> Option<&WindowAuth> {
        self.windows.get(enc_data)
    }

    pub(super) fn batch_key(&self, key: &str) -> Option<&BatchKey> {
        self.batch_keys.get(key)
    }

    pub(super) fn batch_keys(&self) -> impl Iterator<Item = &BatchKey> {
        self.batch_keys.values()
    }

    pub(super) fn payment(&self, tno: &str) -> Option<&Payment> {
        self.payments.get(tno)
    }

    pub(super) fn is_paid(&self, site_cd: &str, order_no: &str) -> bool {
        self.paid.contains(&(site_cd.to_owned(), order_no.to_owned()))
    }

    pub(super) fn notice(&self, id: &str) -> Option<&KcpNotice> {
        self.notices.get(id)
    }

    pub(crate) fn notices(&self) -> impl Iterator<Item = &KcpNotice> {
        self.notice_order.iter().filter_map(|id| self.notices.get(id))
    }

    /// The records that make this state again.
    pub(crate) fn snapshot(&self) -> impl Iterator<Item = Record> + '_ {
        let trades = self.trades.values().cloned().map(Record::Trade);
        let windows = self.windows.values().cloned().map(|auth| Record::Window(Box::new(auth)));
        let keys = self.batch_keys.values().cloned().map(Record::BatchKey);
        let payments = self.payments.values().cloned().map(|payment| Record::Payment(Box::new(payment)));
        let notices = self.notices().cloned().map(|notice| Record::Notice(Box::new(notice)));
        trades.chain(windows).chain(keys).chain(payments).chain(notices)
    }
}
