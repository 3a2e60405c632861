//! Batch keys: a card that may be charged again and again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    answer::{Answering as _, success},
    call::{Call, Change, Decision},
    card::Card,
    codes::Refusal,
    state::Record,
    switches::{DeletedKeyAnswer, UnknownKeyAnswer},
    window::{self, Purpose, WindowAuth},
};
use crate::random;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct BatchKey {
    /// Sixteen digits.
    pub(super) key: String,
    pub(super) site_cd: String,
    /// The group that the window was opened with, where it is known.
    pub(super) group_id: Option<String>,
    pub(super) customer_key: Option<String>,
    pub(super) card: Card,
    pub(super) issued_at: DateTime<Utc>,
    pub(super) deleted_at: Option<DateTime<Utc>>,
}

/// `/gw/enc/v1/payment` with the data of a batch key window. No money moves, so there is no `tno`.
pub(super) fn issue(call: &Call<'_>) -> Decision {
    if let Some(code) = call.decline() {
        return Err(Refusal::new(&code));
    }
    let auth = window::presented(call.state(), call.fields, call.switches.used_window_data, call.now)?;
    if auth.purpose != Purpose::BatchKey {
        return Err(Refusal::new("8024"));
    }
    let key = BatchKey {
        key: random::digits(16),
        site_cd: call.site_cd().to_owned(),
        group_id: auth.group_id.clone(),
        customer_key: auth.customer_key.clone(),
        card: auth.card.clone(),
        issued_at: call.now,
        deleted_at: None,
    };
    let issuer = key.card.issuer();
    let mut answer = success();
    answer
        .put("batch_key", &key.key)
        .put("card_cd", issuer.code)
        .put("card_name", issuer.name)
        .put("card_bank_cd", issuer.bank_code)
        .put("card_bin_type_01", "0")
        .put("card_bin_type_02", "0")
        .put("van_tx_id", "")
        .put("join_cd", "");
    let used = WindowAuth { used: true, ..auth };
    let records = vec![Record::Window(Box::new(used)).into(), Record::BatchKey(key).into()];
    Ok(Change { records, ..Change::answer(answer) })
}

/// `/gw/hub/v1/payment` with `tx_type=10005010`.
pub(super) fn delete(call: &Call<'_>) -> Decision {
    if let Some(code) = call.decline() {
        return Err(Refusal::new(&code));
    }
    if call.fields.get("pay_method") != "BATCH" {
        return Err(Refusal::new("8024"));
    }
    match usable(call, "batch_key", "group_id") {
        Some(key) => {
            let deleted = BatchKey { deleted_at: Some(call.now), ..key.clone() };
            let records = vec![Record::BatchKey(deleted).into()];
            Ok(Change { records, ..Change::answer(success()) })
        }
        None => match call.switches.deleted_key {
            DeletedKeyAnswer::NotFound => Err(Refusal::new("8132")),
            DeletedKeyAnswer::Unlisted => Err(Refusal::new("S099")),
            DeletedKeyAnswer::Ok => Ok(Change::answer(success())),
        },
    }
}

/// The key that a request names, if it may be used by this site and group.
pub(super) fn usable<'a>(call: &Call<'a>, key_field: &str, group_field: &str) -> Option<&'a BatchKey> {
    let group = call.fields.get(group_field);
    call.store.kcp.batch_key(call.fields.get(key_field)).filter(|key| {
        key.deleted_at.is_none()
            && key.site_cd == call.site_cd()
            && !group.is_empty()
            && key.group_id.as_deref().is_none_or(|owner| owner == group)
    })
}

pub(super) fn unknown_key(call: &Call<'_>) -> Refusal {
    Refusal::new(match call.switches.unknown_key {
        UnknownKeyAnswer::Format => "8108",
        UnknownKeyAnswer::WrongCardNumber => "CC14",
    })
}
