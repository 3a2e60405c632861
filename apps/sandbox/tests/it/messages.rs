//! Messages: who may ask, what is looked at, and what lies in the inbox afterwards.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use aws_lc_rs::hmac;
use chrono::TimeDelta;
use kernel::{Clock, KoreanTime, MovableClock};
use reqwest::{Client, RequestBuilder};
use sandbox::{Sandbox, SandboxConfig, SolapiSwitches, WebhookUrls};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

struct World {
    sandbox: Sandbox,
    clock: Arc<MovableClock>,
    http: Client,
}

impl World {
    async fn begins() -> Self {
        let clock = Arc::new(MovableClock::default());
        clock.set("2026-02-14T03:00:00Z".parse().unwrap());
        let config = SandboxConfig {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: None,
            clock: clock.clone(),
            webhook_urls: WebhookUrls::default(),
            latency: Duration::ZERO,
        };
        Self { sandbox: Sandbox::start(config).await.unwrap(), clock, http: Client::new() }
    }

    fn signed(&self, request: RequestBuilder, secret: &str, salt: &str) -> RequestBuilder {
        let date = KoreanTime(self.clock.now()).to_string();
        Self::signed_at(request, secret, &date, salt)
    }

    fn signed_at(request: RequestBuilder, secret: &str, date: &str, salt: &str) -> RequestBuilder {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let signature = hex::encode(hmac::sign(&key, format!("{date}{salt}").as_bytes()));
        let value =
            format!("HMAC-SHA256 apiKey=NCSDANGOLDEVELOP, date={date}, salt={salt}, signature={signature}");
        request.header("authorization", value)
    }

    async fn sends(&self, salt: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/messages/v4/send-many/detail", self.sandbox.solapi_base_url());
        let request = self.signed(self.http.post(url).json(body), SECRET, salt);
        answer(request).await
    }
}

