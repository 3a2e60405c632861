//! Giving money back.
//!
//! A receipt lists no cancels, only their running total. Two things keep one cancel from counting twice.
//! The receipt is read first: what was left before, then nothing happened yet; less by exactly our
//! amount, then it did. And `cancel_id`, our reference, is good once: Bootpay refuses it a second time.

use super::{
    BootpayGateway, Operation,
    errors::{self, Verdict},
    http::Answer,
    mapping, wire,
};
use crate::{Approval, Cancel, Cancellation, Decline, Lookup, Outcome, reference};

impl BootpayGateway {
    pub(super) async fn cancel_once(&self, request: &Cancel) -> Outcome<Cancellation> {
        if !mapping::is_receipt_id(&request.payment_key)
            || !reference::is_reference(&request.reference)
            || !request.amount.is_positive()
        {
            return Outcome::Declined(errors::refused_here("INVALID_CANCEL"));
        }
        if request.amount > request.remaining_before {
            return Outcome::Declined(errors::nothing_left());
        }
        let payment = match self.payment_of(request).await {
            Ok(payment) => payment,
            Err(unread) => return unread,
        };
        if let Some(made) = payment.made_by(request) {
            return Outcome::Approved(made);
        }
        if payment.remaining != request.remaining_before {
            return Outcome::Unknown(format!(
                "{} won are left at bootpay, {} in our books",
                payment.remaining.get(),
                request.remaining_before.get()
            ));
        }
        self.send(request, &payment).await
    }

    async fn send(&self, request: &Cancel, payment: &Approval) -> Outcome<Cancellation> {
        let is_whole = request.amount == payment.amount;
        let body = wire::CancelRequest {
            receipt_id: &request.payment_key,
            cancel_price: (!is_whole).then_some(request.amount),
            cancel_id: &request.reference,
            cancel_username: "dangol",
            cancel_message: &request.reason,
        };
        let (subject, now) = (&request.reference, self.clock.now());
        match self.http.post(Operation::Cancel, subject, "/cancel", &body, now).await {
            Answer::Accepted(body) => {
                mapping::canceled(mapping::found(&body, &request.payment_key, self.accept_sandbox), request)
            }
            Answer::Refused { status, error } => match errors::judge(Operation::Cancel, status, &error) {
                Verdict::Declined(decline) => self.canceled_meanwhile(request, Some(decline)).await,
                Verdict::Gone | Verdict::Unclear => self.canceled_meanwhile(request, None).await,
                Verdict::Unknown => Outcome::Unknown(format!("{status} {}", error.code)),
            },
            Answer::NotSent(reason) => Outcome::NotSent(reason),
            Answer::Unclear(reason) => Outcome::Unknown(reason),
        }
    }

    /// A refusal is the last word only if the receipt is as it was before.
    async fn canceled_meanwhile(&self, request: &Cancel, refusal: Option<Decline>) -> Outcome<Cancellation> {
        match (self.payment_of(request).await, refusal) {
            (Ok(payment), refusal) => match (payment.made_by(request), refusal) {
                (Some(made), _) => Outcome::Approved(made),
                (None, Some(decline)) if payment.remaining == request.remaining_before => {
                    Outcome::Declined(decline)
                }
                (None, _) => Outcome::Unknown("refused, and the receipt does not tell why".to_owned()),
            },
            // That this look-up was not sent says nothing about the cancel, which was.
            (Err(Outcome::NotSent(reason)), _) => Outcome::Unknown(reason),
            (Err(unread), _) => unread,
        }
    }

    /// The payment, or why nothing can be said: a refused look-up is no word about the cancel.
    async fn payment_of(&self, request: &Cancel) -> Result<Approval, Outcome<Cancellation>> {
        match self.read(&request.payment_key).await {
            Answer::Accepted(body) => {
                match mapping::found(&body, &request.payment_key, self.accept_sandbox) {
                    Lookup::Approved(payment) => Ok(payment),
                    Lookup::Unknown(reason) => Err(Outcome::Unknown(reason)),
                    other => Err(Outcome::Unknown(format!("the payment to cancel is {other:?}"))),
                }
            }
            Answer::Refused { status, error } => {
                Err(Outcome::Unknown(format!("the look-up got {status} {}", error.code)))
            }
            Answer::NotSent(reason) => Err(Outcome::NotSent(reason)),
            Answer::Unclear(reason) => Err(Outcome::Unknown(reason)),
        }
    }
}
