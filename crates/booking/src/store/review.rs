//! `booking.review`.

use chrono::{DateTime, Utc};
use kernel::{BusinessId, KoreanTime};
use sqlx::PgConnection;

use crate::{
    customer::CustomerId,
    reservation::{ReservationId, SomeStaff, Somebody},
    review::{ReviewId, ReviewView},
    staff::StaffId,
};

/// `None` if the visit has a review already.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    reservation: ReservationId,
    rating: i16,
    content: &str,
) -> sqlx::Result<Option<ReviewId>> {
    sqlx::query_scalar!(
        r#"insert into booking.review (business_id, reservation_id, rating, content, created_at)
           values ($1, $2, $3, $4, $5)
           on conflict (business_id, reservation_id) do nothing
           returning review_id as "id: ReviewId""#,
        business.0,
        reservation.0,
        rating,
        content,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// Which reviews are wanted.
#[derive(Default)]
pub(crate) struct ReviewFilter {
    pub rating: Option<i16>,
    pub only: Option<ReviewId>,
    pub before: Option<ReviewId>,
    pub limit: i64,
}

/// Newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    filter: &ReviewFilter,
) -> sqlx::Result<Vec<ReviewView>> {
    let rows = sqlx::query!(
        r#"select review_id as "id: ReviewId", review.reservation_id as "reservation: ReservationId",
                  reservation.customer_id as "customer: CustomerId", customer.name as "customer_name?",
                  reservation.staff_id as "staff: StaffId", staff.name as "staff_name?", rating, content,
                  review.created_at as "created_at: KoreanTime"
           from booking.review
           join booking.reservation
               on reservation.business_id = review.business_id and reservation.reservation_id = review.reservation_id
           left join booking.customer
               on customer.business_id = reservation.business_id and customer.customer_id = reservation.customer_id
           left join booking.staff
               on staff.business_id = reservation.business_id and staff.staff_id = reservation.staff_id
           where review.business_id = $1 and ($2::smallint is null or rating = $2)
             and ($3::bigint is null or review_id = $3) and ($4::bigint is null or review_id < $4)
           order by review_id desc limit $5"#,
        business.0,
        filter.rating,
        filter.only.map(|id| id.0),
        filter.before.map(|id| id.0),
        filter.limit,
    )
    .fetch_all(conn)
    .await?;
    let views = rows.into_iter().map(|row| ReviewView {
        review_id: row.id,
        reservation_id: row.reservation,
        customer: row
            .customer
            .zip(row.customer_name)
            .map(|(customer_id, name)| Somebody { customer_id, name }),
        staff: row.staff.zip(row.staff_name).map(|(staff_id, name)| SomeStaff { staff_id, name }),
        rating: row.rating,
        content: row.content,
        created_at: row.created_at,
    });
    Ok(views.collect())
}
