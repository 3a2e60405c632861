//! Reviews.

use axum::{extract::State, http::StatusCode};
use platform::{
    BodyProblems, CommonProblems, Data, InBusiness, InBusinessOrAdmin, Json, List, PageQuery, Problem, Query,
    TenantBooking, TenantTx,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::given::parameter;
use crate::{
    Booking, BookingError,
    field::{self, Checked},
    reservation::ReservationId,
    review::{ReviewId, ReviewView},
    store::{self, review::ReviewFilter},
};

/// Which reviews are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReviewQuery {
    /// Those with so many stars.
    #[param(minimum = 1, maximum = 5)]
    rating: Option<i64>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// What somebody says of a visit.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "reservationId": 2, "rating": 5, "content": "머릿결이 정말 좋아졌어요. 또 올게요!",
}))]
pub(crate) struct ReviewBody {
    reservation_id: ReservationId,
    /// Stars.
    #[schema(minimum = 1, maximum = 5)]
    rating: i64,
    /// Stars alone say something as well.
    #[schema(max_length = 2000)]
    content: Option<String>,
}

/// List the reviews
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/reviews", operation_id = "listReviews", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), ReviewQuery),
    responses(
        (status = 200, description = "A page of reviews", body = List<ReviewView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_reviews(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    Query(query): Query<ReviewQuery>,
) -> Result<Json<List<ReviewView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let filter = ReviewFilter {
        rating: parameter("rating", query.rating, field::rating)?,
        only: None,
        before: page.after()?.map(ReviewId),
        limit: limit + 1,
    };
    let mut tx = TenantTx::begin(&booking.db, caller.business).await?;
    let reviews = store::review::list(&mut tx, caller.business, &filter).await?;
    tx.commit().await?;
    Ok(Json(List::cut(reviews, limit, |review| review.review_id)))
}

/// Write a review
///
/// Of a visit that took place, once.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/reviews", operation_id = "addReview", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = ReviewBody,
    responses(
        (status = 201, description = "Written", body = Data<ReviewView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`NOT_VISITED`: the reservation is not `COMPLETED`. `REVIEW_EXISTS`: it has a review", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`; also for a reservation that is not there", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn add_review(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Json(body): Json<ReviewBody>,
) -> Result<(StatusCode, Json<Data<ReviewView>>), Problem> {
    let mut checked = Checked::default();
    let rating = checked.take("rating", field::rating(body.rating));
    let content = checked.take("content", field::prose(body.content.as_deref().unwrap_or_default(), 2_000));
    let (rating, content) = checked.finish(rating.zip(content)).map_err(BookingError::Invalid)?;
    let content = content.unwrap_or_default();
    let review = booking.add_review(caller.business, body.reservation_id, rating, &content).await?;
    Ok((StatusCode::CREATED, Data::json(review)))
}
