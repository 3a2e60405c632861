//! Cash receipts on request.

use chrono::Days;
use futures::future::join_all;
use kernel::Krw;

use super::{
    Fault, Operation, Paper, Rig, Verdict,
    faults::assert_unknown,
    world::{PATIENCE, PAUSE, PRICE, Payer, approved, declined, fresh},
};
use crate::{
    CancelCashReceipt, CashReceiptKind, CashReceiptLookup, CashReceipts, FindCashReceipt, IssueCashReceipt,
    IssuedCashReceipt, Outcome, Repeats,
};

const CAPABILITY: &str = "cash_receipts";
const PART: Krw = Krw::won(9_000);
const REST: Krw = Krw::won(20_000);

fn offer(rig: &dyn Rig) -> Result<CashReceipts, Verdict> {
    rig.gateway().capabilities().cash_receipts.ok_or(Verdict::NotClaimed(CAPABILITY))
}

fn repeats(offer: CashReceipts) -> Verdict {
    Verdict::with(&[("cash_receipts.repeats", offer.repeats != Repeats::Never)])
}

/// For a payment that was just made.
async fn wanted(rig: &dyn Rig) -> IssueCashReceipt {
    let payment = Payer::paid(rig).await;
    IssueCashReceipt {
        payment_key: payment.payment_key,
        order_id: payment.order_id,
        order_name: "단골 프로 요금제".to_owned(),
        amount: PRICE,
        kind: CashReceiptKind::IncomeDeduction,
        identity_number: "01012345678".to_owned().into(),
        paid_at: payment.approved_at,
        reference: fresh("receipt"),
    }
}

fn question(rig: &dyn Rig, request: &IssueCashReceipt, receipt_key: Option<&str>) -> FindCashReceipt {
    FindCashReceipt {
        payment_key: request.payment_key.clone(),
        order_id: request.order_id.clone(),
        amount: request.amount,
        reference: request.reference.clone(),
        receipt_key: receipt_key.map(str::to_owned),
        days: (rig.today() - Days::new(1), rig.today()),
    }
}

fn cancel_of(request: &IssueCashReceipt, receipt: &IssuedCashReceipt, amount: Krw) -> CancelCashReceipt {
    CancelCashReceipt {
        payment_key: request.payment_key.clone(),
        order_id: request.order_id.clone(),
        receipt_key: receipt.receipt_key.clone(),
        amount,
        reference: fresh("refund"),
    }
}

async fn issued(rig: &dyn Rig) -> (IssueCashReceipt, IssuedCashReceipt) {
    let request = wanted(rig).await;
    let receipt = approved(rig.gateway().issue_cash_receipt(&request).await);
    (request, receipt)
}

#[track_caller]
fn found(lookup: CashReceiptLookup) -> IssuedCashReceipt {
    match lookup {
        CashReceiptLookup::Issued(receipt) => receipt,
        other => panic!("expected a cash receipt, got {other:?}"),
    }
}

