//! What a campaign says to each: its sentence with the values of whoever reads it.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use messaging::{
    Channel, Content, Purpose,
    template::{self, NoValue},
};
use platform::FieldError;

/// What may stand in braces in a campaign.
pub(crate) const VARIABLES: [&str; 7] =
    ["customerName", "businessName", "lastVisitDate", "couponName", "couponCode", "couponValidUntil", "link"];

/// What a campaign says, with places for what differs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    pub channel: Channel,
    pub subject: Option<&'a str>,
    pub message: &'a str,
}

/// What differs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values {
    pub customer_name: String,
    pub business_name: String,
    pub last_visit: Option<NaiveDate>,
    pub coupon: Option<CouponValues>,
    pub link: Option<String>,
    /// Of a mail: what shows that it was opened.
    pub picture: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct CouponValues {
    pub name: String,
    pub code: String,
    pub valid_until: NaiveDate,
}

impl Values {
    fn places(&self) -> BTreeMap<&str, String> {
        let mut places = BTreeMap::from([
            ("customerName", self.customer_name.clone()),
            ("businessName", self.business_name.clone()),
        ]);
        places.extend(self.last_visit.map(|day| ("lastVisitDate", in_words(day))));
        if let Some(coupon) = &self.coupon {
            places.insert("couponName", coupon.name.clone());
            places.insert("couponCode", coupon.code.clone());
            places.insert("couponValidUntil", in_words(coupon.valid_until));
        }
        places.extend(self.link.clone().map(|link| ("link", link)));
        places
    }
}

fn in_words(day: NaiveDate) -> String {
    format!("{}년 {}월 {}일", day.year(), day.month(), day.day())
}

impl Words<'_> {
    /// As one reader gets it, before the law adds its part. A value is text, whatever braces are in it.
    pub(crate) fn said_to(self, values: &Values, purpose: Purpose) -> Result<Content, NoValue> {
        let places = values.places();
        let subject = self.subject.map(|subject| template::fill(subject, &places)).transpose()?;
        let message = template::fill(self.message, &places)?;
        let mut content = Content::written(self.channel, purpose, subject, message);
        if let (Content::Mail(mail), Some(picture)) = (&mut content, &values.picture) {
            mail.html = format!("{}<img src=\"{picture}\" width=\"1\" height=\"1\" alt=\"\">", mail.html);
        }
        Ok(content)
    }

    fn names(self) -> Vec<&'static str> {
        let mut names = template::names(self.message);
        names.extend(template::names(self.subject.unwrap_or_default()));
        VARIABLES.into_iter().filter(|variable| names.contains(variable)).collect()
    }

    pub(crate) fn has(self, name: &str) -> bool {
        self.names().contains(&name)
    }

    /// What nobody could fill in.
    pub(crate) fn complaints(self, has_coupon: bool, has_link: bool) -> Vec<FieldError> {
        let mut complaints = Vec::new();
        for (field, text) in [("message", self.message), ("subject", self.subject.unwrap_or_default())] {
            let unknown = template::names(text).into_iter().find(|name| !VARIABLES.contains(name));
            complaints.extend(unknown.map(|name| {
                let name: String = name.chars().take(40).collect();
                complaint(field, "UNKNOWN_VARIABLE", format!("알 수 없는 변수입니다: {{{{{name}}}}}"))
            }));
        }
        let named = self.names().into_iter().find(|name| name.starts_with("coupon"));
        if let Some(name) = named
            && !has_coupon
        {
            let message = format!("{{{{{name}}}}}을 사용하려면 쿠폰을 선택해 주세요.");
            complaints.push(complaint("couponId", "REQUIRED", message));
        }
        if has_coupon && named.is_none() {
            let message = "쿠폰을 선택했다면 메시지에 {{couponCode}}를 넣어 주세요.".to_owned();
            complaints.push(complaint("message", "COUPON_NOT_USED", message));
        }
        match (self.has("link"), has_link) {
            (true, false) => {
                let message = "{{link}}를 사용하려면 연결할 주소를 입력해 주세요.".to_owned();
                complaints.push(complaint("link", "REQUIRED", message));
            }
            (false, true) => {
                let message = "주소를 입력했다면 메시지에 {{link}}를 넣어 주세요.".to_owned();
                complaints.push(complaint("message", "LINK_NOT_USED", message));
            }
            (true, true) | (false, false) => {}
        }
        complaints
    }
}

fn complaint(field: &str, code: &'static str, message: String) -> FieldError {
    FieldError { field: field.to_owned(), code, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(message: &str) -> Words<'_> {
        Words { channel: Channel::Sms, subject: None, message }
    }

    fn said(message: &str, values: &Values) -> Result<String, NoValue> {
        words(message).said_to(values, Purpose::Advertising).map(|content| match content {
            Content::Text(text) => text.text,
            other => panic!("{other:?} is no text"),
        })
    }

    #[test]
    fn a_name_with_braces_in_it_is_a_name() {
        let values = Values {
            customer_name: "{{couponCode}}{{link}}".to_owned(),
            link: Some("https://dangol.kr/l/a".to_owned()),
            ..Values::default()
        };
        assert_eq!(
            said("{{customerName}}님 {{link}}", &values).as_deref(),
            Ok("{{couponCode}}{{link}}님 https://dangol.kr/l/a")
        );
    }

    #[test]
    fn who_never_came_is_told_of_no_visit() {
        let values = Values::default();
        assert_eq!(said("{{lastVisitDate}}", &values), Err(NoValue("lastVisitDate".to_owned())));
        let values = Values { last_visit: NaiveDate::from_ymd_opt(2026, 1, 10), ..values };
        assert_eq!(said("{{lastVisitDate}}", &values).as_deref(), Ok("2026년 1월 10일"));
    }

    #[test]
    fn what_nobody_could_fill_in_is_named() {
        let codes = |message: &str, has_coupon, has_link| {
            let complaints = words(message).complaints(has_coupon, has_link);
            complaints.into_iter().map(|error| (error.field, error.code)).collect::<Vec<_>>()
        };
        let of = |field: &str, code| vec![(field.to_owned(), code)];
        assert_eq!(codes("{{customerName}}님", false, false), []);
        assert_eq!(codes("{{customername}}님", false, false), of("message", "UNKNOWN_VARIABLE"));
        assert_eq!(codes("{{visitDate}}", false, false), of("message", "UNKNOWN_VARIABLE"));
        assert_eq!(codes("{{couponCode}}", false, false), of("couponId", "REQUIRED"));
        assert_eq!(codes("{{couponCode}}", true, false), []);
        assert_eq!(codes("안녕하세요", true, false), of("message", "COUPON_NOT_USED"));
        assert_eq!(codes("{{link}}", false, false), of("link", "REQUIRED"));
        assert_eq!(codes("안녕하세요", false, true), of("message", "LINK_NOT_USED"));
        assert_eq!(codes("{{ link }}", false, true), []);
    }
}
