//! Popbill's API: who asks, what for, and one step that nothing can come between.

use std::sync::Arc;

use axum::{
    extract::{ConnectInfo, Request, State},
    response::Response,
};

use super::{
    call::Target,
    errors::{self, Refusal},
    exchange::{Decided, Declined, Desk},
    issue::{Change, Seller},
    session::Session,
};
use crate::{faults::Operation, line::Line, store::Store, wire::Exchange, world::World};

/// Every request under Popbill's base URL.
pub(super) async fn entry(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    Desk { operation, decide }.answer(world, line, request).await
}

fn operation(exchange: &Exchange) -> Option<Operation> {
    Target::of(exchange).map(|target| target.operation())
}

fn decide(request: &Exchange, declined: Declined<'_>) -> Decided {
    let Some(target) = Target::of(request) else {
        return Ok(Err(Refusal::new(errors::NO_SUCH_ADDRESS).with_status(404)));
    };
    let mut store = request.world.store();
    let change = match perform(&store, request, &target, declined) {
        Ok(change) => change,
        Err(refusal) => return Ok(Err(refusal)),
    };
    store.commit(change.records.into_iter().map(Into::into).collect())?;
    Ok(change.answer)
}

fn perform(
    store: &Store,
    request: &Exchange,
    target: &Target,
    declined: Declined<'_>,
) -> Result<Change, Refusal> {
    let world = &request.world;
    let state = &store.popbill;
    let now = world.clock.now();
    let session = Session::of(state, &request.parts.headers, now)?;
    if let Some(refusal) = declined() {
        return Err(refusal);
    }
    let seller = Seller { state, corp_num: &session.corp_num, now, switches: world.popbill.switches() };
    let read = |answer| Ok(Change { answer, records: Vec::new() });
    match target {
        Target::RegistIssue => seller.regist_issue(&request.body),
        Target::Register => seller.register(&request.body),
        Target::IssueSaved { key } => seller.issue_saved(key, &request.body),
        Target::Withdraw { key } => seller.withdraw(key),
        Target::File { key } => seller.file(key),
        Target::Infos => read(seller.infos(&request.body)),
        Target::Info { key } => read(seller.info(key)),
        Target::Detail { key } => read(seller.detail(key)),
        Target::Link { key, view } => {
            let host = request.parts.headers.get("host").and_then(|value| value.to_str().ok());
            read(seller.link(key, view, host.unwrap_or("localhost")))
        }
        Target::Pdf { key } => read(seller.pdf(key)),
        Target::Xml { key } => read(seller.xml(key)),
    }
}
