//! The port: what billing may ask of a provider, and what it may hear in answer.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use kernel::Krw;
use reqwest::header::HeaderMap;
use secrecy::SecretString;

use crate::{Capabilities, Provider};

/// What is known after a provider was asked to do something that must not happen twice.
///
/// The four answers are exhaustive, and an implementation never guesses between them: what it does
/// not understand is `Unknown`.
#[derive(Clone, Debug)]
pub enum Outcome<T> {
    /// It happened.
    Approved(T),
    /// It did not happen and will not: the provider's final word on this request. The same id asked
    /// again gets the same no, so that another attempt needs another id.
    Declined(Decline),
    /// The request certainly never reached the provider (refused connection, failed name look-up).
    /// Only this sending of it: what an earlier one did is as unknown as before. Text for operators.
    NotSent(String),
    /// Nobody here can tell whether it happened (timeout, cut connection, 5xx, unreadable answer).
    /// The same request may be sent again, and the look-ups tell what became of it. Text for operators.
    Unknown(String),
}

/// A definite no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decline {
    pub class: DeclineClass,
    /// The provider's own code, as it came.
    pub code: String,
    /// Korean text that the card holder may read.
    pub message: String,
}

/// What a definite no means for the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeclineClass {
    /// The holder's money or limits (insufficient funds, limit exceeded): a later day may succeed.
    RetryLater,
    /// This card will never work again (expired, lost, suspended, billing key gone).
    NewCard,
    /// Stopped by fraud screening; the holder has to speak with the card company.
    Fraud,
    /// The provider or bank is closed or busy and said so: nobody's fault, worth another attempt soon.
    Temporary,
    /// We asked wrongly or are set up wrongly. Never the customer's problem.
    OurBug,
}

/// A provider's key with which a card may be charged again and again. A payment credential: it is
/// wrapped so that it cannot be logged by accident.
pub type BillingKeySecret = SecretString;

/// Turn what the provider's browser SDK returned into a billing key.
#[derive(Clone, Debug)]
pub struct IssueBillingKey {
    /// What the SDK returned, opaque to us (Toss: `authKey`).
    pub auth_key: SecretString,
    /// The payer's key that the SDK was opened with.
    pub customer_key: String,
    /// Names this one request: sending it again returns the first answer.
    pub idempotency_key: String,
}

#[derive(Clone, Debug)]
pub struct IssuedBillingKey {
    pub billing_key: BillingKeySecret,
    pub card: Card,
}

/// What may be shown of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// Korean name of the issuer, such as `삼성카드`; the raw code where the name is unknown.
    pub company: String,
    /// As the provider masks it, such as `43301234****123*`.
    pub masked_number: String,
}

impl Card {
    /// The number as it is shown and kept: `****-****-****-123*`. Only what the provider left readable
    /// of the last four digits remains; the leading digits are nobody's business.
    pub fn display_number(&self) -> String {
        let shown: Vec<char> =
            self.masked_number.chars().filter(|c| c.is_ascii_digit() || *c == '*').collect();
        let last_four: String = shown[shown.len().saturating_sub(4)..].iter().collect();
        format!("****-****-****-{last_four:*>4}")
    }
}

/// Charge a billing key.
#[derive(Clone, Debug)]
pub struct Charge {
    pub billing_key: BillingKeySecret,
    /// The payer's key that the billing key was issued for.
    pub customer_key: String,
    /// Our id of this attempt, as [`Capabilities::order_ids`] allows; also the provider's idempotency
    /// key where it has such a thing, so that the same charge sent again is the same charge.
    pub order_id: String,
    /// What the card holder reads on the slip, 1 to 100 characters.
    pub order_name: String,
    pub amount: Krw,
}

/// Confirm a one-off payment that the payer has authenticated in the provider's window.
#[derive(Clone, Debug)]
pub struct Confirm {
    /// The provider's id of the payment, from its redirect.
    pub payment_key: String,
    /// As in [`Charge::order_id`].
    pub order_id: String,
    /// The amount of our order. The provider refuses if the payer authenticated another one.
    pub amount: Krw,
}

