//! From the words of PortOne to the words of the port.

use kernel::Krw;

use super::{errors, institutions, wire};
use crate::{
    Approval, Cancel, Cancellation, Card, CashReceipt, CashReceiptKind, Decline, Lookup, Outcome, PaidWith,
    Transaction, TransactionKind, TransactionPage, reference,
};

/// What an answer has to agree with to be about us.
#[derive(Clone)]
pub(super) struct Ours {
    pub(super) store_id: String,
    pub(super) channel_key: String,
    pub(super) accept_test_channels: bool,
}

/// Money of a test channel is not money.
pub(super) const TEST_CHANNEL: &str = "TEST_CHANNEL";

/// A payment as PortOne tells of it, if it is the one that was asked for and ours.
pub(super) fn payment(body: &[u8], id: &str, ours: &Ours) -> Result<wire::Payment, String> {
    // The error of serde_json tells the place and the kind of trouble. It may quote a value, and the
    // values of these types are nothing that has to stay secret.
    let payment: wire::Payment =
        serde_json::from_slice(body).map_err(|error| format!("the payment is not readable: {error}"))?;
    if payment.id != id {
        tracing::error!(asked = id, answered = payment.id, "portone answered about another payment");
        return Err(format!("portone answered about another payment, {}", payment.id));
    }
    if payment.store_id.as_ref().is_some_and(|store| *store != ours.store_id) {
        tracing::error!(payment = id, "portone answered about the payment of another store");
        return Err("the payment is of another store".to_owned());
    }
    if payment.currency != "KRW" {
        return Err("the payment is not in won".to_owned());
    }
    Ok(payment)
}

pub(super) fn found(body: &[u8], id: &str, ours: &Ours) -> Lookup {
    match payment(body, id, ours) {
        Ok(payment) => state(payment, ours),
        Err(reason) => Lookup::Unknown(reason),
    }
}

pub(super) fn state(payment: wire::Payment, ours: &Ours) -> Lookup {
    match payment.status.as_str() {
        "PAID" | "PARTIAL_CANCELLED" | "CANCELLED" => taken(payment, ours),
        "FAILED" if payment.paid_at.is_some() => {
            Lookup::Unknown("the payment failed and was paid".to_owned())
        }
        "FAILED" => {
            let provider = payment.channel.as_ref().and_then(|channel| channel.pg_provider.as_deref());
            let code = payment.failure.as_ref().and_then(|failure| failure.pg_code.as_deref());
            Lookup::Failed(errors::failure(provider, code.unwrap_or_default()))
        }
        "READY" | "PAY_PENDING" => Lookup::InProgress,
        "VIRTUAL_ACCOUNT_ISSUED" => Lookup::AwaitingDeposit(payment.id),
        other => Lookup::Unknown(format!("the payment has the unknown status `{other}`")),
    }
}

/// Money was taken, unless it was that of a test channel or of an account that nobody paid into.
fn taken(payment: wire::Payment, ours: &Ours) -> Lookup {
    if payment.failure.is_some() {
        return Lookup::Unknown(format!("the payment is `{}` and failed", payment.status));
    }
    if !ours.accept_test_channels {
        match payment.channel.as_ref().map(|channel| channel.r#type.as_str()) {
            Some("LIVE") => {}
            // A manipulated page can pay with a test channel: real to PortOne, worth nothing.
            Some("TEST") => return Lookup::Failed(errors::refused_here(TEST_CHANNEL)),
            _ => return Lookup::Unknown("the payment does not say whether its channel is live".to_owned()),
        }
    }
    let is_account =
        payment.method.as_ref().is_some_and(|method| method.r#type == "PaymentMethodVirtualAccount");
    if payment.status == "CANCELLED" && payment.paid_at.is_none() && is_account {
        return Lookup::Failed(errors::refused_here("ACCOUNT_CLOSED"));
    }
    match approval(payment) {
        Ok(approval) => Lookup::Approved(approval),
        Err(reason) => Lookup::Unknown(reason),
    }
}

fn approval(payment: wire::Payment) -> Result<Approval, String> {
    // Optional as soon as something was cancelled.
    let approved_at = payment
        .paid_at
        .or(payment.requested_at)
        .ok_or_else(|| "the payment was approved at no time".to_owned())?;
    let remaining = left(&payment).ok_or_else(|| "more came back than was paid".to_owned())?;
    let done = payment.cancellations.iter().flatten().filter(|cancel| cancel.status == "SUCCEEDED");
    Ok(Approval {
        cancellations: done.map(cancellation).collect(),
        payment_key: payment.id.clone(),
        order_id: payment.id,
        amount: payment.amount.total,
        approved_at,
        paid_with: payment.method.as_ref().map_or(PaidWith::Unknown, paid_with),
        cash_receipt: payment.cash_receipt.and_then(cash_receipt).map(Box::new),
        card: payment.method.and_then(instrument),
        receipt_url: payment.receipt_url,
        remaining,
        billing_key: None,
    })
}

fn paid_with(method: &wire::Method) -> PaidWith {
    if method.card.is_some() {
        return PaidWith::Card;
    }
    match method.r#type.as_str() {
        "PaymentMethodCard" => PaidWith::Card,
        // One with a card behind it has the slip. How the types behind a wallet are called in full is
        // not in the reference, so their last word counts.
        "PaymentMethodEasyPay" => match &method.easy_pay_method {
            Some(behind) if behind.card.is_some() || behind.r#type.ends_with("Card") => PaidWith::Card,
            Some(behind) if behind.r#type.ends_with("Transfer") => PaidWith::Transfer,
            _ => PaidWith::Wallet,
        },
        "PaymentMethodTransfer" => PaidWith::Transfer,
        "PaymentMethodVirtualAccount" => PaidWith::VirtualAccount,
        "PaymentMethodMobile" => PaidWith::Mobile,
        "PaymentMethodGiftCertificate" => PaidWith::Voucher,
        _ => PaidWith::Unknown,
    }
}

