//! From Bootpay's receipts to the port's words.

use kernel::Krw;

use super::{errors, wire};
use crate::{Approval, Cancel, Cancellation, Card, Decline, Lookup, Outcome, PaidWith};

/// Hexadecimal and 24 long in all samples; nobody promised.
pub(super) fn is_receipt_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&text.len()) && text.bytes().all(allowed)
}

/// One receipt, asked for by its id.
pub(super) fn found(body: &[u8], receipt_id: &str, accept_sandbox: bool) -> Lookup {
    match serde_json::from_slice::<wire::Receipt>(body) {
        Ok(receipt) if receipt.receipt_id != receipt_id => {
            tracing::error!(asked = receipt_id, "bootpay answered about another receipt");
            Lookup::Unknown("bootpay answered about another receipt".to_owned())
        }
        Ok(receipt) => seen(receipt, accept_sandbox),
        Err(error) => unreadable(&error),
    }
}

/// The receipt that a charge or a confirm of this order brought.
pub(super) fn taken(body: &[u8], order_id: &str, accept_sandbox: bool) -> Lookup {
    match serde_json::from_slice::<wire::Receipt>(body) {
        Ok(receipt) if receipt.order_id != order_id => another_order(order_id),
        Ok(receipt) => seen(receipt, accept_sandbox),
        Err(error) => unreadable(&error),
    }
}

/// All receipts of an order: the payment among them counts, then whatever may become one. None at all
/// is not found.
pub(super) fn found_by_order(body: &[u8], order_id: &str, accept_sandbox: bool) -> Lookup {
    let receipts = match serde_json::from_slice::<Vec<wire::Receipt>>(body) {
        Ok(receipts) => receipts,
        Err(error) => return unreadable(&error),
    };
    if receipts.iter().any(|receipt| receipt.order_id != order_id) {
        return another_order(order_id);
    }
    let mut lookups: Vec<_> = receipts.into_iter().map(|receipt| seen(receipt, accept_sandbox)).collect();
    let paid = lookups.iter().filter(|lookup| matches!(lookup, Lookup::Approved(_))).count();
    if paid > 1 {
        tracing::error!(order_id, paid, "bootpay has several payments of one order");
        return Lookup::Unknown(format!("bootpay has {paid} payments of this order"));
    }
    let weight = |lookup: &Lookup| match lookup {
        Lookup::NotFound => 0,
        Lookup::Failed(_) => 1,
        Lookup::InProgress => 2,
        Lookup::AwaitingDeposit(_) => 3,
        Lookup::Unknown(_) => 4,
        Lookup::Approved(_) => 5,
    };
    lookups.sort_by_key(weight);
    lookups.pop().unwrap_or(Lookup::NotFound)
}

fn another_order(order_id: &str) -> Lookup {
    tracing::error!(asked = order_id, "bootpay answered about another order");
    Lookup::Unknown("bootpay answered about another order".to_owned())
}

fn unreadable(error: &serde_json::Error) -> Lookup {
    Lookup::Unknown(format!("the receipt is not readable: {error}"))
}

fn seen(receipt: wire::Receipt, accept_sandbox: bool) -> Lookup {
    match receipt.status {
        1 | 20 if receipt.sandbox == Some(true) && !accept_sandbox => {
            Lookup::Failed(errors::refused_here("SANDBOX_PAYMENT"))
        }
        1 | 20 => approval(receipt).map_or_else(Lookup::Unknown, Lookup::Approved),
        -3..=-1 if receipt.purchased_at.is_some() => {
            Lookup::Unknown(format!("the payment failed ({}) and was paid", receipt.status))
        }
        status @ -3..=-1 => Lookup::Failed(errors::failed(status)),
        0 | 2 | 3 => Lookup::InProgress,
        5 => Lookup::AwaitingDeposit(receipt.receipt_id),
        // Among them -20 and -30, a cancel that failed or runs; one old document alone names them.
        status => Lookup::Unknown(format!("the payment has the unknown status {status}")),
    }
}

