//! The wire: from an HTTP request to the answer that reaches the client, or does not.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};

use super::{
    Record, billing_key,
    call::{Answer, Call, Change, Decision},
    cancel, charge, confirm, courier,
    errors::Refusal,
    idempotency::{Idempotency, KeptAnswer},
    lists,
    operation::Target,
    webhooks::Delivery,
};
use crate::{
    book::Provider,
    broken,
    faults::{FaultKind, Moment, Struck},
    line::Line,
    store::Store,
    toss::WebhookTiming,
    world::World,
};

const MAX_BODY: usize = 1024 * 1024;

/// Every request under PortOne's base URL.
pub(crate) async fn entry(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return reply(&Refusal::new("INVALID_REQUEST").answer());
    };
    // In a task of its own: a client that hangs up does not stop PortOne from charging.
    let exchange = Exchange { world, line, parts, body };
    match tokio::spawn(exchange.run()).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "the sandbox failed while answering as PortOne");
            reply(&Refusal::internal().answer())
        }
    }
}

struct Exchange {
    world: Arc<World>,
    line: Line,
    parts: Parts,
    body: Bytes,
}

struct Admitted {
    target: Target,
    idempotency: Option<Idempotency>,
}

/// What was decided, ready to be sent.
struct Done {
    answer: Answer,
    news: Vec<Delivery>,
    /// Until it is dropped, the same idempotency key is answered with "outstanding".
    _running: Option<Running>,
}

struct Running {
    world: Arc<World>,
    key: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.world.store().portone.running.remove(&self.key);
    }
}

impl Exchange {
    async fn run(self) -> Response {
        let Some(target) = Target::parse(&self.parts.method, self.parts.uri.path()) else {
            return (StatusCode::NOT_FOUND, "Not Found").into_response();
        };
        match self.admit(target) {
            Ok(admitted) => self.perform(&admitted).await,
            Err(refusal) => {
                pause(self.world.latency).await;
                reply(&refusal.answer())
            }
        }
    }

    fn admit(&self, target: Target) -> Result<Admitted, Refusal> {
        authenticate(&self.parts.headers)?;
        let uri = &self.parts.uri;
        let path_and_query = uri.path_and_query().map_or(uri.path(), |whole| whole.as_str());
        let idempotency =
            Idempotency::of(&self.parts.headers, &self.parts.method, path_and_query, &self.body)?;
        Ok(Admitted { target, idempotency })
    }

    async fn perform(&self, admitted: &Admitted) -> Response {
        let struck = Struck {
            provider: Provider::PortOne,
            operation: admitted.target.operation(),
            path: self.parts.uri.path(),
            body: &self.body,
        };
        let wire = self.world.faults.on_the_wire(&struck);
        pause(wire.before).await;
        match &wire.breakage {
            Some(FaultKind::Refuse) => return self.hang_up(),
            Some(FaultKind::RateLimited) => return reply(&Refusal::too_many_requests().answer()),
            Some(FaultKind::Html502(Moment::BeforeProcessing)) => return broken::bad_gateway(),
            Some(FaultKind::Redirect) => return broken::elsewhere(),
            _ => {}
        }
        let Ok(done) = self.decide(admitted, &struck, wire.breakage.as_ref()) else {
            // Not written down means not done; whoever cannot write anymore is as good as dead.
            return self.hang_up();
        };
        self.announce_early(&done.news).await;
        pause(self.world.latency + wire.after).await;
        self.announce(&done.news);
        match wire.breakage {
            Some(FaultKind::DropResponse) => self.hang_up(),
            Some(FaultKind::Truncated) => broken::truncated(&Bytes::from(done.answer.body.clone())),
            Some(FaultKind::WrongCharset) => {
                broken::in_utf16(done.answer.status, &Bytes::from(done.answer.body.clone()))
            }
            Some(FaultKind::Html502(_)) => broken::bad_gateway(),
            Some(FaultKind::Error500(_)) => reply(&Refusal::internal().answer()),
            _ => reply(&done.answer),
        }
    }

