//! From the words of Toss to the words of the port.

use kernel::Krw;

use super::{errors, institutions, wire};
use crate::{
    Approval, BillingKeySecret, Cancel, Cancellation, Card, CashReceipt, CashReceiptKind, IssueBillingKey,
    IssuedBillingKey, ListFailed, Lookup, Outcome, PaidWith, Transaction, TransactionKind, TransactionPage,
    reference,
};

pub(super) fn payment(body: &[u8]) -> Result<wire::Payment, String> {
    // The error of serde_json tells the place and the kind of trouble. It may quote a value, and the
    // values of these types are nothing that has to stay secret.
    serde_json::from_slice(body).map_err(|error| format!("the payment is not readable: {error}"))
}

/// The answer to a charge or a confirm, or to a look-up: in all three cases a payment.
pub(super) fn found(body: &[u8], order_id: &str) -> Lookup {
    let payment = match payment(body) {
        Ok(payment) => payment,
        Err(reason) => return Lookup::Unknown(reason),
    };
    if payment.order_id != order_id {
        // One idempotency key used for two orders does this: the second is answered with the first.
        tracing::error!(asked = order_id, answered = payment.order_id, "toss answered about another order");
        return Lookup::Unknown(format!("toss answered about another order, {}", payment.order_id));
    }
    state(payment)
}

/// The answer to a look-up by the payment key.
pub(super) fn found_by_key(body: &[u8], payment_key: &str) -> Lookup {
    match payment(body) {
        Ok(payment) if payment.payment_key == payment_key => state(payment),
        Ok(_) => Lookup::Unknown("toss answered about another payment".to_owned()),
        Err(reason) => Lookup::Unknown(reason),
    }
}

/// For a request that Toss answered, or whose payment was looked up because it was made already.
pub(super) fn settled(lookup: Lookup) -> Outcome<Approval> {
    match lookup {
        Lookup::Approved(approval) => Outcome::Approved(approval),
        Lookup::Failed(decline) => Outcome::Declined(decline),
        Lookup::InProgress => Outcome::Unknown("the payment is still going on".to_owned()),
        Lookup::AwaitingDeposit(_) => Outcome::Unknown("the payment waits for a deposit".to_owned()),
        Lookup::NotFound => Outcome::Unknown("toss knows the payment and cannot find it".to_owned()),
        Lookup::Unknown(reason) => Outcome::Unknown(reason),
    }
}

fn state(payment: wire::Payment) -> Lookup {
    match payment.status.as_str() {
        // A virtual account that was closed before anybody paid into it is CANCELED as well.
        "CANCELED" if payment.approved_at.is_none() && payment.virtual_account.is_some() => {
            Lookup::Failed(errors::failure("EXPIRED_PAYMENT"))
        }
        "DONE" | "CANCELED" | "PARTIAL_CANCELED" => match approval(payment) {
            Ok(approval) => Lookup::Approved(approval),
            Err(reason) => Lookup::Unknown(reason),
        },
        "ABORTED" => Lookup::Failed(errors::failure(failure_code(&payment, "ABORTED"))),
        "EXPIRED" => Lookup::Failed(errors::failure(failure_code(&payment, "EXPIRED_PAYMENT"))),
        "READY" | "IN_PROGRESS" => Lookup::InProgress,
        "WAITING_FOR_DEPOSIT" => Lookup::AwaitingDeposit(payment.payment_key),
        other => Lookup::Unknown(format!("the payment has the unknown status `{other}`")),
    }
}

fn failure_code<'a>(payment: &'a wire::Payment, otherwise: &'a str) -> &'a str {
    payment.failure.as_ref().map_or(otherwise, |failure| &failure.code)
}