/// Inside a payment only `ISSUED` and `CANCELLED` occur. The fields are those of an issue's answer: the
/// reference does not list them for a payment, so one that has others is shown nowhere.
fn cash_receipt(receipt: wire::CashReceipt) -> Option<CashReceipt> {
    let kind = match receipt.r#type.as_deref() {
        Some("PERSONAL") => CashReceiptKind::IncomeDeduction,
        Some("CORPORATE") => CashReceiptKind::ExpenseProof,
        _ => return None,
    };
    let is_issued = receipt.status == "ISSUED";
    is_issued.then_some(CashReceipt { kind, issue_number: receipt.issue_number?, url: receipt.url })
}

/// What can still be given back: what was paid, which is the total less its discounts, less what came
/// back. How PortOne counts `amount.paid` is not stated, so it is not used.
pub(super) fn left(payment: &wire::Payment) -> Option<Krw> {
    let amount = &payment.amount;
    amount.total.checked_sub(amount.discount)?.checked_sub(amount.cancelled)
}

/// What may be shown of the means of payment.
pub(super) fn instrument(method: wire::Method) -> Option<Card> {
    if let Some(card) = method.card {
        let company = card.issuer.or(card.publisher).map(|word| institutions::issuer(&word).to_owned());
        return Some(Card {
            company: company.or(card.name).unwrap_or_default(),
            masked_number: card.number.unwrap_or_default(),
        });
    }
    if let Some(wallet) = method.provider {
        return Some(Card {
            company: institutions::wallet(&wallet).to_owned(),
            masked_number: String::new(),
        });
    }
    let masked_number = method.account_number?;
    Some(Card { company: method.bank.unwrap_or_default(), masked_number })
}

/// What became of our cancel, if the payment contains it.
pub(super) fn our_cancel(payment: &wire::Payment, request: &Cancel) -> Option<Outcome<Cancellation>> {
    let ours = |cancel: &&wire::Cancellation| {
        reference::read_from(&cancel.reason) == Some(request.reference.as_str())
    };
    let cancel = payment.cancellations.iter().flatten().find(ours)?;
    Some(outcome(cancel, request))
}

/// The answer to a cancel that PortOne took. 200 does not mean that the money is back.
pub(super) fn canceled(body: &[u8], request: &Cancel) -> Outcome<Cancellation> {
    let cancel = match serde_json::from_slice::<wire::CancelAnswer>(body) {
        Ok(answer) => answer.cancellation,
        Err(error) => return Outcome::Unknown(format!("the cancel is not readable: {error}")),
    };
    // A reason may be cut on its way, but it never becomes that of another refund.
    if reference::read_from(&cancel.reason).is_some_and(|reference| reference != request.reference) {
        tracing::error!(reference = request.reference, "portone answered about another cancel");
        return Outcome::Unknown("portone answered about another cancel".to_owned());
    }
    outcome(&cancel, request)
}