/// Asks until it is known, as billing does: a look first, and once more the same where that is the same.
async fn settle(rig: &dyn Rig, request: &IssueCashReceipt, may_repeat: bool) -> Option<IssuedCashReceipt> {
    for _ in 0..PATIENCE {
        match rig.gateway().find_cash_receipt(&question(rig, request, None)).await {
            CashReceiptLookup::Issued(receipt) => return Some(receipt),
            CashReceiptLookup::NotFound if !may_repeat => return None,
            CashReceiptLookup::NotFound => {
                if let Outcome::Approved(receipt) = rig.gateway().issue_cash_receipt(request).await {
                    return Some(receipt);
                }
            }
            CashReceiptLookup::Unknown(_) => {}
            other => panic!("nobody refused or cancelled it: {other:?}"),
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("the cash receipt never settled");
}

async fn settle_cancel(rig: &dyn Rig, cancel: &CancelCashReceipt) {
    for _ in 0..PATIENCE {
        match rig.gateway().cancel_cash_receipt(cancel).await {
            Outcome::Approved(()) => return,
            Outcome::Declined(decline) => panic!("the cancel was declined: {decline:?}"),
            Outcome::NotSent(_) | Outcome::Unknown(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    panic!("the cancel never settled");
}

pub(super) async fn a_cash_receipt_is_issued_once_and_found(rig: &dyn Rig) -> Verdict {
    if let Err(verdict) = offer(rig) {
        let request = wanted(rig).await;
        declined(rig.gateway().issue_cash_receipt(&request).await);
        return verdict;
    }
    let (request, receipt) = issued(rig).await;
    assert!(!receipt.receipt_key.is_empty());
    for key in [None, Some(receipt.receipt_key.as_str())] {
        let seen = found(rig.gateway().find_cash_receipt(&question(rig, &request, key)).await);
        assert_eq!(
            (seen.receipt_key, seen.issue_number),
            (receipt.receipt_key.clone(), receipt.issue_number.clone())
        );
    }
    assert_eq!(rig.papers(&request).await, [Paper::Issued(PRICE)]);
    Verdict::Kept
}

pub(super) async fn the_same_receipt_again_is_one_receipt(rig: &dyn Rig) -> Verdict {
    let offer = match offer(rig) {
        Ok(offer) if offer.repeats != Repeats::Never => offer,
        Ok(offer) => return repeats(offer),
        Err(verdict) => return verdict,
    };
    let (request, receipt) = issued(rig).await;
    let again = approved(rig.gateway().issue_cash_receipt(&request).await);
    assert_eq!(again.receipt_key, receipt.receipt_key);
    assert_eq!(rig.papers(&request).await, [Paper::Issued(PRICE)]);

    let request = wanted(rig).await;
    for outcome in join_all((0..4).map(|_| rig.gateway().issue_cash_receipt(&request))).await {
        assert!(matches!(outcome, Outcome::Approved(_) | Outcome::Unknown(_)), "{outcome:?}");
    }
    settle(rig, &request, true).await;
    assert_eq!(rig.papers(&request).await, [Paper::Issued(PRICE)]);
    repeats(offer)
}

pub(super) async fn a_number_that_is_none_is_declined(rig: &dyn Rig) -> Verdict {
    if let Err(verdict) = offer(rig) {
        return verdict;
    }
    let mut request = wanted(rig).await;
    request.identity_number = "nobody".to_owned().into();
    declined(rig.gateway().issue_cash_receipt(&request).await);
    let lookup = rig.gateway().find_cash_receipt(&question(rig, &request, None)).await;
    assert!(matches!(lookup, CashReceiptLookup::NotFound), "{lookup:?}");
    assert_eq!(rig.papers(&request).await, []);
    Verdict::Kept
}

pub(super) async fn all_of_a_receipt_is_taken_back_once(rig: &dyn Rig) -> Verdict {
    if let Err(verdict) = offer(rig) {
        return verdict;
    }
    let (request, receipt) = issued(rig).await;
    let cancel = cancel_of(&request, &receipt, PRICE);
    for _ in 0..2 {
        approved(rig.gateway().cancel_cash_receipt(&cancel).await);
    }
    let lookup = rig.gateway().find_cash_receipt(&question(rig, &request, Some(&receipt.receipt_key))).await;
    assert!(matches!(lookup, CashReceiptLookup::Canceled), "{lookup:?}");
    assert_eq!(rig.papers(&request).await, [Paper::Issued(PRICE), Paper::TakenBack(PRICE)]);
    Verdict::Kept
}

pub(super) async fn parts_of_a_receipt_are_taken_back_once(rig: &dyn Rig) -> Verdict {
    match offer(rig) {
        Ok(offer) if offer.cancels_parts => {}
        Ok(_) => return Verdict::NotClaimed("cash_receipts.cancels_parts"),
        Err(verdict) => return verdict,
    }
    let (request, receipt) = issued(rig).await;
    for amount in [PART, REST] {
        let cancel = cancel_of(&request, &receipt, amount);
        for _ in 0..2 {
            approved(rig.gateway().cancel_cash_receipt(&cancel).await);
        }
    }
    let expected = [Paper::Issued(PRICE), Paper::TakenBack(PART), Paper::TakenBack(REST)];
    assert_eq!(rig.papers(&request).await, expected);
    Verdict::Kept
}

pub(super) async fn a_receipt_that_never_was_is_not_found(rig: &dyn Rig) -> Verdict {
    if let Err(verdict) = offer(rig) {
        return verdict;
    }
    let request = wanted(rig).await;
    let question = question(rig, &request, None);
    let lookup = rig.gateway().find_cash_receipt(&question).await;
    assert!(matches!(lookup, CashReceiptLookup::NotFound), "{lookup:?}");
    for fault in Fault::LEAVING_DOUBT {
        rig.break_next(Operation::LookUpReceipt, *fault).await;
        let lookup = rig.gateway().find_cash_receipt(&question).await;
        assert!(matches!(lookup, CashReceiptLookup::Unknown(_)), "{fault:?}: {lookup:?}");
    }
    for receipt_key in ["..", "", "a/b?c#d"] {
        let receipt = IssuedCashReceipt {
            receipt_key: receipt_key.to_owned(),
            issue_number: None,
            url: None,
            is_accepted: true,
        };
        let mut cancel = cancel_of(&request, &receipt, PRICE);
        cancel.payment_key = receipt_key.to_owned();
        let outcome = rig.gateway().cancel_cash_receipt(&cancel).await;
        assert!(matches!(outcome, Outcome::Declined(_) | Outcome::Unknown(_)), "{outcome:?}");
    }
    Verdict::Kept
}

pub(super) async fn a_broken_receipt_is_issued_once(rig: &dyn Rig) -> Verdict {
    let offer = match offer(rig) {
        Ok(offer) => offer,
        Err(verdict) => return verdict,
    };
    let may_repeat = offer.repeats != Repeats::Never;
    let unreachable = rig.unreachable();
    let request = wanted(rig).await;
    assert!(matches!(unreachable.issue_cash_receipt(&request).await, Outcome::NotSent(_)));
    for fault in Fault::LEAVING_DOUBT {
        let request = wanted(rig).await;
        rig.break_next(Operation::IssueReceipt, *fault).await;
        assert_unknown(*fault, &rig.gateway().issue_cash_receipt(&request).await);
        let settled = settle(rig, &request, may_repeat).await;
        let papers = rig.papers(&request).await;
        if settled.is_some() {
            assert_eq!(papers, [Paper::Issued(PRICE)], "{fault:?}");
        } else {
            assert!(papers.len() <= 1, "{fault:?}: {papers:?}");
        }
    }
    repeats(offer)
}

pub(super) async fn a_broken_cancel_of_a_receipt_happens_once(rig: &dyn Rig) -> Verdict {
    let offer = match offer(rig) {
        Ok(offer) => offer,
        Err(verdict) => return verdict,
    };
    let amount = if offer.cancels_parts { PART } else { PRICE };
    for fault in Fault::LEAVING_DOUBT {
        let (request, receipt) = issued(rig).await;
        let cancel = cancel_of(&request, &receipt, amount);
        rig.break_next(Operation::CancelReceipt, *fault).await;
        assert_unknown(*fault, &rig.gateway().cancel_cash_receipt(&cancel).await);
        settle_cancel(rig, &cancel).await;
        let expected = [Paper::Issued(PRICE), Paper::TakenBack(amount)];
        assert_eq!(rig.papers(&request).await, expected, "{fault:?}");
    }
    Verdict::with(&[("cash_receipts.cancels_parts", offer.cancels_parts)])
}
