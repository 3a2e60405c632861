//! The routes of booking. Only these files know axum and the shapes of the API.

mod bulk;
mod feed_body;

use axum::extract::{DefaultBodyLimit, FromRef};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Booking;

/// Everything that booking answers.
pub fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Booking: FromRef<S>,
{
    let many_at_once = OpenApiRouter::new()
        .routes(routes!(bulk::upsert_customers))
        .routes(routes!(bulk::upsert_staffs))
        .routes(routes!(bulk::upsert_services))
        .routes(routes!(bulk::upsert_reservations))
        .layer(DefaultBodyLimit::max(feed_body::MOST_BYTES));
    OpenApiRouter::new().merge(many_at_once)
}
