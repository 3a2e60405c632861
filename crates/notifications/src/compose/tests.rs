use chrono::{DateTime, TimeDelta, Utc};
use kernel::KoreanTime;
use platform::events::{EventId, Happened};
use serde_json::{Value, json};

use super::*;

const SHOP: BusinessId = BusinessId(7);

fn at(text: &str) -> DateTime<Utc> {
    KoreanTime::parse(text).unwrap().0
}

fn happened(kind: &str, data: Value) -> Happened {
    Happened {
        id: EventId(1),
        business: SHOP,
        kind: kind.to_owned(),
        at: at("2026-03-14T10:00"),
        transaction: "800".to_owned(),
        data,
    }
}

fn people() -> People {
    let customer = |name: &str, external_id: Option<&str>| Customer {
        name: name.to_owned(),
        external_id: external_id.map(str::to_owned),
    };
    People {
        customers: HashMap::from([
            ((SHOP, 1), customer("김민서", Some("C-1"))),
            ((SHOP, 2), customer("최우식", None)),
        ]),
        businesses: HashMap::from([(SHOP, "미소헤어".to_owned())]),
    }
}

fn told(events: &[Happened]) -> Vec<NewNotification> {
    let news: Vec<_> = events.iter().filter_map(News::read).collect();
    compose(&news, &people())
}

fn kinds(events: &[Happened]) -> Vec<(&'static str, NotificationType)> {
    told(events).iter().map(|told| (told.audience.name(), told.kind)).collect()
}

fn visit(start_at: &str, status: &str, created_at: Option<&str>) -> Value {
    json!({
        "reservationId": 5, "customerId": 1, "staff": null, "services": [{"serviceId": 1, "name": "여성 컷", "price": 30_000}],
        "startAt": start_at, "status": status, "price": 30_000, "createdAt": created_at,
    })
}

#[test]
fn only_what_is_new_and_yet_to_come_rings() {
    use NotificationType::{ReservationCancel, ReservationConfirm, ReservationNew};
    let (admins, customer) = ("ADMINS", "CUSTOMER");
    for (kind, start_at, status, created_at, rings) in [
        ("created", "2026-03-20T10:00", "PENDING", None, &[(admins, ReservationNew)][..]),
        (
            "created",
            "2026-03-20T10:00",
            "CONFIRMED",
            Some("2026-03-14T09:59"),
            &[(admins, ReservationNew), (customer, ReservationConfirm)],
        ),
        ("created", "2026-03-20T10:00", "CONFIRMED", Some("2026-03-12T10:00"), &[]),
        ("created", "2026-03-14T09:59", "CONFIRMED", None, &[]),
        ("created", "2025-03-14T10:00", "COMPLETED", None, &[]),
        ("created", "2026-03-20T10:00", "CANCELLED", None, &[]),
        ("confirmed", "2026-03-20T10:00", "CONFIRMED", None, &[(customer, ReservationConfirm)]),
        ("confirmed", "2026-03-10T10:00", "CONFIRMED", None, &[]),
        (
            "cancelled",
            "2026-03-20T10:00",
            "CANCELLED",
            None,
            &[(admins, ReservationCancel), (customer, ReservationCancel)],
        ),
        ("cancelled", "2026-03-10T10:00", "CANCELLED", None, &[]),
        ("completed", "2026-03-14T09:00", "COMPLETED", None, &[]),
    ] {
        let event = happened(&format!("reservation.{kind}"), visit(start_at, status, created_at));
        assert_eq!(kinds(&[event]), rings, "{kind} {start_at} {status} {created_at:?}");
    }
}

#[test]
fn who_cannot_sign_in_is_told_nothing_and_the_shop_hears_of_them() {
    let mut reservation = visit("2026-03-20T10:00", "CONFIRMED", None);
    reservation["customerId"] = json!(2);
    let ring = told(&[happened("reservation.created", reservation.clone())]);
    assert_eq!(ring.len(), 1);
    assert_eq!(ring[0].message, "최우식님이 3월 20일(금) 10:00 여성 컷 예약을 했습니다.");
    for nobody in [json!(null), json!(999)] {
        reservation["customerId"] = nobody;
        let ring = told(&[happened("reservation.created", reservation.clone())]);
        assert_eq!(ring.len(), 1);
        assert!(ring[0].message.starts_with("고객님이"), "{ring:?}");
        assert_eq!(ring[0].customer, None, "nobody is to be forgotten with it");
    }
}

