//! Billing keys: from the auth key that the browser brings to the key that is charged.

use base64::{Engine as _, engine::general_purpose::URL_SAFE};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    answer::{Answer, AnswerBody},
    call::{Call, Change, Decision},
    card::Card,
    errors::Refusal,
    shortcut,
    state::{Record, State},
    switches::RepeatedDelete,
    time,
    webhooks::Delivery,
};
use crate::random;

/// What the browser SDK hands to the success URL. Good for one exchange.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AuthKey {
    pub(crate) key: String,
    pub(crate) customer_key: String,
    pub(crate) card: Card,
    pub(crate) authenticated_at: DateTime<Utc>,
    pub(crate) used: bool,
}

impl AuthKey {
    pub(crate) fn new(customer_key: String, card: Card, now: DateTime<Utc>) -> Self {
        let key = format!("bln_{}", random::letters(32));
        Self { key, customer_key, card, authenticated_at: now, used: false }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BillingKey {
    pub(crate) key: String,
    /// Whose it is.
    pub(crate) merchant: String,
    pub(crate) customer_key: String,
    pub(crate) card: Card,
    pub(crate) authenticated_at: DateTime<Utc>,
    pub(crate) deleted_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IssueRequest {
    auth_key: String,
    customer_key: String,
}

/// POST /v1/billing/authorizations/issue
pub(crate) fn issue(state: &State, call: &Call<'_>) -> Decision {
    let request: IssueRequest = call.json()?;
    if request.auth_key.is_empty()
        || request.auth_key.chars().count() > 300
        || request.customer_key.is_empty()
    {
        return Err(Refusal::invalid_request("authKey와 customerKey를 확인해주세요."));
    }
    // Measured: the server hardly validates customer keys, and fails over one that is too long.
    if request.customer_key.chars().count() > 300 {
        return Err(Refusal::new("FAILED_DB_PROCESSING"));
    }
    let shortcut = shortcut::auth_key(call, &request.auth_key, &request.customer_key);
    // Unverified: that a consumed auth key is answered like one that never was.
    let auth = shortcut
        .as_ref()
        .or_else(|| state.auth_key(&request.auth_key))
        .filter(|auth| !auth.used)
        .ok_or_else(|| Refusal::new("NOT_FOUND_BILLING"))?;
    if auth.customer_key != request.customer_key {
        return Err(Refusal::new("NOT_MATCHES_CUSTOMER_KEY"));
    }
    let billing = BillingKey {
        // As seen in a merchant's log: 44 characters, URL-safe Base64 with a trailing `=`.
        key: URL_SAFE.encode(random::bytes::<32>()),
        merchant: call.merchant.to_owned(),
        customer_key: auth.customer_key.clone(),
        card: auth.card.clone(),
        authenticated_at: call.now,
        deleted_at: None,
    };
    let answer = Answer::json(&billing_body(&billing, call));
    let records = vec![
        Record::AuthKey(AuthKey { used: true, ..auth.clone() }).into(),
        Record::BillingKey(billing).into(),
    ];
    Ok(Change { records, ..Change::answer(answer) })
}

fn billing_body(billing: &BillingKey, call: &Call<'_>) -> serde_json::Value {
    let mut body = json!({
        "mId": billing.merchant,
        "customerKey": billing.customer_key,
        "authenticatedAt": time::with_offset(billing.authenticated_at),
        "method": "카드",
        "billingKey": billing.key,
        "card": {
            "issuerCode": billing.card.issuer,
            "acquirerCode": billing.card.issuer,
            "number": billing.card.masked,
            "cardType": "신용",
            "ownerType": "개인",
        },
        "transfers": null,
        "easyPay": null,
    });
    if call.switches.unknown_fields {
        body["sandboxUnknownField"] = json!({"nested": [1, 2, 3]});
    }
    body
}

/// DELETE /v1/billing/{billingKey}
pub(crate) fn delete(state: &State, call: &Call<'_>, key: &str) -> Decision {
    let gone = Change::answer(Answer::ok(AnswerBody::Empty));
    // Unverified: which of the three listed codes an invented key gets.
    let billing = state
        .billing_key(key)
        .filter(|billing| billing.merchant == call.merchant)
        .ok_or_else(|| Refusal::new("NOT_FOUND_BILLING"))?;
    if billing.deleted_at.is_some() {
        return match call.switches.repeated_delete {
            RepeatedDelete::Ok => Ok(gone),
            RepeatedDelete::AlreadyRemoved => Err(Refusal::new("ALREADY_REMOVED_BILLING_KEY")),
            RepeatedDelete::NotFound => Err(Refusal::new("BILLING_KEY_NOT_FOUND")),
        };
    }
    let deleted = BillingKey { deleted_at: Some(call.now), ..billing.clone() };
    // The documented sample tells this reason for a deletion through the API.
    let data = json!({"billingKey": deleted.key, "reason": "삭제 API 요청"});
    let news = vec![Delivery::event("BILLING_DELETED", &data, call.now)];
    Ok(Change { records: vec![Record::BillingKey(deleted).into()], news, ..gone })
}
