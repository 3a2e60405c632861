//! Pages for people: an index, and what the payer would see of Toss in the browser.

use std::sync::Arc;

use axum::{
    extract::{Form, Query, State},
    http::StatusCode,
    response::{Html, IntoResponse, Redirect, Response},
};
use kernel::Krw;
use reqwest::Url;
use serde::Deserialize;

use crate::{
    complaint::Complaint,
    toss::{
        PaymentAuth,
        desk::{self, BillingAuth},
    },
    world::World,
};

const INDEX: &str = include_str!("pages/index.html");
const CARD: &str = include_str!("pages/card.html");
const PAY: &str = include_str!("pages/pay.html");
const RESULT: &str = include_str!("pages/result.html");
const STYLE: &str = include_str!("pages/style.css");
const CARDS: &str = include_str!("pages/cards.html");

pub(crate) async fn to_index() -> Redirect {
    Redirect::temporary("/_sandbox")
}

pub(crate) async fn index() -> Html<String> {
    page(INDEX, &[])
}

/// What `requestBillingAuth` of the browser SDK gets, and where it returns to.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct CardForm {
    customer_key: String,
    success_url: String,
    fail_url: String,
    card_number: String,
    /// A number typed by hand goes before the chosen test card.
    other_card_number: String,
}

pub(crate) async fn card_form(Query(form): Query<CardForm>) -> Response {
    if let Some(refusal) = refuse_bad_urls(&form.success_url, &form.fail_url) {
        return refusal;
    }
    let canceled = canceled(&form.fail_url, None);
    page(
        CARD,
        &[
            ("customerKey", &form.customer_key),
            ("successUrl", &form.success_url),
            ("failUrl", &form.fail_url),
            ("cancelUrl", &canceled),
        ],
    )
    .into_response()
}

pub(crate) async fn register_card(State(world): State<Arc<World>>, Form(form): Form<CardForm>) -> Response {
    if let Some(refusal) = refuse_bad_urls(&form.success_url, &form.fail_url) {
        return refusal;
    }
    let request = BillingAuth {
        customer_key: form.customer_key.clone(),
        card_number: chosen(form.other_card_number, form.card_number),
    };
    match desk::billing_auth(&world, request) {
        Err(complaint) => failed(&form.fail_url, &complaint, None),
        Ok(auth_key) => {
            let result = [("customerKey", form.customer_key.as_str()), ("authKey", &auth_key)];
            succeeded(&form.success_url, &result, ("authKey", &auth_key))
        }
    }
}

/// What the widget gets, and where it returns to.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PayForm {
    order_id: String,
    order_name: String,
    amount: i64,
    customer_key: String,
    success_url: String,
    fail_url: String,
    card_number: String,
    other_card_number: String,
}

pub(crate) async fn pay_form(Query(form): Query<PayForm>) -> Response {
    if let Some(refusal) = refuse_bad_urls(&form.success_url, &form.fail_url) {
        return refusal;
    }
    let canceled = canceled(&form.fail_url, Some(&form.order_id));
    page(
        PAY,
        &[
            ("orderId", &form.order_id),
            ("orderName", &form.order_name),
            ("amount", &form.amount.to_string()),
            ("shownAmount", &Krw::won(form.amount).to_string()),
            ("customerKey", &form.customer_key),
            ("successUrl", &form.success_url),
            ("failUrl", &form.fail_url),
            ("cancelUrl", &canceled),
        ],
    )
    .into_response()
}

pub(crate) async fn pay(State(world): State<Arc<World>>, Form(form): Form<PayForm>) -> Response {
    if let Some(refusal) = refuse_bad_urls(&form.success_url, &form.fail_url) {
        return refusal;
    }
    let filled = |text: String| (!text.is_empty()).then_some(text);
    let request = PaymentAuth {
        order_id: form.order_id.clone(),
        amount: Krw::won(form.amount),
        card_number: chosen(form.other_card_number, form.card_number),
        order_name: filled(form.order_name),
        customer_key: filled(form.customer_key),
    };
    match desk::payment_auth(&world, request) {
        Err(complaint) => failed(&form.fail_url, &complaint, Some(&form.order_id)),
        Ok(payment_key) => {
            let amount = form.amount.to_string();
            let result = [
                ("paymentType", "NORMAL"),
                ("amount", amount.as_str()),
                ("orderId", &form.order_id),
                ("paymentKey", &payment_key),
            ];
            succeeded(&form.success_url, &result, ("paymentKey", &payment_key))
        }
    }
}

pub(crate) fn chosen(typed: String, test_card: String) -> String {
    if typed.trim().is_empty() { test_card } else { typed }
}

fn succeeded(success_url: &str, result: &[(&str, &str)], (name, value): (&str, &str)) -> Response {
    match with_query(success_url, result) {
        Some(url) => Redirect::to(url.as_str()).into_response(),
        None => page(RESULT, &[("name", name), ("value", value)]).into_response(),
    }
}

fn failed(fail_url: &str, complaint: &Complaint, order_id: Option<&str>) -> Response {
    let mut result = vec![("code", complaint.code.as_str()), ("message", complaint.message.as_str())];
    result.extend(order_id.map(|id| ("orderId", id)));
    if let Some(url) = with_query(fail_url, &result) {
        return Redirect::to(url.as_str()).into_response();
    }
    let page = page(RESULT, &[("name", &complaint.code), ("value", &complaint.message)]);
    (StatusCode::BAD_REQUEST, page).into_response()
}

/// Where the payer lands who changed their mind; the index, if the shop named no place.
fn canceled(fail_url: &str, order_id: Option<&str>) -> String {
    let mut result =
        vec![("code", "PAY_PROCESS_CANCELED"), ("message", "사용자에 의해 결제가 취소되었습니다.")];
    result.extend(order_id.map(|id| ("orderId", id)));
    with_query(fail_url, &result).map_or_else(|| "/_sandbox".to_owned(), String::from)
}

fn with_query(url: &str, fields: &[(&str, &str)]) -> Option<Url> {
    let mut url = web_url(url)?;
    url.query_pairs_mut().extend_pairs(fields);
    Some(url)
}

/// Only http and https: a `javascript:` address in a link would run in the payer's browser.
pub(crate) fn web_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

fn refuse_bad_urls(success_url: &str, fail_url: &str) -> Option<Response> {
    let bad = |url: &str| !url.is_empty() && web_url(url).is_none();
    (bad(success_url) || bad(fail_url)).then(|| {
        let text = "successUrl과 failUrl은 http 또는 https 주소여야 합니다.";
        (StatusCode::BAD_REQUEST, page(RESULT, &[("name", "INVALID_REQUEST"), ("value", text)]))
            .into_response()
    })
}

/// Fills `{{name}}` places with escaped text.
pub(crate) fn page(template: &str, fields: &[(&str, &str)]) -> Html<String> {
    let mut html = String::with_capacity(template.len() + STYLE.len() + 1024);
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once("{{").and_then(|(before, after)| Some((before, after.split_once("}}")?)))
    {
        html.push_str(before);
        match name {
            "style" => html.push_str(STYLE),
            "cards" => html.push_str(CARDS),
            _ => {
                let value = fields.iter().find(|(field, _)| *field == name).map_or("", |(_, value)| value);
                escape(value, &mut html);
            }
        }
        rest = after;
    }
    html.push_str(rest);
    Html(html)
}

/// A page that shows one value.
pub(crate) fn result(name: &str, value: &str) -> Html<String> {
    page(RESULT, &[("name", name), ("value", value)])
}

pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    escape(text, &mut html);
    html
}

fn escape(text: &str, html: &mut String) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
}
