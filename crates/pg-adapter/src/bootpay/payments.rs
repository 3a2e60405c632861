//! Taking money, and asking what became of it.

use secrecy::ExposeSecret;

use super::{
    BootpayGateway, ORDER_IDS, Operation,
    errors::{self, Verdict},
    http::Answer,
    mapping, wire,
};
use crate::{Approval, Charge, Confirm, Decline, Lookup, Outcome, http::path};

impl BootpayGateway {
    pub(super) async fn charge_once(&self, request: &Charge) -> Outcome<Approval> {
        if !ORDER_IDS.allow(&request.order_id) {
            return Outcome::Declined(errors::refused_here("INVALID_ORDER_ID"));
        }
        if !request.amount.is_positive() {
            return Outcome::Declined(errors::refused_here("INVALID_AMOUNT"));
        }
        let body = wire::ChargeRequest {
            billing_key: request.billing_key.expose_secret(),
            order_name: &request.order_name,
            order_id: &request.order_id,
            price: request.amount,
            user: wire::User { id: &request.customer_key },
        };
        let answer = self
            .http
            .post(Operation::Charge, &request.order_id, "/subscribe/payment", &body, self.clock.now())
            .await;
        match self.first_word(Operation::Charge, &request.order_id, answer) {
            Ok(outcome) => outcome,
            Err(refusal) => mapping::after_refusal(self.look_up_order(&request.order_id).await, refusal),
        }
    }

    /// A confirm names neither order nor amount, and the receipt comes from the payer's browser: it is
    /// read and compared first. A receipt is paid once, so that one which is paid already is the answer.
    pub(super) async fn confirm_once(&self, request: &Confirm) -> Outcome<Approval> {
        if !mapping::is_receipt_id(&request.payment_key) {
            return Outcome::Declined(errors::refused_here("INVALID_RECEIPT_ID"));
        }
        let authenticated = match self.read(&request.payment_key).await {
            Answer::Accepted(body) => body,
            Answer::NotSent(reason) => return Outcome::NotSent(reason),
            Answer::Unclear(reason) => return Outcome::Unknown(reason),
            Answer::Refused { status, error } => {
                return Outcome::Unknown(format!("the look-up got {status} {}", error.code));
            }
        };
        match serde_json::from_slice::<wire::Receipt>(&authenticated) {
            Ok(receipt) if receipt.receipt_id != request.payment_key => {
                return Outcome::Unknown("bootpay answered about another receipt".to_owned());
            }
            Ok(receipt) if receipt.order_id != request.order_id => {
                return Outcome::Declined(errors::refused_here("RECEIPT_OF_ANOTHER_ORDER"));
            }
            Ok(receipt) if receipt.price != request.amount => {
                return Outcome::Declined(errors::refused_here("PRICE_MISMATCH"));
            }
            Ok(receipt) if receipt.sandbox == Some(true) && !self.accept_sandbox => {
                return Outcome::Declined(errors::refused_here("SANDBOX_PAYMENT"));
            }
            Ok(_) => {}
            Err(error) => return Outcome::Unknown(format!("the receipt is not readable: {error}")),
        }
        match mapping::found(&authenticated, &request.payment_key, self.accept_sandbox) {
            Lookup::InProgress => self.confirm_receipt(request).await,
            settled => mapping::after_acceptance(settled),
        }
    }

    async fn confirm_receipt(&self, request: &Confirm) -> Outcome<Approval> {
        let body = wire::ConfirmRequest { receipt_id: &request.payment_key };
        let (subject, now) = (&request.order_id, self.clock.now());
        let answer = self.http.post(Operation::Confirm, subject, "/confirm", &body, now).await;
        match self.first_word(Operation::Confirm, &request.order_id, answer) {
            Ok(outcome) => outcome,
            Err(refusal) => match (self.look_up(&request.payment_key).await, refusal) {
                // Nothing is taken from a payment that waits for a confirm and does not get one.
                (Lookup::InProgress, Some(decline)) => Outcome::Declined(decline),
                (lookup, refusal) => mapping::after_refusal(lookup, refusal),
            },
        }
    }

    /// `Err` is a refusal after which the payment is to be asked, and what it said no with.
    fn first_word(
        &self,
        operation: Operation,
        order_id: &str,
        answer: Answer,
    ) -> Result<Outcome<Approval>, Option<Decline>> {
        match answer {
            Answer::Accepted(body) => {
                Ok(mapping::after_acceptance(mapping::taken(&body, order_id, self.accept_sandbox)))
            }
            Answer::Refused { status, error } => match errors::judge(operation, status, &error) {
                Verdict::Declined(decline) => Err(Some(decline)),
                Verdict::Gone | Verdict::Unclear => Err(None),
                Verdict::Unknown => Ok(Outcome::Unknown(format!("{status} {}", error.code))),
            },
            Answer::NotSent(reason) => Ok(Outcome::NotSent(reason)),
            Answer::Unclear(reason) => Ok(Outcome::Unknown(reason)),
        }
    }

    pub(super) async fn look_up(&self, receipt_id: &str) -> Lookup {
        match self.read(receipt_id).await {
            Answer::Accepted(body) => mapping::found(&body, receipt_id, self.accept_sandbox),
            other => not_seen(other),
        }
    }

    pub(super) async fn look_up_order(&self, order_id: &str) -> Lookup {
        let Some(path) = path(&["lookup", "order", order_id]).filter(|_| ORDER_IDS.allow(order_id)) else {
            return Lookup::Unknown("not an order id".to_owned());
        };
        match self.http.get(Operation::LookUp, order_id, &path, self.clock.now()).await {
            Answer::Accepted(body) => mapping::found_by_order(&body, order_id, self.accept_sandbox),
            other => not_seen(other),
        }
    }

    pub(super) async fn read(&self, receipt_id: &str) -> Answer {
        match path(&["receipt", receipt_id]).filter(|_| mapping::is_receipt_id(receipt_id)) {
            Some(path) => self.http.get(Operation::LookUp, receipt_id, &path, self.clock.now()).await,
            None => Answer::Unclear("not a receipt id".to_owned()),
        }
    }
}

fn not_seen(answer: Answer) -> Lookup {
    match answer {
        Answer::Refused { status, .. } if errors::is_not_found(status) => Lookup::NotFound,
        Answer::Refused { status, error } => Lookup::Unknown(format!("{status} {}", error.code)),
        Answer::NotSent(reason) | Answer::Unclear(reason) => Lookup::Unknown(reason),
        Answer::Accepted(_) => Lookup::Unknown("accepted, and not understood".to_owned()),
    }
}
