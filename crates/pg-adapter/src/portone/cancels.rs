//! Giving money back.

use super::{
    Operation, PortOneGateway,
    errors::{self, Verdict},
    http::Answer,
    idempotency_key, mapping, wire,
};
use crate::{Cancel, Cancellation, Decline, Outcome, http::path, reference};

impl PortOneGateway {
    /// One reference is one cancel at any later time, though PortOne forgets the idempotency key after
    /// three hours: the payment is read first and tells whether our reference is in it. What happens
    /// between that look and the cancel is caught by the guard, the amount that the look saw left.
    /// Whichever cancel comes in between changes it, and PortOne then refuses ours.
    pub(super) async fn cancel_once(&self, request: &Cancel) -> Outcome<Cancellation> {
        if !reference::is_reference(&request.reference) {
            return Outcome::Declined(errors::refused_here("INVALID_IDEMPOTENCY_KEY"));
        }
        let (Some(key), Some(path)) = (
            idempotency_key(Operation::Cancel, &request.reference),
            path(&["payments", &request.payment_key, "cancel"]),
        ) else {
            return Outcome::Declined(errors::refused_here("PAYMENT_NOT_FOUND"));
        };

        // What this answers is no word about the cancel: an earlier sending of it may have arrived.
        let before = match self.payment_of(request).await {
            Ok(payment) => payment,
            Err(unread) => return unread,
        };
        if let Some(outcome) = mapping::our_cancel(&before, request) {
            return outcome;
        }
        let Some(left) = left_to_cancel(&before) else {
            return Outcome::Unknown("more came back than was paid".to_owned());
        };

        let reason = reference::written_into(&request.reason, &request.reference);
        let body = wire::CancelRequest {
            store_id: &self.ours.store_id,
            reason: &reason,
            amount: request.amount,
            current_cancellable_amount: left,
        };
        match self.http.post(Operation::Cancel, &request.reference, &path, key, &body).await {
            Answer::Accepted(body) => mapping::canceled(&body, request),
            Answer::Refused { status, error } => match errors::judge(Operation::Cancel, status, &error) {
                Verdict::Declined(decline) | Verdict::Reached(decline) => {
                    self.canceled_before(request, Ok(decline)).await
                }
                // PGs refuse here what only an operator can solve, and time out in the same words.
                Verdict::OfPg(code) => {
                    self.canceled_before(request, Err(format!("the PG said `{code}`"))).await
                }
                Verdict::Gone | Verdict::Unknown => Outcome::Unknown(format!("{status} {}", error.r#type)),
            },
            Answer::NotSent(reason) => Outcome::NotSent(reason),
            Answer::Unclear(reason) => Outcome::Unknown(reason),
        }
    }

    /// A refusal is the last word only if our cancel is not in the payment.
    async fn canceled_before(
        &self,
        request: &Cancel,
        refusal: Result<Decline, String>,
    ) -> Outcome<Cancellation> {
        match self.payment_of(request).await {
            Ok(payment) => mapping::our_cancel(&payment, request).unwrap_or(match refusal {
                Ok(decline) => Outcome::Declined(decline),
                Err(reason) => Outcome::Unknown(reason),
            }),
            // That this look-up was not sent says nothing about the cancel, which was.
            Err(Outcome::NotSent(reason)) => Outcome::Unknown(reason),
            Err(unread) => unread,
        }
    }

    async fn payment_of(&self, request: &Cancel) -> Result<wire::Payment, Outcome<Cancellation>> {
        match self.look_up_answer(&request.payment_key).await {
            Answer::Accepted(body) => {
                mapping::payment(&body, &request.payment_key, &self.ours).map_err(Outcome::Unknown)
            }
            Answer::Refused { status, error } => {
                Err(Outcome::Unknown(format!("the look-up got {status} {}", error.r#type)))
            }
            Answer::NotSent(reason) => Err(Outcome::NotSent(reason)),
            Answer::Unclear(reason) => Err(Outcome::Unknown(reason)),
        }
    }
}

/// What PortOne should say is left. Cancels on their way count as gone; if PortOne counts them
/// otherwise it refuses, and nothing moves until they have arrived.
fn left_to_cancel(payment: &wire::Payment) -> Option<kernel::Krw> {
    let under_way = payment.cancellations.iter().flatten().filter(|cancel| cancel.status == "REQUESTED");
    under_way.fold(mapping::left(payment), |left, cancel| left?.checked_sub(cancel.total_amount))
}
