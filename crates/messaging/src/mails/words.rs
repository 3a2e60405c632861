//! What is written about each event.

use chrono::{Datelike, NaiveDate};
use kernel::Krw;
use platform::events::Happened;
use serde::Deserialize;

use super::letter::Letter;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Paid {
    payment_id: i64,
    amount: Krw,
    receipt_url: Option<String>,
    next_payment_date: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NotPaid {
    amount: Krw,
    reason: String,
    failure: Failure,
    next_attempt_date: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    decline_class: String,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Renewing {
    plan_name: String,
    amount: Krw,
    payment_date: NaiveDate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Canceled {
    access_until: Option<NaiveDate>,
}

/// `None` for what nobody is written to about.
pub(super) fn about(event: &Happened, business: &str, shop_url: &str) -> Option<Letter> {
    let shop_url = shop_url.trim_end_matches('/');
    match event.kind.as_str() {
        "payment.succeeded" => event.read().map(|paid| succeeded(paid, business, shop_url)),
        "payment.failed" => event.read().and_then(|not_paid| failed(not_paid, business, shop_url)),
        "renewal.upcoming" => event.read().map(|renewing| renews(&renewing, business, shop_url)),
        "subscription.suspended" => Some(suspended(business, shop_url)),
        "subscription.downgraded" => Some(downgraded(business, shop_url)),
        "subscription.canceled" => event.read().map(|canceled| cancelled(&canceled, business, shop_url)),
        _ => None,
    }
}

fn succeeded(paid: Paid, business: &str, shop_url: &str) -> Letter {
    let mut facts = vec![("결제 금액", paid.amount.to_string()), ("결제 번호", paid.payment_id.to_string())];
    facts.extend(paid.next_payment_date.map(|next| ("다음 결제일", date(next))));
    let receipt = paid.receipt_url.unwrap_or_else(|| format!("{shop_url}/payments/{}", paid.payment_id));
    Letter {
        subject: format!("[단골] {} 결제가 완료되었습니다", paid.amount),
        paragraphs: vec![format!(
            "{business} 사장님, 구독 요금 결제가 완료되었습니다. 이용해 주셔서 감사합니다."
        )],
        facts,
        links: vec![("영수증 보기", receipt)],
    }
}

/// A first card that is declined is told on the spot, to whoever stands before the window.
fn failed(not_paid: NotPaid, business: &str, shop_url: &str) -> Option<Letter> {
    if matches!(not_paid.reason.as_str(), "FIRST" | "CHECKOUT") {
        return None;
    }
    let mut paragraphs =
        vec![format!("{business} 사장님, 구독 요금을 결제하지 못했습니다."), not_paid.failure.message];
    let next = match not_paid.next_attempt_date {
        Some(next) => {
            format!("{}에 다시 결제를 시도합니다. 그 전까지 서비스를 계속 이용하실 수 있습니다.", date(next))
        }
        None if not_paid.failure.decline_class == "NEW_CARD" => {
            "등록하신 카드로는 더 이상 결제할 수 없습니다. 새 카드를 등록하시면 바로 결제됩니다.".to_owned()
        }
        None => "결제 카드를 확인하거나 새 카드를 등록해 주세요.".to_owned(),
    };
    paragraphs.push(next);
    Some(Letter {
        subject: "[단골] 구독 요금 결제에 실패했습니다".to_owned(),
        paragraphs,
        facts: vec![("결제 금액", not_paid.amount.to_string())],
        links: vec![("결제 카드 변경", card_page(shop_url))],
    })
}

fn renews(renewing: &Renewing, business: &str, shop_url: &str) -> Letter {
    Letter {
        subject: format!("[단골] {}에 구독이 갱신됩니다", date(renewing.payment_date)),
        paragraphs: vec![format!(
            "{business} 사장님, 이용 중인 구독이 곧 갱신됩니다. 계속 이용하시면 따로 하실 일은 없습니다."
        )],
        facts: vec![
            ("요금제", renewing.plan_name.clone()),
            ("결제 예정 금액", renewing.amount.to_string()),
            ("결제 예정일", date(renewing.payment_date)),
        ],
        links: vec![("구독 관리", format!("{shop_url}/subscription"))],
    }
}

fn suspended(business: &str, shop_url: &str) -> Letter {
    Letter {
        subject: "[단골] 서비스 이용이 정지되었습니다".to_owned(),
        paragraphs: vec![
            format!("{business} 사장님, 구독 요금이 결제되지 않아 서비스 이용이 정지되었습니다."),
            "결제 카드를 등록하시면 바로 다시 이용하실 수 있습니다. 데이터는 그대로 보관됩니다.".to_owned(),
        ],
        facts: Vec::new(),
        links: vec![("결제 카드 변경", card_page(shop_url))],
    }
}

fn downgraded(business: &str, shop_url: &str) -> Letter {
    Letter {
        subject: "[단골] 무료 요금제로 변경되었습니다".to_owned(),
        paragraphs: vec![
            format!("{business} 사장님, 구독 요금이 결제되지 않아 무료 요금제로 변경되었습니다."),
            "언제든지 다시 구독하실 수 있습니다. 데이터는 그대로 보관됩니다.".to_owned(),
        ],
        facts: Vec::new(),
        links: vec![("다시 구독하기", format!("{shop_url}/subscription"))],
    }
}

fn cancelled(canceled: &Canceled, business: &str, shop_url: &str) -> Letter {
    let until = match canceled.access_until.and_then(|until| until.pred_opt()) {
        Some(last) => format!("{}까지 이용하실 수 있으며, 이후에는 결제되지 않습니다.", date(last)),
        None => "앞으로 결제되지 않습니다.".to_owned(),
    };
    Letter {
        subject: "[단골] 구독이 해지되었습니다".to_owned(),
        paragraphs: vec![format!("{business} 사장님, 요청하신 대로 구독이 해지되었습니다."), until],
        facts: Vec::new(),
        links: vec![("구독 관리", format!("{shop_url}/subscription"))],
    }
}

fn card_page(shop_url: &str) -> String {
    format!("{shop_url}/subscription/payment-method")
}

fn date(day: NaiveDate) -> String {
    format!("{}년 {}월 {}일", day.year(), day.month(), day.day())
}