/// Give back all or part of an approved payment.
#[derive(Clone, Debug)]
pub struct Cancel {
    pub payment_key: String,
    pub amount: Krw,
    /// Why, in the words of whoever asked for it.
    pub reason: String,
    /// Our id of this refund. It is the provider's idempotency key and travels with the cancel, so
    /// that [`Cancellation::reference`] can be recognised later.
    pub reference: String,
    /// What was left of the payment before this cancel, as our books had it when it was written
    /// down. Providers that compare it refuse a cancel that was made already.
    pub remaining_before: Krw,
}

/// Money that moved: an approved payment and all that was given back of it so far.
#[derive(Clone, Debug)]
pub struct Approval {
    /// The provider's id of the payment.
    pub payment_key: String,
    pub order_id: String,
    /// The original amount. Compare it with what was asked; the adapter does not.
    pub amount: Krw,
    pub approved_at: DateTime<Utc>,
    /// With what it was paid, which decides what tax document it calls for.
    pub paid_with: PaidWith,
    pub card: Option<Card>,
    /// The provider's own receipt page.
    pub receipt_url: Option<String>,
    /// The cash receipt that was issued along with the payment.
    pub cash_receipt: Option<Box<CashReceipt>>,
    /// What is left of the amount after all that was given back so far.
    pub remaining: Krw,
    /// The completed cancels one by one, oldest first; empty where the provider tells only
    /// [`Self::remaining`] ([`Capabilities::lists_cancels`]).
    pub cancellations: Vec<Cancellation>,
    /// A billing key that the provider issued along with a one-off payment.
    pub billing_key: Option<IssuedBillingKey>,
}

/// With what somebody paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaidWith {
    /// A card, also one behind a wallet: there is a card slip.
    Card,
    /// A bank account.
    Transfer,
    /// Into an account that the provider opened for this payment.
    VirtualAccount,
    /// The money or the points of a wallet.
    Wallet,
    /// The telephone bill.
    Mobile,
    /// A gift certificate.
    Voucher,
    /// The provider does not say, or in a word that this version does not know.
    Unknown,
}

/// A cash receipt (현금영수증) as the provider tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CashReceipt {
    pub kind: CashReceiptKind,
    /// The tax service's number of it (승인번호).
    pub issue_number: String,
    /// The provider's page of it.
    pub url: Option<String>,
}

/// What a cash receipt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CashReceiptKind {
    /// 소득공제: a person's.
    IncomeDeduction,
    /// 지출증빙: a business's, which deducts the VAT.
    ExpenseProof,
}

/// Issue a cash receipt for a payment that was made in money.
#[derive(Clone, Debug)]
pub struct IssueCashReceipt {
    pub payment_key: String,
    pub order_id: String,
    /// What it was for, 1 to 100 characters.
    pub order_name: String,
    /// What it is about, VAT included: what is left of the payment.
    pub amount: Krw,
    pub kind: CashReceiptKind,
    /// Whose it is: the digits of a telephone number, of a cash-receipt card or of a business number.
    pub identity_number: SecretString,
    pub paid_at: DateTime<Utc>,
    /// Our id of this receipt, and of no other: where the provider takes an idempotency key it is that.
    pub reference: String,
}

/// Take back all or part of a cash receipt that was issued on request.
#[derive(Clone, Debug)]
pub struct CancelCashReceipt {
    pub payment_key: String,
    pub order_id: String,
    /// [`IssuedCashReceipt::receipt_key`].
    pub receipt_key: String,
    /// All that is left of it, unless [`CashReceipts::cancels_parts`](crate::CashReceipts::cancels_parts).
    pub amount: Krw,
    /// Our id of this cancel, as with [`IssueCashReceipt::reference`].
    pub reference: String,
}

/// Ask for a cash receipt that was issued on request.
#[derive(Clone, Debug)]
pub struct FindCashReceipt {
    pub payment_key: String,
    pub order_id: String,
    pub amount: Krw,
    /// [`IssueCashReceipt::reference`].
    pub reference: String,
    /// The provider's id of it, where it is known; a receipt with another one is another receipt.
    pub receipt_key: Option<String>,
    /// The Korean days on which it may have been issued, the first and the last.
    pub days: (NaiveDate, NaiveDate),
}

