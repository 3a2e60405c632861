//! What happens at Toss without the merchant's server: payers in the browser, cards at their issuers,
//! and whatever QA makes happen.

use kernel::Krw;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Record,
    billing_key::{AuthKey, BillingKey},
    card::Card,
    confirm::{self, Authenticated, ORDER_NAME},
    transfer::{CashReceiptType, PaidFrom, Transfer},
    webhooks::WebhookDelivery,
};
use crate::{complaint::Complaint, courier, store, world::World};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BillingAuth {
    pub(crate) customer_key: String,
    pub(crate) card_number: String,
}

/// The payer registers a card.
pub(crate) fn billing_auth(world: &World, request: BillingAuth) -> Result<String, Complaint> {
    if request.customer_key.is_empty() {
        return Err(Complaint::new("INVALID_CUSTOMER_KEY", "customerKey가 비어 있습니다."));
    }
    let auth = AuthKey::new(request.customer_key, card(&request.card_number)?, world.clock.now());
    let key = auth.key.clone();
    keep(world, vec![Record::AuthKey(auth).into()])?;
    Ok(key)
}

/// A one-off payment as the payer sees it in the widget.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentAuth {
    pub order_id: String,
    pub amount: Krw,
    pub card_number: String,
    #[serde(default)]
    pub order_name: Option<String>,
    #[serde(default)]
    pub customer_key: Option<String>,
}

/// The payer authenticates a one-off payment.
pub(crate) fn payment_auth(world: &World, request: PaymentAuth) -> Result<String, Complaint> {
    let authenticated = Authenticated {
        order_id: request.order_id,
        order_name: request.order_name.unwrap_or_else(|| ORDER_NAME.to_owned()),
        amount: request.amount,
        customer_key: request.customer_key,
        paid_from: PaidFrom::Card(card(&request.card_number)?),
    };
    keep_authenticated(world, authenticated)
}

/// A payment from an account, as the payer sees it in the widget.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TransferAuth {
    pub order_id: String,
    pub amount: Krw,
    /// The cash receipt that the payer wants, `소득공제` or `지출증빙`.
    #[serde(default)]
    pub cash_receipt: Option<CashReceiptType>,
}

/// The payer agrees to pay from an account.
pub(crate) fn transfer_auth(world: &World, request: TransferAuth) -> Result<String, Complaint> {
    let authenticated = Authenticated {
        order_id: request.order_id,
        order_name: ORDER_NAME.to_owned(),
        amount: request.amount,
        customer_key: None,
        paid_from: PaidFrom::Account(Transfer::new(request.cash_receipt)),
    };
    keep_authenticated(world, authenticated)
}

fn keep_authenticated(world: &World, authenticated: Authenticated) -> Result<String, Complaint> {
    let mut store = world.store();
    let payment = confirm::authenticate(&store.toss, authenticated, world.clock.now())
        .map_err(|refusal| Complaint::new(&refusal.code, refusal.message))?;
    let key = payment.key.clone();
    store
        .commit(vec![Record::Payment(Box::new(payment)).into()])
        .map_err(|error| Complaint::unwritten(&error))?;
    Ok(key)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CardChange {
    #[serde(default)]
    pub(crate) customer_key: Option<String>,
    #[serde(default)]
    pub(crate) billing_key: Option<String>,
    pub(crate) card_number: String,
}

/// The card behind billing keys turns good or bad. Returns how many keys it was behind.
pub(crate) fn change_card(world: &World, change: &CardChange) -> Result<usize, Complaint> {
    let card = card(&change.card_number)?;
    let mut store = world.store();
    let changed: Vec<store::Record> = store
        .toss
        .billing_keys()
        .filter(|billing| match (&change.billing_key, &change.customer_key) {
            (Some(key), _) => billing.key == *key,
            (None, Some(customer)) => billing.customer_key == *customer,
            (None, None) => false,
        })
        .map(|billing| Record::BillingKey(BillingKey { card: card.clone(), ..billing.clone() }).into())
        .collect();
    if changed.is_empty() {
        return Err(Complaint::new("NOT_FOUND_BILLING", "해당하는 빌링키가 없습니다."));
    }
    let count = changed.len();
    store.commit(changed).map_err(|error| Complaint::unwritten(&error))?;
    Ok(count)
}

/// A webhook out of the blue: arbitrary, forged, or the copy of another.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WebhookOrder {
    #[serde(default)]
    event_type: Option<String>,
    #[serde(default)]
    data: Option<Value>,
    /// Sent as it is, in place of `eventType` and `data`.
    #[serde(default)]
    body: Option<Value>,
    /// Absent: a new one.
    #[serde(default)]
    transmission_id: Option<String>,
    /// Signs the webhook as payout and seller events are.
    #[serde(default)]
    security_key: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookSent {
    #[serde(flatten)]
    delivery: WebhookDelivery,
    delivered: bool,
}

impl From<WebhookDelivery> for WebhookSent {
    fn from(delivery: WebhookDelivery) -> Self {
        Self { delivered: delivery.is_delivered(), delivery }
    }
}

/// Sends a webhook at once and tells what came of it.
pub(crate) async fn send_webhook(world: &World, order: WebhookOrder) -> Result<WebhookDelivery, Complaint> {
    let now = world.clock.now();
    let mut delivery = match (order.body, &order.event_type) {
        (Some(body), event_type) => WebhookDelivery::raw(event_type.clone(), &body, now),
        (None, Some(event_type)) => {
            WebhookDelivery::of_type(event_type, order.data.unwrap_or(Value::Null), now)
        }
        (None, None) => return Err(Complaint::new("INVALID_REQUEST", "eventType 또는 body가 필요합니다.")),
    };
    if let Some(id) = order.transmission_id {
        if world.store().toss.delivery(&id).is_some() {
            return Err(Complaint::new(
                "DUPLICATED_TRANSMISSION_ID",
                "이미 보낸 transmissionId입니다. 다시 보내려면 redeliver를 사용해주세요.",
            ));
        }
        delivery.transmission_id = id;
    }
    delivery.security_key = order.security_key;
    let id = delivery.transmission_id.clone();
    keep(world, vec![Record::Delivery(Box::new(delivery)).into()])?;
    redeliver(world, &id).await
}

/// A merchant beside the one that everything else belongs to wants its webhooks there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct MerchantUrl {
    pub(crate) merchant: String,
    pub(crate) webhook_url: String,
}

pub(crate) fn set_merchant_url(world: &World, wanted: MerchantUrl) -> Result<(), Complaint> {
    let MerchantUrl { merchant, webhook_url: url } = wanted;
    keep(world, vec![Record::MerchantUrl { merchant, url }.into()])
}

/// Makes one more attempt now, with the same transmission id. Whether retries keep it is unverified.
pub(crate) async fn redeliver(world: &World, transmission_id: &str) -> Result<WebhookDelivery, Complaint> {
    courier::deliver(world, transmission_id)
        .await
        .ok_or_else(|| Complaint::new("NOT_FOUND", "해당하는 웹훅이 없습니다."))
}

fn card(number: &str) -> Result<Card, Complaint> {
    Card::from_number(number).ok_or_else(Complaint::bad_card_number)
}

fn keep(world: &World, records: Vec<store::Record>) -> Result<(), Complaint> {
    world.store().commit(records).map_err(|error| Complaint::unwritten(&error))
}
