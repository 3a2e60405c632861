//! Everything Popbill remembers. Changes come only as [`Record`]s, so that a replayed journal and a
//! living sandbox go the same way.

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{invoice::Invoice, session::Session};

/// The partner that needs no registration.
const LINK_ID: &str = "DANGOL";
const SECRET_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// One thing as it is after a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    Partner(Partner),
    Member(Member),
    Session(Session),
    /// All tokens end at once.
    NoSessions,
    Invoice(Box<Invoice>),
}

impl From<Record> for crate::store::Record {
    fn from(record: Record) -> Self {
        Self::Popbill(record)
    }
}

/// Who may sign for tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Partner {
    pub(super) link_id: String,
    /// Base64.
    pub(super) secret_key: String,
}

/// A seller at Popbill.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Member {
    pub(super) corp_num: String,
    #[serde(default = "yes")]
    pub(super) is_member: bool,
    #[serde(default)]
    pub(super) certificate: Certificate,
    /// Each issue takes one. Null: never short of them.
    #[serde(default)]
    pub(super) points: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Certificate {
    #[default]
    Valid,
    Invalid,
    Missing,
}

fn yes() -> bool {
    true
}

#[derive(Default)]
pub(crate) struct State {
    partners: HashMap<String, Partner>,
    members: HashMap<String, Member>,
    sessions: HashMap<String, Session>,
    /// In the order they were saved.
    invoices: Vec<Invoice>,
    /// Positions by seller and document id.
    by_key: HashMap<(String, String), usize>,
    by_confirmation: HashMap<String, usize>,
}

impl State {
    pub(crate) fn apply(&mut self, record: Record) {
        match record {
            Record::Partner(partner) => {
                self.partners.insert(partner.link_id.clone(), partner);
            }
            Record::Member(member) => {
                self.members.insert(member.corp_num.clone(), member);
            }
            Record::Session(session) => {
                self.sessions.insert(session.token.clone(), session);
            }
            Record::NoSessions => self.sessions.clear(),
            Record::Invoice(invoice) => self.apply_invoice(*invoice),
        }
    }

    fn apply_invoice(&mut self, invoice: Invoice) {
        let key = (invoice.corp_num.clone(), invoice.mgt_key.clone());
        let index = *self.by_key.entry(key).or_insert(self.invoices.len());
        self.by_confirmation.insert(invoice.confirmation_number.clone(), index);
        match self.invoices.get_mut(index) {
            Some(old) => *old = invoice,
            None => self.invoices.push(invoice),
        }
    }

    /// `None` for an unknown partner, and for one whose key is not base64.
    pub(super) fn secret_key(&self, link_id: &str) -> Option<Vec<u8>> {
        let secret = match self.partners.get(link_id) {
            Some(partner) => partner.secret_key.as_str(),
            None if link_id == LINK_ID => SECRET_KEY,
            None => return None,
        };
        STANDARD.decode(secret).ok()
    }

    /// Every number is a member with a certificate and points, until somebody says otherwise.
    pub(super) fn member(&self, corp_num: &str) -> Member {
        self.members.get(corp_num).cloned().unwrap_or_else(|| Member {
            corp_num: corp_num.to_owned(),
            is_member: true,
            certificate: Certificate::Valid,
            points: None,
        })
    }

    pub(super) fn session(&self, token: &str) -> Option<&Session> {
        self.sessions.get(token)
    }

    pub(super) fn invoice(&self, corp_num: &str, mgt_key: &str) -> Option<&Invoice> {
        let index = self.by_key.get(&(corp_num.to_owned(), mgt_key.to_owned()))?;
        self.invoices.get(*index)
    }

    pub(super) fn invoice_confirmed_as(&self, number: &str) -> Option<&Invoice> {
        self.invoices.get(*self.by_confirmation.get(number)?)
    }

    pub(crate) fn invoices(&self) -> &[Invoice] {
        &self.invoices
    }

    /// The records that make this state again, without what time has taken.
    pub(crate) fn snapshot(&self, now: DateTime<Utc>) -> impl Iterator<Item = Record> + '_ {
        // A sandbox whose clock was moved ahead and started again without must not forget too early.
        let patience = TimeDelta::days(30);
        let partners = self.partners.values().cloned().map(Record::Partner);
        let members = self.members.values().cloned().map(Record::Member);
        let sessions = self.sessions.values().filter(move |session| session.expires_at > now - patience);
        let sessions = sessions.cloned().map(Record::Session);
        let invoices = self.invoices.iter().cloned().map(|invoice| Record::Invoice(Box::new(invoice)));
        partners.chain(members).chain(sessions).chain(invoices)
    }
}
