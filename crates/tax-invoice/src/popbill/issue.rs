//! Issuing and withdrawing, and settling what became of either.

use super::{Operation, Popbill, documents::Found, errors, http::Answer, mapping, path_of, wire};
use crate::{DocumentKey, InvoiceState, Issued, Outcome, TaxInvoice};

const METHOD: &str = "X-HTTP-Method-Override";

/// What an action was answered with, before anybody looked.
pub(super) enum FirstWord {
    /// It happened; whatever else the answer says.
    Done(Vec<u8>),
    /// A no, or something that is no answer to this: the document tells.
    LookUp(Doubt),
    NotSent(String),
    Unknown(String),
}

/// Why a look-up is needed.
pub(super) struct Doubt {
    /// The code of a refusal that a working server made.
    refused_with: Option<i64>,
    reason: String,
}

pub(super) fn first_word(answer: Answer) -> FirstWord {
    match answer {
        Answer::Accepted(body) => FirstWord::Done(body),
        Answer::Refused { status, code } => FirstWord::LookUp(Doubt {
            // Whoever broke down cannot vouch for a no.
            refused_with: (!status.is_server_error()).then_some(code),
            reason: format!("{status} {code}"),
        }),
        Answer::Unauthorized => FirstWord::Unknown("401".to_owned()),
        Answer::NotSent(reason) => FirstWord::NotSent(reason),
        Answer::Unclear(reason) => FirstWord::Unknown(reason),
    }
}

/// What a doubtful issue comes to, now that the key was looked up.
pub(super) fn settled(invoice: &TaxInvoice, doubt: &Doubt, found: Found) -> Settled {
    let document = match found {
        Found::Document(document) => *document,
        Found::Nothing => {
            return Settled::Outcome(match doubt.refused_with.and_then(errors::judge) {
                Some(refusal) => Outcome::Refused(refusal),
                None => Outcome::Unknown(doubt.reason.clone()),
            });
        }
        Found::Unknown(reason) => {
            return Settled::Outcome(Outcome::Unknown(format!("{}, then {reason}", doubt.reason)));
        }
    };
    if !document.is(invoice) {
        tracing::error!(key = %invoice.key, "the key stands for another document at popbill");
        return Settled::Outcome(Outcome::Refused(errors::key_taken()));
    }
    match (document.standing.state, document.standing.confirmation_number) {
        (InvoiceState::Saved, _) => Settled::OnlySaved,
        (InvoiceState::Withdrawn, _) => Settled::Outcome(Outcome::Refused(errors::withdrawn())),
        (
            InvoiceState::Issued | InvoiceState::Sent | InvoiceState::Accepted | InvoiceState::Rejected,
            Some(confirmation_number),
        ) => Settled::Outcome(Outcome::Issued(Issued { confirmation_number })),
        (_, None) => Settled::Outcome(Outcome::Unknown("issued without a confirmation number".to_owned())),
    }
}

pub(super) enum Settled {
    Outcome(Outcome<Issued>),
    /// It is there and was never issued: an earlier request got half-way.
    OnlySaved,
}

impl Popbill {
    pub(super) async fn issue_once(&self, invoice: &TaxInvoice) -> Outcome<Issued> {
        match self.try_to_issue(invoice, "/Taxinvoice", &mapping::regist_issue(invoice)).await {
            Settled::Outcome(outcome) => outcome,
            Settled::OnlySaved => self.issue_saved(invoice).await,
        }
    }

    async fn issue_saved(&self, invoice: &TaxInvoice) -> Outcome<Issued> {
        let body = wire::IssueSaved { force_issue: mapping::force_issue(invoice) };
        match self.try_to_issue(invoice, &path_of(&invoice.key), &body).await {
            Settled::Outcome(outcome) => outcome,
            Settled::OnlySaved => Outcome::Unknown("saved, and not to be issued".to_owned()),
        }
    }

    async fn try_to_issue(
        &self,
        invoice: &TaxInvoice,
        path: &str,
        body: &(impl serde::Serialize + Sync),
    ) -> Settled {
        let answer = self
            .ask(Operation::Issue, invoice.key.as_str(), |client, base_url| {
                client.post(format!("{base_url}{path}")).header(METHOD, "ISSUE").json(body)
            })
            .await;
        let doubt = match first_word(answer) {
            FirstWord::Done(body) => match mapping::issued(&body) {
                Ok(Some(confirmation_number)) => {
                    return Settled::Outcome(Outcome::Issued(Issued { confirmation_number }));
                }
                Ok(None) => Doubt { refused_with: None, reason: "issued without a number".to_owned() },
                Err(reason) => Doubt { refused_with: None, reason },
            },
            FirstWord::LookUp(doubt) => doubt,
            FirstWord::NotSent(reason) => return Settled::Outcome(Outcome::NotSent(reason)),
            FirstWord::Unknown(reason) => return Settled::Outcome(Outcome::Unknown(reason)),
        };
        settled(invoice, &doubt, self.look_up(&invoice.key).await)
    }

    pub(super) async fn withdraw_once(&self, key: &DocumentKey) -> Outcome<()> {
        let answer = self
            .ask(Operation::Withdraw, key.as_str(), |client, base_url| {
                client
                    .post(format!("{base_url}{}", path_of(key)))
                    .header(METHOD, "CANCELISSUE")
                    .json(&wire::Memo { memo: "발행 취소" })
            })
            .await;
        let reason = match first_word(answer) {
            FirstWord::Done(body) => match mapping::issued(&body) {
                Ok(_) => return Outcome::Issued(()),
                Err(reason) => reason,
            },
            FirstWord::LookUp(doubt) => doubt.reason,
            FirstWord::NotSent(reason) => return Outcome::NotSent(reason),
            FirstWord::Unknown(reason) => return Outcome::Unknown(reason),
        };
        withdrawn(self.look_up(key).await, reason)
    }
}

/// What a doubtful withdrawal comes to.
pub(super) fn withdrawn(found: Found, reason: String) -> Outcome<()> {
    let standing = match found {
        Found::Document(document) => document.standing,
        Found::Nothing => return Outcome::Refused(errors::nothing_to_withdraw()),
        Found::Unknown(look_up) => return Outcome::Unknown(format!("{reason}, then {look_up}")),
    };
    match standing.state {
        InvoiceState::Withdrawn => Outcome::Issued(()),
        InvoiceState::Sent | InvoiceState::Accepted | InvoiceState::Rejected => {
            Outcome::Refused(errors::too_late_to_withdraw(&standing.state_code))
        }
        // 302 (filing pending) may be too late already; only Popbill knows when it is.
        InvoiceState::Saved | InvoiceState::Issued => Outcome::Unknown(reason),
    }
}
