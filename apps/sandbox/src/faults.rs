//! Faults: what goes wrong between the product and a provider, on demand.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::{book::Provider, random};

mod json;

pub(crate) use json::FaultJson;

/// What a caller asks of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Get a session token.
    Token,
    /// Exchange what the browser brought for a billing key (PortOne: confirm it or read it); issue a tax invoice.
    Issue,
    /// Charge a billing key.
    Charge,
    /// Delete a billing key.
    Delete,
    /// Confirm a one-off payment.
    Confirm,
    /// Cancel a payment, wholly or in part.
    Cancel,
    /// Read a payment by its key or its order.
    Lookup,
    /// Read the list of transactions.
    Transactions,
    /// Issue a cash receipt on request.
    IssueCashReceipt,
    /// Take one back.
    CancelCashReceipt,
    /// Read one, or the list of them.
    LookupCashReceipt,
    /// Send messages.
    Send,
}

/// Where in the exchange a server-side failure strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing was done.
    BeforeProcessing,
    /// Everything was done, only the answer is bad.
    AfterProcessing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Does everything, then closes the connection without a byte of an answer.
    DropResponse,
    /// Closes the connection before doing anything.
    Refuse,
    /// 500 in the provider's own words.
    Error500(Moment),
    /// 502 with an HTML page, as a load balancer answers.
    Html502(Moment),
    /// 429, nothing done.
    RateLimited,
    /// Does everything, then breaks off in the middle of the answer.
    Truncated,
    /// Does everything, then answers in UTF-16, which nothing declares.
    WrongCharset,
    /// 302 to another place, nothing done.
    Redirect,
    /// Waits before and after doing everything.
    Delay { before: Duration, after: Duration },
    /// The provider's own refusal with this code.
    Decline { code: String },
}

/// One fault, and when it strikes.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    /// `None`: every provider.
    pub provider: Option<Provider>,
    /// `None`: every operation.
    pub operation: Option<Operation>,
    /// Strikes only requests whose path or body contains this text, such as an order id.
    pub containing: Option<String>,
    /// How many requests it still strikes. `None`: until it is cleared.
    pub times: Option<u32>,
    /// The chance that it strikes a request it could strike, from 0 to 1.
    pub probability: f64,
}

impl Fault {
    /// Strikes the next request, whatever it is.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, provider: None, operation: None, containing: None, times: Some(1), probability: 1.0 }
    }

    #[must_use]
    pub fn on(self, operation: Operation) -> Self {
        Self { operation: Some(operation), ..self }
    }

    #[must_use]
    pub fn containing(self, text: impl Into<String>) -> Self {
        Self { containing: Some(text.into()), ..self }
    }

    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    #[must_use]
    pub fn until_cleared(self) -> Self {
        Self { times: None, ..self }
    }

    #[must_use]
    pub fn with_probability(self, probability: f64) -> Self {
        Self { probability, ..self }
    }

    fn strikes(&self, request: &Struck<'_>) -> bool {
        self.times != Some(0)
            && self.provider.is_none_or(|provider| provider == request.provider)
            && self.operation.is_none_or(|operation| operation == request.operation)
            && self.containing.as_deref().is_none_or(|text| request.contains(text))
            && random::happens(self.probability)
    }
}

/// A request, as far as faults look at it.
pub(crate) struct Struck<'a> {
    pub(crate) provider: Provider,
    pub(crate) operation: Operation,
    pub(crate) path: &'a str,
    pub(crate) body: &'a [u8],
}

impl Struck<'_> {
    fn contains(&self, text: &str) -> bool {
        self.path.contains(text) || String::from_utf8_lossy(self.body).contains(text)
    }
}

/// What the wire does to one request: at most one delay and one breakage.
#[derive(Default)]
pub(crate) struct Interference {
    pub(crate) before: Duration,
    pub(crate) after: Duration,
    pub(crate) breakage: Option<FaultKind>,
}

#[derive(Default)]
pub(crate) struct Faults {
    /// Lets the common case, no faults at all, pass without a lock.
    any: AtomicBool,
    list: Mutex<Vec<Fault>>,
}

