//! What a visit refers to is there, and the shop's own.

use super::{constraints::why, two_businesses};

const FOREIGN_KEY: &str = "23503";
const RESTRICT: &str = "23001";

#[tokio::test]
async fn a_visit_hangs_on_what_is_there_and_ones_own() {
    let app = two_businesses().await;
    let theirs = |what: &str| format!("(select max({what}_id) from booking.{what} where business_id = 1)");
    for statement in [
        format!("update booking.reservation set customer_id = {} where business_id = 2", theirs("customer")),
        format!("update booking.reservation set staff_id = {} where business_id = 2", theirs("staff")),
        "update booking.reservation set staff_id = 999999 where business_id = 2".to_owned(),
        format!("update booking.reservation_service set service_id = {} where business_id = 2", theirs("service")),
        format!("update booking.reservation_service set reservation_id = {} where business_id = 2", theirs("reservation")),
        "insert into booking.reservation (business_id, customer_id, start_at, status, price, created_at, changed_at)
         values (2, 999999, now(), 'PENDING', 0, now(), now())"
            .to_owned(),
        "insert into booking.reservation_service
         values (2, 999999, 1, 1, 0, 60, '2026-02-14', 10, 'PENDING', null)"
            .to_owned(),
    ] {
        assert_eq!(why(&app, &[], &statement).await.0, FOREIGN_KEY, "{statement}");
    }
}

#[tokio::test]
async fn nothing_is_deleted_that_a_visit_refers_to() {
    let app = two_businesses().await;
    for table in ["customer", "staff", "service", "reservation"] {
        let statement = format!("delete from booking.{table} where business_id = 2");
        assert_eq!(why(&app, &[], &statement).await.0, RESTRICT, "{statement}");
    }
}
