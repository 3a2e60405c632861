//! Billing keys: fetching the one that the window made, and deleting them.

use secrecy::ExposeSecret;

use super::{
    BootpayGateway, Operation,
    errors::{self, Verdict},
    http::Answer,
    mapping, wire,
};
use crate::{BillingKeySecret, IssueBillingKey, IssuedBillingKey, Outcome, http::path};

impl BootpayGateway {
    /// The browser brings the receipt of the window; the key is read with it, as often as wanted.
    pub(super) async fn issue(&self, request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
        let receipt_id = request.auth_key.expose_secret();
        let path = path(&["subscribe", "billing_key", receipt_id]);
        let Some(path) = path.filter(|_| mapping::is_receipt_id(receipt_id)) else {
            return Outcome::Declined(errors::useless_key("INVALID_RECEIPT_ID"));
        };
        let now = self.clock.now();
        match self.http.get(Operation::Issue, &request.idempotency_key, &path, now).await {
            Answer::Accepted(body) => issued(&body, request),
            other => refused(Operation::Issue, other),
        }
    }

    pub(super) async fn delete(&self, billing_key: &BillingKeySecret) -> Outcome<()> {
        let Some(path) = path(&["subscribe", "billing_key", billing_key.expose_secret()]) else {
            return Outcome::Declined(errors::refused_here("INVALID_BILLING_KEY"));
        };
        match self.http.delete(&path, self.clock.now()).await {
            Answer::Accepted(body) => match serde_json::from_slice::<wire::DeletedKey>(&body) {
                Ok(deleted) if deleted.billing_key == billing_key.expose_secret() => Outcome::Approved(()),
                _ => Outcome::Unknown("the deletion was answered with something else".to_owned()),
            },
            Answer::Refused { status, error }
                if errors::judge(Operation::Delete, status, &error) == Verdict::Gone =>
            {
                Outcome::Approved(())
            }
            other => refused(Operation::Delete, other),
        }
    }
}

pub(super) fn issued(body: &[u8], request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
    // Not the text of the error: it may quote a part of the key.
    let Ok(key) = serde_json::from_slice::<wire::BillingKey>(body) else {
        return Outcome::Unknown("the billing key is not readable".to_owned());
    };
    if key.receipt_id.is_some_and(|receipt_id| receipt_id != request.auth_key.expose_secret()) {
        tracing::error!("bootpay answered about another receipt");
        return Outcome::Unknown("bootpay answered about another receipt".to_owned());
    }
    match key.status {
        // One page says that it is 1.
        11 | 1 if !key.billing_key.is_empty() => {}
        -11 => return Outcome::Declined(errors::useless_key("BILLING_KEY_REVOKED")),
        other => return Outcome::Unknown(format!("the billing key has the status {other}")),
    }
    // The window has to be opened with the customer key as its `subscription_id`: nothing else binds a
    // receipt that the browser brings to the payer who brings it.
    if key.subscription_id.is_some_and(|id| id != request.customer_key) {
        tracing::error!("a payer brought a billing key that is not theirs");
        return Outcome::Declined(errors::refused_here("CUSTOMER_MISMATCH"));
    }
    let card = key.billing_data.map(mapping::card).unwrap_or_default();
    Outcome::Approved(IssuedBillingKey { billing_key: BillingKeySecret::from(key.billing_key), card })
}

fn refused<T>(operation: Operation, answer: Answer) -> Outcome<T> {
    match answer {
        Answer::Refused { status, error } => match errors::judge(operation, status, &error) {
            Verdict::Declined(decline) => Outcome::Declined(decline),
            Verdict::Gone | Verdict::Unclear | Verdict::Unknown => {
                Outcome::Unknown(format!("{status} {}", error.code))
            }
        },
        Answer::NotSent(reason) => Outcome::NotSent(reason),
        Answer::Unclear(reason) => Outcome::Unknown(reason),
        Answer::Accepted(_) => Outcome::Unknown("accepted, and not understood".to_owned()),
    }
}