fn approval(payment: wire::Payment) -> Result<Approval, String> {
    if let Some(failure) = &payment.failure {
        return Err(format!("the payment is `{}` and failed with {}", payment.status, failure.code));
    }
    if payment.currency.as_deref().is_some_and(|currency| currency != "KRW") {
        return Err("the payment is not in won".to_owned());
    }
    // An approved payment has `approvedAt`. One without it is approved all the same: its status says so.
    let approved_at = payment
        .approved_at
        .or(payment.requested_at)
        .ok_or_else(|| "the payment was approved at no time".to_owned())?;
    let cancellations = payment.cancels.iter().flatten().filter(|cancel| is_done(cancel)).map(cancellation);
    let cancellations: Vec<_> = cancellations.collect();
    let remaining = cancellations
        .iter()
        .try_fold(payment.total_amount, |left, cancel| left.checked_sub(cancel.amount))
        .ok_or_else(|| "more was cancelled than was paid".to_owned())?;
    Ok(Approval {
        remaining,
        cancellations,
        payment_key: payment.payment_key,
        order_id: payment.order_id,
        amount: payment.total_amount,
        approved_at,
        paid_with: paid_with(payment.method.as_deref(), payment.card.is_some()),
        cash_receipt: payment.cash_receipt.and_then(cash_receipt).map(Box::new),
        card: payment.card.map(card),
        receipt_url: payment.receipt.map(|receipt| receipt.url),
        billing_key: None,
    })
}

/// Toss names the method in Korean. A wallet with a card behind it comes with the card.
fn paid_with(method: Option<&str>, has_card: bool) -> PaidWith {
    match method {
        _ if has_card => PaidWith::Card,
        Some("카드") => PaidWith::Card,
        Some("계좌이체") => PaidWith::Transfer,
        Some("가상계좌") => PaidWith::VirtualAccount,
        Some("간편결제") => PaidWith::Wallet,
        Some("휴대폰") => PaidWith::Mobile,
        Some("문화상품권" | "도서문화상품권" | "게임문화상품권") => PaidWith::Voucher,
        _ => PaidWith::Unknown,
    }
}

/// A receipt of a kind that is not known, such as 미발행, is none.
fn cash_receipt(receipt: wire::CashReceipt) -> Option<CashReceipt> {
    let kind = match receipt.r#type.as_str() {
        "소득공제" => CashReceiptKind::IncomeDeduction,
        "지출증빙" => CashReceiptKind::ExpenseProof,
        _ => return None,
    };
    Some(CashReceipt { kind, issue_number: receipt.issue_number, url: receipt.receipt_url })
}

fn card(card: wire::Card) -> Card {
    let company = card.issuer_code.as_deref().map(|code| institutions::issuer(code).to_owned());
    Card {
        company: company.or(card.company).unwrap_or_default(),
        masked_number: card.number.unwrap_or_default(),
    }
}

/// A page of the transaction list that was asked for with this `limit`.
pub(super) fn transactions(body: &[u8], limit: usize) -> Result<TransactionPage, ListFailed> {
    let rows: Vec<wire::Transaction> = serde_json::from_slice(body)
        .map_err(|error| ListFailed(format!("the list is not readable: {error}")))?;
    // A page that is not full is the last one; the reference knows no other sign.
    let next = rows.last().filter(|_| rows.len() >= limit).map(|row| row.transaction_key.clone());
    // An unpaid virtual account has a row of 0 won: no money moved.
    let moved = rows.into_iter().filter(|row| row.amount != 0 && row.currency.as_deref() != Some("USD"));
    Ok(TransactionPage { transactions: moved.map(transaction).collect::<Result<_, _>>()?, next })
}

/// Whether the amount of a cancel is negative was never seen, so the status tells the direction as
/// well. It is the payment's after the movement, and an approval's is always `DONE`.
fn transaction(row: wire::Transaction) -> Result<Transaction, ListFailed> {
    let kind = match row.status.as_str() {
        "CANCELED" | "PARTIAL_CANCELED" => TransactionKind::Cancel,
        "DONE" if row.amount < 0 => TransactionKind::Cancel,
        "DONE" => TransactionKind::Charge,
        other => return Err(ListFailed(format!("a row has the unknown status `{other}`"))),
    };
    Ok(Transaction {
        payment_key: row.payment_key,
        order_id: row.order_id,
        transaction_key: row.transaction_key,
        kind,
        amount: Krw::won(row.amount.checked_abs().ok_or_else(|| ListFailed("no amount of won".to_owned()))?),
        at: row.transaction_at,
    })
}

pub(super) fn issued(body: &[u8], request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
    // Not the text of the error: it may quote a part of the key.
    let Ok(mut billing) = serde_json::from_slice::<wire::Billing>(body) else {
        return Outcome::Unknown("the billing key is not readable".to_owned());
    };
    let billing_key = BillingKeySecret::from(std::mem::take(&mut billing.billing_key));
    if secrecy::ExposeSecret::expose_secret(&billing_key).is_empty() {
        return Outcome::Unknown("the billing key is empty".to_owned());
    }
    if billing.customer_key.as_ref().is_some_and(|key| *key != request.customer_key) {
        tracing::error!("toss issued a billing key for another customer");
        return Outcome::Unknown("toss issued a billing key for another customer".to_owned());
    }
    Outcome::Approved(IssuedBillingKey { billing_key, card: instrument(billing) })
}

