//! A server that gives tokens, answers everything else with prepared bytes, and remembers what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use tax_invoice::popbill::Popbill;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::rig::config;

pub(crate) struct Canned {
    pub(crate) adapter: Popbill,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    requests: Vec<String>,
    tokens: usize,
}

impl Canned {
    /// Answers the first request with the first answer, and so on, then with nothing at all.
    pub(crate) async fn answering(answers: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut answers: VecDeque<Vec<u8>> = answers.into_iter().collect();
        let ledger = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                let answer = answer(request, &ledger, &mut answers);
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        });
        Self { adapter: Popbill::new(config(&base_url, &base_url)).unwrap(), seen }
    }

    /// What Popbill was asked, without the requests to LinkHub.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// How many tokens were given.
    pub(crate) fn tokens(&self) -> usize {
        self.seen.lock().unwrap().tokens
    }
}

fn answer(request: String, seen: &Mutex<Seen>, answers: &mut VecDeque<Vec<u8>>) -> Vec<u8> {
    let mut seen = seen.lock().unwrap();
    if request.starts_with("GET /Time ") {
        return raw("200 OK", "", b"2026-04-01T00:00:00.000Z");
    }
    if request.starts_with("POST /POPBILL_TEST/Token ") {
        seen.tokens += 1;
        let token = format!("token-{}", seen.tokens);
        return ok(&json!({"session_token": token, "expiration": "2026-04-01T00:30:00.000Z"}));
    }
    seen.requests.push(request);
    answers.pop_front().unwrap_or_default()
}

/// Head and body, as text.
pub(crate) async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !is_complete(&request) {
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(length) if length > 0 => request.extend_from_slice(&chunk[..length]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&request).into_owned()
}

fn is_complete(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
        .unwrap_or(0_usize);
    request.len() - end - 4 >= length
}

pub(crate) fn raw(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

pub(crate) fn ok(body: &Value) -> Vec<u8> {
    raw("200 OK", "content-type: application/json\r\n", body.to_string().as_bytes())
}

pub(crate) fn refusal(status: u16, code: i64) -> Vec<u8> {
    let body = json!({"code": code, "message": "메시지"}).to_string();
    raw(&format!("{status} Refused"), "content-type: application/json\r\n", body.as_bytes())
}