fn outcome(cancel: &wire::Cancellation, request: &Cancel) -> Outcome<Cancellation> {
    match cancel.status.as_str() {
        "SUCCEEDED" if cancel.total_amount != request.amount => {
            Outcome::Unknown("another amount was cancelled than was asked for".to_owned())
        }
        "SUCCEEDED" => {
            let reference = Some(request.reference.clone());
            Outcome::Approved(Cancellation { reference, ..cancellation(cancel) })
        }
        "FAILED" => Outcome::Declined(errors::cancel_failed()),
        // Asynchronous: the money is on its way, or will turn out not to be. No event tells of the latter.
        status => Outcome::Unknown(format!("the cancel is `{status}`")),
    }
}

fn cancellation(cancel: &wire::Cancellation) -> Cancellation {
    Cancellation {
        amount: cancel.total_amount,
        transaction_key: cancel.id.clone(),
        reference: reference::read_from(&cancel.reason).map(str::to_owned),
        canceled_at: cancel.cancelled_at.or(cancel.requested_at),
    }
}

/// One page of events. Whether a full one was the last only the next request can tell.
pub(super) fn transactions(body: &[u8], page_size: usize) -> Result<TransactionPage, String> {
    let events: wire::Events =
        serde_json::from_slice(body).map_err(|error| format!("the events are not readable: {error}"))?;
    let next = events.items.last().filter(|_| events.items.len() >= page_size);
    let next = next.map(|item| item.cursor.clone());
    let transactions = events.items.into_iter().map(|item| transaction(item.payment_event));
    Ok(TransactionPage { transactions: transactions.collect::<Result<_, _>>()?, next })
}

fn transaction(event: wire::Event) -> Result<Transaction, String> {
    let (kind, amount) = match (event.r#type.as_str(), event.event_amount) {
        ("PAID", amount) if amount >= 0 => (TransactionKind::Charge, amount),
        ("PARTIAL_CANCELLED" | "CANCELLED", amount) if amount <= 0 => {
            (TransactionKind::Cancel, amount.checked_neg().ok_or("an amount beyond all measure")?)
        }
        (kind, amount) => return Err(format!("the event `{kind}` moved {amount}")),
    };
    if event.currency != "KRW" {
        return Err("the event is not in won".to_owned());
    }
    let key = match kind {
        TransactionKind::Charge => event.transaction_id,
        TransactionKind::Cancel => event.cancellation.map(|cancel| cancel.id),
    };
    Ok(Transaction {
        order_id: event.payment_id.clone(),
        payment_key: event.payment_id,
        transaction_key: key.unwrap_or(event.id),
        kind,
        amount: Krw::won(amount),
        at: event.created_at,
    })
}

/// What a refused charge or confirm was told.
pub(super) enum Refusal {
    /// No, to this request.
    No(Decline),
    /// The PG said something that is in no table, or that it does not know itself.
    Unclear(String),
    /// Paid already, by this request or by another.
    Reached(String),
}

/// For a request that was refused: the payment goes before the refusal.
pub(super) fn after_refusal(lookup: Lookup, refusal: Refusal) -> Outcome<Approval> {
    match (lookup, refusal) {
        (Lookup::Approved(approval), _) => Outcome::Approved(approval),
        (Lookup::Failed(decline), Refusal::No(_) | Refusal::Unclear(_))
        | (Lookup::NotFound, Refusal::No(decline)) => Outcome::Declined(decline),
        (Lookup::Unknown(reason), _) => Outcome::Unknown(reason),
        (Lookup::InProgress | Lookup::AwaitingDeposit(_), _) => {
            Outcome::Unknown("the payment is still going on".to_owned())
        }
        (Lookup::NotFound, Refusal::Unclear(reason)) => {
            Outcome::Unknown(format!("{reason}, and there is no payment"))
        }
        (Lookup::NotFound | Lookup::Failed(_), Refusal::Reached(reason)) => {
            Outcome::Unknown(format!("{reason}, and the payment says otherwise"))
        }
    }
}

/// For a request that was accepted: 200 says that it was paid, and the payment has to say the same.
pub(super) fn after_acceptance(lookup: Lookup) -> Outcome<Approval> {
    match lookup {
        Lookup::Approved(approval) => Outcome::Approved(approval),
        Lookup::Unknown(reason) => Outcome::Unknown(format!("paid, but the look-up: {reason}")),
        other => Outcome::Unknown(format!("paid, but the look-up: {other:?}")),
    }
}
