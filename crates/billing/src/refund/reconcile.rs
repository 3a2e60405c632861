//! Finding out what became of refunds that were left open.

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use kernel::BusinessId;
use pg_adapter::{Cancel, Cancellation, Decline, DeclineClass, Lookup, Outcome, PaymentGateway};
use platform::SystemTx;

use super::{Refund, RefundId};
use crate::{Billing, BillingError, case::Finding, charge::LEASE, store};

const BATCH: i64 = 64;

/// After this long a person has a look. The machine goes on asking.
const UNKNOWN_TOO_LONG: TimeDelta = TimeDelta::hours(24);

impl Billing {
    /// Asks about the open refunds whose time has come.
    pub(crate) async fn reconcile_refunds(&self) -> Result<(), BillingError> {
        let due_by = self.clock.now();
        loop {
            let mut tx = SystemTx::begin(&self.db).await?;
            let lease = self.clock.now() + LEASE;
            let open = store::refund::claim_open(&mut tx, due_by, lease, BATCH).await?;
            tx.commit().await?;
            if open.is_empty() {
                return Ok(());
            }
            stream::iter(open)
                .for_each_concurrent(self.settings.concurrency, |(business, refund)| async move {
                    if let Err(error) = self.reconcile_refund(business, refund).await {
                        tracing::error!(%refund, %error, "an open refund could not be reconciled; tried again later");
                    }
                })
                .await;
        }
    }

    async fn reconcile_refund(&self, business: BusinessId, id: RefundId) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let refund = store::refund::get(&mut tx, business, id).await?.ok_or(BillingError::NotFound)?;
        let payment =
            store::payment::lock(&mut tx, business, refund.payment).await?.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        let outcome = self
            .find_or_repeat(&*self.gateway(payment.merchant).await?, &refund, &refund.cancel(&payment)?)
            .await;
        crate::crash_point!("refund::answered");
        if let Outcome::Unknown(reason) | Outcome::NotSent(reason) = &outcome
            && self.clock.now() - refund.created_at > UNKNOWN_TOO_LONG
        {
            let evidence = format!("a day after it was asked for it is still unknown: {reason}");
            let mut tx = SystemTx::begin(&self.db).await?;
            self.open_case(&mut tx, &Finding::about_refund(&payment, &refund, &evidence)).await?;
            tx.commit().await?;
        }
        self.settle_refund(&refund, outcome).await?;
        crate::crash_point!("refund::settled");
        Ok(())
    }

    /// Looks for our cancel in the payment; if it is not there, sends the same cancel again.
    async fn find_or_repeat(
        &self,
        gateway: &dyn PaymentGateway,
        refund: &Refund,
        cancel: &Cancel,
    ) -> Outcome<Cancellation> {
        match find(gateway, cancel).await {
            Ok(Some(cancellation)) => return Outcome::Approved(cancellation),
            // Without an answer it is too early to send anything again.
            Err(reason) => return Outcome::Unknown(reason),
            Ok(None) => {}
        }
        if !gateway.capabilities().repeats_cancel.allow(self.clock.now() - refund.created_at) {
            return Outcome::Declined(never_arrived());
        }
        match gateway.cancel(cancel).await {
            // Refused now is not proof for the first sending: a no is believed only after one more look.
            Outcome::Declined(decline) => match find(gateway, cancel).await {
                Ok(Some(cancellation)) => Outcome::Approved(cancellation),
                Ok(None) => Outcome::Declined(decline),
                Err(_) => Outcome::Unknown(decline.code),
            },
            outcome => outcome,
        }
    }
}

/// The cancel in the payment, none if the payment does not show it.
async fn find(gateway: &dyn PaymentGateway, cancel: &Cancel) -> Result<Option<Cancellation>, String> {
    match gateway.find(&cancel.payment_key).await {
        Lookup::Approved(approval) => Ok(approval.made_by(cancel)),
        Lookup::Unknown(reason) => Err(reason),
        Lookup::Failed(_) | Lookup::InProgress | Lookup::AwaitingDeposit(_) | Lookup::NotFound => {
            Err("the provider denies a payment that it approved".to_owned())
        }
    }
}

fn never_arrived() -> Decline {
    Decline {
        class: DeclineClass::Temporary,
        code: "NEVER_ARRIVED".to_owned(),
        message: "환불 요청이 결제사에 전달되지 않았습니다. 다시 요청해 주세요.".to_owned(),
    }
}
