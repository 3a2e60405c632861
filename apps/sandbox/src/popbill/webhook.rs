//! A webhook about a document, sent when somebody asks for one. By itself the sandbox sends none: when
//! Popbill does, and how often it repeats one, is not documented well enough to be played.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::desk::{self, IssuedInvoice};
use crate::{complaint::Complaint, random, world::World};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WebhookOrder {
    mgt_key: String,
    corp_num: Option<String>,
    pub(crate) url: String,
    /// `Issue`, `CancelIssue`, `CLOSEDOWN`, `NTS` or `OPEN`; absent is `NTS`.
    event_type: Option<String>,
    /// Absent: a new message. The same id again: a repeat of it.
    message_id: Option<String>,
    api_key: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WebhookSent {
    message_id: String,
    /// The receiver's status; null if it did not answer.
    status: Option<u16>,
}

pub(crate) async fn send(world: &World, order: WebhookOrder) -> Result<WebhookSent, Complaint> {
    let invoice = desk::look(world, &order.mgt_key, order.corp_num.as_deref())?;
    let message_id = order.message_id.unwrap_or_else(random::hex_id);
    let mut request = world
        .popbill
        .courier
        .client
        .post(&order.url)
        .header("Pb-Webhook-Type", "TAXINVOICE.STATE")
        .header("Pb-Webhook-MID", &message_id)
        .header("Pb-Webhook-Corpnum", &invoice.corp_num)
        .header("Pb-Webhook-EventType", order.event_type.as_deref().unwrap_or("NTS"))
        .json(&body(&invoice));
    if let Some(key) = &order.api_key {
        request = request.header("X-Api-Key", key);
    }
    let status = request.send().await.ok().map(|response| response.status().as_u16());
    Ok(WebhookSent { message_id, status })
}

/// The fields that the reference names. Whether our own document id is among "and others" it does not
/// say, so it is not here.
fn body(invoice: &IssuedInvoice) -> serde_json::Value {
    let digits = |at: Option<kernel::KoreanTime>| at.map(|at| super::read::digits(at.0));
    json!({
        "corpNum": invoice.corp_num,
        "itemKey": invoice.item_key,
        "ntsConfirmNum": invoice.nts_confirm_num,
        "stateCode": invoice.state_code,
        "ntssendDT": digits(invoice.sent_at),
        "ntsresultDT": digits(invoice.answered_at),
        "ntssendErrCode": invoice.nts_code,
    })
}
