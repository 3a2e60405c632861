//! Listing what moved on a day.

use kernel::{Krw, korean_day};

use super::{
    Fault, Operation, Rig, Verdict,
    world::{PRICE, Payer, approved, cancel_of, seen},
};
use crate::{Transaction, TransactionKind};

const PART: Krw = Krw::won(9_000);

/// Four movements, which is more than one page where the rig asks for short ones.
pub(super) async fn a_day_lists_every_movement_once(rig: &dyn Rig) -> Verdict {
    if !rig.gateway().capabilities().lists_transactions {
        assert!(rig.gateway().transactions(rig.today(), None).await.is_err(), "the capability says no");
        return Verdict::NotClaimed("lists_transactions");
    }
    let mut expected = Vec::new();
    for _ in 0..2 {
        let payment = Payer::paid(rig).await;
        approved(rig.gateway().cancel(&cancel_of(&payment, PART)).await);
        let payment = seen(rig, &payment).await;
        expected.push((payment.order_id.clone(), TransactionKind::Charge, PRICE));
        expected.push((payment.order_id, TransactionKind::Cancel, PART));
    }
    let listed = every_page(rig).await;
    let ours = |transaction: &&Transaction| {
        expected.iter().any(|(order_id, _, _)| *order_id == transaction.order_id)
    };
    let moved: Vec<_> = listed.iter().filter(ours).map(|t| (t.order_id.clone(), t.kind, t.amount)).collect();
    assert_eq!(moved, expected);

    let mut keys: Vec<_> = listed.iter().map(|transaction| &transaction.transaction_key).collect();
    keys.sort_unstable();
    let all = keys.len();
    keys.dedup();
    assert_eq!(keys.len(), all, "no movement is listed twice");
    let days: Vec<_> = listed.iter().map(|transaction| korean_day(transaction.at)).collect();
    assert!(days.iter().all(|day| *day == rig.today()), "{days:?}");
    Verdict::Kept
}

async fn every_page(rig: &dyn Rig) -> Vec<Transaction> {
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = rig.gateway().transactions(rig.today(), after.as_deref()).await.expect("a page");
        listed.extend(page.transactions);
        after = page.next;
        if after.is_none() {
            return listed;
        }
    }
}

pub(super) async fn another_day_is_another_list(rig: &dyn Rig) -> Verdict {
    if !rig.gateway().capabilities().lists_transactions {
        return Verdict::NotClaimed("lists_transactions");
    }
    let payment = Payer::paid(rig).await;
    let yesterday = rig.today().pred_opt().expect("the calendar goes further back");
    let page = rig.gateway().transactions(yesterday, None).await.expect("a page");
    assert!(page.transactions.iter().all(|transaction| transaction.order_id != payment.order_id));
    Verdict::Kept
}

pub(super) async fn a_broken_list_is_no_list(rig: &dyn Rig) -> Verdict {
    if !rig.gateway().capabilities().lists_transactions {
        return Verdict::NotClaimed("lists_transactions");
    }
    Payer::paid(rig).await;
    for fault in Fault::LEAVING_DOUBT {
        rig.break_next(Operation::List, *fault).await;
        assert!(rig.gateway().transactions(rig.today(), None).await.is_err(), "{fault:?}");
    }
    Verdict::Kept
}
