//! The routes of booking. Only these files know axum and the shapes of the API.

mod bulk;
mod customers;
mod feed_body;
mod given;
mod reservations;
mod reviews;
mod services;
mod staffs;

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
    OpenApiRouter::new()
        .routes(routes!(customers::list_customers))
        .routes(routes!(customers::get_customer))
        .routes(routes!(customers::add_customer))
        .routes(routes!(customers::change_customer))
        .routes(routes!(customers::erase_customer))
        .routes(routes!(staffs::list_staffs))
        .routes(routes!(staffs::get_staff))
        .routes(routes!(staffs::add_staff))
        .routes(routes!(staffs::change_staff))
        .routes(routes!(staffs::remove_staff))
        .routes(routes!(services::list_services))
        .routes(routes!(services::get_service))
        .routes(routes!(services::add_service))
        .routes(routes!(services::change_service))
        .routes(routes!(services::withdraw_service))
        .routes(routes!(reservations::list_reservations))
        .routes(routes!(reservations::get_reservation))
        .routes(routes!(reservations::add_reservation))
        .routes(routes!(reservations::change_reservation))
        .routes(routes!(reviews::list_reviews))
        .routes(routes!(reviews::add_review))
        .merge(many_at_once)
}
