//! Billing keys: the window makes them, the server fetches them by the receipt of the window.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    call::{Answer, Call, Change, Decision},
    card::Card,
    errors::Refusal,
    receipt::{new_id, time},
    state::{Record, State},
    switches::BootpaySwitches,
};
use crate::card::CardNumber;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BillingKey {
    /// The receipt that the browser brings.
    pub(crate) receipt_id: String,
    pub(crate) key: String,
    pub(crate) subscription_id: String,
    pub(crate) card: Card,
    pub(crate) published_at: DateTime<Utc>,
    pub(crate) is_deleted: bool,
}

impl BillingKey {
    fn answer(&self, switches: BootpaySwitches) -> Answer {
        let (status, locale) = match (self.is_deleted, switches.keys_with_status_1) {
            (true, _) => (-11, "빌링키 해지"),
            (false, true) => (1, "완료"),
            (false, false) => (11, "빌링키 발급완료"),
        };
        Answer::ok(json!({
            "billing_key": self.key, "billing_data": self.card.behind_key(), "receipt_id": self.receipt_id,
            "subscription_id": (!self.subscription_id.is_empty()).then_some(&self.subscription_id), "metadata": {}, "pg": "나이스페이", "method": "카드자동",
            "method_symbol": "card_rebill", "published_at": time(self.published_at),
            "requested_at": time(self.published_at), "billing_expire_at": "2099-12-31T23:59:59+09:00",
            "status": status, "status_locale": locale,
        }))
    }
}

pub(super) fn of_receipt(state: &State, call: &Call<'_>, receipt_id: &str) -> Decision {
    if let Some(number) = CardNumber::in_key(receipt_id, "test_auth_") {
        return Ok(shortcut(receipt_id, &number, call));
    }
    let key = state.key_of_receipt(receipt_id).ok_or_else(Refusal::no_receipt)?;
    Ok(Change::answer(key.answer(call.switches)))
}

/// `test_auth_4300000000000001` as a receipt: of whichever customer brings it, and a new key each time.
///
/// Bootpay has nothing of the kind. It is there for examples in documentation, which have to work as
/// they are, as often as somebody presses the button.
fn shortcut(receipt_id: &str, number: &CardNumber, call: &Call<'_>) -> Change {
    let key = BillingKey {
        receipt_id: receipt_id.to_owned(),
        key: new_id(),
        subscription_id: String::new(),
        card: Card::from_number(number),
        published_at: call.now,
        is_deleted: false,
    };
    let answer = key.answer(call.switches);
    Change { records: vec![Record::BillingKey(key).into()], ..Change::answer(answer) }
}

pub(super) fn by_key(state: &State, call: &Call<'_>, key: &str) -> Decision {
    let key = state.billing_key(key).ok_or_else(Refusal::no_billing_key)?;
    Ok(Change::answer(key.answer(call.switches)))
}

/// Reservations that wait for the key are not cancelled by it; they are not played.
pub(super) fn delete(state: &State, key: &str) -> Decision {
    let key = state.billing_key(key).ok_or_else(Refusal::no_billing_key)?;
    if key.is_deleted {
        return Err(Refusal::deleted_billing_key());
    }
    let answer = Answer::ok(json!({"billing_key": key.key}));
    let deleted = BillingKey { is_deleted: true, ..key.clone() };
    Ok(Change { records: vec![Record::BillingKey(deleted).into()], ..Change::answer(answer) })
}
