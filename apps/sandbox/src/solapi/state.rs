//! What Solapi remembers beside the messages. Changes come only as [`Record`]s.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::notices::SolapiNotice;

/// The account that needs no registration.
const API_KEY: &str = "NCSDANGOLDEVELOP";
const API_SECRET: &str = "dangol-development-solapi-secret";

/// One thing as it is after a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    Account(Account),
    Template(Template),
    Refusal(Refusal),
    Notice(Box<SolapiNotice>),
}

impl From<Record> for crate::store::Record {
    fn from(record: Record) -> Self {
        Self::Solapi(record)
    }
}

/// Who may sign.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Account {
    pub(crate) api_key: String,
    pub(crate) api_secret: String,
}

/// A template of AlimTalk, with `#{places}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Template {
    pub(crate) template_id: String,
    pub(crate) content: String,
    /// `APPROVED` unless given.
    #[serde(default = "approved")]
    pub(crate) status: String,
}

fn approved() -> String {
    "APPROVED".to_owned()
}

/// Somebody called the 080 line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Refusal {
    pub(crate) recipient_number: String,
    pub(crate) refusal_number: String,
    pub(crate) at: DateTime<Utc>,
}

#[derive(Default)]
pub(crate) struct State {
    accounts: HashMap<String, String>,
    templates: HashMap<String, Template>,
    refusals: Vec<Refusal>,
    notices: BTreeMap<String, SolapiNotice>,
    /// Signatures that were used, and when; good once. Not worth remembering beyond the process.
    signatures: HashMap<String, DateTime<Utc>>,
}

impl State {
    pub(crate) fn apply(&mut self, record: Record) {
        match record {
            Record::Account(account) => {
                self.accounts.insert(account.api_key, account.api_secret);
            }
            Record::Template(template) => {
                self.templates.insert(template.template_id.clone(), template);
            }
            Record::Refusal(refusal) => self.refusals.push(refusal),
            Record::Notice(notice) => {
                self.notices.insert(notice.id.clone(), *notice);
            }
        }
    }

    pub(super) fn secret(&self, api_key: &str) -> Option<&str> {
        let known = self.accounts.get(api_key).map(String::as_str);
        known.or((api_key == API_KEY).then_some(API_SECRET))
    }

    /// False if it was used within the time that signatures are good.
    pub(super) fn uses_up(
        &mut self,
        signature: &str,
        now: DateTime<Utc>,
        good_for: chrono::TimeDelta,
    ) -> bool {
        if self.signatures.len() > 10_000 {
            self.signatures.retain(|_, used| now - *used <= good_for);
        }
        let earlier = self.signatures.insert(signature.to_owned(), now);
        earlier.is_none_or(|used| now - used > good_for)
    }

    pub(super) fn template(&self, id: &str) -> Option<&Template> {
        self.templates.get(id)
    }

    pub(super) fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    pub(super) fn has_refused(&self, number: &str) -> bool {
        self.refusals.iter().any(|refusal| refusal.recipient_number == number)
    }

    pub(crate) fn notices(&self) -> impl Iterator<Item = &SolapiNotice> {
        self.notices.values()
    }

    pub(super) fn notice(&self, id: &str) -> Option<&SolapiNotice> {
        self.notices.get(id)
    }

    /// The records that make this state again.
    pub(crate) fn snapshot(&self) -> impl Iterator<Item = Record> + '_ {
        let account = |(key, secret): (&String, &String)| {
            Record::Account(Account { api_key: key.clone(), api_secret: secret.clone() })
        };
        let accounts = self.accounts.iter().map(account);
        let templates = self.templates.values().cloned().map(Record::Template);
        let refusals = self.refusals.iter().cloned().map(Record::Refusal);
        let notices = self.notices.values().cloned().map(|notice| Record::Notice(Box::new(notice)));
        accounts.chain(templates).chain(refusals).chain(notices)
    }
}
