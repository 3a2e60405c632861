//! The wire: from an HTTP request to the answer that reaches the client, or does not.

use std::{io, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State as AppState},
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::{
    call::{Call, Change, Refusal},
    kakao,
    notices::NhnNotice,
    read, sms,
    switches::NhnSwitches,
};
use crate::{
    book::Provider,
    courier,
    faults::{Moment, Operation, Struck},
    line::Line,
    post::ParcelKind,
    store::Store,
    wire::{self, Exchange, Reply, Words},
    world::World,
};

const MAX_BODY: usize = 10 * 1024 * 1024;

pub(super) async fn sms_entry(
    AppState(world): AppState<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    entry(world, line, request, Target::of_sms).await
}

pub(super) async fn kakao_entry(
    AppState(world): AppState<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    entry(world, line, request, Target::of_kakao).await
}

async fn entry(world: Arc<World>, line: Line, request: Request, parse: Parse) -> Response {
    let Some(exchange) = Exchange::read_up_to(MAX_BODY, world, line, request).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let switches = exchange.world.nhn.switches();
    wire::to_the_end(Provider::Nhn, Nhn { exchange, switches, parse }.answer(), internal_error).await
}

/// How a host reads a path: the app key, and what is named.
type Parse = fn(&Method, &[&str]) -> Option<(String, Target)>;

/// What a request names.
enum Target {
    SendText(String),
    SendKakao(ParcelKind),
    One { folder: &'static str, request: String, seq: Option<String> },
    List(&'static str),
    Refusals,
}

impl Target {
    fn of_sms(method: &Method, pieces: &[&str]) -> Option<(String, Self)> {
        if let (&Method::GET, ["sms", "v3.0", "appKeys", key, "blockservice", "recipients"]) =
            (method, pieces)
        {
            return Some(((*key).to_owned(), Self::Refusals));
        }
        let ["sms", "v3.0", "appKeys", key, "sender", operation, rest @ ..] = pieces else { return None };
        let folder = sms::FOLDERS.into_iter().find(|folder| folder == operation)?;
        let target = match (method.as_str(), rest) {
            ("POST", []) => Self::SendText((*operation).to_owned()),
            ("GET", []) => Self::List(folder),
            ("GET", [request]) => Self::One { folder, request: (*request).to_owned(), seq: None },
            _ => return None,
        };
        Some(((*key).to_owned(), target))
    }

    fn of_kakao(method: &Method, pieces: &[&str]) -> Option<(String, Self)> {
        let (folder, kind, key, rest) = match pieces {
            ["alimtalk", "v2.3", "appkeys", key, rest @ ..] => ("alimtalk", ParcelKind::AlimTalk, key, rest),
            ["brand-message", "v1.0", "appkeys", key, rest @ ..] => ("brand", ParcelKind::Brand, key, rest),
            _ => return None,
        };
        let target = match (method.as_str(), rest) {
            ("POST", ["messages"]) if kind == ParcelKind::AlimTalk => Self::SendKakao(kind),
            ("POST", ["freestyle-messages"]) if kind == ParcelKind::Brand => Self::SendKakao(kind),
            ("GET", ["messages"]) => Self::List(folder),
            ("GET", ["messages", request, seq]) => {
                Self::One { folder, request: (*request).to_owned(), seq: Some((*seq).to_owned()) }
            }
            _ => return None,
        };
        Some(((*key).to_owned(), target))
    }

    fn operation(&self) -> Operation {
        match self {
            Self::SendText(_) | Self::SendKakao(_) => Operation::Send,
            Self::One { .. } | Self::List(_) | Self::Refusals => Operation::Lookup,
        }
    }
}

struct Nhn {
    exchange: Exchange,
    switches: NhnSwitches,
    parse: Parse,
}

impl Words for Nhn {
    fn internal_error(&self) -> Reply {
        internal_error()
    }

    fn too_many_requests(&self) -> Reply {
        wire::reply(429, "application/json", json!({"message": "Too Many Requests"}).to_string())
    }
}

impl Nhn {
    async fn answer(self) -> Response {
        let parts = &self.exchange.parts;
        let pieces: Vec<&str> = parts.uri.path().trim_matches('/').split('/').collect();
        let Some((app_key, target)) = (self.parse)(&parts.method, &pieces) else {
            return (StatusCode::NOT_FOUND, "Not Found").into_response();
        };
        let world = &self.exchange.world;
        let struck = self.exchange.struck(Provider::Nhn, target.operation());
        let wire = match self.exchange.way_there(&struck, &self).await {
            Ok(wire) => wire,
            Err(response) => return response,
        };
        let Ok((reply, news)) = self.decide(&app_key, &target, &struck, wire.failing_at()) else {
            return self.exchange.hang_up();
        };
        courier::announce_early(world, &news, self.switches.webhook_timing).await;
        self.exchange.takes_its_time(&wire).await;
        courier::announce(world, &news, self.switches.webhook_timing);
        self.exchange.way_back(&wire, reply, &self)
    }

    /// Processes the request in one step that nothing can come between.
    fn decide(
        &self,
        app_key: &str,
        target: &Target,
        struck: &Struck<'_>,
        failing_at: Option<Moment>,
    ) -> io::Result<(Reply, Vec<NhnNotice>)> {
        if failing_at == Some(Moment::BeforeProcessing) {
            return Ok((internal_error(), Vec::new()));
        }
        let world = &self.exchange.world;
        let call = Call {
            now: world.clock.now(),
            query: self.exchange.parts.uri.query().unwrap_or_default(),
            body: &self.exchange.body,
            switches: self.switches,
        };
        let declined = world.faults.decline(struck).and_then(|code| code.parse().ok());
        let mut store = world.store();
        let decision = match declined {
            Some(code) => Err(Refusal(code)),
            None => self.admitted(&mut store, &call, app_key, target),
        };
        match decision {
            Err(refusal) => Ok((said(&refusal.body()), Vec::new())),
            Ok(Change { answer, records, news }) => {
                let news = courier::commit(&mut store, records, news, self.switches.webhook_timing)?;
                Ok((said(&answer), news))
            }
        }
    }

    fn admitted(
        &self,
        store: &mut Store,
        call: &Call<'_>,
        app_key: &str,
        target: &Target,
    ) -> Result<Change, Refusal> {
        let header = |name: &str| {
            let value = self.exchange.parts.headers.get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let secret = store.nhn.secret(app_key).ok_or(Refusal(-1000))?;
        if header("x-secret-key") != secret {
            return Err(Refusal(-1001));
        }
        // Of AlimTalk alone.
        let key = header("x-nc-api-idempotency-key");
        if matches!(target, Target::SendKakao(ParcelKind::AlimTalk))
            && !key.is_empty()
            && !store.nhn.uses_up(&key, call.now)
        {
            return Err(Refusal(-1005));
        }
        match target {
            Target::SendText(operation) => sms::send(store, call, operation),
            Target::SendKakao(kind) => kakao::send(store, call, *kind),
            Target::One { folder, request, seq } => {
                Ok(read::one(store, call, folder, request, seq.as_deref()))
            }
            Target::List(folder) => read::list(store, call, folder),
            Target::Refusals => Ok(read::refusals(store, call)),
        }
    }
}

fn said(answer: &serde_json::Value) -> Reply {
    wire::reply(200, "application/json", answer.to_string())
}

fn internal_error() -> Reply {
    wire::reply(500, "application/json", json!({"message": "Internal Server Error"}).to_string())
}
