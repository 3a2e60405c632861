//! The routes of crm. Only these files know axum and the shapes of the API.

mod auto_campaigns;
mod campaign_moves;
mod campaign_view;
mod campaigns;
mod codes;
mod condition_schema;
mod coupons;
mod fields;
mod links;
mod members;
mod recipients;
mod segments;

use axum::{extract::FromRef, middleware::from_fn_with_state};
use platform::{Permission, Problem, idempotency::Idempotency};
use serde::{Deserialize, Deserializer};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::Crm;

/// Everything that crm answers.
pub fn router<S>(idempotency: &Idempotency) -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Crm: FromRef<S>,
{
    let reaches_people = OpenApiRouter::new()
        .routes(routes!(campaigns::create_campaign))
        .routes(routes!(campaigns::change_campaign))
        .routes(routes!(auto_campaigns::save_auto_campaign))
        .routes(routes!(campaign_moves::test_campaign))
        .routes(routes!(campaign_moves::schedule_campaign))
        .routes(routes!(campaign_moves::pause_campaign))
        .routes(routes!(campaign_moves::resume_campaign))
        .routes(routes!(campaign_moves::cancel_campaign))
        .route_layer(from_fn_with_state(
            idempotency.in_business(Permission::TenantCrm),
            platform::idempotency::layer_in_business,
        ));
    OpenApiRouter::new()
        .merge(reaches_people)
        .routes(routes!(campaigns::list_campaigns))
        .routes(routes!(campaigns::get_campaign))
        .routes(routes!(auto_campaigns::list_auto_campaigns))
        .routes(routes!(campaign_moves::preview_campaign))
        .routes(routes!(recipients::list_campaign_recipients))
        .routes(routes!(links::follow_link))
        .routes(routes!(links::load_mail_picture))
        .routes(routes!(fields::list_segment_fields))
        .routes(routes!(members::preview_segment))
        .routes(routes!(members::list_segment_customers))
        .routes(routes!(segments::list_segments))
        .routes(routes!(segments::get_segment))
        .routes(routes!(segments::create_segment))
        .routes(routes!(segments::change_segment))
        .routes(routes!(segments::delete_segment))
        .routes(routes!(coupons::list_coupons))
        .routes(routes!(coupons::get_coupon))
        .routes(routes!(coupons::create_coupon))
        .routes(routes!(coupons::change_coupon))
        .routes(routes!(codes::issue_coupon_codes))
        .routes(routes!(codes::list_coupon_codes))
        .routes(routes!(codes::redeem_coupon))
        .routes(routes!(codes::restore_coupon))
}

/// Where the plan matters. It comes behind what every operation answers, and in the place of its 403.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only described")]
enum PlanProblem {
    /// `PERMISSION_REQUIRED`: the caller's role does not allow this. `PLAN_UPGRADE_REQUIRED`: the plan lacks CRM; `requiredPlan`
    /// names the cheapest that has it.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
}

/// For a member that may be left out but never null.
fn stated<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}