#[test]
fn a_load_of_data_is_one_sentence_and_the_twentieth_customer_is_not() {
    let reviews = |count: i64| -> Vec<_> {
        let review = |id: i64| json!({"reviewId": id, "reservationId": id, "customerId": 1, "rating": 5});
        (0..count).map(|id| happened("review.created", review(id))).collect()
    };
    assert_eq!(told(&reviews(20)).len(), 20);
    let summary = told(&reviews(21));
    assert_eq!(summary.len(), 1);
    assert_eq!(
        (summary[0].title.as_str(), summary[0].message.as_str()),
        ("새 후기 21건", "21건의 후기가 등록되었습니다.")
    );
    // Of transactions of their own each is news.
    let mut apart = reviews(30);
    for (n, review) in apart.iter_mut().enumerate() {
        review.transaction = n.to_string();
    }
    assert_eq!(told(&apart).len(), 30);
}

#[test]
fn the_words_of_each() {
    let message = |kind: &str, data: Value| told(&[happened(kind, data)]).remove(0).message;
    for (kind, data, expected) in [
        (
            "payment.succeeded",
            json!({"paymentId": 1, "amount": 1_029_000, "nextPaymentDate": null}),
            "1,029,000원 결제되었습니다.",
        ),
        (
            "payment.failed",
            json!({"paymentId": 1, "amount": 900, "failure": {"message": "잔액이 부족합니다."}, "nextAttemptDate": "2026-03-17"}),
            "900원 결제에 실패했습니다. 잔액이 부족합니다. 3월 17일(화)에 다시 시도합니다.",
        ),
        (
            "payment.failed",
            json!({"paymentId": 1, "amount": 0, "failure": {"message": "정지된 카드입니다."}, "nextAttemptDate": null}),
            "0원 결제에 실패했습니다. 정지된 카드입니다. 결제 수단을 확인해 주세요.",
        ),
        (
            "subscription.expiring",
            json!({"subscriptionId": "sub_1", "planName": "베이직", "accessUntil": "2026-03-17"}),
            "베이직 구독이 3월 17일(화)에 종료됩니다.",
        ),
    ] {
        assert_eq!(message(kind, data), expected);
    }
    let mut two = visit("2026-03-20T00:05", "PENDING", None);
    two["services"] = json!([{"name": "디지털 펌"}, {"name": "두피 클리닉"}]);
    let expected = "김민서님이 3월 20일(금) 00:05 디지털 펌 외 1건 예약을 했습니다.";
    assert_eq!(message("reservation.created", two), expected);
}

#[test]
fn an_event_of_another_shape_tells_nobody_anything() {
    for kind in
        ["reservation.created", "payment.failed", "notice.published", "customer.erased", "reminder.due"]
    {
        for data in [json!({}), json!(null), json!([]), json!({"reservationId": "x", "title": 1})] {
            assert_eq!(told(&[happened(kind, data)]), []);
        }
    }
    assert_eq!(told(&[happened("payment.refunded", json!({}))]), []);
}

#[test]
fn no_text_is_longer_than_its_column() {
    let long = "가".repeat(10_000);
    let mut reservation = visit("2026-03-20T10:00", "CONFIRMED", None);
    reservation["services"] = json!([{"name": long}]);
    let failed =
        json!({"paymentId": 1, "amount": 900, "failure": {"message": long}, "nextAttemptDate": null});
    let all = told(&[happened("reservation.created", reservation), happened("payment.failed", failed)]);
    assert_eq!(all.len(), 3);
    for told in all {
        assert!(told.title.chars().count() <= 200 && told.message.chars().count() <= 2_000);
        assert_eq!(told.created_at, at("2026-03-14T10:00") + TimeDelta::zero());
    }
}
