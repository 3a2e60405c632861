//! The wire: from an HTTP request to the answer that reaches the client, or does not.

use std::{io, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::request::Parts,
    response::Response,
};

use super::{
    Record, billing_key,
    call::{Call, Change, Decision},
    cancel, charge, confirm, courier,
    errors::{Refusal, too_many_requests},
    gate::{self, Admitted, Idempotency},
    idempotency::{KeptAnswer, Slot},
    operation::Target,
    reply,
    switches::WebhookTiming,
    transactions,
    webhooks::Delivery,
};
use crate::{
    book::Provider,
    broken,
    faults::{FaultKind, Moment, Struck},
    line::Line,
    random,
    store::Store,
    world::World,
};

const MAX_BODY: usize = 1024 * 1024;

/// Every request under Toss's base URL.
pub(crate) async fn entry(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return reply::with(&random::hex_id(), &Refusal::new("INVALID_REQUEST"));
    };
    // In a task of its own: a client that hangs up does not stop Toss from charging.
    let exchange = Exchange { world, line, parts, body, trace_id: random::hex_id() };
    match tokio::spawn(exchange.run()).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "the sandbox failed while answering as Toss");
            reply::with(&random::hex_id(), &Refusal::new("FAILED_INTERNAL_SYSTEM_PROCESSING"))
        }
    }
}

struct Exchange {
    world: Arc<World>,
    line: Line,
    parts: Parts,
    body: Bytes,
    trace_id: String,
}

/// What was decided, ready to be sent.
struct Done {
    status: u16,
    body: Bytes,
    trace_id: String,
    news: Vec<Delivery>,
    /// Until it is dropped, the same idempotency key is answered with "still running".
    _running: Option<Running>,
}

struct Running {
    world: Arc<World>,
    slot: Slot,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.world.store().toss.running.remove(&self.slot);
    }
}

impl Exchange {
    async fn run(self) -> Response {
        match gate::admit(&self.parts) {
            Ok(admitted) => self.perform(&admitted).await,
            Err(refusal) => {
                pause(self.world.latency).await;
                reply::with(&self.trace_id, &refusal)
            }
        }
    }

