//! The conformance suite: what every provider's gateway must do, run against its own sandbox.
//!
//! A provider's tests implement [`Rig`] and call [`contract`]; when that passes, the gateway keeps
//! the promises of [`PaymentGateway`]. The judge is never the gateway: it is the sandbox's book.
//!
//! The gateway under test should wait about a second for an answer, so that the cases that
//! make it wait too long do not take minutes.

mod cancels;
mod charges;
mod confirms;
mod faults;
mod keys;
mod lookups;
mod receipts;
mod transactions;
mod webhooks;
mod world;

use std::panic::AssertUnwindSafe;

use async_trait::async_trait;
use chrono::NaiveDate;
use futures::{FutureExt, future::BoxFuture};
use kernel::Krw;
use reqwest::header::HeaderMap;
use secrecy::SecretString;

pub use crate::operation::Operation;
use crate::{DeclineClass, IssueCashReceipt, PaymentGateway};

/// A provider's sandbox, and a gateway that speaks to it.
#[async_trait]
pub trait Rig: Send + Sync {
    fn gateway(&self) -> &dyn PaymentGateway;

    /// The same provider at an address where nothing listens.
    fn unreachable(&self) -> Box<dyn PaymentGateway>;

    /// The payer registers a card in the provider's window: what its SDK hands over.
    async fn register(&self, customer_key: &str, card: TestCard) -> SecretString;

    /// The payer authenticates a one-off payment in the provider's window: the provider's id of it.
    async fn authenticate(&self, order_id: &str, amount: Krw, card: TestCard) -> String;

    /// Makes the next request of this kind go wrong, and only that one.
    async fn break_next(&self, operation: Operation, fault: Fault);

    /// Takes back the faults that were not used up.
    async fn heal(&self);

    /// The money that really moved for an order, oldest first. Declined attempts move none.
    async fn book(&self, order_id: &str) -> Vec<Movement>;

    /// The cash receipts that there really are for a request, and what was taken back of them, oldest first.
    async fn papers(&self, request: &IssueCashReceipt) -> Vec<Paper>;

    /// The Korean day on the provider's clock.
    fn today(&self) -> NaiveDate;

