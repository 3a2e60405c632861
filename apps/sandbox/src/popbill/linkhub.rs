//! LinkHub: the time, and a token for a request that is signed with the partner's secret key.

use std::sync::Arc;

use aws_lc_rs::{digest, hmac};
use axum::{
    extract::{ConnectInfo, Request, State},
    http::Method,
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::json;

use super::{
    errors::{self, Refusal},
    exchange::{Decided, Declined, Desk, json_reply},
    rules::is_business_number,
    session::Session,
    state::Record,
};
use crate::{
    faults::Operation,
    line::Line,
    random,
    wire::{self, Exchange, Reply},
    world::World,
};

/// So far may a signature's date be from LinkHub's time. The real window is unknown.
const WINDOW: TimeDelta = TimeDelta::minutes(5);
const VERSION: &str = "2.0";

/// Every request under LinkHub's base URL.
pub(super) async fn entry(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    Desk { operation, decide }.answer(world, line, request).await
}

fn operation(exchange: &Exchange) -> Option<Operation> {
    service_id(exchange).map(|_| Operation::Token)
}

fn service_id(request: &Exchange) -> Option<&str> {
    let path = request.parts.uri.path();
    let service = path.strip_prefix('/')?.strip_suffix("/Token")?;
    (request.parts.method == Method::POST && matches!(service, "POPBILL" | "POPBILL_TEST")).then_some(service)
}

fn decide(request: &Exchange, declined: Declined<'_>) -> Decided {
    let world = &request.world;
    if request.parts.method == Method::GET && request.parts.uri.path() == "/Time" {
        return Ok(Ok(time(world)));
    }
    let Some(service) = service_id(request) else {
        return Ok(Err(Refusal::new(errors::NO_SUCH_ADDRESS).with_status(404)));
    };
    match declined().map_or_else(|| admit(request, service), Err) {
        Err(refusal) => Ok(Err(refusal)),
        Ok((session, answer)) => {
            world.store().commit(vec![Record::Session(session).into()])?;
            Ok(Ok(answer))
        }
    }
}

fn time(world: &World) -> Reply {
    let text = world.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
    wire::reply(200, "text/plain", text)
}

#[derive(Deserialize)]
struct TokenRequest {
    access_id: String,
    scope: Vec<String>,
}

fn admit(request: &Exchange, service: &str) -> Result<(Session, Reply), Refusal> {
    let world = &request.world;
    let link_id = verify(request)?;
    let wanted: TokenRequest =
        serde_json::from_slice(&request.body).map_err(|_| Refusal::new(errors::UNREADABLE))?;
    if !is_business_number(&wanted.access_id) || !world.store().popbill.member(&wanted.access_id).is_member {
        return Err(Refusal::new(errors::NOT_A_MEMBER));
    }
    let expires_at =
        world.clock.now() + TimeDelta::minutes(i64::from(world.popbill.switches().session_minutes));
    let token = random::letters(64);
    let body = json!({
        "session_token": token,
        "serviceID": service,
        "linkID": link_id,
        "usercode": "SANDBOX",
        "ipaddress": "127.0.0.1",
        "expiration": expires_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "scope": wanted.scope,
    });
    let session = Session { token, corp_num: wanted.access_id, scope: wanted.scope, expires_at };
    Ok((session, json_reply(body.to_string())))
}

/// The partner that signed the request.
fn verify(request: &Exchange) -> Result<String, Refusal> {
    let world = &request.world;
    let header = |name: &str| request.parts.headers.get(name).and_then(|value| value.to_str().ok());
    let unsigned = || Refusal::new(errors::BAD_SIGNATURE).with_status(401);
    let (link_id, signature) = header("authorization")
        .and_then(|text| text.strip_prefix("LINKHUB "))
        .and_then(|text| text.split_once(' '))
        .ok_or_else(unsigned)?;
    let date = header("x-lh-date").ok_or_else(unsigned)?;
    let sent: DateTime<Utc> = date.parse().map_err(|_| Refusal::new(errors::BAD_DATE).with_status(401))?;
    if (world.clock.now() - sent).abs() > WINDOW {
        return Err(Refusal::new(errors::BAD_DATE).with_status(401));
    }
    if header("x-lh-version") != Some(VERSION) {
        return Err(unsigned());
    }
    let secret = world
        .store()
        .popbill
        .secret_key(link_id)
        .ok_or_else(|| Refusal::new(errors::NO_PARTNER).with_status(401))?;
    let signed = STANDARD.decode(signature).map_err(|_| unsigned())?;
    let text = signed_text(&request.body, date, header("x-lh-forwarded"), request.parts.uri.path());
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    hmac::verify(&key, text.as_bytes(), &signed).map_err(|_| unsigned())?;
    Ok(link_id.to_owned())
}

fn signed_text(body: &[u8], date: &str, forwarded: Option<&str>, path: &str) -> String {
    let digest = STANDARD.encode(digest::digest(&digest::SHA256, body));
    let mut text = format!("POST\n{digest}\n{date}\n");
    if let Some(forwarded) = forwarded {
        text.push_str(forwarded);
        text.push('\n');
    }
    text.push_str(VERSION);
    text.push('\n');
    text.push_str(path);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_that_is_signed_is_the_references() {
        let body = br#"{"access_id":"1234567891","scope":["member","110"]}"#;
        let secret = STANDARD.decode("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        for (forwarded, signature) in [
            (None, "5VPAmwPyjGp0DL4NLvwJEJY7PDsvE9xX3bmj6I9qdaY="),
            (Some("*"), "dPP8oHTPD0wT1kDJcBWVDH5a3z9nd6/fdQAdzFJ60pU="),
        ] {
            let text = signed_text(body, "2026-11-20T01:00:00Z", forwarded, "/POPBILL_TEST/Token");
            assert_eq!(STANDARD.encode(hmac::sign(&key, text.as_bytes())), signature);
        }
    }
}