fn approval(receipt: wire::Receipt) -> Result<Approval, String> {
    if !is_receipt_id(&receipt.receipt_id) {
        return Err("the payment has no receipt id".to_owned());
    }
    if !receipt.price.is_positive() {
        return Err("the payment has no amount".to_owned());
    }
    if receipt.currency.as_deref().is_some_and(|currency| currency != "KRW") {
        return Err("the payment is not in won".to_owned());
    }
    // 20 is a cancel of all or of a part: only the amount tells.
    let cancelled = match (receipt.status, receipt.cancelled_price) {
        (1, None | Some(Krw::ZERO)) => Krw::ZERO,
        (20, Some(cancelled)) if cancelled.is_positive() && cancelled <= receipt.price => cancelled,
        (status, cancelled) => {
            return Err(format!("the payment has the status {status} and {cancelled:?} cancelled"));
        }
    };
    let remaining = receipt.price.checked_sub(cancelled).ok_or("more came back than was paid")?;
    let paid_with = paid_with(&receipt);
    let approved_at = receipt.purchased_at.ok_or("the payment was approved at no time")?;
    Ok(Approval {
        payment_key: receipt.receipt_id,
        order_id: receipt.order_id,
        amount: receipt.price,
        approved_at,
        paid_with,
        cash_receipt: None,
        card: receipt.card_data.map(card),
        receipt_url: receipt.receipt_url,
        remaining,
        // None is listed, `remaining` tells.
        cancellations: Vec::new(),
        billing_key: None,
    })
}

/// The word for the method is in no reference; whose data there are is.
fn paid_with(receipt: &wire::Receipt) -> PaidWith {
    match (&receipt.card_data, &receipt.vbank_data, &receipt.bank_data) {
        (Some(_), _, _) => PaidWith::Card,
        (None, Some(_), _) => PaidWith::VirtualAccount,
        (None, None, Some(_)) => PaidWith::Transfer,
        (None, None, None) => PaidWith::Unknown,
    }
}

pub(super) fn card(card: wire::Card) -> Card {
    Card {
        company: card.card_company.or(card.card_company_code).unwrap_or_default(),
        masked_number: card.card_no.unwrap_or_default(),
    }
}

/// What an accepted charge or confirm came to. A receipt that failed is a no in a 200.
pub(super) fn after_acceptance(lookup: Lookup) -> Outcome<Approval> {
    match lookup {
        Lookup::Approved(approval) => Outcome::Approved(approval),
        Lookup::Failed(decline) => Outcome::Declined(decline),
        Lookup::Unknown(reason) => Outcome::Unknown(reason),
        Lookup::InProgress | Lookup::AwaitingDeposit(_) | Lookup::NotFound => {
            Outcome::Unknown("accepted, and the payment is still going on".to_owned())
        }
    }
}

/// What a refused one came to: the payment goes before the refusal, which is `None` if it decides nothing.
pub(super) fn after_refusal(lookup: Lookup, refusal: Option<Decline>) -> Outcome<Approval> {
    match (lookup, refusal) {
        (Lookup::Approved(approval), _) => Outcome::Approved(approval),
        (Lookup::Failed(_) | Lookup::NotFound, Some(decline)) | (Lookup::Failed(decline), None) => {
            Outcome::Declined(decline)
        }
        (Lookup::Unknown(reason), _) => Outcome::Unknown(reason),
        (Lookup::NotFound, None) => Outcome::Unknown("refused unclearly, and there is no payment".to_owned()),
        (Lookup::InProgress | Lookup::AwaitingDeposit(_), _) => {
            Outcome::Unknown("the payment is still going on".to_owned())
        }
    }
}

/// The answer to a cancel that was accepted: the receipt, whose total must have grown by ours.
pub(super) fn canceled(lookup: Lookup, request: &Cancel) -> Outcome<Cancellation> {
    match lookup {
        Lookup::Approved(payment) => payment.made_by(request).map_or_else(
            || Outcome::Unknown("accepted, and the receipt shows another rest".to_owned()),
            Outcome::Approved,
        ),
        Lookup::Unknown(reason) => Outcome::Unknown(reason),
        other => Outcome::Unknown(format!("cancelled, and the payment is {other:?}")),
    }
}