    /// Deliveries as this provider makes them, and as an attacker would.
    async fn webhooks(&self) -> Webhooks;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestCard {
    Good,
    InsufficientFunds,
    OverLimit,
    Suspended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The provider acts, and its answer gets lost.
    DropResponse,
    /// The connection breaks before the provider has read the request.
    Refuse,
    /// The gateway does not wait long enough. The provider has acted already, or it acts later, or
    /// it notices that nobody is waiting and never does.
    Late(Moment),
    /// A 500 of the provider's own.
    ServerError(Moment),
    /// A 502 with an HTML page of something in between.
    HtmlError(Moment),
    /// The provider acts, and half of its answer arrives.
    Truncated,
    /// The provider acts, and its answer arrives in a charset that it does not declare.
    WrongCharset,
    /// Something in between sends us elsewhere.
    Redirect,
    /// Too many requests.
    RateLimited,
    /// The provider refuses, with a code of this class.
    Decline(DeclineClass),
}

impl Fault {
    /// Everything after which nobody can tell what the provider did.
    pub const LEAVING_DOUBT: &[Self] = &[
        Self::DropResponse,
        Self::Refuse,
        Self::Late(Moment::BeforeActing),
        Self::Late(Moment::AfterActing),
        Self::ServerError(Moment::BeforeActing),
        Self::ServerError(Moment::AfterActing),
        Self::HtmlError(Moment::BeforeActing),
        Self::HtmlError(Moment::AfterActing),
        Self::Truncated,
        Self::WrongCharset,
        Self::Redirect,
        Self::RateLimited,
    ];
}

/// Whether the provider has done what it was asked when something breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    BeforeActing,
    AfterActing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Movement {
    Charge(Krw),
    Cancel(Krw),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    Issued(Krw),
    TakenBack(Krw),
}

pub struct Webhooks {
    /// A delivery about the payment `order_id`, with the id `delivery_id`.
    pub payment: Delivery,
    pub order_id: String,
    pub delivery_id: String,
    /// Of a kind that the provider will only invent next year.
    pub unknown: Delivery,
    /// Signed by somebody else. Empty where the provider signs nothing.
    pub forged: Vec<Delivery>,
    /// Signed by the provider itself, but not now. Empty where the provider signs no time.
    pub stale: Vec<Delivery>,
}

#[derive(Clone)]
pub struct Delivery {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// What a case came to where no promise was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Kept,
    /// Kept without what these capabilities, which the provider does not claim, would add.
    InPart(Vec<&'static str>),
    /// Nothing was asked of a provider that does not claim this capability.
    NotClaimed(&'static str),
}

impl Verdict {
    /// Capabilities by name, and whether the provider claims them.
    fn with(claims: &[(&'static str, bool)]) -> Self {
        let missing: Vec<_> =
            claims.iter().filter(|(_, is_claimed)| !is_claimed).map(|(name, _)| *name).collect();
        if missing.is_empty() { Self::Kept } else { Self::InPart(missing) }
    }
}

/// A case that asks the same of every provider.
impl From<()> for Verdict {
    fn from((): ()) -> Self {
        Self::Kept
    }
}

/// One rule, named by its function, in the chapter of its file.
pub struct Case {
    pub chapter: &'static str,
    pub name: &'static str,
    run: for<'a> fn(&'a dyn Rig) -> BoxFuture<'a, Verdict>,
}

impl Case {
    /// `None` if the gateway breaks the promise.
    pub async fn judge(&self, rig: &dyn Rig) -> Option<Verdict> {
        rig.heal().await;
        tracing::info!(case = self.name, "conformance");
        AssertUnwindSafe((self.run)(rig)).catch_unwind().await.ok()
    }
}

macro_rules! cases {
    ($($module:ident :: $case:ident),* $(,)?) => {
        &[$(Case {
            chapter: stringify!($module),
            name: stringify!($case),
            run: |rig| Box::pin(async move { $module::$case(rig).await.into() }),
        }),*]
    };
}

pub const CASES: &[Case] = cases![
    keys::a_card_is_registered,
    keys::a_lost_answer_to_a_registration_is_repeated,
    keys::an_auth_key_never_makes_two_keys,
    keys::a_deleted_key_is_gone_for_good,
    charges::a_charge_moves_the_amount_once,
    charges::the_same_order_twice_is_one_charge,
    charges::the_same_order_at_the_same_time_is_one_charge,
    charges::the_same_order_with_another_amount_charges_nothing_more,
    charges::a_declining_card_says_what_to_do,
    charges::every_class_of_decline_is_told_apart,
    charges::a_decline_is_final_for_its_order,
    confirms::an_authenticated_payment_is_confirmed_once,
    confirms::an_amount_that_was_not_authenticated_is_declined,
    confirms::the_payment_of_another_order_is_not_ours,
    confirms::a_declining_card_declines_a_confirm,
    cancels::partial_cancels_add_up,
    cancels::the_same_cancel_twice_is_one_cancel,
    cancels::the_same_cancel_at_the_same_time_is_one_cancel,
    cancels::a_cancel_is_recognised_in_the_payment,
    cancels::more_than_is_left_is_declined,
    cancels::an_unknown_payment_cannot_be_cancelled,
    lookups::a_payment_is_found,
    lookups::what_never_was_is_not_found,
    lookups::an_id_is_not_a_path,
    lookups::no_fault_makes_a_payment_not_found,
    faults::nobody_listening_is_not_sent,
    faults::a_broken_charge_happens_once,
    faults::a_broken_decline_stays_a_decline,
    faults::a_broken_confirm_happens_once,
    faults::a_broken_cancel_happens_once,
    faults::a_broken_registration_ends_with_a_key,
    faults::a_broken_deletion_ends_with_a_deleted_key,
    webhooks::a_real_one_says_what_to_ask_about,
    webhooks::a_repeat_has_the_same_id,
    webhooks::an_unknown_kind_is_not_an_error,
    webhooks::forgeries_and_garbage_are_refused,
    webhooks::half_a_webhook_is_no_other_webhook,
    transactions::a_day_lists_every_movement_once,
    transactions::another_day_is_another_list,
    transactions::a_broken_list_is_no_list,
    receipts::a_cash_receipt_is_issued_once_and_found,
    receipts::the_same_receipt_again_is_one_receipt,
    receipts::a_number_that_is_none_is_declined,
    receipts::all_of_a_receipt_is_taken_back_once,
    receipts::parts_of_a_receipt_are_taken_back_once,
    receipts::a_receipt_that_never_was_is_not_found,
    receipts::a_broken_receipt_is_issued_once,
    receipts::a_broken_cancel_of_a_receipt_happens_once,
];

/// Runs every case, one after the other, and names those that failed.
///
/// # Panics
/// If any case did.
pub async fn contract(rig: &dyn Rig) {
    let mut failed = Vec::new();
    for case in CASES {
        if case.judge(rig).await.is_none() {
            failed.push(case.name);
        }
    }
    assert!(failed.is_empty(), "{} does not keep the contract: {failed:#?}", rig.gateway().provider());
}