/// A cash receipt that was issued on request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedCashReceipt {
    /// The provider's id of it.
    pub receipt_key: String,
    /// The tax service's number of it (승인번호). Some know it only later.
    pub issue_number: Option<String>,
    /// The provider's page of it.
    pub url: Option<String>,
    /// The tax service took it. Until then it may still refuse.
    pub is_accepted: bool,
}

/// What a provider says about a cash receipt when asked.
#[derive(Clone, Debug)]
pub enum CashReceiptLookup {
    Issued(IssuedCashReceipt),
    /// The tax service refused it: it is void.
    Refused(Decline),
    /// All of it was taken back.
    Canceled,
    /// The provider has no such receipt. Not proof that none will appear: a request may still run.
    NotFound,
    /// No usable answer. Text for operators.
    Unknown(String),
}

impl Approval {
    /// The cancel that `request` made, if the payment shows it: by its reference or, where cancels
    /// are not listed, by what is left.
    pub fn made_by(&self, request: &Cancel) -> Option<Cancellation> {
        let listed = self
            .cancellations
            .iter()
            .find(|made| made.reference.as_deref() == Some(request.reference.as_str()));
        if listed.is_some() || !self.cancellations.is_empty() {
            return listed.cloned();
        }
        let left_after = request.remaining_before.checked_sub(request.amount)?;
        (self.remaining < self.amount && self.remaining == left_after).then(|| Cancellation {
            amount: request.amount,
            transaction_key: format!("{}-{}", self.payment_key, left_after.get()),
            reference: Some(request.reference.clone()),
            canceled_at: None,
        })
    }
}

/// One completed cancel of a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    pub amount: Krw,
    /// The provider's id of this cancel.
    pub transaction_key: String,
    /// [`Cancel::reference`] if we made it; absent for one made elsewhere (the provider's console).
    pub reference: Option<String>,
    /// None where the provider does not say.
    pub canceled_at: Option<DateTime<Utc>>,
}

/// What a provider says about a payment when asked.
#[derive(Clone, Debug)]
pub enum Lookup {
    /// The money moved; [`Approval::cancellations`] says what came back.
    Approved(Approval),
    /// The payment exists and failed for good.
    Failed(Decline),
    /// The payment exists and is still going on (waiting for the payer).
    InProgress,
    /// The payer was given an account to pay into (virtual account, 가상계좌) and may do so for days.
    /// A full cancel closes the account. The provider's id of the payment.
    AwaitingDeposit(String),
    /// The provider has no such payment. Not proof that none will appear: a charge may still run.
    NotFound,
    /// No usable answer. Text for operators.
    Unknown(String),
}

/// An incoming webhook, read but not believed: a reason to look, never a fact by itself.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// The provider's id of this delivery; the same for repeats of it.
    pub id: String,
    /// The provider's name of the event, as it came.
    pub kind: String,
    pub subject: Subject,
}

/// What a webhook is about, and so what to ask the provider.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Something happened to the payment with this order id.
    Payment {
        order_id: String,
        /// The provider's id of it, where the webhook tells.
        payment_key: Option<String>,
    },
    /// This billing key will not work any more.
    BillingKeyDeleted { billing_key: BillingKeySecret },
    /// Nothing that concerns billing, or nothing that this version knows.
    Other,
}

#[derive(Debug, thiserror::Error)]
pub enum WebhookRefused {
    #[error("the body is not a webhook of this provider: {0}")]
    Malformed(String),
    #[error("the signature does not match")]
    BadSignature,
    /// Signed by the provider, but at another time: somebody may be repeating what they overheard.
    #[error("the signed time is too far from now")]
    Stale,
}

/// What a provider wants to read when it has delivered a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    pub content_type: &'static str,
    pub body: &'static str,
}

/// One page of a day's transactions.
#[derive(Clone, Debug)]
pub struct TransactionPage {
    pub transactions: Vec<Transaction>,
    /// Where the next page begins; none if this was the last.
    pub next: Option<String>,
}

/// Money that moved, as the provider lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    pub payment_key: String,
    pub order_id: String,
    /// The provider's id of this one movement.
    pub transaction_key: String,
    pub kind: TransactionKind,
    /// Never negative, whichever way it went.
    pub amount: Krw,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionKind {
    Charge,
    Cancel,
}

