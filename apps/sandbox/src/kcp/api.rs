//! The wire: from an HTTP request to the answer that reaches the client, or does not.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State as AppState},
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use encoding_rs::EUC_KR;

use super::{
    answer::{Answer, Answering as _, Fields},
    batch_key,
    call::{Call, Change, Decision},
    cancel,
    certificate::Credentials,
    charge,
    codes::Refusal,
    confirm, inquiry,
    notices::KcpNotice,
    switches::{AnswerCharset, KcpSwitches},
    target::Target,
    trade,
};
use crate::{
    book::Provider,
    courier::{self, WebhookTiming},
    faults::{Moment, Struck},
    line::Line,
    wire::{self, Exchange, Reply, Words},
    world::World,
};

/// Every request under KCP's base URL that is not a page.
pub(super) async fn entry(
    AppState(world): AppState<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    if request.method() != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let Some(exchange) = Exchange::read(world, line, request).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let switches = exchange.world.kcp.switches();
    wire::to_the_end(Provider::Kcp, Kcp { exchange, switches }.answer(), server_error).await
}

/// KCP, as one request meets it.
struct Kcp {
    exchange: Exchange,
    switches: KcpSwitches,
}

impl Words for Kcp {
    fn internal_error(&self) -> Reply {
        server_error()
    }

    fn too_many_requests(&self) -> Reply {
        wire::reply(429, "text/html", "<html><body>Too Many Requests</body></html>")
    }
}

impl Kcp {
    async fn answer(self) -> Response {
        let fields = match Fields::read(&self.exchange.body) {
            Ok(fields) => fields,
            Err(refusal) => return said(&refusal.answer(), self.switches).map(Body::from),
        };
        let world = &self.exchange.world;
        let target = Target::of(self.exchange.parts.uri.path(), &fields, &world.store().kcp);
        match target {
            None => StatusCode::NOT_FOUND.into_response(),
            Some(Target::Register | Target::RegisterWithCertificate) => {
                let with_certificate = target == Some(Target::RegisterWithCertificate);
                trade::register(world, &fields, with_certificate, &self.base_url()).map_or_else(
                    |_| self.exchange.hang_up(),
                    |answer| said(&answer, self.switches).map(Body::from),
                )
            }
            Some(target) => self.perform(target, &fields).await,
        }
    }

    async fn perform(&self, target: Target, fields: &Fields) -> Response {
        let Some(operation) = target.operation() else { return StatusCode::NOT_FOUND.into_response() };
        let struck = self.exchange.struck(Provider::Kcp, operation);
        let wire = match self.exchange.way_there(&struck, self).await {
            Ok(wire) => wire,
            Err(response) => return response,
        };
        if wire.failing_at() == Some(Moment::BeforeProcessing) {
            return server_error().map(Body::from);
        }
        let Ok((answer, news)) = self.decide(target, fields, &struck) else {
            // Not written down means not done; whoever cannot write anymore is as good as dead.
            return self.exchange.hang_up();
        };
        self.exchange.takes_its_time(&wire).await;
        courier::announce(&self.exchange.world, &news, WebhookTiming::AfterAnswer);
        self.exchange.way_back(&wire, said(&answer, self.switches), self)
    }

    /// Processes the request in one step that nothing can come between.
    fn decide(
        &self,
        target: Target,
        fields: &Fields,
        struck: &Struck<'_>,
    ) -> std::io::Result<(Answer, Vec<KcpNotice>)> {
        let (world, switches) = (&self.exchange.world, self.switches);
        let now = world.clock.now();
        let mut store = world.store();
        let decision = admit(fields, switches, now).and_then(|credentials| {
            let call = Call {
                now,
                fields,
                credentials: &credentials,
                switches,
                store: &store,
                faults: &world.faults,
                struck,
            };
            decide(target, &call)
        });
        let mut change = decision.unwrap_or_else(|refusal| Change::answer(refusal.answer()));
        let news = courier::commit(&mut store, change.records, change.news, WebhookTiming::AfterAnswer)?;
        if switches.unknown_fields {
            change.answer.put("sandbox_new_field", "새 필드").put("sandbox_empty_field", "");
        }
        Ok((change.answer, news))
    }

    /// As the client knows us.
    fn base_url(&self) -> String {
        let host = self.exchange.parts.headers.get("host").and_then(|host| host.to_str().ok());
        format!("http://{}/kcp", host.unwrap_or("localhost"))
    }
}

/// Every call but a registration without a certificate begins with these two.
pub(super) fn admit(
    fields: &Fields,
    switches: KcpSwitches,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Credentials, Refusal> {
    let site_cd = fields.get("site_cd");
    if site_cd.len() != 5 || !site_cd.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(Refusal::new("8001"));
    }
    let credentials = Credentials::read(fields.get("kcp_cert_info"))?;
    if !switches.ignore_certificate_dates {
        credentials.check_dates(now)?;
    }
    Ok(credentials)
}

fn decide(target: Target, call: &Call<'_>) -> Decision {
    match target {
        Target::Issue => batch_key::issue(call),
        Target::Delete => batch_key::delete(call),
        Target::Charge => charge::charge(call),
        Target::Confirm => confirm::confirm(call),
        Target::Cancel => cancel::cancel(call),
        Target::Inquire => inquiry::inquire(call),
        Target::UnknownTransaction | Target::Register | Target::RegisterWithCertificate => {
            Err(Refusal::new("8004"))
        }
    }
}

fn said(answer: &Answer, switches: KcpSwitches) -> Reply {
    let content_type = match switches.answer_charset {
        AnswerCharset::Utf8 => "application/json;charset=UTF-8",
        AnswerCharset::EucKr => "application/json;charset=EUC-KR",
        AnswerCharset::EucKrUndeclared => "application/json",
    };
    let failed = answer.get("res_cd").or(answer.get("Code")).is_some_and(|code| code != "0000");
    let status = if failed && switches.errors_with_status_400 { 400 } else { 200 };
    wire::reply(status, content_type, bytes(answer, switches))
}

fn bytes(answer: &Answer, switches: KcpSwitches) -> Bytes {
    let text = serde_json::Value::Object(answer.clone()).to_string();
    match switches.answer_charset {
        AnswerCharset::Utf8 => Bytes::from(text),
        AnswerCharset::EucKr | AnswerCharset::EucKrUndeclared => {
            Bytes::from(EUC_KR.encode(&text).0.into_owned())
        }
    }
}

fn server_error() -> Reply {
    wire::reply(
        500,
        "text/html",
        "<html><head><title>500</title></head><body>Internal Server Error</body></html>",
    )
}
