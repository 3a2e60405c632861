//! Billing keys: issued in the browser, and for channels with manual confirmation by the server.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    MERCHANT_ID, STORE_ID, body,
    call::{Answer, Call, Change, Decision, check_store},
    card::Card,
    channel::Channel,
    customer::Customer,
    errors::Refusal,
    shortcut,
    state::{Record, State},
    switches::PortOneSwitches,
    webhooks,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BillingKey {
    pub(crate) key: String,
    pub(crate) channel: Channel,
    pub(crate) customer: Customer,
    pub(crate) card: Card,
    pub(crate) issued_at: DateTime<Utc>,
    pub(crate) deleted_at: Option<DateTime<Utc>>,
}

/// What the browser hands over in place of a key where the server has to confirm.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct IssueToken {
    pub(crate) token: String,
    pub(crate) channel: Channel,
    pub(crate) customer: Customer,
    pub(crate) card: Card,
    pub(crate) used: bool,
}

impl BillingKey {
    pub(crate) fn issued(channel: Channel, customer: Customer, card: Card, now: DateTime<Utc>) -> Self {
        let key = format!("billing-key-{}", Uuid::new_v4());
        Self { key, channel, customer, card, issued_at: now, deleted_at: None }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfirmRequest {
    billing_issue_token: String,
    store_id: Option<String>,
    is_test: Option<bool>,
    #[serde(default)]
    skip_webhook: bool,
}

/// POST /billing-keys/confirm
pub(crate) fn confirm(state: &State, call: &Call<'_>) -> Decision {
    let request: ConfirmRequest = call.json()?;
    check_store(request.store_id.as_deref())?;
    let token = state
        .issue_token(&request.billing_issue_token)
        .ok_or_else(|| Refusal::new("BILLING_KEY_NOT_FOUND"))?;
    if token.used {
        return Err(Refusal::new("BILLING_KEY_ALREADY_ISSUED"));
    }
    if request.is_test.is_some_and(|is_test| is_test != token.channel.is_test()) {
        return Err(Refusal::new("INFORMATION_MISMATCH"));
    }
    let billing = BillingKey::issued(token.channel, token.customer.clone(), token.card.clone(), call.now);
    let answer = Answer::ok(&json!({"billingKey": billing.key}));
    let news = if request.skip_webhook {
        Vec::new()
    } else {
        webhooks::about_key("BillingKey.Issued", &billing.key, call.switches, call.now)
    };
    let records = vec![
        Record::IssueToken(IssueToken { used: true, ..token.clone() }).into(),
        Record::BillingKey(Box::new(billing)).into(),
    ];
    Ok(Change { answer, records, news })
}

/// GET /billing-keys/{billingKey}
pub(crate) fn look_up(state: &State, call: &Call<'_>, key: &str) -> Decision {
    check_store(call.parameter("storeId").as_deref())?;
    let billing = find(state, call, key)?;
    Ok(Change::answer(Answer::ok(&info(&billing, call.switches))))
}

/// DELETE /billing-keys/{billingKey}
pub(crate) fn delete(state: &State, call: &Call<'_>, key: &str) -> Decision {
    check_store(call.parameter("storeId").as_deref())?;
    if call.parameter("requester").is_some_and(|who| !matches!(who.as_str(), "CUSTOMER" | "ADMIN")) {
        return Err(Refusal::invalid_request("requester는 CUSTOMER 또는 ADMIN이어야 합니다."));
    }
    let billing = find(state, call, key)?;
    if billing.deleted_at.is_some() {
        return Err(Refusal::new("BILLING_KEY_ALREADY_DELETED"));
    }
    let answer = Answer::ok(&json!({"deletedAt": body::time(call.now)}));
    let news = if call.parameter("skipWebhook").as_deref() == Some("true") {
        Vec::new()
    } else {
        webhooks::about_key("BillingKey.Deleted", &billing.key, call.switches, call.now)
    };
    // A key that only names a card is everybody's: it is there again for the next example.
    if state.billing_key(key).is_none() {
        return Ok(Change { answer, records: Vec::new(), news });
    }
    let deleted = BillingKey { deleted_at: Some(call.now), ..billing };
    Ok(Change { answer, records: vec![Record::BillingKey(Box::new(deleted)).into()], news })
}

/// The key as it is kept, or one that only names a test card.
pub(crate) fn find(state: &State, call: &Call<'_>, key: &str) -> Result<BillingKey, Refusal> {
    state
        .billing_key(key)
        .cloned()
        .or_else(|| shortcut::billing_key(key, call.now))
        .ok_or_else(|| Refusal::new("BILLING_KEY_NOT_FOUND"))
}

fn info(billing: &BillingKey, switches: PortOneSwitches) -> Value {
    let brand = if switches.unknown_enum_values { "SANDBOX_NEW_BRAND" } else { "LOCAL" };
    let mut info = json!({
        "status": if billing.deleted_at.is_some() { "DELETED" } else { "ISSUED" },
        "billingKey": billing.key,
        "merchantId": MERCHANT_ID,
        "storeId": STORE_ID,
        "channels": [billing.channel.body()],
        "customer": billing.customer,
        "issuedAt": body::time(billing.issued_at),
    });
    if let Some(at) = billing.deleted_at {
        info["deletedAt"] = json!(body::time(at));
    }
    // The type is the name of a schema, not a word in capitals.
    info["methods"] = json!([{"type": "BillingKeyPaymentMethodCard", "card": billing.card.body(brand)}]);
    if !switches.sparse {
        info["requestedAt"] = json!(body::time(billing.issued_at));
    }
    body::surprise(&mut info, switches);
    info
}
