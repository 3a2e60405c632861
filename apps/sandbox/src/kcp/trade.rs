//! Trade registration (거래등록) and the page that stands for the payment window.

use std::sync::Arc;

use axum::{
    extract::{Form, State as AppState},
    http::StatusCode,
    response::{Html, IntoResponse as _, Response},
};
use kernel::Krw;
use serde::{Deserialize, Serialize};

use super::{
    answer::{Answer, Answering as _, Fields},
    api, charge,
    codes::Refusal,
    desk,
    state::Record,
    window::Purpose,
};
use crate::{
    control::pages::{self, chosen, page, web_url},
    random,
    world::World,
};

const WINDOW: &str = include_str!("../control/pages/kcp_window.html");
const RETURN: &str = include_str!("../control/pages/kcp_return.html");

/// A payment that a shop announced. Mobile windows open with its approval key.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Trade {
    pub(super) approval_key: String,
    site_cd: String,
    order_no: String,
    amount: Krw,
    good_name: String,
    pay_method: String,
    ret_url: String,
}

/// `/std/tradeReg/register` and, without a certificate, `/trade/register.do`.
pub(super) fn register(
    world: &World,
    fields: &Fields,
    with_certificate: bool,
    base_url: &str,
) -> std::io::Result<Answer> {
    let admitted = if with_certificate {
        api::admit(fields, world.kcp.switches(), world.clock.now()).map(|_| ())
    } else {
        Ok(())
    };
    match admitted.and_then(|()| trade(fields)) {
        Err(refusal) => Ok(refusal.registration()),
        Ok(trade) => {
            let mut answer = Answer::new();
            answer
                .put("Code", "0000")
                .put("Message", "정상처리")
                .put("approvalKey", &trade.approval_key)
                .put("traceNo", format!("{}{}", trade.site_cd, random::letters(11)))
                .put("PayUrl", format!("{base_url}/pay/mobileGW.kcp"));
            world.store().commit(vec![Record::Trade(trade).into()])?;
            Ok(answer)
        }
    }
}

fn trade(fields: &Fields) -> Result<Trade, Refusal> {
    let pay_method = fields.get("pay_method");
    if !matches!(pay_method, "AUTH" | "CARD") {
        return Err(Refusal::new("8024"));
    }
    let amount = fields.won("good_mny")?;
    charge::check_order_no(fields.get("ordr_idxx"))?;
    if pay_method == "CARD" {
        charge::check_amount(amount)?;
    }
    if !(1..=100).contains(&fields.get("good_name").len()) {
        return Err(Refusal::new("8104"));
    }
    // The exact case matters.
    let ret_url = web_url(fields.get("Ret_URL")).ok_or_else(|| Refusal::new("8005"))?;
    Ok(Trade {
        approval_key: random::letters(40),
        site_cd: fields.get("site_cd").to_owned(),
        order_no: fields.get("ordr_idxx").to_owned(),
        amount,
        good_name: fields.get("good_name").to_owned(),
        pay_method: pay_method.to_owned(),
        ret_url: ret_url.into(),
    })
}

/// What the shop's page posts to `PayUrl`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct WindowForm {
    approval_key: String,
    /// Echoed.
    param_opt_1: String,
    param_opt_2: String,
    param_opt_3: String,
}

pub(super) async fn window_page(
    AppState(world): AppState<Arc<World>>,
    Form(form): Form<WindowForm>,
) -> Response {
    let Some(trade) = world.store().kcp.trade(&form.approval_key).cloned() else {
        let text = "등록된 거래가 아닙니다. 거래등록의 approvalKey를 보내주세요.";
        return (StatusCode::BAD_REQUEST, pages::result("approval_key", text)).into_response();
    };
    page(
        WINDOW,
        &[
            ("goodName", &trade.good_name),
            ("shownAmount", &trade.amount.to_string()),
            ("orderNo", &trade.order_no),
            ("approvalKey", &trade.approval_key),
            ("param1", &form.param_opt_1),
            ("param2", &form.param_opt_2),
            ("param3", &form.param_opt_3),
        ],
    )
    .into_response()
}

/// What the payer pressed.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Pressed {
    approval_key: String,
    card_number: String,
    other_card_number: String,
    closed: String,
    #[serde(rename = "paramOpt1")]
    param_opt_1: String,
    #[serde(rename = "paramOpt2")]
    param_opt_2: String,
    #[serde(rename = "paramOpt3")]
    param_opt_3: String,
}

/// KCP's page posts the result to `Ret_URL` out of the payer's browser.
pub(super) async fn window_done(
    AppState(world): AppState<Arc<World>>,
    Form(form): Form<Pressed>,
) -> Response {
    let Some(trade) = world.store().kcp.trade(&form.approval_key).cloned() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let result = if form.closed.is_empty() {
        let purpose = match trade.pay_method.as_str() {
            "AUTH" => Purpose::BatchKey,
            _ => Purpose::Payment {
                order_no: trade.order_no.clone(),
                amount: trade.amount,
                good_name: trade.good_name.clone(),
            },
        };
        desk::authenticate(&world, purpose, &chosen(form.other_card_number, form.card_number), |auth| {
            auth.site_cd = Some(trade.site_cd.clone());
        })
        .map(|auth| auth.fields(&trade.order_no))
    } else {
        let refusal = Refusal::new("3001");
        Ok(vec![("res_cd", refusal.code), ("res_msg", refusal.message.to_owned())])
    };
    let mut fields = match result {
        Ok(fields) => fields,
        Err(complaint) => {
            return (StatusCode::BAD_REQUEST, pages::result(&complaint.code, &complaint.message))
                .into_response();
        }
    };
    fields.extend([
        ("param_opt_1", form.param_opt_1),
        ("param_opt_2", form.param_opt_2),
        ("param_opt_3", form.param_opt_3),
    ]);
    posted_back(&trade.ret_url, &fields).into_response()
}

fn posted_back(ret_url: &str, fields: &[(&str, String)]) -> Html<String> {
    let inputs = fields.iter().map(|(name, value)| {
        let value = pages::escaped(value);
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n")
    });
    // The fields are escaped above; the template has no place for a list.
    let html = page(RETURN, &[("retUrl", ret_url)]).0;
    Html(html.replace("<!--fields-->", &inputs.collect::<String>()))
}
