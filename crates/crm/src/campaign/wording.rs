//! Reading what a message is to say, with every mistake named.

use kernel::BusinessId;
use messaging::{Channel, Purpose};
use platform::{FieldError, TenantTx};

use super::words::{CouponValues, Values, Words};
use crate::{Crm, CrmError, coupon::CouponId, store::coupon, text};

/// Longer than any message that a carrier takes.
const MOST_CHARACTERS: usize = 2_000;

/// Names are this long at most, and coupons' half of it.
const LONGEST_NAME: usize = 100;

/// What a message says, and by which channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wording {
    pub channel: Channel,
    /// Of a mail.
    pub subject: Option<String>,
    pub message: String,
    /// Of which everybody gets a code.
    pub coupon: Option<CouponId>,
    /// Where `{{link}}` leads.
    pub link: Option<String>,
}

impl Wording {
    pub(crate) fn words(&self) -> Words<'_> {
        Words { channel: self.channel, subject: self.subject.as_deref(), message: &self.message }
    }
}

/// Mistakes, as they are found.
#[derive(Default)]
pub(crate) struct Mistakes(pub Vec<FieldError>);

impl Mistakes {
    pub(crate) fn add(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.0.push(FieldError { field: field.to_owned(), code, message: message.into() });
    }

    pub(crate) fn take<T>(&mut self, field: &str, read: Result<T, text::Refusal>) -> Option<T> {
        read.map_err(|refusal| self.add(field, refusal.code, refusal.message)).ok()
    }
}

impl Crm {
    /// A wording as it can be sent; of no use where mistakes were found.
    pub(crate) async fn read_wording(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        wanted: Wording,
        mistakes: &mut Mistakes,
    ) -> Result<Wording, CrmError> {
        let coupon = self.coupon_values(tx, business, wanted.coupon, mistakes).await?;
        let has_link = wanted.link.is_some();
        let link = wanted.link.as_deref().map(|link| self.settings.links.read(link));
        let link = link.and_then(|link| mistakes.take("link", link));
        let subject = subject(&wanted, mistakes);
        let message = message(&wanted.message, mistakes);
        let read = Wording { subject, message, link, ..wanted };
        let complaints = read.words().complaints(read.coupon.is_some(), has_link);
        if read.message.is_empty() || !complaints.is_empty() {
            mistakes.0.extend(complaints);
        } else {
            let values = self.longest_values(coupon);
            self.check_length(tx, business, read.words(), &values, mistakes).await?;
        }
        Ok(read)
    }

    async fn coupon_values(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        id: Option<CouponId>,
        mistakes: &mut Mistakes,
    ) -> Result<Option<CouponValues>, CrmError> {
        let Some(id) = id else { return Ok(None) };
        let Some(found) = coupon::list(tx, business, Some(id), None, 1).await?.pop() else {
            mistakes.add("couponId", "UNKNOWN_COUPON", "등록되지 않은 쿠폰입니다.");
            return Ok(None);
        };
        if found.stopped_at.is_some() || found.valid_until < self.clock.today() {
            mistakes.add("couponId", "COUPON_UNAVAILABLE", "더 이상 발급할 수 없는 쿠폰입니다.");
        }
        Ok(Some(CouponValues {
            name: found.name,
            code: "2222-2222-2222".to_owned(),
            valid_until: found.valid_until,
        }))
    }

    /// Whoever has the longest name must be able to read it to its end.
    fn longest_values(&self, coupon: Option<CouponValues>) -> Values {
        let longest_day = chrono::NaiveDate::from_ymd_opt(2026, 12, 31);
        Values {
            customer_name: "가".repeat(LONGEST_NAME),
            business_name: "가".repeat(LONGEST_NAME),
            last_visit: longest_day,
            coupon,
            link: Some(self.short_link("000000000000")),
            picture: None,
        }
    }

    async fn check_length(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        words: Words<'_>,
        values: &Values,
        mistakes: &mut Mistakes,
    ) -> Result<(), CrmError> {
        // All places have values.
        let Ok(content) = words.said_to(values, Purpose::Advertising) else { return Ok(()) };
        let preview =
            self.messaging.preview(tx, business, words.channel, Purpose::Advertising, content).await?;
        match preview.reason {
            Some("TOO_LONG") => {
                let detail = preview.bytes.zip(preview.most_bytes).map_or_else(String::new, |(bytes, most)| {
                    format!(" 광고 표기와 가장 긴 이름을 더하면 {bytes}바이트이고, {most}바이트까지 보낼 수 있습니다.")
                });
                mistakes.add("message", "TOO_LONG", format!("메시지가 너무 깁니다.{detail}"));
            }
            Some("CHARSET") => {
                let characters: String = preview.unsendable.iter().take(10).collect();
                let message = format!("문자 메시지로 보낼 수 없는 글자가 있습니다: {characters}");
                mistakes.add("message", "UNSENDABLE_CHARACTER", message);
            }
            _ => {}
        }
        Ok(())
    }

    /// What a mail has in it, so that it is known who opened it.
    pub(crate) fn picture(&self, code: &str) -> String {
        format!("{}/seen.gif", self.short_link(code))
    }

    /// What stands in a message for where it leads.
    pub(crate) fn short_link(&self, code: &str) -> String {
        format!("{}/l/{code}", self.messaging.settings.public_url.trim_end_matches('/'))
    }
}

fn subject(wanted: &Wording, mistakes: &mut Mistakes) -> Option<String> {
    let given = wanted.subject.as_deref().map(str::trim).filter(|subject| !subject.is_empty());
    match (given, wanted.channel) {
        (None, Channel::Email) => mistakes.add("subject", "REQUIRED", "메일에는 제목이 필요합니다."),
        (Some(_), Channel::Sms | Channel::Kakao) => {
            mistakes.add("subject", "NOT_ALLOWED", "제목은 메일에만 사용할 수 있습니다.");
        }
        (Some(subject), Channel::Email) if subject.contains(char::is_control) => {
            mistakes.add("subject", "CONTROL_CHARACTER", "줄바꿈이나 제어 문자는 쓸 수 없습니다.");
        }
        (Some(subject), Channel::Email) if subject.chars().count() > 100 => {
            mistakes.add("subject", "TOO_LONG", "제목은 100자 이하여야 합니다.");
        }
        (Some(_), Channel::Email) | (None, Channel::Sms | Channel::Kakao) => {}
    }
    given.map(str::to_owned)
}

fn message(given: &str, mistakes: &mut Mistakes) -> String {
    let message = given.trim();
    if message.is_empty() {
        mistakes.add("message", "REQUIRED", "메시지를 입력해 주세요.");
    } else if message.chars().count() > MOST_CHARACTERS {
        mistakes.add("message", "TOO_LONG", "메시지는 2,000자 이하여야 합니다.");
        return String::new();
    } else if message.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        mistakes.add("message", "CONTROL_CHARACTER", "제어 문자는 쓸 수 없습니다.");
    }
    message.to_owned()
}
