//! The price list.

use axum::extract::State;
use platform::{Data, Json, Problem};

use crate::{Billing, Plan, store};

/// List the plans
///
/// What can be subscribed to, cheapest first. Prices include VAT. Public.
#[utoipa::path(
    get, path = "/api/plans", operation_id = "listPlans", tag = "plans",
    responses(
        (status = 200, description = "The catalogue", body = Data<Vec<Plan>>),
        (status = 500, description = "`INTERNAL_ERROR`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_plans(State(billing): State<Billing>) -> Result<Json<Data<Vec<Plan>>>, Problem> {
    let mut conn = billing.db.acquire().await?;
    Ok(Data::json(store::plan::all(&mut conn).await?))
}
