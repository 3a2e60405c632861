use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, response::Html, routing::post};
use chrono::TimeDelta;
use reqwest::Method;
use sandbox::KcpSwitches;
use serde_json::{Value, json};

use crate::{kcp_shop::KcpShop, merchant::eventually};

const ACCEPTED: &str =
    r#"<html><body><form><input type="hidden" name="result" value="0000"></form></body></html>"#;

/// Content type and body.
type Letter = (String, Vec<u8>);

/// The shop's notification address: remembers what came, answers what it was told to, then accepts.
#[derive(Clone, Default)]
struct Mailbox {
    letters: Arc<Mutex<Vec<Letter>>>,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
}

impl Mailbox {
    async fn opens() -> (Self, KcpShop, String) {
        let mailbox = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(receive)).with_state(mailbox.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (mailbox, KcpShop::opens().await, url)
    }

    fn letters(&self) -> Vec<Vec<(String, String)>> {
        let letters = self.letters.lock().unwrap();
        letters.iter().map(|(_, body)| form_urlencoded::parse(body).into_owned().collect()).collect()
    }
}

async fn receive(State(mailbox): State<Mailbox>, headers: HeaderMap, body: Bytes) -> Html<&'static str> {
    let content_type = headers["content-type"].to_str().unwrap().to_owned();
    mailbox.letters.lock().unwrap().push((content_type, body.to_vec()));
    Html(mailbox.answers.lock().unwrap().pop_front().unwrap_or(ACCEPTED))
}

async fn send(shop: &KcpShop, body: Value) -> Value {
    shop.merchant.control(Method::POST, "/kcp/notifications", body).await.json()
}

fn has(letter: &[(String, String)], name: &str, value: &str) -> bool {
    letter.iter().any(|(key, found)| key == name && found == value)
}

#[tokio::test]
async fn a_notice_is_a_form_and_comes_again_until_the_html_form_accepts_it() {
    let (mailbox, shop, url) = Mailbox::opens().await;
    mailbox.answers.lock().unwrap().extend(["", r#"{"result":"0000"}"#]);
    shop.merchant.sandbox.set_kcp_webhook_url(Some(url));
    let deposit = json!({"txCd": "TX00", "tno": "26112000000001", "orderNo": "ORDER1",
        "fields": {"noti_id": "N1", "op_cd": "50", "ipgm_mnyx": "9900", "remitter": "홍길동"}});
    let sent = send(&shop, deposit).await;
    assert_eq!((sent["delivered"].as_bool(), sent["attempts"].as_array().unwrap().len()), (Some(false), 1));

    for count in 2..=3 {
        shop.merchant.clock.advance(TimeDelta::minutes(11));
        eventually("the repeat", || Some(()).filter(|()| mailbox.letters().len() == count)).await;
    }
    let what = "the acceptance is written down";
    eventually(what, || shop.merchant.sandbox.kcp_notices()[0].is_delivered().then_some(())).await;
    assert_eq!(shop.merchant.sandbox.kcp_notices()[0].next_attempt_at, None);
    let letters = mailbox.letters();
    assert!(letters.iter().all(|letter| *letter == letters[0]), "the same each time");
    assert!(has(&letters[0], "tx_cd", "TX00") && has(&letters[0], "remitter", "홍길동"), "{letters:?}");

    let id = sent["id"].as_str().unwrap();
    let again =
        shop.merchant.control(Method::POST, "/kcp/notifications/redeliver", json!({"id": id})).await.json();
    assert_eq!(again["attempts"].as_array().unwrap().len(), 4);
    let unknown = json!({"id": "invented"});
    let refused = shop.merchant.control(Method::POST, "/kcp/notifications/redeliver", unknown).await;
    assert_eq!(refused.refusal(), "404 NOT_FOUND");
}

#[tokio::test]
async fn notices_wait_for_an_address() {
    let (mailbox, shop, url) = Mailbox::opens().await;
    assert_eq!(send(&shop, json!({"txCd": "TX04"})).await["attempts"], json!([]));
    shop.merchant.control(Method::PUT, "/kcp/webhook-url", json!({"url": url})).await;
    eventually("the delivery", || Some(()).filter(|()| mailbox.letters().len() == 1)).await;
}

#[tokio::test]
async fn cancels_are_told_where_the_switch_says_so_and_in_euc_kr_too() {
    let (mailbox, shop, url) = Mailbox::opens().await;
    shop.merchant.sandbox.set_kcp_webhook_url(Some(url));
    let switches = json!({"cancelNotices": true, "eucKrNotifications": true});
    let patched = shop.merchant.control(Method::PATCH, "/kcp/switches", switches).await.json();
    assert_eq!((&patched["cancelNotices"], &patched["noPartialCancels"]), (&json!(true), &json!(false)));
    assert_eq!(
        shop.merchant.sandbox.kcp_switches(),
        KcpSwitches { cancel_notices: true, euc_kr_notifications: true, ..KcpSwitches::default() }
    );
    let tno = shop.paid("ORDER1", 9_900).await;
    shop.takes_back(&tno, 900, 9_900).await;
    eventually("the notice", || Some(()).filter(|()| mailbox.letters().len() == 1)).await;
    let letter = &mailbox.letters()[0];
    assert!(has(letter, "tx_cd", "TX08") && has(letter, "tno", &tno) && has(letter, "order_no", "ORDER1"));

    send(&shop, json!({"txCd": "TX00", "fields": {"remitter": "홍"}})).await;
    let (content_type, body) = mailbox.letters.lock().unwrap()[1].clone();
    assert_eq!(content_type, "application/x-www-form-urlencoded;charset=EUC-KR");
    assert!(String::from_utf8(body).unwrap().contains("remitter=%C8%AB"));
}
