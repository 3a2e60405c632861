//! Reviews: how it was.

use kernel::KoreanTime;
use serde::Serialize;
use utoipa::ToSchema;

use crate::reservation::{ReservationId, SomeStaff, Somebody};

kernel::number_id!(
    /// Names a review of a visit.
    ReviewId
);

/// What somebody says of a visit.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReviewView {
    #[schema(example = 1)]
    pub review_id: ReviewId,
    #[schema(example = 2)]
    pub reservation_id: ReservationId,
    /// Null for somebody who left no name.
    pub customer: Option<Somebody>,
    pub staff: Option<SomeStaff>,
    /// Stars, 1 to 5.
    #[schema(minimum = 1, maximum = 5, example = 5)]
    pub rating: i16,
    #[schema(example = "머릿결이 정말 좋아졌어요. 또 올게요!")]
    pub content: String,
    pub created_at: KoreanTime,
}
