//! The Korean text of each notification: title, message and the page that it leads to.

use chrono::{Datelike, NaiveDate};
use kernel::{KoreanTime, korean_time, korean_weekday};

use super::news::{Fact, Visit};
use crate::NotificationType;

/// A message of the customer's or the provider's words is cut here; the rest stands where the link leads.
const LONGEST_QUOTE: usize = 200;

type Words = (String, String, String);

/// What a shop is told; `name` is whom it is about.
pub(super) fn for_admins(fact: &Fact, name: &str) -> Option<Words> {
    let words = match fact {
        Fact::Reserved(visit) => (
            "새 예약".to_owned(),
            format!("{name}님이 {} {} 예약을 했습니다.", day_and_time(visit.start_at), services(visit)),
            format!("/reservations/{}", visit.reservation_id),
        ),
        Fact::Cancelled(visit) => (
            "예약 취소".to_owned(),
            format!("{name}님의 {} {} 예약이 취소되었습니다.", day_and_time(visit.start_at), services(visit)),
            format!("/reservations/{}", visit.reservation_id),
        ),
        Fact::Reviewed(review) => (
            "새 후기".to_owned(),
            format!("{name}님이 별점 {}점의 후기를 남겼습니다.", review.rating),
            format!("/reviews/{}", review.review_id),
        ),
        Fact::Paid(paid) => (
            "결제 완료".to_owned(),
            match paid.next_payment_date {
                Some(next) => {
                    format!("{} 결제되었습니다. 다음 결제일은 {}입니다.", paid.amount, day(next))
                }
                None => format!("{} 결제되었습니다.", paid.amount),
            },
            format!("/payments/{}", paid.payment_id),
        ),
        Fact::NotPaid(not_paid) => {
            let why = cut(&not_paid.failure.message);
            let then = match not_paid.next_attempt_date {
                Some(next) => format!("{}에 다시 시도합니다.", day(next)),
                None => "결제 수단을 확인해 주세요.".to_owned(),
            };
            (
                "결제 실패".to_owned(),
                format!("{} 결제에 실패했습니다. {why} {then}", not_paid.amount),
                format!("/payments/{}", not_paid.payment_id),
            )
        }
        Fact::Expiring(expiring) => (
            "구독 종료 예정".to_owned(),
            format!("{} 구독이 {}에 종료됩니다.", expiring.plan_name, day(expiring.access_until)),
            "/subscription".to_owned(),
        ),
        Fact::Confirmed(_) | Fact::Remind(_) | Fact::Notice(_) | Fact::CustomerErased { .. } => return None,
    };
    Some(words)
}

/// What a customer is told by a shop.
pub(super) fn for_customer(fact: &Fact, shop: &str) -> Option<Words> {
    let (title, visit, what) = match fact {
        Fact::Reserved(visit) | Fact::Confirmed(visit) => ("예약 확정", visit, "예약이 확정되었습니다."),
        Fact::Cancelled(visit) => ("예약 취소", visit, "예약이 취소되었습니다."),
        Fact::Remind(visit) => ("내일 예약 안내", visit, "예약이 내일입니다."),
        _ => return None,
    };
    let message = format!("{shop} {} {} {what}", day_and_time(visit.start_at), services(visit));
    Some((title.to_owned(), message, format!("/my/reservations/{}", visit.reservation_id)))
}

/// What a shop is told when much of one kind comes at once.
pub(super) fn summary(kind: NotificationType, count: usize) -> (String, String, &'static str) {
    let (title, message, link) = match kind {
        NotificationType::ReservationCancel => ("예약 취소", "예약이 취소되었습니다.", "/reservations"),
        NotificationType::ReviewNew => ("새 후기", "후기가 등록되었습니다.", "/reviews"),
        NotificationType::PaymentSuccess => ("결제 완료", "결제가 완료되었습니다.", "/payments"),
        NotificationType::PaymentFailed => ("결제 실패", "결제에 실패했습니다.", "/payments"),
        _ => ("새 예약", "예약이 들어왔습니다.", "/reservations"),
    };
    (format!("{title} {count}건"), format!("{count}건의 {message}"), link)
}

/// `여성 컷`, or `여성 컷 외 1건`.
fn services(visit: &Visit) -> String {
    match &visit.services[..] {
        [] => "시술".to_owned(),
        [only] => cut(&only.name),
        [first, others @ ..] => format!("{} 외 {}건", cut(&first.name), others.len()),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `3월 14일(토)`
fn day(day: NaiveDate) -> String {
    format!("{}월 {}일({})", day.month(), day.day(), korean_weekday(day))
}

/// `3월 14일(토) 10:00`
fn day_and_time(time: KoreanTime) -> String {
    let shown = korean_time(time.0);
    format!("{} {}", day(shown.date()), shown.format("%H:%M"))
}
