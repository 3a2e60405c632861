//! The port: what may be asked of an issuer of tax invoices, and what may be heard in answer.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use kernel::VatSplit;
use reqwest::{Url, header::HeaderMap};

use crate::{ConfirmationNumber, DocumentKey, TaxInvoice};

/// What is known after the issuer was asked to do something that must not happen twice.
///
/// The four answers are exhaustive, and an implementation never guesses between them: what it does
/// not understand is `Unknown`.
#[derive(Clone, Debug)]
pub enum Outcome<T> {
    /// It happened.
    Issued(T),
    /// It did not happen, and under this key there is no such document. Once the cause is gone, the
    /// same document may be asked for again with the same key.
    Refused(Refusal),
    /// The request certainly never reached the issuer (refused connection, no session to be had).
    /// Only this sending of it: what an earlier one did is as unknown as before. Text for operators.
    NotSent(String),
    /// Nobody here can tell whether it happened (timeout, cut connection, 5xx, unreadable answer).
    /// Ask again with the same key, at any later time. Text for operators.
    Unknown(String),
}

/// A definite no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub class: RefusalClass,
    /// The issuer's own code, as it came; where not a refusal but the document told it, a word of ours
    /// (`KEY_TAKEN`, `WITHDRAWN`, `NOT_FOUND`) or the code of its state.
    pub code: String,
    /// Korean text that the shop owner may read.
    pub message: String,
}

/// What a definite no means for the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalClass {
    /// What the buyer told us about itself is wrong: ask the shop.
    Buyer,
    /// Our account with the issuer is not in order (certificate, membership): an operator puts it in
    /// order, then the same document goes through.
    Account,
    /// The document is not, or no longer, in the state that the request needs: too late to be withdrawn,
    /// or withdrawn under this very key.
    State,
    /// We asked wrongly: never the shop's problem.
    OurBug,
}

/// A document that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    pub confirmation_number: ConfirmationNumber,
}

/// Where a document stands on its way to the tax service.
///
/// ```text
/// SAVED ──▶ ISSUED ──▶ SENT ──▶ ACCEPTED
///              │         └────▶ REJECTED
///              └──▶ WITHDRAWN
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvoiceState {
    /// Kept by the issuer, not issued: an issue that broke off half-way. `issue` finishes it.
    Saved,
    /// Issued and signed, legally there; not with the tax service yet.
    Issued,
    /// With the tax service, which has not answered.
    Sent,
    /// The tax service took it. From here on only a modified invoice corrects it.
    Accepted,
    /// The tax service refused it: it is void, a new one is due.
    Rejected,
    /// Taken back before it was sent.
    Withdrawn,
}

/// Two facts about one document that cannot both be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a document that was {was:?} cannot be {seen:?}")]
pub struct IllegalMove {
    pub was: InvoiceState,
    pub seen: InvoiceState,
}

impl InvoiceState {
    /// The state after hearing that the document is in state `seen`. News may come late and skip
    /// steps: an older state than the known one changes nothing, a contradiction is an error.
    pub fn after(self, seen: Self) -> Result<Self, IllegalMove> {
        use InvoiceState::{Accepted, Issued, Rejected, Saved, Sent, Withdrawn};
        match (self, seen) {
            (Saved, _)
            | (Issued, Issued | Sent | Accepted | Rejected | Withdrawn)
            | (Sent, Sent | Accepted | Rejected)
            | (Accepted, Accepted)
            | (Rejected, Rejected)
            | (Withdrawn, Withdrawn) => Ok(seen),
            (Issued | Sent | Accepted | Rejected | Withdrawn, Saved)
            | (Sent | Accepted | Rejected | Withdrawn, Issued)
            | (Accepted | Rejected, Sent) => Ok(self),
            (Withdrawn, Sent | Accepted | Rejected)
            | (Sent | Accepted | Rejected, Withdrawn)
            | (Accepted, Rejected)
            | (Rejected, Accepted) => Err(IllegalMove { was: self, seen }),
        }
    }

    /// Whether nothing more will come, so that polling may stop.
    pub fn is_final(self) -> bool {
        match self {
            Self::Saved | Self::Issued | Self::Sent => false,
            Self::Accepted | Self::Rejected | Self::Withdrawn => true,
        }
    }

    /// The name in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Saved => "SAVED",
            Self::Issued => "ISSUED",
            Self::Sent => "SENT",
            Self::Accepted => "ACCEPTED",
            Self::Rejected => "REJECTED",
            Self::Withdrawn => "WITHDRAWN",
        }
    }
}

/// What the issuer says about a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub key: DocumentKey,
    pub state: InvoiceState,
    /// The issuer's own code of the state, as it came.
    pub state_code: String,
    /// Absent while the document is only saved.
    pub confirmation_number: Option<ConfirmationNumber>,
    pub write_date: NaiveDate,
    pub amount: VatSplit,
    pub issued_at: Option<DateTime<Utc>>,
    /// When it went to the tax service.
    pub sent_at: Option<DateTime<Utc>>,
    /// When the tax service answered.
    pub answered_at: Option<DateTime<Utc>>,
    /// The tax service's own word, such as `SUC001` or `SYN004`.
    pub tax_service_code: Option<String>,
}

