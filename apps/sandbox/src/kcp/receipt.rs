//! The receipt page (매출전표): anyone who has the three values sees it.

use std::sync::Arc;

use axum::{
    extract::{Query, State as AppState},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;

use crate::{control::pages::page, world::World};

const RECEIPT: &str = include_str!("../control/pages/kcp_receipt.html");

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ReceiptQuery {
    cmd: String,
    tno: String,
    order_no: String,
    trade_mony: String,
}

/// `/assist/bill.BillActionNew.do?cmd=card_bill&tno=&order_no=&trade_mony=`
pub(super) async fn page_of(
    AppState(world): AppState<Arc<World>>,
    Query(query): Query<ReceiptQuery>,
) -> Response {
    let payment = world.store().kcp.payment(&query.tno).cloned().filter(|payment| {
        query.cmd == "card_bill"
            && payment.order_no == query.order_no
            && payment.amount.get().to_string() == query.trade_mony
    });
    let Some(payment) = payment else { return StatusCode::NOT_FOUND.into_response() };
    page(
        RECEIPT,
        &[
            ("amount", &payment.amount.to_string()),
            ("tno", &payment.tno),
            ("orderNo", &payment.order_no),
            ("goodName", &payment.good_name),
            ("cardName", payment.card.issuer().name),
            ("cardNo", &payment.card.masked),
            ("appNo", &payment.app_no),
            ("remaining", &payment.remaining().to_string()),
        ],
    )
    .into_response()
}
