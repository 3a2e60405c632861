//! What happens at KCP without the merchant's server: payers in the window, cards at their issuers,
//! and whatever QA makes happen.

use std::collections::BTreeMap;

use kernel::Krw;
use serde::{Deserialize, Serialize};

use super::{
    batch_key::BatchKey,
    card::Card,
    charge,
    notices::{self, KcpNotice},
    state::Record,
    window::{Purpose, WindowAuth},
};
use crate::{card::CardNumber, complaint::Complaint, courier, random, store, world::World};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BillingAuth {
    #[serde(default)]
    pub(crate) customer_key: Option<String>,
    pub(crate) card_number: String,
    /// The site and the group that the window was opened with; absent means any.
    #[serde(default)]
    pub(crate) site_cd: Option<String>,
    #[serde(default)]
    pub(crate) group_id: Option<String>,
}

/// What the window handed over: as one opaque form, and field by field.
#[derive(Serialize)]
pub(crate) struct HandedOver {
    /// `tran_cd=..&enc_data=..&enc_info=..&ordr_idxx=..&card_mask_no=..`
    pub(crate) form: String,
    pub(crate) fields: BTreeMap<&'static str, String>,
}

impl HandedOver {
    fn by(auth: &WindowAuth, order_no: &str) -> Self {
        let fields = auth.fields(order_no);
        let form = fields.iter().filter(|(name, _)| !name.starts_with("res_"));
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        Self { form, fields: fields.into_iter().collect() }
    }
}

/// The payer registers a card in the window.
pub(crate) fn billing_auth(world: &World, request: BillingAuth) -> Result<HandedOver, Complaint> {
    let auth = authenticate(world, Purpose::BatchKey, &request.card_number, |auth| {
        auth.site_cd = request.site_cd;
        auth.group_id = request.group_id;
        auth.customer_key = request.customer_key;
    })?;
    // The window wants an order number even where nothing is paid.
    Ok(HandedOver::by(&auth, &format!("auth{}", random::digits(12))))
}

/// A one-off payment as the payer sees it in the window.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KcpPaymentAuth {
    pub order_id: String,
    pub amount: Krw,
    pub card_number: String,
    #[serde(default)]
    pub order_name: Option<String>,
}

/// The payer authenticates a one-off payment. Nothing is paid by that.
pub(crate) fn payment_auth(world: &World, request: KcpPaymentAuth) -> Result<HandedOver, Complaint> {
    charge::check_order_no(&request.order_id)
        .and_then(|()| charge::check_amount(request.amount))
        .map_err(|refusal| Complaint::new(&refusal.code, refusal.message))?;
    let purpose = Purpose::Payment {
        order_no: request.order_id.clone(),
        amount: request.amount,
        good_name: request.order_name.unwrap_or_else(|| "테스트 주문".to_owned()),
    };
    let auth = authenticate(world, purpose, &request.card_number, |_| ())?;
    Ok(HandedOver::by(&auth, &request.order_id))
}

pub(super) fn authenticate(
    world: &World,
    purpose: Purpose,
    card_number: &str,
    details: impl FnOnce(&mut WindowAuth),
) -> Result<WindowAuth, Complaint> {
    let mut auth = WindowAuth::new(purpose, card(card_number)?, world.clock.now());
    details(&mut auth);
    keep(world, vec![Record::Window(Box::new(auth.clone())).into()])?;
    Ok(auth)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CardChange {
    #[serde(default)]
    pub(crate) batch_key: Option<String>,
    #[serde(default)]
    pub(crate) customer_key: Option<String>,
    pub(crate) card_number: String,
}

/// The card behind batch keys turns good or bad. Returns how many keys it was behind.
pub(crate) fn change_card(world: &World, change: &CardChange) -> Result<usize, Complaint> {
    let card = card(&change.card_number)?;
    let mut store = world.store();
    let changed: Vec<store::Record> = store
        .kcp
        .batch_keys()
        .filter(|key| match (&change.batch_key, &change.customer_key) {
            (Some(batch_key), _) => key.key == *batch_key,
            (None, Some(customer)) => key.customer_key.as_ref() == Some(customer),
            (None, None) => false,
        })
        .map(|key| Record::BatchKey(BatchKey { card: card.clone(), ..key.clone() }).into())
        .collect();
    if changed.is_empty() {
        return Err(Complaint::new("NOT_FOUND_BATCH_KEY", "해당하는 배치키가 없습니다."));
    }
    let count = changed.len();
    store.commit(changed).map_err(|error| Complaint::unwritten(&error))?;
    Ok(count)
}

/// A notification out of the blue: a deposit, its reversal, a wrong amount, a repeat, a forgery.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NoticeOrder {
    tx_cd: String,
    #[serde(default)]
    site_cd: Option<String>,
    #[serde(default)]
    tno: Option<String>,
    #[serde(default)]
    order_no: Option<String>,
    /// Sent beside the common fields, or in their place where the name is the same.
    #[serde(default)]
    fields: BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NoticeSent {
    #[serde(flatten)]
    notice: KcpNotice,
    delivered: bool,
}

impl From<KcpNotice> for NoticeSent {
    fn from(notice: KcpNotice) -> Self {
        Self { delivered: notice.is_delivered(), notice }
    }
}

/// Sends a notification at once and tells what came of it.
pub(crate) async fn send_notice(world: &World, order: NoticeOrder) -> Result<KcpNotice, Complaint> {
    let now = world.clock.now();
    let site_cd = order.site_cd.unwrap_or_else(|| super::kcp_dev_credentials().site_cd);
    let tno = order.tno.unwrap_or_else(|| format!("26{}", random::digits(12)));
    let order_no = order.order_no.unwrap_or_else(|| format!("order{}", random::digits(12)));
    let mut fields = notices::common(&site_cd, &tno, &order_no, &order.tx_cd, now);
    fields.retain(|(name, _)| !order.fields.contains_key(name));
    fields.extend(order.fields);
    let notice = KcpNotice::new(&order.tx_cd, fields, world.kcp.switches().euc_kr_notifications, now);
    let id = notice.id.clone();
    keep(world, vec![Record::Notice(Box::new(notice)).into()])?;
    bring(world, &id).await
}

/// Makes one more attempt now.
pub(crate) async fn redeliver(world: &World, id: &str) -> Result<KcpNotice, Complaint> {
    if world.kcp.courier.url().is_none() {
        return Err(Complaint::new("NO_URL", "통보를 받을 주소가 없습니다. webhook-url을 먼저 정해주세요."));
    }
    bring(world, id).await
}

async fn bring(world: &World, id: &str) -> Result<KcpNotice, Complaint> {
    courier::deliver(world, id).await.ok_or_else(|| Complaint::new("NOT_FOUND", "해당하는 통보가 없습니다."))
}

fn card(number: &str) -> Result<Card, Complaint> {
    CardNumber::parse(number).map(|number| Card::new(&number)).ok_or_else(Complaint::bad_card_number)
}

fn keep(world: &World, records: Vec<store::Record>) -> Result<(), Complaint> {
    world.store().commit(records).map_err(|error| Complaint::unwritten(&error))
}
