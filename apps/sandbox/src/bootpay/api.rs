//! The wire: from an HTTP request to the answer that reaches the client, or does not.

use std::{io, sync::Arc};

use axum::{
    extract::{ConnectInfo, Request, State as AppState},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};

use super::{
    billing_key,
    call::{Answer, Call, Change, Decision},
    cancel, cash_receipt, charge, confirm,
    errors::Refusal,
    notices::BootpayNotice,
    state::State,
    switches::BootpaySwitches,
    target::Target,
    token,
};
use crate::{
    book::Provider,
    courier,
    faults::{Moment, Struck},
    line::Line,
    wire::{self, Exchange, Reply, Words},
    world::World,
};

/// Every request under Bootpay's base URL.
pub(super) async fn entry(
    AppState(world): AppState<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let Some(exchange) = Exchange::read(world, line, request).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let switches = exchange.world.bootpay.switches();
    let failed = move || said(&Refusal::internal().answer(switches));
    wire::to_the_end(Provider::Bootpay, Bootpay { exchange, switches }.answer(), failed).await
}

/// Bootpay, as one request meets it.
struct Bootpay {
    exchange: Exchange,
    switches: BootpaySwitches,
}

impl Words for Bootpay {
    fn internal_error(&self) -> Reply {
        said(&Refusal::internal().answer(self.switches))
    }

    fn too_many_requests(&self) -> Reply {
        said(&Refusal::too_many_requests().answer(BootpaySwitches::default()))
    }
}

impl Bootpay {
    async fn answer(self) -> Response {
        let parts = &self.exchange.parts;
        let Some(target) = Target::parse(&parts.method, parts.uri.path()) else {
            return (StatusCode::NOT_FOUND, "Not Found").into_response();
        };
        let world = &self.exchange.world;
        let struck = self.exchange.struck(Provider::Bootpay, target.operation());
        let wire = match self.exchange.way_there(&struck, &self).await {
            Ok(wire) => wire,
            Err(response) => return response,
        };
        let Ok((answer, news)) = self.decide(&target, &struck, wire.failing_at()) else {
            // Not written down means not done; whoever cannot write anymore is as good as dead.
            return self.exchange.hang_up();
        };
        courier::announce_early(world, &news, self.switches.webhook_timing).await;
        self.exchange.takes_its_time(&wire).await;
        courier::announce(world, &news, self.switches.webhook_timing);
        self.exchange.way_back(&wire, said(&answer), &self)
    }

    /// Processes the request in one step that nothing can come between.
    fn decide(
        &self,
        target: &Target,
        struck: &Struck<'_>,
        failing_at: Option<Moment>,
    ) -> io::Result<(Answer, Vec<BootpayNotice>)> {
        let world = &self.exchange.world;
        let call = Call {
            now: world.clock.now(),
            body: &self.exchange.body,
            switches: self.switches,
            faults: &world.faults,
            struck,
        };
        let mut store = world.store();
        let decision = match failing_at {
            Some(Moment::BeforeProcessing) => Err(Refusal::internal()),
            _ => self.admitted(&store.bootpay, &call, target),
        };
        let change = decision.unwrap_or_else(|refusal| Change::answer(refusal.answer(self.switches)));
        let news = courier::commit(&mut store, change.records, change.news, self.switches.webhook_timing)?;
        Ok((change.answer, news))
    }

    fn admitted(&self, state: &State, call: &Call<'_>, target: &Target) -> Decision {
        if *target != Target::Token {
            token::authenticate(state, &self.exchange.parts.headers, call.now)?;
        }
        // Charges, confirms and cancels ask for it themselves, after what they check first.
        if !matches!(target, Target::Charge | Target::Confirm | Target::Cancel)
            && let Some(message) = call.decline()
        {
            return Err(Refusal::of_pg(message));
        }
        match target {
            Target::Token => token::issue(state, call),
            Target::Receipt(id) => confirm::look_up(state, call, id),
            Target::Order(id) => confirm::of_order(state, call, id),
            Target::Confirm => confirm::confirm(state, call),
            Target::Cancel => cancel::cancel(state, call),
            Target::Charge => charge::charge(state, call),
            Target::KeyOfReceipt(id) => billing_key::of_receipt(state, call, id),
            Target::Key(key) => billing_key::by_key(state, call, key),
            Target::DeleteKey(key) => billing_key::delete(state, key),
            Target::PublishCashReceipt => cash_receipt::publish(state, call),
            Target::CancelCashReceipt(id) => cash_receipt::cancel(state, call, id),
        }
    }
}

fn said(answer: &Answer) -> Reply {
    wire::reply(answer.status, "application/json", answer.body.to_string())
}