    async fn perform(&self, admitted: &Admitted) -> Response {
        let struck = Struck {
            provider: Provider::Toss,
            operation: admitted.target.operation(),
            path: self.parts.uri.path(),
            body: &self.body,
        };
        let wire = self.world.faults.on_the_wire(&struck);
        pause(wire.before).await;
        match &wire.breakage {
            Some(FaultKind::Refuse) => return self.hang_up(),
            Some(FaultKind::RateLimited) => return reply::json(&self.trace_id, &too_many_requests()),
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
            Some(FaultKind::Truncated) => broken::truncated(&done.body),
            Some(FaultKind::WrongCharset) => broken::in_utf16(done.status, &done.body),
            Some(FaultKind::Html502(_)) => broken::bad_gateway(),
            Some(FaultKind::Error500(_)) => reply::with(&done.trace_id, &internal_error()),
            _ => {
                let key = admitted.idempotency.as_ref().map(|idempotency| idempotency.key.as_str());
                reply::full(done.status, done.body, &done.trace_id, key)
            }
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
        let switches = world.switches();
        let failing_at = match breakage {
            Some(FaultKind::Error500(moment)) => Some(*moment),
            _ => None,
        };
        // Before the lock, so that it drops after it even if this panics: its drop takes the lock.
        let mut running = None;
        let mut store = world.store();
        if let Some(Idempotency { slot, .. }) = &admitted.idempotency {
            if store.toss.running.contains(slot) {
                return Ok(self.done_with(&store, &Refusal::new("IDEMPOTENT_REQUEST_PROCESSING")));
            }
            if let Some(kept) = store.toss.kept_answer(slot, now) {
                return Ok(self.replay(&store, kept));
            }
            store.toss.running.insert(*slot);
            running = Some(Running { world: world.clone(), slot: *slot });
        }
        let call = Call {
            now,
            uri: &self.parts.uri,
            body: &self.body,
            is_test: admitted.is_test,
            idempotency_key: admitted.idempotency.as_ref().map(|idempotency| idempotency.key.as_str()),
            switches,
            faults: &world.faults,
            struck,
        };
        let decision = match failing_at {
            Some(Moment::BeforeProcessing) => Err(internal_error()),
            _ => decide(&store, &call, &admitted.target),
        };
        let mut change = decision.unwrap_or_else(|refusal| Change::answer(refusal.answer()));
        if let Some(Idempotency { slot, .. }) = &admitted.idempotency {
            let kept = match failing_at {
                // The answer was lost behind a 500 in front of Toss, unless Toss itself keeps 5xx.
                Some(Moment::AfterProcessing) if switches.store_server_errors => internal_error().answer(),
                _ => change.answer.clone(),
            };
            if kept.status < 500 || switches.store_server_errors {
                let trace_id = self.trace_id.clone();
                let kept = KeptAnswer { slot: *slot, answer: kept, trace_id, first_used_at: now };
                change.records.push(Record::Answer(kept).into());
            }
        }
        let committed = store.commit_toss(change.records, change.news, switches);
        let body = change.answer.bytes(&store.toss);
        drop(store);
        Ok(Done {
            status: change.answer.status,
            body,
            trace_id: self.trace_id.clone(),
            news: committed?,
            _running: running,
        })
    }

    fn replay(&self, store: &Store, kept: &KeptAnswer) -> Done {
        Done {
            status: kept.answer.status,
            body: kept.answer.bytes(&store.toss),
            // Measured, though unofficial: a replay names its own id and that of the first answer.
            trace_id: format!("{}, {}", self.trace_id, kept.trace_id),
            news: Vec::new(),
            _running: None,
        }
    }

    fn done_with(&self, store: &Store, refusal: &Refusal) -> Done {
        let answer = refusal.answer();
        Done {
            status: answer.status,
            body: answer.bytes(&store.toss),
            trace_id: self.trace_id.clone(),
            news: Vec::new(),
            _running: None,
        }
    }

    async fn announce_early(&self, news: &[Delivery]) {
        if self.world.switches().webhook_timing == WebhookTiming::BeforeAnswer {
            for delivery in news {
                courier::deliver(&self.world, &delivery.transmission_id).await;
            }
        }
    }

    fn announce(&self, news: &[Delivery]) {
        if self.world.switches().webhook_timing == WebhookTiming::AfterAnswer {
            courier::schedule_all(&self.world, news);
        }
    }

    /// Nothing of the response returned here reaches the client.
    fn hang_up(&self) -> Response {
        self.line.cut();
        Response::new(Body::empty())
    }
}

fn decide(store: &Store, call: &Call<'_>, target: &Target) -> Decision {
    let state = &store.toss;
    // Charges and confirms ask for it themselves: a declined one leaves traces.
    if !matches!(target, Target::Charge { .. } | Target::Confirm)
        && let Some(code) = call.decline()
    {
        return Err(Refusal::new(&code));
    }
    match target {
        Target::Issue => billing_key::issue(state, call),
        Target::Charge { billing_key } => charge::charge(state, call, billing_key),
        Target::Delete { billing_key } => billing_key::delete(state, call, billing_key),
        Target::Confirm => confirm::confirm(state, call),
        Target::Cancel { payment_key } => cancel::cancel(state, call, payment_key),
        Target::LookupByKey { payment_key } => confirm::look_up(state.payment(payment_key), call),
        Target::LookupByOrder { order_id } => confirm::look_up(state.payment_of_order(order_id), call),
        Target::Transactions => transactions::list(state, &store.book, call),
    }
}

fn internal_error() -> Refusal {
    Refusal::new("FAILED_INTERNAL_SYSTEM_PROCESSING")
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
