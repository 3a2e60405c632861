//! Asking for a cash receipt, and writing down what came of it.

use kernel::BusinessId;
use pg_adapter::{
    CashReceiptLookup, CashReceipts, Decline, DeclineClass, FindCashReceipt, IssueCashReceipt,
    IssuedCashReceipt, Outcome, PaymentGateway,
};
use platform::{SystemTx, TenantTx, events};
use sqlx::PgConnection;

use super::{
    CashReceipt, CashReceiptId, CashReceiptMove, CashReceiptRefusal, CashReceiptStatus, IdentityNumber,
    LOOK_AGAIN, NEVER_ARRIVED_AFTER, TAX_SERVICE_TAKES, payment_key,
};
use crate::{
    Billing, BillingError,
    charge::{Attempt, LEASE, NOT_SENT},
    event::BillingEvent,
    payment::{CashReceiptKind, PaidWith, Payment, PaymentId},
    reconcile::pause_before,
    store::{self, supply::Supply},
};

impl Billing {
    /// Issues a cash receipt for what is left of a payment.
    pub(crate) async fn request_cash_receipt(
        &self,
        business: BusinessId,
        payment: PaymentId,
        kind: CashReceiptKind,
        identity: IdentityNumber,
        idempotency_key: Option<&str>,
    ) -> Result<CashReceipt, BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let payment =
            store::payment::lock(&mut tx, business, payment).await?.ok_or(BillingError::NotFound)?;
        let supply = store::supply::of_payment(&mut tx, business, payment.id).await?;
        let supply = supply.filter(|_| payment.status.is_paid()).ok_or(BillingError::NotPaid)?;
        let earlier = store::cash_receipt::of_payment(&mut tx, business, payment.id).await?;
        // The same request, interrupted by a crash: go on with what it wrote down.
        let same = |receipt: &&CashReceipt| {
            idempotency_key.is_some() && receipt.idempotency_key.as_deref() == idempotency_key
        };
        if let Some(receipt) = earlier.iter().find(same) {
            tx.commit().await?;
            return self.reconcile_cash_receipt(receipt.clone(), &payment, &supply).await;
        }
        let offer = self.gateways.capabilities(payment.merchant.provider).cash_receipts;
        may_have_one(&mut tx, &payment, &supply, offer).await?;
        let now = self.clock.now();
        let id = CashReceiptId::new(now);
        let receipt = CashReceipt {
            business,
            id,
            payment: payment.id,
            kind,
            amount: payment.amount.checked_sub(payment.refunded).ok_or(BillingError::FullyRefunded)?,
            canceled: kernel::Krw::ZERO,
            status: CashReceiptStatus::Requested,
            identity_number: Some(self.vault.seal(&CashReceipt::purpose(business, id), &identity.0)),
            receipt_key: None,
            issue_number: None,
            receipt_url: None,
            refusal: None,
            idempotency_key: idempotency_key.map(str::to_owned),
            checks: 0,
            created_at: now,
            taken_at: None,
            issued_at: None,
            canceled_at: None,
        };
        store::cash_receipt::insert(&mut tx, &receipt, now + LEASE).await?;
        tx.commit().await?;
        crate::crash_point!("cash_receipt::written");
        let outcome = self.ask_for_cash_receipt(&receipt, &payment, &supply).await?;
        self.write_down_answer(&receipt, outcome).await
    }

    async fn write_down_answer(
        &self,
        receipt: &CashReceipt,
        outcome: Outcome<IssuedCashReceipt>,
    ) -> Result<CashReceipt, BillingError> {
        crate::crash_point!("cash_receipt::answered");
        let settled = self.settle_cash_receipt(receipt, outcome).await?;
        crate::crash_point!("cash_receipt::settled");
        Ok(settled)
    }

    /// Asks the provider for a receipt that was written down.
    async fn ask_for_cash_receipt(
        &self,
        receipt: &CashReceipt,
        payment: &Payment,
        supply: &Supply,
    ) -> Result<Outcome<IssuedCashReceipt>, BillingError> {
        let sealed = receipt.identity_number.as_deref().ok_or(BillingError::NotFound)?;
        let request = IssueCashReceipt {
            payment_key: payment_key(payment)?,
            order_id: payment.order_id.clone(),
            order_name: Attempt::order_name(&supply.plan_name, supply.cycle),
            amount: receipt.amount,
            kind: receipt.kind.told(),
            identity_number: self.vault.open(&CashReceipt::purpose(receipt.business, receipt.id), sealed)?,
            paid_at: supply.paid_at,
            reference: receipt.id.to_string(),
        };
        Ok(self.gateway(payment.merchant).await?.issue_cash_receipt(&request).await)
    }

    /// Finds out what became of a receipt whose answer was lost, and asks for it again only where that is
    /// the same request.
    pub(super) async fn reconcile_cash_receipt(
        &self,
        receipt: CashReceipt,
        payment: &Payment,
        supply: &Supply,
    ) -> Result<CashReceipt, BillingError> {
        if receipt.status != CashReceiptStatus::Requested {
            return Ok(receipt);
        }
        let gateway = self.gateway(payment.merchant).await?;
        let gateway = &*gateway;
        let outcome = match self.find_receipt(gateway, &receipt, payment).await? {
            Some(outcome) => outcome,
            None => match self.repeat_or_give_up(gateway, &receipt, payment, supply).await? {
                // That this sending did not arrive says nothing about the one before it.
                Outcome::NotSent(reason) => Outcome::Unknown(reason),
                outcome => outcome,
            },
        };
        self.write_down_answer(&receipt, outcome).await
    }

    /// The provider does not show it.
    async fn repeat_or_give_up(
        &self,
        gateway: &dyn PaymentGateway,
        receipt: &CashReceipt,
        payment: &Payment,
        supply: &Supply,
    ) -> Result<Outcome<IssuedCashReceipt>, BillingError> {
        let age = self.clock.now() - receipt.created_at;
        let repeats = gateway.capabilities().cash_receipts.map(|offer| offer.repeats);
        if !repeats.is_some_and(|repeats| repeats.allow(age)) {
            return Ok(if age > NEVER_ARRIVED_AFTER {
                Outcome::Declined(never_arrived())
            } else {
                Outcome::Unknown("the provider does not show it yet".to_owned())
            });
        }
        match self.ask_for_cash_receipt(receipt, payment, supply).await? {
            // Refused now is not proof for the first sending: a no is believed only after one more look.
            Outcome::Declined(decline) => {
                let found = self.find_receipt(gateway, receipt, payment).await?;
                Ok(found.unwrap_or(Outcome::Declined(decline)))
            }
            outcome => Ok(outcome),
        }
    }

    /// What the provider says about a receipt when asked; none where it shows none.
    async fn find_receipt(
        &self,
        gateway: &dyn PaymentGateway,
        receipt: &CashReceipt,
        payment: &Payment,
    ) -> Result<Option<Outcome<IssuedCashReceipt>>, BillingError> {
        Ok(match gateway.find_cash_receipt(&self.question(receipt, payment)?).await {
            CashReceiptLookup::Issued(issued) => Some(Outcome::Approved(issued)),
            CashReceiptLookup::Refused(decline) => Some(Outcome::Declined(decline)),
            // Without an answer it is too early to send anything again.
            CashReceiptLookup::Unknown(reason) => Some(Outcome::Unknown(reason)),
            // An earlier one of the payment, where the provider shows them by payment.
            CashReceiptLookup::NotFound | CashReceiptLookup::Canceled => None,
        })
    }

    /// From the day on which it was written down; until the provider took it, or today.
    pub(super) fn question(
        &self,
        receipt: &CashReceipt,
        payment: &Payment,
    ) -> Result<FindCashReceipt, BillingError> {
        // Whose clock passed midnight first nobody knows.
        let skew = chrono::TimeDelta::minutes(10);
        let last = receipt.taken_at.unwrap_or_else(|| self.clock.now());
        Ok(FindCashReceipt {
            payment_key: payment_key(payment)?,
            order_id: payment.order_id.clone(),
            amount: receipt.amount,
            reference: receipt.id.to_string(),
            receipt_key: receipt.receipt_key.clone(),
            days: (kernel::korean_day(receipt.created_at - skew), kernel::korean_day(last + skew)),
        })
    }

    /// Writes an answer down. Safe to call twice: the second call finds the receipt settled.
    pub(super) async fn settle_cash_receipt(
        &self,
        receipt: &CashReceipt,
        outcome: Outcome<IssuedCashReceipt>,
    ) -> Result<CashReceipt, BillingError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let current = lock_with_payment(&mut tx, receipt).await?;
        if !matches!(current.status, CashReceiptStatus::Requested | CashReceiptStatus::Processing) {
            return Ok(current);
        }
        match outcome {
            Outcome::Approved(taken) if taken.is_accepted => {
                let status = current.status.after(CashReceiptMove::Accept)?;
                store::cash_receipt::record_taken(&mut tx, &current, status, &taken, None, now).await?;
                let issued = BillingEvent::CashReceiptIssued {
                    payment_id: current.payment,
                    kind: current.kind,
                    amount: current.amount,
                    issue_number: taken.issue_number.or(current.issue_number.clone()),
                };
                events::publish(&mut tx, current.business, now, &issued).await?;
                self.release_receipt_cancel(&mut tx, &current).await?;
            }
            Outcome::Approved(taken) if current.status == CashReceiptStatus::Requested => {
                let status = current.status.after(CashReceiptMove::Take)?;
                let look_at = Some(now + TAX_SERVICE_TAKES);
                store::cash_receipt::record_taken(&mut tx, &current, status, &taken, look_at, now).await?;
            }
            Outcome::Approved(_) => {
                store::cash_receipt::postpone(&mut tx, &current, now + LOOK_AGAIN).await?;
            }
            Outcome::Declined(decline) => {
                self.refuse_cash_receipt(&mut tx, &current, decline).await?;
            }
            // Only of the first sending is it known that nothing arrived.
            Outcome::NotSent(_) if current.status == CashReceiptStatus::Requested && current.checks == 0 => {
                self.refuse_cash_receipt(&mut tx, &current, not_sent()).await?;
            }
            Outcome::NotSent(reason) | Outcome::Unknown(reason) => {
                tracing::warn!(receipt = %current.id, reason, "how a cash receipt stands is not known yet");
                let again = now + pause_before(current.checks);
                store::cash_receipt::postpone(&mut tx, &current, again).await?;
            }
        }
        let settled = store::cash_receipt::lock(&mut tx, current.business, current.id).await?;
        tx.commit().await?;
        settled.ok_or(BillingError::NotFound)
    }

    async fn refuse_cash_receipt(
        &self,
        tx: &mut PgConnection,
        receipt: &CashReceipt,
        decline: Decline,
    ) -> Result<(), BillingError> {
        receipt.status.after(CashReceiptMove::Refuse)?;
        if decline.class == DeclineClass::OurBug {
            tracing::error!(receipt = %receipt.id, code = decline.code, "a cash receipt was refused because of us");
        }
        let refusal = CashReceiptRefusal { code: decline.code, message: decline.message };
        store::cash_receipt::refuse(tx, receipt, &refusal).await?;
        let refused =
            BillingEvent::CashReceiptRefused { payment_id: receipt.payment, message: refusal.message };
        events::publish(tx, receipt.business, self.clock.now(), &refused).await?;
        self.void_receipt_cancels(tx, receipt).await
    }
}

