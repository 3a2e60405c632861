//! Reading a campaign as somebody wants it, with every mistake named.

use chrono::{DateTime, Months, TimeDelta, Utc};
use kernel::BusinessId;
use messaging::{Channel, Purpose};
use platform::{FieldError, TenantTx};

use super::{
    TemplateType, Terms,
    words::{CouponValues, Values, Words},
};
use crate::{
    Crm, CrmError,
    coupon::CouponId,
    segment::{Segment, SegmentId},
    store::{coupon, segment},
    text,
};

/// Longer than any message that a carrier takes.
const MOST_CHARACTERS: usize = 2_000;

/// A time that is past by the time it arrives is now; one that is further back is a mistake.
const GRACE: TimeDelta = TimeDelta::minutes(10);

/// Names are this long at most, and coupons' half of it.
const LONGEST_NAME: usize = 100;

/// A campaign as somebody wants it.
#[derive(Clone, Debug)]
pub(crate) struct CampaignText {
    pub name: String,
    pub segment: SegmentId,
    pub channel: Channel,
    pub template_type: TemplateType,
    pub subject: Option<String>,
    pub message: String,
    pub coupon: Option<CouponId>,
    pub link: Option<String>,
    pub scheduled_at: Option<DateTime<Utc>>,
}

impl From<&Terms> for CampaignText {
    fn from(terms: &Terms) -> Self {
        Self {
            name: terms.name.clone(),
            segment: terms.segment,
            channel: terms.channel,
            template_type: terms.template_type,
            subject: terms.subject.clone(),
            message: terms.message.clone(),
            coupon: terms.coupon,
            link: terms.link.clone(),
            scheduled_at: terms.scheduled_at,
        }
    }
}

/// Mistakes, as they are found.
#[derive(Default)]
struct Mistakes(Vec<FieldError>);

impl Mistakes {
    fn add(&mut self, field: &str, code: &'static str, message: impl Into<String>) {
        self.0.push(FieldError { field: field.to_owned(), code, message: message.into() });
    }

    fn take<T>(&mut self, field: &str, read: Result<T, text::Refusal>) -> Option<T> {
        read.map_err(|refusal| self.add(field, refusal.code, refusal.message)).ok()
    }
}

impl Crm {
    /// A campaign that can be. Of the segment it takes what it is now; `kept` is what it took before.
    pub(crate) async fn read_terms(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        wanted: CampaignText,
        kept: Option<&Terms>,
    ) -> Result<Terms, CrmError> {
        let mut mistakes = Mistakes::default();
        let name = mistakes.take("name", text::name(&wanted.name));
        let segment = match kept.filter(|kept| kept.segment == wanted.segment) {
            Some(kept) => Some((kept.segment_name.clone(), kept.conditions.clone(), kept.version)),
            None => segment::one(tx, business, wanted.segment)
                .await?
                .map(|Segment { name, conditions, version, .. }| (name, conditions, version)),
        };
        if segment.is_none() {
            mistakes.add("segmentId", "UNKNOWN_SEGMENT", "등록되지 않은 고객 그룹입니다.");
        }
        let coupon = self.coupon_values(tx, business, wanted.coupon, &mut mistakes).await?;
        let link = wanted.link.as_deref().map(|link| self.settings.links.read(link));
        let link = link.map(|link| mistakes.take("link", link));
        let subject = subject(&wanted, &mut mistakes);
        let message = message(&wanted.message, &mut mistakes);
        if let Some(at) = wanted.scheduled_at {
            let now = self.clock.now();
            let latest = now.checked_add_months(Months::new(12)).unwrap_or(now);
            // What was accepted once may have come near since.
            let is_new = kept.is_none_or(|kept| kept.scheduled_at != wanted.scheduled_at);
            if is_new && at < now - GRACE {
                mistakes.add("scheduledAt", "IN_THE_PAST", "이미 지난 시각입니다.");
            } else if at > latest {
                mistakes.add("scheduledAt", "TOO_FAR", "1년 안의 시각이어야 합니다.");
            }
        }
        let words = Words { channel: wanted.channel, subject: subject.as_deref(), message: &message };
        let complaints = words.complaints(wanted.coupon.is_some(), link.is_some());
        if message.is_empty() || !complaints.is_empty() {
            mistakes.0.extend(complaints);
        } else {
            let values = self.longest_values(coupon);
            self.check_length(tx, business, words, &values, &mut mistakes).await?;
        }
        match (name, segment, link) {
            (Some(name), Some((segment_name, conditions, version)), link) if mistakes.0.is_empty() => {
                Ok(Terms {
                    name,
                    segment: wanted.segment,
                    segment_name,
                    conditions,
                    version,
                    channel: wanted.channel,
                    template_type: wanted.template_type,
                    subject,
                    message,
                    coupon: wanted.coupon,
                    link: link.flatten(),
                    scheduled_at: wanted.scheduled_at,
                })
            }
            _ => Err(CrmError::Invalid(mistakes.0)),
        }
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

    /// What stands in a message for where it leads.
    pub(crate) fn short_link(&self, code: &str) -> String {
        format!("{}/l/{code}", self.messaging.settings.public_url.trim_end_matches('/'))
    }
}

fn subject(wanted: &CampaignText, mistakes: &mut Mistakes) -> Option<String> {
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
