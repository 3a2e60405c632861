//! Billing keys: from what the browser brought to a key that may be charged, and deleting them.

use secrecy::{ExposeSecret, SecretString};

use super::{
    Operation, PortOneGateway,
    errors::{self, Verdict},
    http::Answer,
    idempotency_key,
    mapping::{self, Ours, TEST_CHANNEL},
    wire,
};
use crate::{BillingKeySecret, Decline, IssueBillingKey, IssuedBillingKey, Outcome, http::path};

impl PortOneGateway {
    /// The browser brings the key itself, or a token where the channel has manual confirmation. Both
    /// come from the payer's page, so the key is read and compared before it is believed.
    pub(super) async fn issue(&self, request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
        let brought = request.auth_key.expose_secret();
        if brought.starts_with("billing-key-") {
            return self.verify_key(request, request.auth_key.clone()).await;
        }
        match self.confirm_key(request).await {
            Outcome::Approved(billing_key) => self.verify_key(request, billing_key).await,
            Outcome::Declined(decline) => Outcome::Declined(decline),
            Outcome::NotSent(reason) => Outcome::NotSent(reason),
            Outcome::Unknown(reason) => Outcome::Unknown(reason),
        }
    }

    async fn confirm_key(&self, request: &IssueBillingKey) -> Outcome<BillingKeySecret> {
        let Some(key) = idempotency_key(Operation::Issue, &request.idempotency_key) else {
            return Outcome::Declined(errors::refused_here("INVALID_IDEMPOTENCY_KEY"));
        };
        let body = wire::ConfirmKeyRequest {
            store_id: &self.ours.store_id,
            billing_issue_token: request.auth_key.expose_secret(),
            is_test: self.live_only(),
        };
        let subject = &request.idempotency_key;
        match self.http.post(Operation::Issue, subject, "/billing-keys/confirm", key, &body).await {
            // Not the text of the error: it may quote a part of the key.
            Answer::Accepted(body) => match serde_json::from_slice::<wire::ConfirmedKey>(&body) {
                Ok(confirmed) if !confirmed.billing_key.is_empty() => {
                    Outcome::Approved(SecretString::from(confirmed.billing_key))
                }
                _ => Outcome::Unknown("the billing key is not readable".to_owned()),
            },
            other => refused(Operation::Issue, other),
        }
    }

    async fn verify_key(
        &self,
        request: &IssueBillingKey,
        billing_key: BillingKeySecret,
    ) -> Outcome<IssuedBillingKey> {
        let Some(path) = path(&["billing-keys", billing_key.expose_secret()]) else {
            return Outcome::Declined(errors::useless_key("BILLING_KEY_NOT_FOUND"));
        };
        match self.http.get(Operation::Issue, &request.idempotency_key, &path).await {
            Answer::Accepted(body) => verified(&body, request, billing_key, &self.ours),
            // The confirm before it, if there was one, was sent.
            Answer::NotSent(reason) if !request.auth_key.expose_secret().starts_with("billing-key-") => {
                Outcome::Unknown(reason)
            }
            other => refused(Operation::Issue, other),
        }
    }

    pub(super) async fn delete(&self, billing_key: &BillingKeySecret) -> Outcome<()> {
        let Some(path) = path(&["billing-keys", billing_key.expose_secret()]) else {
            return Outcome::Declined(errors::refused_here("BILLING_KEY_NOT_FOUND"));
        };
        match self.http.delete(&path).await {
            Answer::Accepted(body) if is_json(&body) => Outcome::Approved(()),
            Answer::Accepted(_) => {
                Outcome::Unknown("the deletion was answered with something else".to_owned())
            }
            Answer::Refused { status, error }
                if errors::judge(Operation::Delete, status, &error) == Verdict::Gone =>
            {
                Outcome::Approved(())
            }
            other => refused(Operation::Delete, other),
        }
    }
}

/// Whether the key is there, ours, and of the payer who brings it.
pub(super) fn verified(
    body: &[u8],
    request: &IssueBillingKey,
    billing_key: BillingKeySecret,
    ours: &Ours,
) -> Outcome<IssuedBillingKey> {
    let Ok(info) = serde_json::from_slice::<wire::BillingKeyInfo>(body) else {
        return Outcome::Unknown("the billing key is not readable".to_owned());
    };
    if info.billing_key != billing_key.expose_secret() {
        tracing::error!("portone answered about another billing key");
        return Outcome::Unknown("portone answered about another billing key".to_owned());
    }
    match info.status.as_str() {
        "ISSUED" => {}
        "DELETED" => return Outcome::Declined(errors::useless_key("BILLING_KEY_ALREADY_DELETED")),
        other => return Outcome::Unknown(format!("the billing key has the unknown status `{other}`")),
    }
    if let Err(decline) = is_ours(&info, request, ours) {
        tracing::error!(code = decline.code, "a payer brought a billing key that is not theirs or not ours");
        return Outcome::Declined(decline);
    }
    let card = info.methods.unwrap_or_default().into_iter().find_map(mapping::instrument);
    Outcome::Approved(IssuedBillingKey { billing_key, card: card.unwrap_or_default() })
}

fn is_ours(info: &wire::BillingKeyInfo, request: &IssueBillingKey, ours: &Ours) -> Result<(), Decline> {
    if info.store_id.as_ref().is_some_and(|store| *store != ours.store_id) {
        return Err(errors::refused_here("STORE_MISMATCH"));
    }
    // Absent where the window was opened without one.
    let customer = info.customer.as_ref().and_then(|customer| customer.id.as_ref());
    if customer.is_some_and(|id| *id != request.customer_key) {
        return Err(errors::refused_here("CUSTOMER_MISMATCH"));
    }
    if ours.accept_test_channels {
        return Ok(());
    }
    if info.channels.is_empty() || info.channels.iter().any(|channel| channel.r#type != "LIVE") {
        return Err(errors::refused_here(TEST_CHANNEL));
    }
    let mut keys = info.channels.iter().filter_map(|channel| channel.key.as_ref()).peekable();
    if keys.peek().is_some() && !keys.any(|key| *key == ours.channel_key) {
        return Err(errors::refused_here("CHANNEL_MISMATCH"));
    }
    Ok(())
}

fn refused<T>(operation: Operation, answer: Answer) -> Outcome<T> {
    match answer {
        Answer::Refused { status, error } => match errors::judge(operation, status, &error) {
            Verdict::Declined(decline) => Outcome::Declined(decline),
            Verdict::Reached(_) | Verdict::OfPg(_) | Verdict::Gone | Verdict::Unknown => {
                Outcome::Unknown(format!("{status} {}", error.r#type))
            }
        },
        Answer::NotSent(reason) => Outcome::NotSent(reason),
        Answer::Unclear(reason) => Outcome::Unknown(reason),
        Answer::Accepted(_) => Outcome::Unknown("accepted, and not understood".to_owned()),
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}
