//! What happens at Bootpay without the merchant's server: payers in the window, cards at their
//! issuers, and whatever webhook QA makes up.

use kernel::Krw;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    billing_key::BillingKey,
    call::positive,
    card::Card,
    notices::BootpayNotice,
    receipt::{Payment, PaymentState, new_id},
    state::Record,
};
use crate::{card::CardNumber, complaint::Complaint, courier, store, world::World};

/// A payer registers a card in the window.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BootpayBillingAuth {
    /// The `subscription_id` that the window was opened with.
    pub customer_key: String,
    pub card_number: String,
}

/// A payer authenticates a one-off payment in the window, with `separately_confirmed`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BootpayPaymentAuth {
    pub order_id: String,
    pub amount: Krw,
    pub card_number: String,
    #[serde(default)]
    pub order_name: Option<String>,
}

/// Returns the `receipt_id` of the `done` event.
pub(crate) fn billing_auth(world: &World, request: BootpayBillingAuth) -> Result<String, Complaint> {
    let key = BillingKey {
        receipt_id: new_id(),
        key: new_id(),
        subscription_id: request.customer_key,
        card: card(&request.card_number)?,
        published_at: world.clock.now(),
        is_deleted: false,
    };
    let receipt_id = key.receipt_id.clone();
    keep(world, vec![Record::BillingKey(key).into()])?;
    Ok(receipt_id)
}

/// Returns the `receipt_id` of the `confirm` event. Nothing is paid by that.
pub(crate) fn payment_auth(world: &World, request: BootpayPaymentAuth) -> Result<String, Complaint> {
    let price = positive(request.amount.get(), "price");
    let payment = Payment {
        receipt_id: new_id(),
        order_id: request.order_id,
        order_name: request.order_name.unwrap_or_else(|| "테스트 주문".to_owned()),
        price: price.map_err(|refusal| Complaint::new(refusal.code, refusal.message))?,
        card: card(&request.card_number)?,
        method: "card".to_owned(),
        metadata: Value::Null,
        feedback_url: None,
        requested_at: world.clock.now(),
        state: PaymentState::Waiting,
        cancels: Vec::new(),
        cash_receipt: None,
    };
    let receipt_id = payment.receipt_id.clone();
    keep(world, vec![payment.into()])?;
    Ok(receipt_id)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CardChange {
    #[serde(default)]
    pub(crate) billing_key: Option<String>,
    #[serde(default)]
    pub(crate) customer_key: Option<String>,
    pub(crate) card_number: String,
}

/// The card behind billing keys turns good or bad. Returns how many keys it was behind.
pub(crate) fn change_card(world: &World, change: &CardChange) -> Result<usize, Complaint> {
    let card = card(&change.card_number)?;
    let mut store = world.store();
    let is_meant = |key: &&BillingKey| match (&change.billing_key, &change.customer_key) {
        (Some(billing_key), _) => key.key == *billing_key,
        (None, Some(customer)) => key.subscription_id == *customer,
        (None, None) => false,
    };
    let keys = store.bootpay.billing_keys().filter(is_meant);
    let changed: Vec<store::Record> =
        keys.map(|key| Record::BillingKey(BillingKey { card: card.clone(), ..key.clone() }).into()).collect();
    if changed.is_empty() {
        return Err(Complaint::new("NOT_FOUND_BILLING_KEY", "해당하는 빌링키가 없습니다."));
    }
    let count = changed.len();
    store.commit(changed).map_err(|error| Complaint::unwritten(&error))?;
    Ok(count)
}

/// A webhook out of the blue: anybody can send one, since none is signed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoticeOrder {
    body: Value,
}

#[derive(Serialize)]
pub(crate) struct NoticeSent {
    #[serde(flatten)]
    notice: BootpayNotice,
    delivered: bool,
}

impl From<BootpayNotice> for NoticeSent {
    fn from(notice: BootpayNotice) -> Self {
        Self { delivered: notice.is_delivered(), notice }
    }
}

/// Sends a webhook at once and tells what came of it.
pub(crate) async fn send_notice(world: &World, order: NoticeOrder) -> Result<BootpayNotice, Complaint> {
    let notice = BootpayNotice::new(&order.body, world.bootpay.switches(), world.clock.now());
    let id = notice.id.clone();
    keep(world, vec![Record::Notice(Box::new(notice)).into()])?;
    redeliver(world, &id).await
}

/// Makes one more attempt now.
pub(crate) async fn redeliver(world: &World, id: &str) -> Result<BootpayNotice, Complaint> {
    courier::deliver(world, id).await.ok_or_else(|| Complaint::new("NOT_FOUND", "해당하는 웹훅이 없습니다."))
}

fn card(number: &str) -> Result<Card, Complaint> {
    let number = CardNumber::parse(number).ok_or_else(Complaint::bad_card_number)?;
    Ok(Card::from_number(&number))
}

fn keep(world: &World, records: Vec<store::Record>) -> Result<(), Complaint> {
    world.store().commit(records).map_err(|error| Complaint::unwritten(&error))
}