impl Faults {
    pub(crate) fn list(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    pub(crate) fn replace(&self, faults: Vec<Fault>) {
        let mut list = self.lock();
        *list = faults;
        self.any.store(!list.is_empty(), Ordering::SeqCst);
    }

    pub(crate) fn add(&self, fault: Fault) {
        self.lock().push(fault);
        self.any.store(true, Ordering::SeqCst);
    }

    /// The faults of the wire: they strike replayed answers as well as new requests.
    pub(crate) fn on_the_wire(&self, request: &Struck<'_>) -> Interference {
        let mut found = Interference::default();
        if !self.any.load(Ordering::SeqCst) {
            return found;
        }
        if let Some(FaultKind::Delay { before, after }) =
            self.take(request, |kind| matches!(kind, FaultKind::Delay { .. }))
        {
            (found.before, found.after) = (before, after);
        }
        found.breakage =
            self.take(request, |kind| !matches!(kind, FaultKind::Delay { .. } | FaultKind::Decline { .. }));
        found
    }

    /// The provider's refusal, asked for only when the request is really processed.
    pub(crate) fn decline(&self, request: &Struck<'_>) -> Option<String> {
        if !self.any.load(Ordering::SeqCst) {
            return None;
        }
        match self.take(request, |kind| matches!(kind, FaultKind::Decline { .. })) {
            Some(FaultKind::Decline { code }) => Some(code),
            _ => None,
        }
    }

    /// The first fault that strikes, which then has one time less left.
    fn take(&self, request: &Struck<'_>, wanted: impl Fn(&FaultKind) -> bool) -> Option<FaultKind> {
        let mut list = self.lock();
        let index = list.iter().position(|fault| wanted(&fault.kind) && fault.strikes(request))?;
        let fault = &mut list[index];
        let kind = fault.kind.clone();
        if let Some(times) = &mut fault.times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                list.remove(index);
            }
        }
        self.any.store(!list.is_empty(), Ordering::SeqCst);
        Some(kind)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHARGE: Struck<'static> = Struck {
        provider: Provider::Toss,
        operation: Operation::Charge,
        path: "/v1/billing/key",
        body: br#"{"orderId":"order-1"}"#,
    };

    fn armed(fault: Fault) -> Faults {
        let faults = Faults::default();
        faults.add(fault);
        faults
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_says_and_then_is_gone() {
        let faults = armed(Fault::new(FaultKind::Refuse).times(2));
        assert!(faults.on_the_wire(&CHARGE).breakage.is_some());
        assert!(faults.on_the_wire(&CHARGE).breakage.is_some());
        assert!(faults.on_the_wire(&CHARGE).breakage.is_none());
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_fault_strikes_only_what_it_names() {
        assert!(
            armed(Fault::new(FaultKind::Refuse).on(Operation::Cancel))
                .on_the_wire(&CHARGE)
                .breakage
                .is_none()
        );
        assert!(
            armed(Fault::new(FaultKind::Refuse).containing("order-2"))
                .on_the_wire(&CHARGE)
                .breakage
                .is_none()
        );
        assert!(
            armed(Fault::new(FaultKind::Refuse).containing("order-1"))
                .on_the_wire(&CHARGE)
                .breakage
                .is_some()
        );
    }

    #[test]
    fn a_chance_of_nought_never_strikes() {
        let faults = armed(Fault::new(FaultKind::Refuse).with_probability(0.0));
        assert!((0..100).all(|_| faults.on_the_wire(&CHARGE).breakage.is_none()));
    }

    #[test]
    fn a_slow_answer_may_also_be_lost() {
        let delay = FaultKind::Delay { before: Duration::ZERO, after: Duration::from_millis(5) };
        let faults = armed(Fault::new(FaultKind::DropResponse));
        faults.add(Fault::new(delay));
        let found = faults.on_the_wire(&CHARGE);
        assert_eq!(found.after, Duration::from_millis(5));
        assert_eq!(found.breakage, Some(FaultKind::DropResponse));
    }
}
