//! The wire to a provider: from an HTTP request to the answer that reaches the client, or does not.
//!
//! Whatever the provider, a request is read to its end and answered in a task of its own, and the
//! faults of the wire strike it on its way there and its answer on the way back.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::Response,
};

use crate::{
    book::Provider,
    broken,
    faults::{FaultKind, Interference, Moment, Operation, Struck},
    line::Line,
    world::World,
};

const MAX_BODY: usize = 1024 * 1024;

/// An answer as the provider gave it, before anything happens to it.
pub(crate) type Reply = Response<Bytes>;

pub(crate) fn reply(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(body.into());
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// How a provider puts into words what is not about the request.
pub(crate) trait Words {
    fn internal_error(&self) -> Reply;
    fn too_many_requests(&self) -> Reply;
}

/// A request, read to its end, and the line that it came on.
pub(crate) struct Exchange {
    pub(crate) world: Arc<World>,
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    line: Line,
}

impl Exchange {
    /// `None` for a body larger than any request is.
    pub(crate) async fn read(world: Arc<World>, line: Line, request: Request) -> Option<Self> {
        Self::read_up_to(MAX_BODY, world, line, request).await
    }

    /// For providers that take more at once.
    pub(crate) async fn read_up_to(
        max_body: usize,
        world: Arc<World>,
        line: Line,
        request: Request,
    ) -> Option<Self> {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, max_body).await.ok()?;
        Some(Self { world, parts, body, line })
    }

    pub(crate) fn struck(&self, provider: Provider, operation: Operation) -> Struck<'_> {
        Struck { provider, operation, path: self.parts.uri.path(), body: &self.body }
    }

    /// The way there. `Err` is what the client gets in place of an answer of the provider.
    pub(crate) async fn way_there(
        &self,
        struck: &Struck<'_>,
        words: &impl Words,
    ) -> Result<Interference, Response> {
        let wire = self.world.faults.on_the_wire(struck);
        pause(wire.before).await;
        match &wire.breakage {
            Some(FaultKind::Refuse) => Err(self.hang_up()),
            Some(FaultKind::RateLimited) => Err(words.too_many_requests().map(Body::from)),
            Some(FaultKind::Html502(Moment::BeforeProcessing)) => Err(broken::bad_gateway()),
            Some(FaultKind::Redirect) => Err(broken::elsewhere()),
            _ => Ok(wire),
        }
    }

    /// Every answer takes its time.
    pub(crate) async fn takes_its_time(&self, wire: &Interference) {
        pause(self.world.latency + wire.after).await;
    }

    /// The way back.
    pub(crate) fn way_back(&self, wire: &Interference, reply: Reply, words: &impl Words) -> Response {
        match &wire.breakage {
            Some(FaultKind::DropResponse) => self.hang_up(),
            Some(FaultKind::Truncated) => broken::truncated(reply),
            Some(FaultKind::WrongCharset) => broken::in_utf16(&reply),
            Some(FaultKind::Html502(_)) => broken::bad_gateway(),
            Some(FaultKind::Error500(_)) => words.internal_error().map(Body::from),
            _ => reply.map(Body::from),
        }
    }

    /// Nothing of the response returned here reaches the client.
    pub(crate) fn hang_up(&self) -> Response {
        self.line.cut();
        Response::new(Body::empty())
    }
}

/// In a task of its own: a client that hangs up does not stop a provider from charging.
pub(crate) async fn to_the_end(
    provider: Provider,
    answering: impl Future<Output = Response> + Send + 'static,
    failed: impl FnOnce() -> Reply,
) -> Response {
    match tokio::spawn(answering).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, ?provider, "the sandbox failed while answering as a provider");
            failed().map(Body::from)
        }
    }
}

impl Interference {
    /// The moment at which a 500 of the provider's own strikes.
    pub(crate) fn failing_at(&self) -> Option<Moment> {
        match self.breakage {
            Some(FaultKind::Error500(moment)) => Some(moment),
            _ => None,
        }
    }
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
