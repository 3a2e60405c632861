//! What NHN Cloud remembers beside the messages. Changes come only as [`Record`]s.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::notices::NhnNotice;

/// The account that needs no registration.
const APP_KEY: &str = "dangol-development";
const SECRET_KEY: &str = "dangol-development-nhn-secret";

/// How long a key of AlimTalk is not good for another request.
const KEYS_KEPT_FOR: TimeDelta = TimeDelta::minutes(10);

/// One thing as it is after a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    Account(Account),
    Refusal(Refusal),
    Notice(Box<NhnNotice>),
}

impl From<Record> for crate::store::Record {
    fn from(record: Record) -> Self {
        Self::Nhn(record)
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) app_key: String,
    pub(crate) secret_key: String,
}

/// Somebody called the 080 line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refusal {
    pub(crate) recipient_no: String,
    pub(crate) unsubscribe_no: String,
    pub(crate) at: DateTime<Utc>,
}

#[derive(Default)]
pub(crate) struct State {
    accounts: HashMap<String, String>,
    refusals: Vec<Refusal>,
    notices: BTreeMap<String, NhnNotice>,
    /// Idempotency keys, for ten minutes. Not worth remembering beyond the process.
    keys: HashMap<String, DateTime<Utc>>,
}

impl State {
    pub(crate) fn apply(&mut self, record: Record) {
        match record {
            Record::Account(account) => {
                self.accounts.insert(account.app_key, account.secret_key);
            }
            Record::Refusal(refusal) => self.refusals.push(refusal),
            Record::Notice(notice) => {
                self.notices.insert(notice.id.clone(), *notice);
            }
        }
    }

    pub(super) fn secret(&self, app_key: &str) -> Option<&str> {
        let known = self.accounts.get(app_key).map(String::as_str);
        known.or((app_key == APP_KEY).then_some(SECRET_KEY))
    }

    /// False if it was used within ten minutes.
    pub(super) fn uses_up(&mut self, key: &str, now: DateTime<Utc>) -> bool {
        self.keys.retain(|_, used| now - *used <= KEYS_KEPT_FOR);
        self.keys.insert(key.to_owned(), now).is_none()
    }

    pub(super) fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    pub(super) fn has_refused(&self, number: &str) -> bool {
        self.refusals.iter().any(|refusal| refusal.recipient_no == number)
    }

    pub(crate) fn notices(&self) -> impl Iterator<Item = &NhnNotice> {
        self.notices.values()
    }

    pub(super) fn notice(&self, id: &str) -> Option<&NhnNotice> {
        self.notices.get(id)
    }

    /// The records that make this state again.
    pub(crate) fn snapshot(&self) -> impl Iterator<Item = Record> + '_ {
        let account = |(key, secret): (&String, &String)| {
            Record::Account(Account { app_key: key.clone(), secret_key: secret.clone() })
        };
        let accounts = self.accounts.iter().map(account);
        let refusals = self.refusals.iter().cloned().map(Record::Refusal);
        let notices = self.notices.values().cloned().map(|notice| Record::Notice(Box::new(notice)));
        accounts.chain(refusals).chain(notices)
    }
}
