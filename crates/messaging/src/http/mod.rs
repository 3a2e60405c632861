//! The routes of messaging. Only these files know axum and the shapes of the API.

mod consents;
mod lost;
mod messages;
mod opt_out;
mod sender;
mod templates;
mod webhooks;

use axum::extract::{DefaultBodyLimit, FromRef};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Messaging;

/// Everything that messaging answers.
pub fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Messaging: FromRef<S>,
{
    // One webhook may tell of ten thousand messages, each with its text.
    let webhooks = OpenApiRouter::new()
        .routes(routes!(webhooks::receive_solapi_webhook))
        .routes(routes!(webhooks::receive_nhn_webhook))
        .layer(DefaultBodyLimit::max(webhooks::MOST_BYTES));
    OpenApiRouter::new()
        .routes(routes!(consents::get_consent))
        .routes(routes!(consents::list_consents))
        .routes(routes!(consents::record_consent))
        .routes(routes!(messages::list_messages))
        .routes(routes!(messages::get_message))
        .routes(routes!(lost::list_lost_messages))
        .routes(routes!(lost::resolve_lost_message))
        .routes(routes!(sender::get_message_sender))
        .routes(routes!(sender::set_message_sender))
        .routes(routes!(sender::list_message_senders))
        .routes(routes!(sender::approve_message_sender))
        .routes(routes!(templates::list_message_templates))
        .routes(routes!(templates::get_message_template))
        .routes(routes!(templates::create_message_template))
        .routes(routes!(templates::change_message_template))
        .routes(routes!(templates::delete_message_template))
        .routes(routes!(templates::preview_message))
        .routes(routes!(opt_out::show_opt_out, opt_out::opt_out))
        .merge(webhooks)
}
