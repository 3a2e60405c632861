//! The wire: from an HTTP request to the answer that reaches the client, or does not.

use std::{io, sync::Arc};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};

use super::{
    Record, billing_key,
    call::{Answer, Call, Change, Decision},
    cancel, cash_receipt, charge, confirm,
    errors::Refusal,
    idempotency::{Idempotency, KeptAnswer},
    lists,
    operation::Target,
    webhooks::Delivery,
};
use crate::{
    book::Provider,
    courier,
    faults::{Interference, Moment, Struck},
    line::Line,
    store::Store,
    wire::{self, Exchange, Reply, Words},
    world::World,
};

/// Every request under PortOne's base URL.
pub(crate) async fn entry(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let Some(exchange) = Exchange::read(world, line, request).await else {
        return said(&Refusal::new("INVALID_REQUEST").answer()).map(Body::from);
    };
    wire::to_the_end(Provider::PortOne, PortOne { exchange }.answer(), || said(&Refusal::internal().answer()))
        .await
}

/// PortOne, as one request meets it.
struct PortOne {
    exchange: Exchange,
}

impl Words for PortOne {
    fn internal_error(&self) -> Reply {
        said(&Refusal::internal().answer())
    }

    fn too_many_requests(&self) -> Reply {
        said(&Refusal::too_many_requests().answer())
    }
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

impl PortOne {
    async fn answer(self) -> Response {
        let parts = &self.exchange.parts;
        let Some(target) = Target::parse(&parts.method, parts.uri.path()) else {
            return (StatusCode::NOT_FOUND, "Not Found").into_response();
        };
        match self.admit(target) {
            Ok(admitted) => self.perform(&admitted).await,
            Err(refusal) => {
                self.exchange.takes_its_time(&Interference::default()).await;
                said(&refusal.answer()).map(Body::from)
            }
        }
    }

    fn admit(&self, target: Target) -> Result<Admitted, Refusal> {
        let Exchange { parts, body, .. } = &self.exchange;
        authenticate(&parts.headers)?;
        let uri = &parts.uri;
        let path_and_query = uri.path_and_query().map_or(uri.path(), |whole| whole.as_str());
        let idempotency = Idempotency::of(&parts.headers, &parts.method, path_and_query, body)?;
        Ok(Admitted { target, idempotency })
    }

    async fn perform(&self, admitted: &Admitted) -> Response {
        let world = &self.exchange.world;
        let struck = self.exchange.struck(Provider::PortOne, admitted.target.operation());
        let wire = match self.exchange.way_there(&struck, self).await {
            Ok(wire) => wire,
            Err(response) => return response,
        };
        let Ok(done) = self.decide(admitted, &struck, wire.failing_at()) else {
            // Not written down means not done; whoever cannot write anymore is as good as dead.
            return self.exchange.hang_up();
        };
        let timing = world.portone.switches().webhook_timing;
        courier::announce_early(world, &done.news, timing).await;
        self.exchange.takes_its_time(&wire).await;
        courier::announce(world, &done.news, timing);
        self.exchange.way_back(&wire, said(&done.answer), self)
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
        let switches = world.portone.switches();
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
            query: self.exchange.parts.uri.query().unwrap_or_default(),
            body: &self.exchange.body,
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
        let committed = courier::commit(&mut store, change.records, change.news, switches.webhook_timing);
        drop(store);
        Ok(Done { answer: change.answer, news: committed?, _running: running })
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
        Target::IssueCashReceipt => cash_receipt::issue(state, call),
        Target::LookUpCashReceipt { payment_id } => cash_receipt::look_up(state, call, payment_id),
        Target::CancelCashReceipt { payment_id } => cash_receipt::cancel(state, call, payment_id),
    }
}

fn said(answer: &Answer) -> Reply {
    wire::reply(answer.status, "application/json", answer.body.clone())
}
