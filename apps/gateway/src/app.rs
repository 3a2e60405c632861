//! The application: every context's routes behind one router, and the OpenAPI document of them all.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    response::Html,
    routing::get,
};
use billing::Billing;
use booking::Booking;
use crm::Crm;
use exports::{Exports, Revenue};
use identity::{Identity, Tokens};
use kernel::Clock;
use messaging::Messaging;
use metrics_exporter_prometheus::PrometheusHandle;
use notifications::{Hub, Limits, NatsSignal, Notifications, PostgresSignal, Signal};
use platform::{Problem, idempotency::Idempotency};
use reporting::{ReportPeriod, Reporting, ReportingError};
use sqlx::PgPool;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    config::{Config, Secrets},
    dev::DevClock,
    layers, lingering, ops,
};

/// Larger bodies are refused before they are read. Bulk routes set their own limit.
const BODY_LIMIT: usize = 1024 * 1024;

/// All contexts of one process.
#[derive(Clone, FromRef)]
pub struct App {
    pub db: PgPool,
    pub clock: Arc<dyn Clock>,
    pub identity: Identity,
    pub billing: Billing,
    pub booking: Booking,
    pub crm: Crm,
    pub reporting: Reporting,
    pub messaging: Messaging,
    pub exports: Exports,
    pub notifications: Notifications,
    pub metrics: PrometheusHandle,
}

impl App {
    pub fn new(
        config: &Config,
        secrets: &Secrets,
        db: PgPool,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let identity =
            Identity { db: db.clone(), tokens: Tokens::new(&secrets.jwt), vault: secrets.vault.clone() };
        let billing = Billing {
            db: db.clone(),
            clock: Arc::clone(&clock),
            gateways: secrets.providers.gateways(secrets.stage, &clock)?,
            breakers: Arc::default(),
            connections: Arc::default(),
            arrivals: Arc::default(),
            allowance: Arc::default(),
            vault: secrets.vault.clone(),
            settings: config.billing_settings(secrets),
            tax_invoicing: secrets.papers.tax_invoicing.clone(),
        };
        let booking = Booking { db: db.clone(), clock: Arc::clone(&clock), vault: secrets.vault.clone() };
        let reporting = Reporting { db: db.clone(), clock: Arc::clone(&clock) };
        let exports = Exports {
            db: db.clone(),
            clock: Arc::clone(&clock),
            vault: secrets.vault.clone(),
            storage: config.exports.storage(&config.data_dir)?,
            settings: config.exports.settings(),
            revenue_reports: revenue_reports(&reporting),
            workers: config.exports.workers(),
            bell: Arc::default(),
        };
        let notifications = Notifications {
            db: db.clone(),
            clock: Arc::clone(&clock),
            signal: signal(secrets, &db)?,
            hub: Hub::new(Limits::default()),
            reminder_time: config.reminder_time,
            look_again: config.look_again,
        };
        let messaging = Messaging {
            db: db.clone(),
            clock: Arc::clone(&clock),
            vault: secrets.vault.clone(),
            channels: secrets.messages.channels(&clock)?,
            settings: Arc::clone(&secrets.messages.settings),
            counting: Arc::default(),
        };
        let crm = Crm {
            db: db.clone(),
            clock: Arc::clone(&clock),
            vault: secrets.vault.clone(),
            messaging: messaging.clone(),
            settings: Arc::new(config.campaign_settings()),
        };
        let metrics = ops::metrics_recorder()?;
        Ok(Self {
            db,
            clock,
            identity,
            billing,
            booking,
            crm,
            reporting,
            messaging,
            exports,
            notifications,
            metrics,
        })
    }

    /// Everything that this process answers. With a clock that can be moved, the development routes as well.
    pub fn router(self, dev_clock: Option<DevClock>) -> Router {
        let idempotency = Idempotency { db: self.db.clone(), clock: Arc::clone(&self.clock) };
        let mut routes = product_routes(&idempotency);
        if let Some(dev_clock) = dev_clock {
            let page = get(async || Html(crate::dev::NOTIFICATIONS_PAGE));
            routes = routes
                .merge(identity::dev_router())
                .merge(crate::dev::clock_router(dev_clock))
                .route("/dev/notifications", page);
        }
        let (router, document) = routes.split_for_parts();
        router
            .merge(SwaggerUi::new("/swagger-ui").url("/openapi.json", document))
            .fallback(|| async { Problem::not_found("요청한 주소가 없습니다.") })
            .method_not_allowed_fallback(|| async {
                Problem::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "METHOD_NOT_ALLOWED",
                    "Method not allowed",
                    "지원하지 않는 요청 방식입니다.",
                )
            })
            .layer(from_fn_with_state(self.identity.clone(), identity::authenticate))
            .layer(DefaultBodyLimit::max(BODY_LIMIT))
            .layer(layers::cors())
            .layer(CatchPanicLayer::custom(layers::answer_panic))
            .layer(from_fn(lingering::linger))
            .layer(from_fn(layers::measure))
            .layer(from_fn(layers::trace))
            .with_state(self)
    }
}

