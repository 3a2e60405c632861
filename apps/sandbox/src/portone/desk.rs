//! What happens at PortOne without the merchant's server: payers in the browser, cards at their
//! issuers, cancels on their way.

use kernel::Krw;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Record,
    billing_key::{BillingKey, IssueToken},
    call::{Booked, book_line, positive},
    cancel,
    card::Card,
    channel::Channel,
    confirm::{self, Agreed, ORDER_NAME},
    customer::Customer,
    errors::Refusal,
    payment::{CancelState, Payment, PaymentState},
    webhooks::{self, Delivery},
};
use crate::{complaint::Complaint, courier, store, world::World};

/// A payer registers a card in the window.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BillingAuth {
    /// The `customer.id` that the window was opened with.
    #[serde(default)]
    pub customer_key: Option<String>,
    pub card_number: String,
    #[serde(default)]
    pub channel_key: Option<String>,
    /// Absent: as the switch says.
    #[serde(default)]
    pub manual_confirmation: Option<bool>,
}

/// A payer pays in the window.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaymentAuth {
    /// The `paymentId` that the window was opened with.
    pub order_id: String,
    pub amount: Krw,
    pub card_number: String,
    #[serde(default)]
    pub order_name: Option<String>,
    #[serde(default)]
    pub customer_key: Option<String>,
    #[serde(default)]
    pub channel_key: Option<String>,
    /// Absent: as the switch says.
    #[serde(default)]
    pub manual_confirmation: Option<bool>,
}

/// What `requestIssueBillingKey` returns to the page.
pub(crate) fn billing_auth(world: &World, request: BillingAuth) -> Result<Value, Complaint> {
    let channel = channel(request.channel_key.as_deref())?;
    let (customer, card) = (Customer::with_id(request.customer_key), card(&request.card_number)?);
    let (now, switches) = (world.clock.now(), world.portone.switches());
    if request.manual_confirmation.unwrap_or(switches.manual_confirmation) {
        let token = format!("billing-issue-token-{}", Uuid::new_v4());
        let answer = json!({
            "transactionType": "ISSUE_BILLING_KEY",
            "billingKey": "NEEDS_CONFIRMATION",
            "billingIssueToken": token,
        });
        let pending = IssueToken { token, channel, customer, card, used: false };
        keep(world, vec![Record::IssueToken(pending).into()], Vec::new())?;
        return Ok(answer);
    }
    let billing = BillingKey::issued(channel, customer, card, now);
    let answer = json!({"transactionType": "ISSUE_BILLING_KEY", "billingKey": billing.key});
    let news = webhooks::about_key("BillingKey.Issued", &billing.key, switches, now);
    keep(world, vec![Record::BillingKey(Box::new(billing)).into()], news)?;
    Ok(answer)
}

/// What `requestPayment` returns to the page. A `code` in it means that the payment failed.
pub(crate) fn payment_auth(world: &World, request: PaymentAuth) -> Result<Value, Complaint> {
    let (now, switches) = (world.clock.now(), world.portone.switches());
    let agreed = Agreed {
        payment_id: request.order_id,
        order_name: request.order_name.unwrap_or_else(|| ORDER_NAME.to_owned()),
        total: positive(request.amount.get(), "amount").map_err(refused)?,
        channel: channel(request.channel_key.as_deref())?,
        customer: Customer::with_id(request.customer_key),
        card: card(&request.card_number)?,
    };
    let mut store = world.store();
    let registered = store.portone.pre_registered(&agreed.payment_id).and_then(|registered| registered.total);
    if registered.is_some_and(|total| total != agreed.total) {
        return Err(Complaint::new("AmountNotEqualToPredefined", "사전 등록된 금액과 다릅니다."));
    }
    let payment = confirm::agree(&store.portone, agreed, now).map_err(refused)?;
    let mut news = webhooks::about_payment("Transaction.Ready", &payment, None, switches, now);
    let mut answer = json!({
        "transactionType": "PAYMENT",
        "paymentId": payment.id,
        "txId": payment.transaction_id,
    });
    let mut records = Vec::new();
    if request.manual_confirmation.unwrap_or(switches.manual_confirmation) {
        if let PaymentState::Waiting { token } = &payment.state {
            answer["paymentToken"] = json!(token);
        }
        records.push(payment.into());
    } else {
        let (payment, line, event) = paid_at_once(payment, &mut answer, now);
        news.extend(webhooks::about_payment(event, &payment, None, switches, now));
        records.extend([payment.into(), line]);
    }
    let kept = courier::commit(&mut store, records, news, switches.webhook_timing);
    drop(store);
    let news = kept.map_err(|error| Complaint::unwritten(&error))?;
    courier::schedule(world, &news);
    Ok(answer)
}

