//! From an HTTP request to the answer that reaches the client, or does not.

use std::{io, sync::Arc};

use axum::{body::Body, extract::Request, response::Response};

use super::errors::{self, Refusal};
use crate::{
    book::Provider,
    faults::{Interference, Moment, Operation},
    line::Line,
    wire::{self, Exchange, Reply, Words},
    world::World,
};

const JSON: &str = "application/json; charset=utf-8";

pub(super) fn json_reply(body: String) -> Reply {
    wire::reply(200, JSON, body)
}

fn refused(refusal: &Refusal) -> Reply {
    wire::reply(refusal.status, JSON, refusal.body())
}

/// What a request is to do. `Err` of the first kind: it could not be written down, so it did not happen.
pub(super) type Decided = io::Result<Result<Reply, Refusal>>;

/// The refusal of a `decline` fault that strikes the request; it is used up by asking.
pub(super) type Declined<'a> = &'a dyn Fn() -> Option<Refusal>;

/// Which operation a request is for, and what comes of it: Popbill and LinkHub have each their own.
pub(super) struct Desk {
    /// `None` is an operation that no fault strikes.
    pub(super) operation: fn(&Exchange) -> Option<Operation>,
    pub(super) decide: fn(&Exchange, Declined<'_>) -> Decided,
}

impl Words for Desk {
    fn internal_error(&self) -> Reply {
        internal_error()
    }

    fn too_many_requests(&self) -> Reply {
        refused(&Refusal::new(errors::TOO_MANY_REQUESTS).with_status(429))
    }
}

impl Desk {
    pub(super) async fn answer(self, world: Arc<World>, line: Line, request: Request) -> Response {
        let Some(exchange) = Exchange::read(world, line, request).await else {
            return refused(&Refusal::new(errors::UNREADABLE)).map(Body::from);
        };
        wire::to_the_end(Provider::Popbill, self.perform(exchange), internal_error).await
    }

    async fn perform(self, exchange: Exchange) -> Response {
        let operation = (self.operation)(&exchange);
        let struck = operation.map(|operation| exchange.struck(Provider::Popbill, operation));
        let wire = match &struck {
            None => Interference::default(),
            Some(struck) => match exchange.way_there(struck, &self).await {
                Ok(wire) => wire,
                Err(response) => return response,
            },
        };
        if wire.failing_at() == Some(Moment::BeforeProcessing) {
            return internal_error().map(Body::from);
        }
        let declined = || {
            let code = exchange.world.faults.decline(struck.as_ref()?)?;
            Some(Refusal::new(code.parse().unwrap_or(errors::CERTIFICATE_INVALID)))
        };
        let Ok(decided) = (self.decide)(&exchange, &declined) else { return exchange.hang_up() };
        let reply = decided.unwrap_or_else(|refusal| refused(&refusal));
        exchange.takes_its_time(&wire).await;
        exchange.way_back(&wire, reply, &self)
    }
}

fn internal_error() -> Reply {
    refused(&Refusal::new(errors::INTERNAL).with_status(500))
}
