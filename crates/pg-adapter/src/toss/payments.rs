//! Taking money, and asking what became of it.

use secrecy::ExposeSecret;

use super::{
    FirstWord, Operation, TossGateway, errors, first_word,
    http::{Answer, path},
    idempotency_key, mapping, wire,
};
use crate::{Approval, Charge, Confirm, Decline, Lookup, Outcome, PaymentGateway};

impl TossGateway {
    pub(super) async fn charge_once(&self, request: &Charge) -> Outcome<Approval> {
        let key = match idempotency_key(&request.order_id) {
            Ok(key) => key,
            Err(decline) => return Outcome::Declined(decline),
        };
        let Some(path) = path(&["billing", request.billing_key.expose_secret()]) else {
            return Outcome::Declined(errors::refused_here("INVALID_BILL_KEY_REQUEST"));
        };
        let body = wire::ChargeRequest {
            customer_key: &request.customer_key,
            amount: request.amount,
            order_id: &request.order_id,
            order_name: &request.order_name,
        };
        let answer = self.http.post(Operation::Charge, &request.order_id, &path, &key, &body).await;
        let read = |body: &[u8]| mapping::settled(mapping::found(body, &request.order_id));
        match first_word(Operation::Charge, answer, read) {
            FirstWord::Settled(outcome) => outcome,
            FirstWord::LookUp(_) => mapping::settled(self.find_by_order(&request.order_id).await),
        }
    }

    pub(super) async fn confirm_once(&self, request: &Confirm) -> Outcome<Approval> {
        let key = match idempotency_key(&request.order_id) {
            Ok(key) => key,
            Err(decline) => return Outcome::Declined(decline),
        };
        let body = wire::ConfirmRequest {
            payment_key: &request.payment_key,
            order_id: &request.order_id,
            amount: request.amount,
        };
        let answer =
            self.http.post(Operation::Confirm, &request.order_id, "/v1/payments/confirm", &key, &body).await;
        let read = |body: &[u8]| mapping::settled(mapping::found(body, &request.order_id));
        match first_word(Operation::Confirm, answer, read) {
            FirstWord::Settled(outcome) => outcome,
            FirstWord::LookUp(decline) if decline.code == "DUPLICATED_ORDER_ID" => {
                mapping::settled(self.find_by_order(&request.order_id).await)
            }
            FirstWord::LookUp(decline) => self.confirmed_before(request, decline).await,
        }
    }

    /// A payment that is processed already is ours only if it was made for our order: its key comes
    /// from the payer's browser and may be that of another order, long paid.
    async fn confirmed_before(&self, request: &Confirm, decline: Decline) -> Outcome<Approval> {
        match self.payment(&request.order_id, &request.payment_key).await {
            Answer::Accepted(body) => match mapping::payment(&body) {
                Ok(payment) if payment.order_id != request.order_id => Outcome::Declined(decline),
                _ => mapping::settled(mapping::found(&body, &request.order_id)),
            },
            Answer::Refused { status, code } => Outcome::Unknown(format!("the look-up got {status} {code}")),
            Answer::NotSent(reason) | Answer::Unclear(reason) => Outcome::Unknown(reason),
        }
    }

    pub(super) async fn payment(&self, subject: &str, payment_key: &str) -> Answer {
        match path(&["payments", payment_key]) {
            Some(path) => self.http.get(subject, &path).await,
            None => Answer::Unclear("not a payment key".to_owned()),
        }
    }

    pub(super) async fn look_up(&self, order_id: &str) -> Lookup {
        let Some(path) = path(&["payments", "orders", order_id]) else {
            return Lookup::Unknown("not an order id".to_owned());
        };
        looked_up(self.http.get(order_id, &path).await, |body| mapping::found(body, order_id))
    }

    pub(super) async fn look_up_by_key(&self, payment_key: &str) -> Lookup {
        looked_up(self.payment("", payment_key).await, |body| mapping::found_by_key(body, payment_key))
    }
}

fn looked_up(answer: Answer, accepted: impl FnOnce(&[u8]) -> Lookup) -> Lookup {
    match answer {
        Answer::Accepted(body) => accepted(&body),
        // The code says so, not the 404: a wrong URL answers 404 as well. `NOT_FOUND`, listed for these
        // paths but never seen, could be either, and only the measured code is believed.
        Answer::Refused { code, .. } if code == "NOT_FOUND_PAYMENT" => Lookup::NotFound,
        Answer::Refused { status, code } => Lookup::Unknown(format!("{status} {code}")),
        Answer::NotSent(reason) | Answer::Unclear(reason) => Lookup::Unknown(reason),
    }
}
