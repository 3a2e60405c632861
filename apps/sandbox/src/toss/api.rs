//! The wire: from an HTTP request to the answer that reaches the client, or does not.

use std::{io, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderName, header::CONTENT_TYPE},
    response::Response,
};

use super::{
    MERCHANT_ID, Record,
    answer::{Answer, AnswerBody},
    billing_key,
    call::{Call, Change, Decision},
    cancel, cash_receipt, charge, confirm,
    errors::{Refusal, too_many_requests},
    gate::{self, Admitted, Idempotency},
    idempotency::{KeptAnswer, Slot},
    operation::Target,
    state, transactions,
    webhooks::Delivery,
};
use crate::{
    book::Provider,
    courier,
    faults::{Interference, Moment, Struck},
    line::Line,
    random,
    store::Store,
    wire::{self, Exchange, Reply, Words},
    world::World,
};

const TRACE_ID: HeaderName = HeaderName::from_static("x-tosspayments-trace-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Every request under Toss's base URL.
pub(crate) async fn entry(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let trace_id = random::hex_id();
    let Some(exchange) = Exchange::read(world, line, request).await else {
        return refuse(&trace_id, &Refusal::new("INVALID_REQUEST")).map(Body::from);
    };
    let toss = Toss { exchange, trace_id: trace_id.clone() };
    wire::to_the_end(Provider::Toss, toss.answer(), || refuse(&trace_id, &internal_error())).await
}

/// Toss, as one request meets it.
struct Toss {
    exchange: Exchange,
    trace_id: String,
}

impl Words for Toss {
    fn internal_error(&self) -> Reply {
        refuse(&self.trace_id, &internal_error())
    }

    fn too_many_requests(&self) -> Reply {
        said(&self.trace_id, &too_many_requests())
    }
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

impl Toss {
    async fn answer(self) -> Response {
        match gate::admit(&self.exchange.parts) {
            Ok(admitted) => self.perform(&admitted).await,
            Err(refusal) => {
                self.exchange.takes_its_time(&Interference::default()).await;
                refuse(&self.trace_id, &refusal).map(Body::from)
            }
        }
    }

    async fn perform(&self, admitted: &Admitted) -> Response {
        let world = &self.exchange.world;
        let struck = self.exchange.struck(Provider::Toss, admitted.target.operation());
        let wire = match self.exchange.way_there(&struck, self).await {
            Ok(wire) => wire,
            Err(response) => return response,
        };
        let Ok(done) = self.decide(admitted, &struck, wire.failing_at()) else {
            // Not written down means not done; whoever cannot write anymore is as good as dead.
            return self.exchange.hang_up();
        };
        let timing = world.toss.switches().webhook_timing;
        courier::announce_early(world, &done.news, timing).await;
        self.exchange.takes_its_time(&wire).await;
        courier::announce(world, &done.news, timing);
        let mut reply = full(done.status, done.body, &done.trace_id);
        // Echoed on the first answer as well as on replays (measured).
        if let Some(key) = admitted.idempotency.as_ref().and_then(|idempotency| idempotency.key.parse().ok())
        {
            reply.headers_mut().insert(IDEMPOTENCY_KEY, key);
        }
        self.exchange.way_back(&wire, reply, self)
    }

    /// Replays a kept answer or processes the request, in one step that nothing can come between.
    fn decide(
        &self,
        admitted: &Admitted,
        struck: &Struck<'_>,
        failing_at: Option<Moment>,
    ) -> io::Result<Done> {
        let world = &self.exchange.world;
        let now = world.clock.now();
        let switches = world.toss.switches();
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
            uri: &self.exchange.parts.uri,
            body: &self.exchange.body,
            merchant: &admitted.merchant,
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
        address(&store.toss, &admitted.merchant, &mut change.news);
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
        let committed = courier::commit(&mut store, change.records, change.news, switches.webhook_timing);
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
        Target::IssueCashReceipt => cash_receipt::issue(call),
        Target::CancelCashReceipt { receipt_key } => cash_receipt::cancel(state, call, receipt_key),
        Target::CashReceipts => cash_receipt::list(state, call),
    }
}

/// Where a merchant's webhooks go: those of the one that everything else belongs to where all of this
/// provider go, any other's only where it wants them.
fn address(state: &state::State, merchant: &str, news: &mut Vec<Delivery>) {
    if merchant == MERCHANT_ID {
        return;
    }
    match state.webhook_url_of(merchant) {
        None => news.clear(),
        Some(url) => news.iter_mut().for_each(|letter| letter.own_url = Some(url.to_owned())),
    }
}

fn internal_error() -> Refusal {
    Refusal::new("FAILED_INTERNAL_SYSTEM_PROCESSING")
}

fn refuse(trace_id: &str, refusal: &Refusal) -> Reply {
    said(trace_id, &refusal.answer())
}

/// An answer that consists of its text, such as an error.
fn said(trace_id: &str, answer: &Answer) -> Reply {
    let body = match &answer.body {
        AnswerBody::Text(text) => Bytes::from(text.clone()),
        AnswerBody::Empty | AnswerBody::Payment { .. } => Bytes::new(),
    };
    full(answer.status, body, trace_id)
}

fn full(status: u16, body: Bytes, trace_id: &str) -> Reply {
    let mut reply = wire::reply(status, "application/json", body);
    if reply.body().is_empty() {
        reply.headers_mut().remove(CONTENT_TYPE);
    }
    if let Ok(trace_id) = trace_id.parse() {
        reply.headers_mut().insert(TRACE_ID, trace_id);
    }
    reply
}
