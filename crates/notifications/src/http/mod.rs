//! The routes of notifications. Only these files know axum and the shapes of the API.

mod listener;
mod lists;
mod notices;
mod preferences;
mod socket;
mod stream;
mod tickets;

use axum::extract::FromRef;
use platform::idempotency::Idempotency;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Notifications;

/// Everything that notifications answer. `idempotency` guards what rings at everybody's.
pub fn router<S>(idempotency: &Idempotency) -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Notifications: FromRef<S>,
{
    let rings = OpenApiRouter::new()
        .routes(routes!(notices::publish_notice))
        .route_layer(axum::middleware::from_fn_with_state(idempotency.clone(), platform::idempotency::layer));
    OpenApiRouter::new()
        .routes(routes!(socket::open_notification_socket))
        .routes(routes!(stream::stream_notifications))
        .routes(routes!(tickets::issue_notification_ticket))
        .routes(routes!(lists::list_notifications))
        .routes(routes!(lists::count_unread_notifications))
        .routes(routes!(lists::read_notification))
        .routes(routes!(lists::read_all_notifications))
        .routes(routes!(preferences::get_notification_preferences))
        .routes(routes!(preferences::set_notification_preferences))
        .merge(rings)
}