    /// Replays a kept answer or processes the request, in one step that nothing can come between.
    fn decide(
        &self,
        admitted: &Admitted,
        struck: &Struck<'_>,
        breakage: Option<&FaultKind>,
    ) -> io::Result<Done> {
        let world = &self.world;
        let now = world.clock.now();
        let switches = world.portone.switches();
        let failing_at = match breakage {
            Some(FaultKind::Error500(moment)) => Some(*moment),
            _ => None,
        };
        // Before the lock, so that it drops after it even if this panics: its drop takes the lock.
        let mut running = None;
        let mut store = world.store();
        if let Some(Idempotency { key, fingerprint }) = &admitted.idempotency {
            if store.portone.running.contains(key) {
                return Ok(Done::of(Refusal::new("IDEMPOTENCY_OUTSTANDING_REQUEST").answer()));
            }
            if let Some(kept) = store.portone.kept_answer(key, now) {
                // Forbidden, and the answer not documented.
                let other = Refusal::invalid_request("다른 요청에 사용된 Idempotency-Key입니다.");
                let same = kept.fingerprint == *fingerprint;
                return Ok(Done::of(if same { kept.answer.clone() } else { other.answer() }));
            }
            store.portone.running.insert(key.clone());
            running = Some(Running { world: world.clone(), key: key.clone() });
        }
        let call = Call {
            now,
            query: self.parts.uri.query().unwrap_or_default(),
            body: &self.body,
            idempotency_key: admitted.idempotency.as_ref().map(|idempotency| idempotency.key.as_str()),
            switches,
            faults: &world.faults,
            struck,
        };
        let decision = match failing_at {
            Some(Moment::BeforeProcessing) => Err(Refusal::internal()),
            _ => decide(&store, &call, &admitted.target),
        };
        let mut change = decision.unwrap_or_else(|refusal| Change::answer(refusal.answer()));
        if let Some(Idempotency { key, fingerprint }) = &admitted.idempotency {
            let kept = match failing_at {
                // The answer was lost behind a 500 in front of PortOne, unless it keeps its own 5xx.
                Some(_) if switches.store_server_errors => Refusal::internal().answer(),
                _ => change.answer.clone(),
            };
            let keeps = match kept.status {
                200 => true,
                500 => switches.store_server_errors,
                _ => switches.store_refusals,
            };
            if keeps {
                let (key, fingerprint) = (key.clone(), fingerprint.clone());
                let kept = KeptAnswer { key, fingerprint, answer: kept, first_used_at: now };
                change.records.push(Record::Answer(kept).into());
            }
        }
        let committed = courier::commit(&mut store, change.records, change.news, switches);
        drop(store);
        Ok(Done { answer: change.answer, news: committed?, _running: running })
    }

    async fn announce_early(&self, news: &[Delivery]) {
        if self.world.portone.switches().webhook_timing == WebhookTiming::BeforeAnswer {
            for delivery in news {
                courier::deliver(&self.world, &delivery.webhook_id).await;
            }
        }
    }

    fn announce(&self, news: &[Delivery]) {
        if self.world.portone.switches().webhook_timing == WebhookTiming::AfterAnswer {
            courier::schedule(&self.world, news);
        }
    }

    /// Nothing of the response returned here reaches the client.
    fn hang_up(&self) -> Response {
        self.line.cut();
        Response::new(Body::empty())
    }
}

impl Done {
    /// An answer that changes nothing.
    fn of(answer: Answer) -> Self {
        Self { answer, news: Vec::new(), _running: None }
    }
}

/// `Authorization: PortOne {secret}`: any secret is welcome, the scheme has to be right. A PG's own
/// secret in it is the classic mistake, and Basic is how those are sent.
fn authenticate(headers: &HeaderMap) -> Result<(), Refusal> {
    headers
        .get(AUTHORIZATION)
        .and_then(|header| header.to_str().ok()?.strip_prefix("PortOne "))
        .filter(|secret| !secret.trim().is_empty())
        .map(|_| ())
        .ok_or_else(|| Refusal::new("UNAUTHORIZED"))
}

fn decide(store: &Store, call: &Call<'_>, target: &Target) -> Decision {
    let state = &store.portone;
    // Charges and confirms ask for it themselves: a declined one leaves traces.
    if !matches!(target, Target::Charge { .. } | Target::Confirm { .. })
        && let Some(code) = call.decline()
    {
        return Err(Refusal::forced(&code));
    }
    match target {
        // What the PG says to a merchant without the contract; the words are ours.
        Target::IssueFromCard | Target::PayFromCard => Err(Refusal {
            message: "카드 정보를 직접 전달하는 결제는 PG사와 별도 계약이 필요합니다.".to_owned(),
            ..Refusal::new("FORBIDDEN")
        }),
        Target::ConfirmBillingKey => billing_key::confirm(state, call),
        Target::LookUpBillingKey { billing_key } => billing_key::look_up(state, call, billing_key),
        Target::DeleteBillingKey { billing_key } => billing_key::delete(state, call, billing_key),
        Target::Charge { payment_id } => charge::charge(state, call, payment_id),
        Target::Confirm { payment_id } => confirm::confirm(state, call, payment_id),
        Target::PreRegister { payment_id } => confirm::pre_register(state, call, payment_id),
        Target::Cancel { payment_id } => cancel::cancel(state, call, payment_id),
        Target::LookUpPayment { payment_id } => confirm::look_up(state, call, payment_id),
        Target::Payments => lists::payments(state, call),
        Target::Events => lists::events(state, &store.book, call),
    }
}

fn reply(answer: &Answer) -> Response {
    let mut response = Response::new(Body::from(answer.body.clone()));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
