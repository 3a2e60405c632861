//! From an HTTP request to the answer that reaches the client, or does not.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
        request::Parts,
    },
    response::Response,
};
use futures::{StreamExt as _, stream};

use super::errors::{self, Refusal};
use crate::{
    book::Provider,
    faults::{FaultKind, Moment, Operation, Struck},
    line::Line,
    world::World,
};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const MAX_BODY: usize = 1024 * 1024;

/// A request, read to its end.
pub(super) struct Request {
    pub(super) parts: Parts,
    pub(super) body: Bytes,
}

/// An answer before anything happens to it.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) content_type: HeaderValue,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn json(body: impl Into<Bytes>) -> Self {
        Self { status: 200, content_type: JSON, body: body.into() }
    }

    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, self.content_type);
        response
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self { status: refusal.status, ..Self::json(refusal.body()) }
    }
}

/// What a request is to do. `Err` of the first kind: it could not be written down, so it did not happen.
pub(super) type Decided = io::Result<Result<Reply, Refusal>>;

/// The refusal of a `decline` fault that strikes the request; it is used up by asking.
pub(super) type Declined<'a> = &'a dyn Fn() -> Option<Refusal>;

pub(super) struct Exchange {
    pub(super) world: Arc<World>,
    pub(super) line: Line,
}

impl Exchange {
    /// In a task of its own: a client that hangs up does not stop Popbill from issuing.
    pub(super) async fn answer(
        self,
        request: axum::extract::Request,
        operation: impl FnOnce(&Request) -> Option<Operation>,
        decide: impl FnOnce(&World, &Request, Declined<'_>) -> Decided + Send + 'static,
    ) -> Response {
        let (parts, body) = request.into_parts();
        let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
            return Reply::from(Refusal::new(errors::UNREADABLE)).into_response();
        };
        let request = Request { parts, body };
        let operation = operation(&request);
        match tokio::spawn(self.run(request, operation, decide)).await {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(%error, "the sandbox failed while answering as Popbill");
                Reply::from(internal_error()).into_response()
            }
        }
    }

    async fn run(
        self,
        request: Request,
        operation: Option<Operation>,
        decide: impl FnOnce(&World, &Request, Declined<'_>) -> Decided,
    ) -> Response {
        let struck = operation.map(|operation| Struck {
            provider: Provider::Popbill,
            operation,
            path: request.parts.uri.path(),
            body: &request.body,
        });
        let wire = struck.as_ref().map(|struck| self.world.faults.on_the_wire(struck)).unwrap_or_default();
        pause(wire.before).await;
        match &wire.breakage {
            Some(FaultKind::Refuse) => return self.hang_up(),
            Some(FaultKind::RateLimited) => {
                return Reply::from(Refusal::new(errors::TOO_MANY_REQUESTS).with_status(429)).into_response();
            }
            Some(FaultKind::Html502(Moment::BeforeProcessing)) => return bad_gateway(),
            Some(FaultKind::Error500(Moment::BeforeProcessing)) => {
                return Reply::from(internal_error()).into_response();
            }
            _ => {}
        }
        let declined = || {
            let code = self.world.faults.decline(struck.as_ref()?)?;
            Some(Refusal::new(code.parse().unwrap_or(errors::CERTIFICATE_INVALID)))
        };
        let Ok(decided) = decide(&self.world, &request, &declined) else { return self.hang_up() };
        let reply = decided.unwrap_or_else(Reply::from);
        pause(self.world.latency + wire.after).await;
        match wire.breakage {
            Some(FaultKind::DropResponse) => self.hang_up(),
            Some(FaultKind::Truncated) => truncated(&reply.body),
            Some(FaultKind::Html502(_)) => bad_gateway(),
            Some(FaultKind::Error500(_)) => Reply::from(internal_error()).into_response(),
            _ => reply.into_response(),
        }
    }

    /// Nothing of the response returned here reaches the client.
    fn hang_up(&self) -> Response {
        self.line.cut();
        Response::new(Body::empty())
    }
}

fn internal_error() -> Refusal {
    Refusal::new(errors::INTERNAL).with_status(500)
}

/// What a load balancer in front of Popbill would say.
fn bad_gateway() -> Response {
    let body = Bytes::from_static(b"<html><body><h1>502 Bad Gateway</h1></body></html>");
    Reply { status: 502, content_type: HeaderValue::from_static("text/html"), body }.into_response()
}

/// Promises the whole body, sends half of it and breaks the connection.
fn truncated(body: &Bytes) -> Response {
    let half = body.slice(..body.len() / 2);
    let broken = stream::once(async move { Ok(half) }).chain(stream::once(async {
        // The half has to leave before the connection breaks, else nothing would arrive at all.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "truncated by a fault of the sandbox"))
    }));
    let mut response = Response::new(Body::from_stream(broken));
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    response
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
