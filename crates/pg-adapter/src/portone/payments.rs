//! Taking money, and asking what became of it.

use aws_lc_rs::digest;
use chrono::{NaiveDate, TimeDelta};
use kernel::{korean_day, start_of_korean_day};
use secrecy::ExposeSecret;

use super::{
    Operation, PortOneGateway,
    errors::{self, Verdict},
    http::Answer,
    idempotency_key,
    mapping::{self, Refusal},
    wire,
};
use crate::{Approval, Charge, Confirm, ListFailed, Lookup, Outcome, TransactionPage, http::path};

impl PortOneGateway {
    pub(super) async fn charge_once(&self, request: &Charge) -> Outcome<Approval> {
        if !super::ORDER_IDS.allow(&request.order_id) {
            return Outcome::Declined(errors::refused_here("INVALID_PAYMENT_ID"));
        }
        let (Some(key), Some(path)) = (
            idempotency_key(Operation::Charge, &request.order_id),
            path(&["payments", &request.order_id, "billing-key"]),
        ) else {
            return Outcome::Declined(errors::refused_here("INVALID_PAYMENT_ID"));
        };
        let body = wire::ChargeRequest {
            store_id: &self.ours.store_id,
            billing_key: request.billing_key.expose_secret(),
            order_name: &request.order_name,
            customer: wire::CustomerInput { id: &request.customer_key },
            amount: wire::AmountInput { total: request.amount },
            currency: "KRW",
        };
        let answer = self.http.post(Operation::Charge, &request.order_id, &path, key, &body).await;
        self.concluded(Operation::Charge, &request.order_id, answer).await
    }

    /// A payment is paid in the window already, or waits for us with a token.
    ///
    /// The browser brings the token, or the payment's id where there is none. It is never asked about
    /// anything but our own order: the id of another payment, long paid, leads nowhere.
    pub(super) async fn confirm_once(&self, request: &Confirm) -> Outcome<Approval> {
        let mut token_hash = hex::encode(digest::digest(&digest::SHA256, request.payment_key.as_bytes()));
        token_hash.truncate(16);
        // Another token is another attempt of the payer, and must not get the answer of the first.
        let key = idempotency_key(Operation::Confirm, &format!("{}-{token_hash}", request.order_id));
        let path = path(&["payments", &request.order_id, "confirm"]);
        let (true, Some(key), Some(path)) = (super::ORDER_IDS.allow(&request.order_id), key, path) else {
            return Outcome::Declined(errors::refused_here("INVALID_PAYMENT_ID"));
        };
        match self.look_up_answer(&request.order_id).await {
            Answer::NotSent(reason) => return Outcome::NotSent(reason),
            answer => match self.found(&request.order_id, answer) {
                Lookup::Approved(approval) => return Outcome::Approved(approval),
                Lookup::Failed(decline) => return Outcome::Declined(decline),
                Lookup::Unknown(reason) => return Outcome::Unknown(reason),
                Lookup::AwaitingDeposit(_) => {
                    return Outcome::Unknown("the payer has yet to pay into the account".to_owned());
                }
                Lookup::InProgress | Lookup::NotFound => {}
            },
        }
        let body = wire::ConfirmRequest {
            store_id: &self.ours.store_id,
            payment_token: &request.payment_key,
            total_amount: request.amount,
            currency: "KRW",
            is_test: self.live_only(),
        };
        let answer = self.http.post(Operation::Confirm, &request.order_id, &path, key, &body).await;
        self.concluded(Operation::Confirm, &request.order_id, answer).await
    }

    /// Neither a yes nor a no of PortOne stands alone: a yes carries no amount, and a no may be about
    /// this sending of a charge that went through before. The payment is read after both.
    async fn concluded(&self, operation: Operation, order_id: &str, answer: Answer) -> Outcome<Approval> {
        match answer {
            Answer::Accepted(_) => mapping::after_acceptance(self.look_up(order_id).await),
            Answer::Refused { status, error } => {
                let refusal = match errors::judge(operation, status, &error) {
                    Verdict::Declined(decline) => Refusal::No(decline),
                    Verdict::Reached(_) => Refusal::Reached(format!("{status} {}", error.r#type)),
                    Verdict::OfPg(code) => Refusal::Unclear(format!("the PG said `{code}`")),
                    Verdict::Gone | Verdict::Unknown => {
                        return Outcome::Unknown(format!("{status} {}", error.r#type));
                    }
                };
                match (self.look_up(order_id).await, refusal) {
                    // Nothing is taken from a payment that waits for a confirm and does not get one.
                    (Lookup::InProgress, Refusal::No(decline)) if operation == Operation::Confirm => {
                        Outcome::Declined(decline)
                    }
                    (lookup, refusal) => mapping::after_refusal(lookup, refusal),
                }
            }
            Answer::NotSent(reason) => Outcome::NotSent(reason),
            Answer::Unclear(reason) => Outcome::Unknown(reason),
        }
    }

    /// By the id that we gave it, which is PortOne's id of it as well.
    pub(super) async fn look_up(&self, payment_id: &str) -> Lookup {
        let answer = self.look_up_answer(payment_id).await;
        self.found(payment_id, answer)
    }

    fn found(&self, payment_id: &str, answer: Answer) -> Lookup {
        match answer {
            Answer::Accepted(body) => mapping::found(&body, payment_id, &self.ours),
            // The type says so, not the 404: a wrong URL answers 404 as well.
            Answer::Refused { error, .. } if error.r#type == "PAYMENT_NOT_FOUND" => Lookup::NotFound,
            Answer::Refused { status, error } => Lookup::Unknown(format!("{status} {}", error.r#type)),
            Answer::NotSent(reason) | Answer::Unclear(reason) => Lookup::Unknown(reason),
        }
    }

    pub(super) async fn look_up_answer(&self, payment_id: &str) -> Answer {
        match path(&["payments", payment_id]) {
            Some(path) => self.http.get(Operation::LookUp, payment_id, &path).await,
            None => Answer::Unclear("not a payment id".to_owned()),
        }
    }

    /// Movements by the time at which they happened, so that a late cancel is on its own day. Not
    /// stated whether the end counts in, so what is not of the day is left out here.
    pub(super) async fn list(
        &self,
        day: NaiveDate,
        after: Option<&str>,
    ) -> Result<TransactionPage, ListFailed> {
        let from = start_of_korean_day(day);
        let parameters = wire::EventsRequest {
            store_id: &self.ours.store_id,
            from,
            until: from + TimeDelta::days(1),
            size: self.events_per_page,
            cursor: after,
        };
        let page = match self.http.list("/payment-events-by-cursor", &parameters).await {
            Answer::Accepted(body) => mapping::transactions(&body, self.events_per_page),
            Answer::Refused { status, error } => Err(format!("{status} {}", error.r#type)),
            Answer::NotSent(reason) | Answer::Unclear(reason) => Err(reason),
        };
        let mut page = page.map_err(ListFailed)?;
        page.transactions.retain(|transaction| korean_day(transaction.at) == day);
        Ok(page)
    }
}