async fn answer(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

const SECRET: &str = "dangol-development-solapi-secret";

fn to(number: &str, text: &str) -> Value {
    json!({"to": number, "from": "0200000000", "text": text})
}

#[tokio::test]
async fn only_who_signs_rightly_freshly_and_once_is_heard() {
    let world = World::begins().await;
    let url = format!("{}/messages/v4/list", world.sandbox.solapi_base_url());
    let get = || world.http.get(&url);
    let code =
        |(status, body): (u16, Value)| (status, body["errorCode"].as_str().unwrap_or_default().to_owned());
    let refused = |word: &str| (403, word.to_owned());
    assert_eq!(code(answer(get()).await), refused("InvalidAPIKey"));
    let wrong = world.signed(get(), "another", "abcdefghijkl");
    assert_eq!(code(answer(wrong).await), refused("SignatureDoesNotMatch"));
    let short_salt = world.signed(get(), SECRET, "short");
    assert_eq!(code(answer(short_salt).await), refused("SignatureDoesNotMatch"));
    let old = KoreanTime(world.clock.now() - TimeDelta::minutes(16)).to_string();
    let old = World::signed_at(get(), SECRET, &old, "abcdefghijkl");
    assert_eq!(code(answer(old).await), refused("RequestTimeTooSkewed"));
    let now = KoreanTime(world.clock.now()).to_string();
    let again = || World::signed_at(get(), SECRET, &now, "abcdefghijkl");
    assert_eq!(answer(again()).await.0, 200);
    assert_eq!(code(answer(again()).await), refused("DuplicatedSignature"));
}

#[tokio::test]
async fn each_message_is_looked_at_by_itself() {
    let world = World::begins().await;
    let long = "가".repeat(46);
    let messages = json!([
        to("01012345678", "안녕하세요"),
        to("0101234", "안녕하세요"),
        to("01011112222", "축하해요🎉"),
        {"to": "01011113333", "from": "0200000000", "text": long, "type": "SMS"},
        to("01012345678", "한 번 더"),
        {"to": "01011114444", "from": "0200000000", "text": "알림", "type": "ATA", "kakaoOptions": {"templateId": "T"}},
    ]);
    let (status, body) =
        world.sends("salt-salt-salt-1", &json!({"messages": messages, "showMessageList": true})).await;
    assert_eq!(status, 200);
    let failed: Vec<&str> = body["failedMessageList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["statusCode"].as_str().unwrap())
        .collect();
    assert_eq!(failed, ["1011", "1029", "1031", "1026", "1041"]);
    assert_eq!(body["messageList"].as_array().unwrap().len(), 1);
    assert_eq!(body["groupInfo"]["count"]["registeredFailed"], 5);
    let inbox = world.sandbox.inbox();
    assert_eq!(inbox.len(), 1);
    assert!(inbox[0].id.starts_with("M4V20260214") && inbox[0].id.len() == 32);
}

#[tokio::test]
async fn a_report_comes_when_its_time_has_come() {
    let world = World::begins().await;
    world.sandbox.set_solapi_switches(SolapiSwitches { report_after_ms: 5_000, ..Default::default() });
    world.sends("salt-salt-salt-1", &json!({"messages": [to("01012345678", "안녕하세요")]})).await;
    let code = async |salt: &str| {
        let url = format!("{}/messages/v4/list", world.sandbox.solapi_base_url());
        let (_, body) = answer(world.signed(world.http.get(url), SECRET, salt)).await;
        let message = body["messageList"].as_object().unwrap().values().next().unwrap().clone();
        message["statusCode"].as_str().unwrap().to_owned()
    };
    assert_eq!(code("salt-salt-salt-2").await, "3000");
    world.clock.advance(TimeDelta::seconds(5));
    assert_eq!(code("salt-salt-salt-3").await, "4000");
}

#[tokio::test]
async fn a_mail_is_taken_step_by_step() {
    let world = World::begins().await;
    let address = world.sandbox.smtp_url().replace("smtp://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let heard = async |stream: &mut TcpStream, said: &str| {
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Up to the last line of an answer: three digits and a space.
        loop {
            let mut byte = [0; 1];
            stream.read_exact(&mut byte).await.unwrap();
            answer.push(byte[0]);
            let text = String::from_utf8_lossy(&answer).into_owned();
            let last = text.lines().last().unwrap_or_default();
            if text.ends_with('\n') && last.as_bytes().get(3) == Some(&b' ') {
                return last[..3].to_owned();
            }
        }
    };
    assert_eq!(heard(&mut stream, "").await, "220");
    for (said, code) in [
        ("EHLO me\r\n", "250"),
        ("RCPT TO:<kim@misohair.com>\r\n", "503"),
        ("MAIL FROM:<billing@dangol.example>\r\n", "250"),
        ("RCPT TO:<bounce@misohair.com>\r\n", "550"),
        ("RCPT TO:<kim@misohair.com>\r\n", "250"),
        ("DATA\r\n", "354"),
        ("Subject: =?utf-8?B?7JWI64WV?=\r\n\r\n..dot\r\n.\r\n", "250"),
        ("VRFY kim\r\n", "502"),
        ("QUIT\r\n", "221"),
    ] {
        assert_eq!(heard(&mut stream, said).await, code, "{said}");
    }
    let inbox = world.sandbox.inbox();
    assert_eq!((inbox.len(), inbox[0].to.as_str()), (1, "kim@misohair.com"));
    assert_eq!(inbox[0].subject.as_deref(), Some("안녕"));
    assert_eq!(inbox[0].text.trim(), ".dot");
}

#[tokio::test]
async fn people_see_a_page_and_programs_json() {
    let world = World::begins().await;
    let script = to("01012345678", "<script>alert(1)</script> https://dangol.example/o/abc");
    world.sends("salt-salt-salt-1", &json!({"messages": [script]})).await;
    let url = format!("{}/_sandbox/inbox", world.sandbox.base_url());
    let page = world.http.get(&url).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("<a href=\"https://dangol.example/o/abc\">") && !page.contains("<script>"),
        "{page}"
    );
    let (_, list) = answer(world.http.get(format!("{url}?to=010-1234-5678"))).await;
    assert_eq!(list[0]["state"], "DELIVERED");
    let (_, nobody) = answer(world.http.get(format!("{url}?to=01099998888"))).await;
    assert_eq!(nobody, json!([]));
    assert_eq!(world.http.delete(&url).send().await.unwrap().status(), 204);
    assert!(world.sandbox.inbox().is_empty());
}
