//! Giving money back.

use super::{
    FirstWord, Operation, TossGateway, errors, first_word,
    http::{Answer, path},
    idempotency_key, mapping, wire,
};
use crate::{Cancel, Cancellation, Decline, Outcome};

impl TossGateway {
    pub(super) async fn cancel_once(&self, request: &Cancel) -> Outcome<Cancellation> {
        if !mapping::is_reference(&request.reference) {
            return Outcome::Declined(errors::refused_here("INVALID_IDEMPOTENCY_KEY"));
        }
        let (Ok(key), Some(path)) =
            (idempotency_key(&request.reference), path(&["payments", &request.payment_key, "cancel"]))
        else {
            return Outcome::Declined(errors::refused_here("NOT_FOUND_PAYMENT"));
        };

        // What this answers is no word about the cancel: an earlier sending of it may have arrived.
        let before = match self.payment_of(request).await {
            Ok(payment) => payment,
            Err(unread) => return unread,
        };
        if let Some(outcome) = mapping::our_cancel(&before, request) {
            return outcome;
        }

        let reason = mapping::cancel_reason(&request.reason, &request.reference);
        let body = wire::CancelRequest { cancel_reason: &reason, cancel_amount: request.amount };
        let answer = self.http.post(Operation::Cancel, &request.reference, &path, &key, &body).await;
        match first_word(Operation::Cancel, answer, |body| mapping::canceled(body, request, &before)) {
            FirstWord::Settled(outcome) => outcome,
            FirstWord::LookUp(decline) => self.canceled_before(request, decline).await,
        }
    }

    async fn canceled_before(&self, request: &Cancel, decline: Decline) -> Outcome<Cancellation> {
        match self.payment_of(request).await {
            Ok(payment) => mapping::our_cancel(&payment, request).unwrap_or(Outcome::Declined(decline)),
            // That this look-up was not sent says nothing about the cancel, which was.
            Err(Outcome::NotSent(reason)) => Outcome::Unknown(reason),
            Err(unread) => unread,
        }
    }

    async fn payment_of(&self, request: &Cancel) -> Result<wire::Payment, Outcome<Cancellation>> {
        match self.payment(&request.reference, &request.payment_key).await {
            Answer::Accepted(body) => mapping::same_payment(&body, request).map_err(Outcome::Unknown),
            Answer::Refused { status, code } => {
                Err(Outcome::Unknown(format!("the look-up got {status} {code}")))
            }
            Answer::NotSent(reason) => Err(Outcome::NotSent(reason)),
            Answer::Unclear(reason) => Err(Outcome::Unknown(reason)),
        }
    }
}