#[derive(Clone, Debug)]
pub enum Lookup {
    Found(Box<Standing>),
    /// The issuer has no such document. Not proof that none will appear: a request may still run.
    NotFound,
    /// No usable answer. Text for operators.
    Unknown(String),
}

/// A document in a form to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// The issuer's page about it, with its history.
    Page,
    /// The printed form, the seller's copy.
    Print,
    /// The printed form, the buyer's copy.
    PrintForBuyer,
    /// The page that the mail to the buyer leads to. The only link that does not expire.
    Mail,
}

/// Why something to look at could not be had. Text for operators.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    #[error("the issuer has no such document")]
    NotFound,
    #[error("no usable answer: {0}")]
    Unknown(String),
}

/// An incoming webhook, read but not believed: a reason to look the document up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The issuer's id of this message; the same for repeats of it.
    pub id: String,
    /// The issuer's name of the event, as it came.
    pub kind: String,
    /// The document it is about, by our number and by the tax service's, as far as the message names
    /// them. Neither: it is about something else, or nothing we know.
    pub document: Option<DocumentKey>,
    pub confirmation_number: Option<ConfirmationNumber>,
}

#[derive(Debug, thiserror::Error)]
pub enum WebhookRefused {
    #[error("not a webhook of this issuer: {0}")]
    Malformed(String),
    #[error("the key does not match")]
    BadKey,
    #[error("it is about another business")]
    NotOurs,
}

/// Whoever files tax invoices with the National Tax Service in our name (an authorised provider, ASP).
///
/// Every method may be called again with the same arguments after a crash or a timeout, at any later
/// time, and must then not issue a second document. Implementations hold no state that matters: all of
/// them may be used from many processes at once.
#[async_trait]
pub trait TaxInvoiceIssuer: Send + Sync {
    /// Issues a document, an ordinary or a modified one. One key is one document, however often it is sent.
    ///
    /// The implementation believes no refusal before it looked the key up: a document that is there, with
    /// the same date and amounts and the same buyer, is `Issued`; one with others is `Refused` as
    /// [`RefusalClass::OurBug`], for somebody used the key twice.
    async fn issue(&self, invoice: &TaxInvoice) -> Outcome<Issued>;

    /// Takes an issued document back before it went to the tax service. `Issued` also when it was taken
    /// back already; `Refused` as [`RefusalClass::State`] when it is too late or there is none.
    ///
    /// The key stays used: the document that takes its place needs another.
    async fn withdraw(&self, key: &DocumentKey) -> Outcome<()>;

    /// Asks where a document stands.
    async fn find(&self, key: &DocumentKey) -> Lookup;

    /// Asks for many at once, for polling: one entry for each key, in the order asked. What the list does
    /// not tell is `Unknown`, and [`Self::find`] tells it.
    async fn find_all(&self, keys: &[DocumentKey]) -> Vec<(DocumentKey, Lookup)>;

    /// A link to the issuer's own view of a document. Short-lived (30 seconds at Popbill, except
    /// [`View::Mail`]): redirect to it at once, never store it.
    async fn view(&self, key: &DocumentKey, view: View) -> Result<Url, Unavailable>;

    /// The document as PDF.
    async fn pdf(&self, key: &DocumentKey) -> Result<Vec<u8>, Unavailable>;

    /// The signed XML that went to the tax service: the legal original.
    async fn xml(&self, key: &DocumentKey) -> Result<String, Unavailable>;

    /// Reads a webhook and verifies it as far as the issuer allows. Unknown kinds are not an error.
    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused>;
}

#[cfg(test)]
mod tests {
    use super::{
        InvoiceState::{Accepted, Issued, Rejected, Saved, Sent, Withdrawn},
        *,
    };

    const ALL: [InvoiceState; 6] = [Saved, Issued, Sent, Accepted, Rejected, Withdrawn];

    #[test]
    fn late_news_change_nothing_and_skipped_steps_are_fine() {
        assert_eq!(Issued.after(Accepted), Ok(Accepted));
        assert_eq!(Accepted.after(Sent), Ok(Accepted));
        assert_eq!(Rejected.after(Issued), Ok(Rejected));
        assert_eq!(Saved.after(Withdrawn), Ok(Withdrawn));
    }

    #[test]
    fn contradictions_are_not_believed() {
        for (was, seen) in [(Accepted, Rejected), (Rejected, Accepted), (Withdrawn, Sent), (Sent, Withdrawn)]
        {
            assert_eq!(was.after(seen), Err(IllegalMove { was, seen }));
        }
    }

    #[test]
    fn the_same_news_in_any_order_end_the_same_way() {
        for path in [[Issued, Sent, Accepted], [Issued, Sent, Rejected]] {
            for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
                let state = order.iter().try_fold(Saved, |state, step| state.after(path[*step]));
                assert_eq!(state, Ok(path[2]), "{order:?}");
            }
        }
    }

    #[test]
    fn what_is_final_stays() {
        for state in ALL.into_iter().filter(|state| state.is_final()) {
            for seen in ALL {
                assert!(state.after(seen).is_err() || state.after(seen) == Ok(state));
            }
        }
    }
}
