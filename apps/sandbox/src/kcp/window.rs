//! What the payer did in the payment window, and what the window handed over for it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use kernel::Krw;
use serde::{Deserialize, Serialize};

use super::{answer::Fields, card::Card, codes::Refusal, state::State, switches::UsedWindowData};
use crate::{card::CardNumber, random};

/// Invented: for how long an authentication is good. The code for one too old, 8310, is KCP's.
const VALIDITY: TimeDelta = TimeDelta::minutes(60);

/// What the payer authenticated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// A card for a batch key.
    BatchKey,
    Payment {
        order_no: String,
        amount: Krw,
        good_name: String,
    },
}

/// An authentication, which is not yet a payment whatever the window's `0000` looks like.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WindowAuth {
    pub(super) enc_data: String,
    pub(super) enc_info: String,
    pub(super) purpose: Purpose,
    pub(super) card: Card,
    /// Where the window was opened for a named site or group, the server has to be of the same.
    pub(super) site_cd: Option<String>,
    pub(super) group_id: Option<String>,
    /// KCP knows no customers. Kept so that their cards can be changed, as at the other providers.
    pub(super) customer_key: Option<String>,
    pub(super) at: DateTime<Utc>,
    pub(super) used: bool,
}

impl WindowAuth {
    pub(super) fn new(purpose: Purpose, card: Card, now: DateTime<Utc>) -> Self {
        Self {
            // Base64 in earnest: its `+`, `/` and `=` are what careless form code breaks.
            enc_data: STANDARD.encode(random::bytes::<94>()),
            enc_info: STANDARD.encode(random::bytes::<64>()),
            purpose,
            card,
            site_cd: None,
            group_id: None,
            customer_key: None,
            at: now,
            used: false,
        }
    }

    pub(super) fn tran_cd(&self) -> &'static str {
        match self.purpose {
            Purpose::BatchKey => "00300001",
            Purpose::Payment { .. } => "00100000",
        }
    }

    /// What the window fills into the shop's form, or posts to `Ret_URL`.
    pub(super) fn fields(&self, order_no: &str) -> Vec<(&'static str, String)> {
        vec![
            ("res_cd", "0000".to_owned()),
            ("res_msg", "정상처리".to_owned()),
            ("tran_cd", self.tran_cd().to_owned()),
            ("enc_data", self.enc_data.clone()),
            ("enc_info", self.enc_info.clone()),
            ("ordr_idxx", order_no.to_owned()),
            ("card_mask_no", self.card.window_mask.clone()),
        ]
    }
}

/// The authentication that a request to the `enc` path carries.
pub(super) fn presented(
    state: &State,
    fields: &Fields,
    used_data: UsedWindowData,
    now: DateTime<Utc>,
) -> Result<WindowAuth, Refusal> {
    if let Some(made_up) = shortcut(fields, now)? {
        return Ok(made_up);
    }
    // Invented: which code data gets that no window handed over.
    let auth = state.window(fields.get("enc_data")).ok_or_else(|| Refusal::new("8005"))?;
    if fields.get("enc_info") != auth.enc_info || fields.get("tran_cd") != auth.tran_cd() {
        return Err(Refusal::new("8005"));
    }
    // KCP's rule: the site of the window and that of the approval are the same. The code is invented.
    if auth.site_cd.as_deref().is_some_and(|site| site != fields.get("site_cd")) {
        return Err(Refusal::new("8001"));
    }
    if auth.used {
        return Err(Refusal::new(match used_data {
            UsedWindowData::Duplicate => "8094",
            UsedWindowData::Invalid => "8343",
        }));
    }
    if auth.at + VALIDITY <= now {
        return Err(Refusal::new("8310"));
    }
    Ok(auth.clone())
}

/// `test_auth_4300000000000001` and `test_pay_4300000000000001` as `enc_data`.
///
/// KCP has nothing of the kind. They are there for examples in documentation, which have to work as
/// they are, as often as somebody presses the button: each request gets an authentication of its own.
fn shortcut(fields: &Fields, now: DateTime<Utc>) -> Result<Option<WindowAuth>, Refusal> {
    let enc_data = fields.get("enc_data");
    let card = |prefix: &str| CardNumber::in_key(enc_data, prefix).map(|number| Card::new(&number));
    if let Some(card) = card("test_auth_") {
        return Ok(Some(WindowAuth::new(Purpose::BatchKey, card, now)));
    }
    let Some(card) = card("test_pay_") else { return Ok(None) };
    let order = Purpose::Payment {
        order_no: fields.get("ordr_no").to_owned(),
        amount: fields.won("ordr_mony")?,
        good_name: String::new(),
    };
    Ok(Some(WindowAuth::new(order, card, now)))
}
