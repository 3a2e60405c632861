//! Billing keys: issuing and deleting them.

use secrecy::ExposeSecret;

use super::{
    FirstWord, Operation, TossGateway,
    errors::{self, Verdict},
    first_word,
    http::{Answer, path},
    idempotency_key, mapping, wire,
};
use crate::{BillingKeySecret, IssueBillingKey, IssuedBillingKey, Outcome};

impl TossGateway {
    pub(super) async fn issue(&self, request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
        let key = match idempotency_key(&request.idempotency_key) {
            Ok(key) => key,
            Err(decline) => return Outcome::Declined(decline),
        };
        let body = wire::IssueRequest {
            auth_key: request.auth_key.expose_secret(),
            customer_key: &request.customer_key,
        };
        let answer = self
            .http
            .post(Operation::Issue, &request.idempotency_key, "/v1/billing/authorizations/issue", &key, &body)
            .await;
        match first_word(Operation::Issue, answer, |body| mapping::issued(body, request)) {
            FirstWord::Settled(outcome) => outcome,
            FirstWord::LookUp(decline) => Outcome::Declined(decline),
        }
    }

    pub(super) async fn delete(&self, billing_key: &BillingKeySecret) -> Outcome<()> {
        let Some(path) = path(&["billing", billing_key.expose_secret()]) else {
            return Outcome::Declined(errors::refused_here("INVALID_BILL_KEY_REQUEST"));
        };
        match self.http.delete(&path).await {
            Answer::Refused { status, code }
                if errors::judge(Operation::Delete, status, &code) == Verdict::Gone =>
            {
                Outcome::Approved(())
            }
            answer => match first_word(Operation::Delete, answer, mapping::deleted) {
                FirstWord::Settled(outcome) => outcome,
                FirstWord::LookUp(decline) => Outcome::Declined(decline),
            },
        }
    }
}