/// Without manual confirmation the PG is asked before the window closes.
fn paid_at_once(
    payment: Payment,
    answer: &mut Value,
    now: chrono::DateTime<chrono::Utc>,
) -> (Payment, store::Record, &'static str) {
    match payment.card.refusal(payment.channel.pg()) {
        None => {
            let state = PaymentState::Paid { at: now, pg_tx_id: super::charge::new_pg_tx_id() };
            let payment = Payment { state, ..payment };
            let line = book_line(&payment, &Booked::Approved, now, None);
            (payment, line, "Transaction.Paid")
        }
        Some(word) => {
            answer["code"] = json!("PGProviderError");
            answer["message"] = json!(word.message);
            answer["pgCode"] = json!(word.code);
            answer["pgMessage"] = json!(word.message);
            let line = book_line(&payment, &Booked::Declined { code: &word.code }, now, None);
            let state = PaymentState::Failed { at: now, code: word.code, message: word.message };
            (Payment { state, ..payment }, line, "Transaction.Failed")
        }
    }
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
        .portone
        .billing_keys()
        .filter(|billing| match (&change.billing_key, &change.customer_key) {
            (Some(key), _) => billing.key == *key,
            (None, Some(customer)) => billing.customer.id.as_ref() == Some(customer),
            (None, None) => false,
        })
        .map(|billing| {
            Record::BillingKey(Box::new(BillingKey { card: card.clone(), ..billing.clone() })).into()
        })
        .collect();
    if changed.is_empty() {
        return Err(Complaint::new("NOT_FOUND_BILLING_KEY", "해당하는 빌링키가 없습니다."));
    }
    let count = changed.len();
    store.commit(changed).map_err(|error| Complaint::unwritten(&error))?;
    Ok(count)
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Settlement {
    Succeeded,
    Failed,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SettleCancels {
    pub(crate) payment_id: String,
    pub(crate) status: Settlement,
}

/// Cancels on their way arrive, or fail; no event tells of the latter. Returns how many there were.
pub(crate) fn settle_cancels(world: &World, request: &SettleCancels) -> Result<usize, Complaint> {
    let (now, switches) = (world.clock.now(), world.portone.switches());
    let mut store = world.store();
    let mut payment = store
        .portone
        .payment(&request.payment_id)
        .cloned()
        .ok_or_else(|| Complaint::new("NOT_FOUND_PAYMENT", "해당하는 결제가 없습니다."))?;
    let under_way = payment.cancels.iter().filter(|cancel| cancel.state == CancelState::Requested);
    let under_way: Vec<String> = under_way.map(|cancel| cancel.id.clone()).collect();
    let (mut records, mut news) = (Vec::new(), Vec::new());
    match request.status {
        Settlement::Succeeded => {
            for id in &under_way {
                let (lines, told) = cancel::succeed(&mut payment, id, now, switches);
                records.extend(lines);
                news.extend(told);
            }
        }
        Settlement::Failed => {
            for cancel in payment.cancels.iter_mut().filter(|cancel| under_way.contains(&cancel.id)) {
                cancel.state = CancelState::Failed;
            }
        }
    }
    records.insert(0, payment.into());
    let kept = courier::commit(&mut store, records, news, switches.webhook_timing);
    drop(store);
    let news = kept.map_err(|error| Complaint::unwritten(&error))?;
    courier::schedule(world, &news);
    Ok(under_way.len())
}

fn channel(key: Option<&str>) -> Result<Channel, Complaint> {
    match key {
        None => Ok(Channel::TossLive),
        Some(key) => Channel::with_key(key)
            .ok_or_else(|| Complaint::new("NOT_FOUND_CHANNEL", "해당하는 채널이 없습니다.")),
    }
}

fn card(number: &str) -> Result<Card, Complaint> {
    Card::from_number(number).ok_or_else(Complaint::bad_card_number)
}

/// The browser's words are not the server's.
fn refused(refusal: Refusal) -> Complaint {
    let code = if refusal.kind == "ALREADY_PAID" { "PaymentAlreadyPaid" } else { &refusal.kind };
    Complaint::new(code, refusal.message)
}

fn keep(world: &World, records: Vec<store::Record>, news: Vec<Delivery>) -> Result<(), Complaint> {
    let kept = courier::commit(&mut world.store(), records, news, world.portone.switches().webhook_timing);
    let news = kept.map_err(|error| Complaint::unwritten(&error))?;
    courier::schedule(world, &news);
    Ok(())
}
