//! Popbill's API: who asks, what for, and one step that nothing can come between.

use std::sync::Arc;

use axum::{
    extract::{ConnectInfo, State},
    response::Response,
};

use super::{
    call::Target,
    errors::{self, Refusal},
    exchange::{Decided, Declined, Exchange, Request},
    issue::{Change, Seller},
    session::Session,
};
use crate::{line::Line, store::Store, world::World};

/// Every request under Popbill's base URL.
pub(super) async fn entry(
    State(world): State<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: axum::extract::Request,
) -> Response {
    let operation = |request: &Request| Target::of(request).map(|target| target.operation());
    Exchange { world, line }.answer(request, operation, decide).await
}

fn decide(world: &World, request: &Request, declined: Declined<'_>) -> Decided {
    let Some(target) = Target::of(request) else {
        return Ok(Err(Refusal::new(errors::NO_SUCH_ADDRESS).with_status(404)));
    };
    let mut store = world.store();
    let change = match perform(world, &store, request, &target, declined) {
        Ok(change) => change,
        Err(refusal) => return Ok(Err(refusal)),
    };
    store.commit(change.records.into_iter().map(Into::into).collect())?;
    Ok(change.answer)
}

fn perform(
    world: &World,
    store: &Store,
    request: &Request,
    target: &Target,
    declined: Declined<'_>,
) -> Result<Change, Refusal> {
    let state = &store.popbill;
    let now = world.clock.now();
    let session = Session::of(state, &request.parts.headers, now)?;
    if let Some(refusal) = declined() {
        return Err(refusal);
    }
    let seller = Seller { state, corp_num: &session.corp_num, now, switches: world.popbill.read() };
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
