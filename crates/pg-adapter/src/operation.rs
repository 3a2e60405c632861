//! What a provider is asked to do, and how long it took to answer.

use std::time::Instant;

use crate::{CashReceiptLookup, ListFailed, Lookup, Outcome, Provider, TransactionPage};

#[cfg_attr(not(feature = "contract"), allow(unreachable_pub, reason = "only the conformance suite shows it"))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "contract"), expect(unreachable_pub, reason = "the conformance suite publishes it"))]
pub enum Operation {
    Issue,
    Delete,
    Charge,
    Confirm,
    Cancel,
    LookUp,
    List,
    IssueReceipt,
    CancelReceipt,
    LookUpReceipt,
}

impl Operation {
    /// The name in logs and metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Delete => "delete",
            Self::Charge => "charge",
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
            Self::LookUp => "lookup",
            Self::List => "transactions",
            Self::IssueReceipt => "issue_cash_receipt",
            Self::CancelReceipt => "cancel_cash_receipt",
            Self::LookUpReceipt => "lookup_cash_receipt",
        }
    }

    /// Whether it may happen twice, so that a no has to be certain.
    pub(crate) fn happens_once(self) -> bool {
        match self {
            Self::Charge | Self::Confirm | Self::Cancel | Self::IssueReceipt | Self::CancelReceipt => true,
            Self::Issue | Self::Delete | Self::LookUp | Self::List | Self::LookUpReceipt => false,
        }
    }
}

pub(crate) async fn measured<T>(
    provider: Provider,
    operation: Operation,
    work: impl Future<Output = Outcome<T>> + Send,
) -> Outcome<T> {
    let started = Instant::now();
    let outcome = work.await;
    let name = match &outcome {
        Outcome::Approved(_) => "approved",
        Outcome::Declined(_) => "declined",
        Outcome::NotSent(_) => "not_sent",
        Outcome::Unknown(_) => "unknown",
    };
    record(provider, operation, name, started);
    outcome
}

pub(crate) async fn measured_lookup(provider: Provider, work: impl Future<Output = Lookup> + Send) -> Lookup {
    let started = Instant::now();
    let lookup = work.await;
    let name = match &lookup {
        Lookup::Approved(_) => "approved",
        Lookup::Failed(_) => "failed",
        Lookup::InProgress | Lookup::AwaitingDeposit(_) => "in_progress",
        Lookup::NotFound => "not_found",
        Lookup::Unknown(_) => "unknown",
    };
    record(provider, Operation::LookUp, name, started);
    lookup
}

pub(crate) async fn measured_receipt(
    provider: Provider,
    work: impl Future<Output = CashReceiptLookup> + Send,
) -> CashReceiptLookup {
    let started = Instant::now();
    let lookup = work.await;
    let name = match &lookup {
        CashReceiptLookup::Issued(_) => "approved",
        CashReceiptLookup::Refused(_) => "failed",
        CashReceiptLookup::Canceled => "canceled",
        CashReceiptLookup::NotFound => "not_found",
        CashReceiptLookup::Unknown(_) => "unknown",
    };
    record(provider, Operation::LookUpReceipt, name, started);
    lookup
}

pub(crate) async fn measured_list(
    provider: Provider,
    work: impl Future<Output = Result<TransactionPage, ListFailed>> + Send,
) -> Result<TransactionPage, ListFailed> {
    let started = Instant::now();
    let page = work.await;
    record(provider, Operation::List, if page.is_ok() { "read" } else { "unknown" }, started);
    page
}

fn record(provider: Provider, operation: Operation, outcome: &'static str, started: Instant) {
    metrics::histogram!(
        "dangol_provider_request_seconds",
        "provider" => provider.as_str(),
        "operation" => operation.as_str(),
        "outcome" => outcome,
    )
    .record(started.elapsed());
}
