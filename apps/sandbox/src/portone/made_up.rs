//! Webhooks that QA makes up, and those that are to come once more.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Record,
    webhooks::{self, Delivery, PortOneDelivery},
};
use crate::{complaint::Complaint, courier, world::World};

/// A webhook out of the blue: arbitrary, or the copy of another. All are signed; a forger would not
/// have the secret, and can send without the sandbox.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WebhookOrder {
    #[serde(rename = "type", default)]
    event_type: Option<String>,
    #[serde(default)]
    data: Option<Value>,
    /// Sent as it is, in place of `type` and `data`.
    #[serde(default)]
    body: Option<Value>,
    /// Absent: a new one.
    #[serde(default)]
    webhook_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookSent {
    #[serde(flatten)]
    delivery: PortOneDelivery,
    delivered: bool,
}

impl From<PortOneDelivery> for WebhookSent {
    fn from(delivery: PortOneDelivery) -> Self {
        Self { delivered: delivery.is_delivered(), delivery }
    }
}

/// Sends a webhook at once and tells what came of it.
pub(crate) async fn send_webhook(world: &World, order: WebhookOrder) -> Result<PortOneDelivery, Complaint> {
    let now = world.clock.now();
    let body = match (order.body, &order.event_type) {
        (Some(body), _) => body,
        (None, Some(event_type)) => webhooks::event(event_type, &order.data.unwrap_or(json!({})), now),
        (None, None) => return Err(Complaint::new("INVALID_REQUEST", "type 또는 body가 필요합니다.")),
    };
    let mut delivery = Delivery::new(order.event_type, &body, now);
    if let Some(id) = order.webhook_id {
        if world.store().portone.delivery(&id).is_some() {
            return Err(Complaint::new(
                "DUPLICATED_WEBHOOK_ID",
                "이미 보낸 webhookId입니다. 다시 보내려면 redeliver를 사용해주세요.",
            ));
        }
        delivery.webhook_id = id;
    }
    let id = delivery.webhook_id.clone();
    let kept = world.store().commit(vec![Record::Delivery(Box::new(delivery)).into()]);
    kept.map_err(|error| Complaint::unwritten(&error))?;
    redeliver(world, &id).await
}

/// Makes one more attempt now, with the same id, a new timestamp and a new signature.
pub(crate) async fn redeliver(world: &World, webhook_id: &str) -> Result<PortOneDelivery, Complaint> {
    courier::deliver(world, webhook_id)
        .await
        .ok_or_else(|| Complaint::new("NOT_FOUND", "해당하는 웹훅이 없습니다."))
}
