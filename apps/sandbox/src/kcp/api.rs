//! The wire: from an HTTP request to the answer that reaches the client, or does not.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State as AppState},
    http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse as _, Response},
};
use encoding_rs::EUC_KR;

use super::{
    Record,
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
    broken,
    faults::{FaultKind, Interference, Moment, Struck},
    line::Line,
    world::World,
};

const MAX_BODY: usize = 1024 * 1024;

/// Every request under KCP's base URL that is not a page.
pub(super) async fn entry(
    AppState(world): AppState<Arc<World>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    // In a task of its own: a client that hangs up does not stop KCP from charging.
    let exchange = Exchange { world, line, parts, body };
    match tokio::spawn(exchange.run()).await {
        Ok(response) => response,
        Err(error) => {
            tracing::error!(%error, "the sandbox failed while answering as KCP");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

struct Exchange {
    world: Arc<World>,
    line: Line,
    parts: Parts,
    body: Bytes,
}

impl Exchange {
    async fn run(self) -> Response {
        let switches = self.world.kcp.switches();
        let fields = match Fields::read(&self.body) {
            Ok(fields) => fields,
            Err(refusal) => return json(&refusal.answer(), switches),
        };
        let target = Target::of(self.parts.uri.path(), &fields, &self.world.store().kcp);
        match target {
            None => StatusCode::NOT_FOUND.into_response(),
            Some(Target::Register | Target::RegisterWithCertificate) => {
                let with_certificate = target == Some(Target::RegisterWithCertificate);
                let here = self.base_url();
                trade::register(&self.world, &fields, with_certificate, &here)
                    .map_or_else(|_| self.hang_up(), |answer| json(&answer, switches))
            }
            Some(target) => self.perform(target, &fields, switches).await,
        }
    }

    async fn perform(&self, target: Target, fields: &Fields, switches: KcpSwitches) -> Response {
        let Some(operation) = target.operation() else { return StatusCode::NOT_FOUND.into_response() };
        let struck =
            Struck { provider: Provider::Kcp, operation, path: self.parts.uri.path(), body: &self.body };
        let wire = self.world.faults.on_the_wire(&struck);
        pause(wire.before).await;
        match &wire.breakage {
            Some(FaultKind::Refuse) => return self.hang_up(),
            Some(FaultKind::RateLimited) => return StatusCode::TOO_MANY_REQUESTS.into_response(),
            Some(FaultKind::Html502(Moment::BeforeProcessing)) => return broken::bad_gateway(),
            Some(FaultKind::Error500(Moment::BeforeProcessing)) => return server_error(),
            Some(FaultKind::Redirect) => return broken::elsewhere(),
            _ => {}
        }
        let Ok((answer, news)) = self.decide(target, fields, switches, &struck) else {
            // Not written down means not done; whoever cannot write anymore is as good as dead.
            return self.hang_up();
        };
        self.finish(&answer, &news, switches, wire).await
    }

    async fn finish(
        &self,
        answer: &Answer,
        news: &[KcpNotice],
        switches: KcpSwitches,
        wire: Interference,
    ) -> Response {
        pause(self.world.latency + wire.after).await;
        for notice in news {
            self.world.kcp.schedule(notice);
        }
        match wire.breakage {
            Some(FaultKind::DropResponse) => self.hang_up(),
            Some(FaultKind::Truncated) => broken::truncated(&bytes(answer, switches)),
            Some(FaultKind::WrongCharset) => {
                broken::in_utf16(200, &Bytes::from(serde_json::Value::Object(answer.clone()).to_string()))
            }
            Some(FaultKind::Html502(_)) => broken::bad_gateway(),
            Some(FaultKind::Error500(_)) => server_error(),
            _ => json(answer, switches),
        }
    }

    /// Processes the request in one step that nothing can come between.
    fn decide(
        &self,
        target: Target,
        fields: &Fields,
        switches: KcpSwitches,
        struck: &Struck<'_>,
    ) -> std::io::Result<(Answer, Vec<KcpNotice>)> {
        let now = self.world.clock.now();
        let mut store = self.world.store();
        let decision = admit(fields, switches, now).and_then(|credentials| {
            let call = Call {
                now,
                fields,
                credentials: &credentials,
                switches,
                store: &store,
                faults: &self.world.faults,
                struck,
            };
            decide(target, &call)
        });
        let mut change = decision.unwrap_or_else(|refusal| Change::answer(refusal.answer()));
        let notices = change.news.iter().cloned().map(|notice| Record::Notice(Box::new(notice)).into());
        change.records.extend(notices);
        store.commit(change.records)?;
        if switches.unknown_fields {
            change.answer.put("sandbox_new_field", "새 필드").put("sandbox_empty_field", "");
        }
        Ok((change.answer, change.news))
    }

    /// As the client knows us.
    fn base_url(&self) -> String {
        let host = self.parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        format!("http://{host}/kcp")
    }

    /// Nothing of the response returned here reaches the client.
    fn hang_up(&self) -> Response {
        self.line.cut();
        Response::new(Body::empty())
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

fn json(answer: &Answer, switches: KcpSwitches) -> Response {
    let content_type = match switches.answer_charset {
        AnswerCharset::Utf8 => "application/json;charset=UTF-8",
        AnswerCharset::EucKr => "application/json;charset=EUC-KR",
        AnswerCharset::EucKrUndeclared => "application/json",
    };
    let failed = answer.get("res_cd").or(answer.get("Code")).is_some_and(|code| code != "0000");
    let mut response = Response::new(Body::from(bytes(answer, switches)));
    if failed && switches.errors_with_status_400 {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
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

fn server_error() -> Response {
    let page = "<html><head><title>500</title></head><body>Internal Server Error</body></html>";
    let html = [(CONTENT_TYPE, "text/html")];
    (StatusCode::INTERNAL_SERVER_ERROR, html, page).into_response()
}

async fn pause(duration: Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