/// A list could not be read. Nothing follows from it; ask again later. Text for operators.
#[derive(Debug, thiserror::Error)]
#[error("the transactions could not be listed: {0}")]
pub struct ListFailed(pub String);

/// A payment provider.
///
/// Every method may be called again with the same arguments after a crash or a timeout, at any
/// later time, and must then not move money a second time. Implementations hold no state that
/// matters: all of them may be used from many processes at once.
#[async_trait]
pub trait PaymentGateway: Send + Sync {
    fn provider(&self) -> Provider;

    /// What this provider can and cannot do. Billing reads this; it never asks which provider it is.
    fn capabilities(&self) -> Capabilities;

    /// Exchanges the SDK's answer for a billing key.
    ///
    /// An `Unknown` may be repeated with the same [`IssueBillingKey::idempotency_key`]; where
    /// [`Capabilities::repeats_issue`], a key that was issued in an answer that got lost is returned then.
    async fn issue_billing_key(&self, request: &IssueBillingKey) -> Outcome<IssuedBillingKey>;

    /// Makes a billing key unusable. `Approved` also when it was gone already.
    async fn delete_billing_key(&self, billing_key: &BillingKeySecret) -> Outcome<()>;

    /// Charges a billing key. One order id is one charge, however often it is sent within
    /// [`Capabilities::repeats_charge`].
    ///
    /// Where the provider answers that this order was charged already, the implementation looks the
    /// payment up and answers with what it finds.
    async fn charge(&self, request: &Charge) -> Outcome<Approval>;

    /// Confirms a one-off payment. One order id is one charge, as with [`Self::charge`].
    async fn confirm(&self, request: &Confirm) -> Outcome<Approval>;

    /// Gives money back. One reference is one cancel, however often it is sent.
    ///
    /// Where the provider answers that the state asked for is already reached, the implementation
    /// looks the payment up: `Approved` if a cancel with our reference is in it, else `Declined`.
    async fn cancel(&self, request: &Cancel) -> Outcome<Cancellation>;

    /// Asks for a payment by our order id. Always `Unknown` without [`Capabilities::finds_by_order`].
    async fn find_by_order(&self, order_id: &str) -> Lookup;

    /// Asks for a payment by the provider's id, [`Approval::payment_key`]. Whose order it is stands
    /// in the answer.
    async fn find(&self, payment_key: &str) -> Lookup;

    /// The money that moved on a Korean day, page by page from the oldest: `after` is the last page's
    /// [`TransactionPage::next`]. Always an error without [`Capabilities::lists_transactions`].
    async fn transactions(&self, day: NaiveDate, after: Option<&str>) -> Result<TransactionPage, ListFailed>;

    /// Issues a cash receipt for a payment. One reference is one receipt, however often it is sent within
    /// [`CashReceipts::repeats`](crate::CashReceipts::repeats). Always `Declined` without
    /// [`Capabilities::cash_receipts`].
    ///
    /// Where the provider answers that the payment has one already, and can be asked by the payment, the
    /// implementation does so and answers with what it finds. A no to a second sending is no proof about the
    /// first: look once more.
    async fn issue_cash_receipt(&self, request: &IssueCashReceipt) -> Outcome<IssuedCashReceipt>;

    /// Takes a cash receipt back. `Approved` also when all of it was taken back already.
    ///
    /// One that takes all of it back may be sent again for ever; one that takes a part, within
    /// [`CashReceipts::repeats`](crate::CashReceipts::repeats).
    async fn cancel_cash_receipt(&self, request: &CancelCashReceipt) -> Outcome<()>;

    /// Asks for a cash receipt that was issued on request.
    async fn find_cash_receipt(&self, request: &FindCashReceipt) -> CashReceiptLookup;

    /// Reads a webhook and verifies it as far as the provider allows.
    ///
    /// Unknown kinds are [`Subject::Other`], not an error.
    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused>;

    /// The answer to a delivery that was read.
    fn acknowledgement(&self) -> Acknowledgement {
        Acknowledgement { content_type: "text/plain", body: "" }
    }
}
