//! Invented shops.

use booking::{ShopPlan, uneven_sizes};
use kernel::BusinessId;
use testkit::TestApp;

use super::the_two_agree;

/// Everything about business 2 that is not an id, as text.
async fn invented(app: &TestApp) -> Vec<String> {
    let plan = ShopPlan {
        seed: 1,
        shop: 3,
        reservations: 700,
        until: "2026-01-31".parse().expect("a day"),
        days: 365,
    };
    app.app.booking.invent(BusinessId(2), plan).await.expect("the shop is invented");
    app.texts(
        "select concat_ws('|', r.external_id, c.external_id, c.name, encode(c.phone_hash, 'hex'), c.birthday, s.external_id,
                          s.name, r.start_at at time zone 'Asia/Seoul', r.status, r.price, r.created_at at time zone 'UTC')
         from booking.reservation r
         left join booking.customer c using (business_id, customer_id)
         left join booking.staff s using (business_id, staff_id)
         where r.business_id = 2 order by r.reservation_id",
    )
    .await
}

#[tokio::test]
async fn the_same_seed_invents_the_same_shop() {
    let (one, other) = (TestApp::start().await, TestApp::start().await);
    // The other database has given out ids before.
    other.sql("select setval('booking.reservation_reservation_id_seq', 100000)").await;
    let shop = invented(&one).await;
    assert_eq!(shop, invented(&other).await);
    assert_eq!(shop.len(), 700);
    the_two_agree(&one).await;
    let of = |condition: &str| format!("booking.reservation where business_id = 2 and {condition}");
    assert!(one.count(&of("status = 'COMPLETED'")).await > 500);
    assert!(one.count(&of("status = 'NO_SHOW'")).await > 5);
    // What is to come has not happened yet.
    assert_eq!(one.count(&of("visit_on > '2026-01-31' and status in ('COMPLETED', 'NO_SHOW')")).await, 0);
    assert_eq!(one.count(&of("visit_on not between '2025-02-01' and '2026-02-14'")).await, 0);
    assert_eq!(one.count("platform.event where business_id = 2").await, 0);
    assert_eq!(uneven_sizes(3, 700, 300).iter().sum::<usize>(), 700);
}