/// The receipt as it is now. A refund decides by its status what has to be taken back, and holds the
/// payment's lock meanwhile.
pub(super) async fn lock_with_payment(
    tx: &mut PgConnection,
    receipt: &CashReceipt,
) -> Result<CashReceipt, BillingError> {
    store::payment::lock(tx, receipt.business, receipt.payment).await?;
    let locked = store::cash_receipt::lock(tx, receipt.business, receipt.id).await?;
    locked.ok_or(BillingError::NotFound)
}

/// All that decides about a new receipt, read with the payment locked, as whoever asks for a tax invoice
/// reads it: of the two papers a payment has one.
async fn may_have_one(
    tx: &mut PgConnection,
    payment: &Payment,
    supply: &Supply,
    offer: Option<CashReceipts>,
) -> Result<(), BillingError> {
    match supply.paid_with {
        Some(PaidWith::Transfer | PaidWith::VirtualAccount | PaidWith::Wallet) => {}
        Some(PaidWith::Card) => return Err(BillingError::CardSlipIssued),
        // The telephone company and the seller of the gift certificate issue theirs.
        Some(PaidWith::Mobile | PaidWith::Voucher) | None => {
            return Err(BillingError::CashReceiptNotCalledFor);
        }
    }
    if supply.has_cash_receipt {
        return Err(BillingError::CashReceiptIssued);
    }
    let invoices = store::tax_invoice::of_payment(tx, payment.business, payment.id).await?;
    if let Some(live) = invoices.iter().find(|it| it.modifies.is_none() && it.status.is_live()) {
        return Err(BillingError::TaxInvoiceExists(live.number.to_string()));
    }
    if payment.refunded >= payment.amount {
        return Err(BillingError::FullyRefunded);
    }
    let offer = offer.ok_or(BillingError::CashReceiptsNotOffered)?;
    if payment.refunded.is_positive() && !offer.issues_for_the_rest {
        return Err(BillingError::NoCashReceiptForTheRest);
    }
    Ok(())
}

fn not_sent() -> Decline {
    Decline {
        class: DeclineClass::Temporary,
        code: NOT_SENT.to_owned(),
        message: "결제사와 연결되지 않아 발급하지 않았습니다. 잠시 후 다시 요청해 주세요.".to_owned(),
    }
}

fn never_arrived() -> Decline {
    Decline {
        class: DeclineClass::Temporary,
        code: "NEVER_ARRIVED".to_owned(),
        message: "현금영수증 요청이 결제사에 전달되지 않았습니다. 다시 요청해 주세요.".to_owned(),
    }
}