/// What a revenue export shows is what the reports say.
fn revenue_reports(reporting: &Reporting) -> exports::RevenueReports {
    let reporting = reporting.clone();
    Arc::new(move |business, days: exports::Days| {
        let reporting = reporting.clone();
        Box::pin(async move {
            let periods = [ReportPeriod::Daily, ReportPeriod::Monthly];
            match reporting.revenue(business, (days.start, days.end), periods).await {
                Ok([daily, monthly]) => Ok(Revenue { daily, monthly }),
                Err(ReportingError::Db(error)) => Err(error),
                // Both allow the same days.
                Err(error @ ReportingError::InvalidRange(_)) => Err(sqlx::Error::Encode(error.into())),
            }
        })
    })
}

/// How the processes of this installation wake each other.
fn signal(secrets: &Secrets, db: &PgPool) -> anyhow::Result<Arc<dyn Signal>> {
    Ok(match &secrets.nats_url {
        Some(url) => Arc::new(NatsSignal::new(url)?),
        None => Arc::new(PostgresSignal::new(db.clone())),
    })
}

/// Without the development routes.
fn product_routes(idempotency: &Idempotency) -> OpenApiRouter<App> {
    let whole = OpenApiRouter::with_openapi(Document::openapi());
    product_routers(idempotency).into_iter().fold(whole, |whole, (_, routes)| whole.merge(routes))
}

/// Each context's routes by themselves.
fn product_routers(idempotency: &Idempotency) -> [(&'static str, OpenApiRouter<App>); 9] {
    [
        ("identity", identity::router()),
        ("billing", billing::router(idempotency)),
        ("booking", booking::router()),
        ("crm", crm::router(idempotency)),
        ("reporting", reporting::router()),
        ("messaging", messaging::router()),
        ("exports", exports::router()),
        ("notifications", notifications::router(idempotency)),
        ("operations", ops::router()),
    ]
}

/// What the API is, for those who generate a client from it.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "dangol",
        version = "0.1.0",
        description = "Subscription billing for Korean booking businesses.\n\n\
            **Conventions.** Amounts are whole won including VAT. Times carry Korea's offset; a time sent without one is \
            Korean time. Success is `{\"data\": ...}`, lists add `\"page\"`. Every error is an RFC 9457 problem document \
            whose `code` is stable and whose `detail` is Korean text for the shop owner.\n\n\
            **Trying it out.** In development, `POST /api/dev/token` gives a token for the Authorize box, and \
            `POST /api/dev/clock` lets time pass.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "plans", description = "What can be subscribed to"),
        (name = "subscriptions", description = "Subscribing, the card, cancelling"),
        (name = "checkout", description = "Paying in the provider's window"),
        (name = "payments", description = "History, retries, refunds"),
        (name = "papers", description = "Receipts, tax invoices, cash receipts"),
        (name = "booking", description = "Customers, staff, services, reservations, reviews"),
        (name = "segments", description = "Customers by what is true of them"),
        (name = "campaigns", description = "One sentence to the right people, and what it brought in"),
        (name = "coupons", description = "Coupons of a shop: codes for customers, used once"),
        (name = "reports", description = "What a shop earned"),
        (name = "messaging", description = "What was said to customers, and who agreed to advertising"),
        (name = "exports", description = "A shop's data as Excel or CSV"),
        (name = "notifications", description = "What just happened: the list, WebSocket and server-sent events"),
        (name = "identity", description = "Who is calling"),
        (name = "admin", description = "For operators of the platform: cases, reconciliation, the ledger"),
        (name = "operations", description = "For schedulers, providers and monitoring"),
        (name = "dev", description = "Development only: tokens and the clock"),
    ),
    modifiers(&SecuritySchemes),
)]
struct Document;

struct SecuritySchemes;

impl Modify for SecuritySchemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.bearer_format = Some("JWT".to_owned());
        bearer.description = Some("A token of the platform's sign-in service.".to_owned());
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let mut cron = Http::new(HttpAuthScheme::Bearer);
        cron.description = Some("`CRON_SECRET`".to_owned());
        components.add_security_scheme("cron", SecurityScheme::Http(cron));
    }
}

/// The OpenAPI document, development routes included and marked as such.
///
/// `idempotency` plays no part in the document, but the routes cannot be built without one.
pub fn document(idempotency: &Idempotency) -> utoipa::openapi::OpenApi {
    let whole = product_routes(idempotency);
    dev_routers().into_iter().fold(whole, |whole, (_, routes)| whole.merge(routes)).into_openapi()
}

/// What [`document`] is merged from. Merging keeps the first of two schemas of one name, and says
/// nothing; a test compares them here.
pub fn documents(idempotency: &Idempotency) -> Vec<(&'static str, utoipa::openapi::OpenApi)> {
    let routers = product_routers(idempotency).into_iter().chain(dev_routers());
    routers.map(|(context, routes)| (context, routes.into_openapi())).collect()
}

/// The development routes as they are documented; the clock's are not for serving.
fn dev_routers() -> [(&'static str, OpenApiRouter<App>); 2] {
    [("dev tokens", identity::dev_router()), ("dev clock", crate::dev::documented_clock_router())]
}