/// The documented and measured answer to a deletion has no body at all. A page of something in
/// between would have one.
pub(super) fn deleted(body: &[u8]) -> Outcome<()> {
    if body.trim_ascii().is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() {
        Outcome::Approved(())
    } else {
        Outcome::Unknown("the deletion was answered with something else".to_owned())
    }
}

/// The registered card, or what stands for it where a bank account was registered.
fn instrument(billing: wire::Billing) -> Card {
    if let Some(found) = billing.card {
        let found = card(found);
        return Card {
            company: if found.company.is_empty() {
                billing.card_company.unwrap_or_default()
            } else {
                found.company
            },
            masked_number: if found.masked_number.is_empty() {
                billing.card_number.unwrap_or_default()
            } else {
                found.masked_number
            },
        };
    }
    match billing.transfers.unwrap_or_default().pop() {
        Some(account) => Card { company: account.bank_name, masked_number: account.bank_account_number },
        None => Card {
            company: billing.card_company.unwrap_or_default(),
            masked_number: billing.card_number.unwrap_or_default(),
        },
    }
}

/// The answer to a cancel that Toss accepted, of a payment that looked like `before`.
pub(super) fn canceled(body: &[u8], request: &Cancel, before: &wire::Payment) -> Outcome<Cancellation> {
    let payment = match same_payment(body, request) {
        Ok(payment) => payment,
        Err(reason) => return Outcome::Unknown(reason),
    };
    if let Some(outcome) = our_cancel(&payment, request) {
        return outcome;
    }
    // The reason was not kept as we wrote it. The latest transaction is then ours, unless it was
    // there before we asked, has another amount, or is another refund of ours.
    let latest = payment.cancels.iter().flatten().find(|cancel| {
        Some(&cancel.transaction_key) == payment.last_transaction_key.as_ref()
            && !before.cancels.iter().flatten().any(|old| old.transaction_key == cancel.transaction_key)
            && cancel.cancel_amount == request.amount
            && reference_of(cancel).is_none()
    });
    match latest {
        Some(cancel) => outcome(cancel, request),
        None => Outcome::Unknown("the answer does not contain the cancel".to_owned()),
    }
}

pub(super) fn same_payment(body: &[u8], request: &Cancel) -> Result<wire::Payment, String> {
    let payment = payment(body)?;
    if payment.payment_key != request.payment_key {
        tracing::error!(reference = request.reference, "toss answered about another payment");
        return Err("toss answered about another payment".to_owned());
    }
    Ok(payment)
}

/// What became of our cancel, if the payment contains it.
pub(super) fn our_cancel(payment: &wire::Payment, request: &Cancel) -> Option<Outcome<Cancellation>> {
    let ours = |cancel: &&wire::Cancel| reference_of(cancel) == Some(request.reference.as_str());
    let cancel = payment.cancels.iter().flatten().find(ours)?;
    Some(outcome(cancel, request))
}

/// Cancels of foreign wallets are in the list from their beginning, and may still fail.
fn outcome(cancel: &wire::Cancel, request: &Cancel) -> Outcome<Cancellation> {
    match cancel.cancel_status.as_deref() {
        None | Some("DONE") => {
            let reference = Some(request.reference.clone());
            Outcome::Approved(Cancellation { reference, ..cancellation(cancel) })
        }
        Some("ABORTED") => Outcome::Declined(errors::cancel_aborted()),
        Some(status) => Outcome::Unknown(format!("the cancel is `{status}`")),
    }
}

fn is_done(cancel: &wire::Cancel) -> bool {
    matches!(cancel.cancel_status.as_deref(), None | Some("DONE"))
}

fn cancellation(cancel: &wire::Cancel) -> Cancellation {
    Cancellation {
        amount: cancel.cancel_amount,
        transaction_key: cancel.transaction_key.clone(),
        reference: reference_of(cancel).map(str::to_owned),
        canceled_at: Some(cancel.canceled_at),
    }
}

fn reference_of(cancel: &wire::Cancel) -> Option<&str> {
    cancel.cancel_reason.as_deref().and_then(reference::read_from)
}
