//! What the cases say again and again.

use std::time::Duration;

use kernel::Krw;
use uuid::Uuid;

use super::{Movement, Rig, TestCard};
use crate::{
    Approval, BillingKeySecret, Cancel, Cancellation, Charge, Decline, IssueBillingKey, IssuedBillingKey,
    Lookup, Outcome, Repeats,
};

pub(super) const PRICE: Krw = Krw::won(29_000);

/// How often an unknown outcome is asked for again, and how long the asker waits in between.
pub(super) const PATIENCE: usize = 40;
pub(super) const PAUSE: Duration = Duration::from_millis(250);

pub(super) fn fresh(prefix: &str) -> String {
    format!("{prefix}-{}", Uuid::new_v4().simple())
}

/// Letters and digits alone, as the strictest provider takes them.
pub(super) fn fresh_order() -> String {
    format!("dg{}", Uuid::new_v4().simple())
}

/// A payer with a registered card.
pub(super) struct Payer {
    pub(super) customer_key: String,
    pub(super) billing_key: BillingKeySecret,
}

impl Payer {
    pub(super) async fn with(rig: &dyn Rig, card: TestCard) -> Self {
        let request = registration(rig, card).await;
        let issued = approved(rig.gateway().issue_billing_key(&request).await);
        Self { customer_key: request.customer_key, billing_key: issued.billing_key }
    }

    pub(super) fn charge(&self) -> Charge {
        Charge {
            billing_key: self.billing_key.clone(),
            customer_key: self.customer_key.clone(),
            order_id: fresh_order(),
            order_name: "단골 프로 요금제".to_owned(),
            amount: PRICE,
        }
    }

    /// A charge that went through.
    pub(super) async fn paid(rig: &dyn Rig) -> Approval {
        let payer = Self::with(rig, TestCard::Good).await;
        approved(rig.gateway().charge(&payer.charge()).await)
    }
}

pub(super) async fn registration(rig: &dyn Rig, card: TestCard) -> IssueBillingKey {
    let customer_key = fresh("customer");
    IssueBillingKey {
        auth_key: rig.register(&customer_key, card).await,
        customer_key,
        idempotency_key: fresh("issue"),
    }
}

/// A cancel of a payment as it was last seen.
pub(super) fn cancel_of(payment: &Approval, amount: Krw) -> Cancel {
    Cancel {
        payment_key: payment.payment_key.clone(),
        amount,
        reason: "고객 변심 (부분 환불)".to_owned(),
        reference: fresh("refund"),
        remaining_before: payment.remaining,
    }
}

/// The payment as the provider has it now.
pub(super) async fn seen(rig: &dyn Rig, payment: &Approval) -> Approval {
    found(rig.gateway().find(&payment.payment_key).await)
}

/// Sending a charge again is the same charge, and the answer that was lost comes back.
pub(super) fn charges_repeat(rig: &dyn Rig) -> bool {
    rig.gateway().capabilities().repeats_charge != Repeats::Never
}

#[track_caller]
pub(super) fn approved<T>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Approved(value) => value,
        Outcome::Declined(decline) => panic!("expected an approval, was declined: {decline:?}"),
        Outcome::NotSent(reason) => panic!("expected an approval, was not sent: {reason}"),
        Outcome::Unknown(reason) => panic!("expected an approval, is unknown: {reason}"),
    }
}

#[track_caller]
pub(super) fn declined<T>(outcome: Outcome<T>) -> Decline {
    match outcome {
        Outcome::Declined(decline) => {
            assert!(!decline.code.is_empty(), "the provider's code is kept");
            assert!(!decline.message.is_empty(), "the card holder has something to read");
            decline
        }
        Outcome::Approved(_) => panic!("expected a decline, was approved"),
        Outcome::NotSent(reason) => panic!("expected a decline, was not sent: {reason}"),
        Outcome::Unknown(reason) => panic!("expected a decline, is unknown: {reason}"),
    }
}

#[track_caller]
pub(super) fn found(lookup: Lookup) -> Approval {
    match lookup {
        Lookup::Approved(approval) => approval,
        other => panic!("expected a payment, got {other:?}"),
    }
}

/// Sends the same charge until it is answered, as billing does.
pub(super) async fn settle_charge(rig: &dyn Rig, request: &Charge) -> Result<Approval, Decline> {
    for _ in 0..PATIENCE {
        match rig.gateway().charge(request).await {
            Outcome::Approved(approval) => return Ok(approval),
            Outcome::Declined(decline) => return Err(decline),
            Outcome::NotSent(_) | Outcome::Unknown(_) => tokio::time::sleep(PAUSE).await,
        }
        // A provider may store its 500 and repeat it for ever; then the look-up has to tell.
        if let Lookup::Approved(approval) = rig.gateway().find_by_order(&request.order_id).await {
            return Ok(approval);
        }
    }
    panic!("the charge never settled");
}

pub(super) async fn settle_cancel(rig: &dyn Rig, request: &Cancel) -> Cancellation {
    for _ in 0..PATIENCE {
        match rig.gateway().cancel(request).await {
            Outcome::Approved(cancellation) => return cancellation,
            Outcome::Declined(decline) => panic!("the cancel was declined: {decline:?}"),
            Outcome::NotSent(_) | Outcome::Unknown(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    panic!("the cancel never settled");
}

pub(super) async fn settle_issue(rig: &dyn Rig, request: &IssueBillingKey) -> IssuedBillingKey {
    for _ in 0..PATIENCE {
        match rig.gateway().issue_billing_key(request).await {
            Outcome::Approved(issued) => return issued,
            Outcome::Declined(decline) => panic!("the registration was declined: {decline:?}"),
            Outcome::NotSent(_) | Outcome::Unknown(_) => tokio::time::sleep(PAUSE).await,
        }
    }
    panic!("the registration never settled");
}

pub(super) async fn assert_book(rig: &dyn Rig, order_id: &str, expected: &[Movement]) {
    assert_eq!(rig.book(order_id).await, expected, "the provider's book about {order_id}");
}
