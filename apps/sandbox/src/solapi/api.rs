//! The wire: from an HTTP request to the answer that reaches the client, or does not.

use std::{io, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State as AppState},
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
};

use super::{
    auth,
    call::{Call, Change, Decision, Refusal},
    groups, list,
    notices::SolapiNotice,
    send,
    switches::SolapiSwitches,
};
use crate::{
    book::Provider,
    courier,
    faults::{Moment, Operation, Struck},
    line::Line,
    store::Store,
    wire::{self, Exchange, Reply, Words},
    world::World,
};

/// As the reference says.
const MAX_BODY: usize = 15 * 1024 * 1024;

/// Every request under Solapi's base URL.
pub(super) async fn entry(
    AppState(world): AppState<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let Some(exchange) = Exchange::read_up_to(MAX_BODY, world, line, request).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let switches = exchange.world.solapi.switches();
    wire::to_the_end(Provider::Solapi, Solapi { exchange, switches }.answer(), internal_error).await
}

struct Solapi {
    exchange: Exchange,
    switches: SolapiSwitches,
}

/// What a request names.
enum Target {
    Send,
    List,
    Group(String),
    GroupMessages(String),
    Balance,
    Refusals,
}

impl Target {
    fn parse(method: &Method, path: &str) -> Option<Self> {
        let pieces: Vec<&str> = path.trim_matches('/').split('/').collect();
        Some(match (method.as_str(), pieces.as_slice()) {
            ("POST", ["messages", "v4", "send-many", "detail"]) => Self::Send,
            ("GET", ["messages", "v4", "list"]) => Self::List,
            ("GET", ["messages", "v4", "groups", id]) => Self::Group((*id).to_owned()),
            ("GET", ["messages", "v4", "groups", id, "messages"]) => Self::GroupMessages((*id).to_owned()),
            ("GET", ["cash", "v1", "balance"]) => Self::Balance,
            ("GET", ["iam", "v1", "black"]) => Self::Refusals,
            _ => return None,
        })
    }

    fn operation(&self) -> Operation {
        match self {
            Self::Send => Operation::Send,
            Self::List | Self::Group(_) | Self::GroupMessages(_) | Self::Balance | Self::Refusals => {
                Operation::Lookup
            }
        }
    }
}

impl Words for Solapi {
    fn internal_error(&self) -> Reply {
        internal_error()
    }

    fn too_many_requests(&self) -> Reply {
        refused(&Refusal::new(429, "TooManyRequests", "요청이 너무 많습니다."))
    }
}

impl Solapi {
    async fn answer(self) -> Response {
        let parts = &self.exchange.parts;
        let Some(target) = Target::parse(&parts.method, parts.uri.path()) else {
            return refused(&Refusal::not_found()).map(axum::body::Body::from);
        };
        let world = &self.exchange.world;
        let struck = self.exchange.struck(Provider::Solapi, target.operation());
        let wire = match self.exchange.way_there(&struck, &self).await {
            Ok(wire) => wire,
            Err(response) => return response,
        };
        let Ok((reply, news)) = self.decide(&target, &struck, wire.failing_at()) else {
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
        target: &Target,
        struck: &Struck<'_>,
        failing_at: Option<Moment>,
    ) -> io::Result<(Reply, Vec<SolapiNotice>)> {
        if failing_at == Some(Moment::BeforeProcessing) {
            return Ok((internal_error(), Vec::new()));
        }
        let world = &self.exchange.world;
        let call = Call {
            now: world.clock.now(),
            query: self.exchange.parts.uri.query().unwrap_or_default(),
            body: &self.exchange.body,
            switches: self.switches,
            faults: &world.faults,
            struck,
        };
        let mut store = world.store();
        match self.admitted(&mut store, &call, target) {
            Err(refusal) => Ok((refused(&refusal), Vec::new())),
            Ok(Change { answer, records, news }) => {
                let news = courier::commit(&mut store, records, news, self.switches.webhook_timing)?;
                Ok((wire::reply(200, "application/json", answer.to_string()), news))
            }
        }
    }

    fn admitted(&self, store: &mut Store, call: &Call<'_>, target: &Target) -> Decision {
        auth::authenticate(&mut store.solapi, &self.exchange.parts.headers, call.now)?;
        if let Some(code) = call.faults.decline(call.struck) {
            return Err(Refusal::new(400, code, "요청이 거부되었습니다."));
        }
        match target {
            Target::Send => send::send_many(store, call),
            Target::List => list::messages(store, call),
            Target::Group(id) => groups::one(store, call, id),
            Target::GroupMessages(id) => Ok(groups::messages(store, call, id)),
            Target::Balance => Ok(Change::answer(serde_json::json!({"balance": 100_000, "point": 0}))),
            Target::Refusals => list::refusals(store, call),
        }
    }
}

fn refused(refusal: &Refusal) -> Reply {
    wire::reply(refusal.status, "application/json", refusal.body().to_string())
}

fn internal_error() -> Reply {
    refused(&Refusal::new(500, "InternalError", "내부 오류가 발생했습니다."))
}
