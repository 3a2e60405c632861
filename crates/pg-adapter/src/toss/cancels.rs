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

        let before = self.payment(&request.reference, &request.payment_key).await;
        let before =
            first_word(Operation::Cancel, before, |body| match mapping::same_payment(body, request) {
                Ok(payment) => Outcome::Approved(payment),
                Err(reason) => Outcome::Unknown(reason),
            });
        let before = match before {
            FirstWord::Settled(Outcome::Approved(payment)) => match mapping::our_cancel(&payment, request) {
                Some(outcome) => return outcome,
                None => payment,
            },
            FirstWord::Settled(Outcome::Declined(decline)) | FirstWord::LookUp(decline) => {
                return Outcome::Declined(decline);
            }
            FirstWord::Settled(Outcome::NotSent(reason)) => return Outcome::NotSent(reason),
            FirstWord::Settled(Outcome::Unknown(reason)) => return Outcome::Unknown(reason),
        };

        let reason = mapping::cancel_reason(&request.reason, &request.reference);
        let body = wire::CancelRequest { cancel_reason: &reason, cancel_amount: request.amount };
        let answer = self.http.post(Operation::Cancel, &request.reference, &path, &key, &body).await;
        match first_word(Operation::Cancel, answer, |body| mapping::canceled(body, request, &before)) {
            FirstWord::Settled(outcome) => outcome,
            FirstWord::LookUp(decline) => self.canceled_before(request, decline).await,
        }
    }

    async fn canceled_before(&self, request: &Cancel, decline: Decline) -> Outcome<Cancellation> {
        match self.payment(&request.reference, &request.payment_key).await {
            Answer::Accepted(body) => match mapping::same_payment(&body, request) {
                Ok(payment) => mapping::our_cancel(&payment, request).unwrap_or(Outcome::Declined(decline)),
                Err(reason) => Outcome::Unknown(reason),
            },
            Answer::Refused { status, code } => Outcome::Unknown(format!("the look-up got {status} {code}")),
            Answer::NotSent(reason) | Answer::Unclear(reason) => Outcome::Unknown(reason),
        }
    }
}
