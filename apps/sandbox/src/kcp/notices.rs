//! Notifications (공통통보): what is sent, and what came of it.

use chrono::{DateTime, TimeDelta, Utc};
use encoding_rs::EUC_KR;
use serde::{Deserialize, Serialize};

use super::{payment::Payment, switches::KcpSwitches, time};
use crate::random;

/// Invented, as is how often: that KCP tries again is documented, no more.
const RETRY_AFTER: TimeDelta = TimeDelta::minutes(10);
const MOST_ATTEMPTS: usize = 10;

/// One notification and every attempt to deliver it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KcpNotice {
    /// The sandbox's name for it, which KCP does not send: only deposits have a `noti_id`.
    pub id: String,
    /// `TX00` is a deposit, `TX06` a cancel, and so on.
    pub tx_cd: String,
    /// The form, field by field, as it is sent each time.
    pub fields: Vec<(String, String)>,
    /// Written in EUC-KR, as old set-ups are.
    pub euc_kr: bool,
    pub created_at: DateTime<Utc>,
    pub attempts: Vec<NoticeAttempt>,
    /// `None`: delivered or given up.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeAttempt {
    pub at: DateTime<Utc>,
    pub url: String,
    /// The receiver's status; `None` if it did not answer within ten seconds.
    pub status: Option<u16>,
    /// The answer held a form whose hidden `result` is `0000`, which alone stops the repeats.
    pub accepted: bool,
    pub error: Option<String>,
}

impl KcpNotice {
    pub(super) fn new(tx_cd: &str, fields: Vec<(String, String)>, euc_kr: bool, now: DateTime<Utc>) -> Self {
        Self {
            id: format!("notice_{}", random::letters(16)),
            tx_cd: tx_cd.to_owned(),
            fields,
            euc_kr,
            created_at: now,
            attempts: Vec::new(),
            next_attempt_at: Some(now),
        }
    }

    pub(super) fn about(payment: &Payment, tx_cd: &str, switches: KcpSwitches, now: DateTime<Utc>) -> Self {
        let fields = common(&payment.site_cd, &payment.tno, &payment.order_no, tx_cd, now);
        Self::new(tx_cd, fields, switches.euc_kr_notifications, now)
    }

    /// As a form: percent-encoded bytes of its charset.
    pub(super) fn body(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        if self.euc_kr {
            form.encoding_override(Some(&|text| EUC_KR.encode(text).0));
        }
        form.extend_pairs(&self.fields).finish()
    }

    pub(super) fn content_type(&self) -> &'static str {
        if self.euc_kr {
            "application/x-www-form-urlencoded;charset=EUC-KR"
        } else {
            "application/x-www-form-urlencoded;charset=UTF-8"
        }
    }

    pub fn is_delivered(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.accepted)
    }

    /// Books an attempt and plans the next one.
    pub(super) fn book(&mut self, attempt: NoticeAttempt) {
        let again = attempt.at + RETRY_AFTER;
        self.attempts.push(attempt);
        let goes_on = !self.is_delivered() && self.attempts.len() < MOST_ATTEMPTS;
        self.next_attempt_at = goes_on.then_some(again);
    }
}

/// The fields that every kind has.
pub(super) fn common(
    site_cd: &str,
    tno: &str,
    order_no: &str,
    tx_cd: &str,
    now: DateTime<Utc>,
) -> Vec<(String, String)> {
    [
        ("site_cd", site_cd),
        ("tno", tno),
        ("order_no", order_no),
        ("tx_cd", tx_cd),
        ("tx_tm", &time::digits(now)),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// Whether an answer holds a form with a hidden input `result` of `0000`.
pub(super) fn accepts(html: &str) -> bool {
    let compact: String = html
        .to_ascii_lowercase()
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\''))
        .collect();
    compact.contains("<form")
        && compact.split("<input").skip(1).any(|input| {
            let input = input.split('>').next().unwrap_or_default();
            input.contains("name=result") && input.contains("value=0000")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_form_with_its_hidden_result_is_an_acceptance() {
        let page = |input: &str| format!("<html><body><form>{input}</form></body></html>");
        assert!(accepts(&page(r#"<input type="hidden" name="result" value="0000">"#)));
        assert!(accepts(&page("<INPUT value='0000' name='result' type='hidden' />")));
        for other in [
            "0000",
            "",
            r#"{"result":"0000"}"#,
            r#"<input type="hidden" name="result" value="0000">"#,
            &page(r#"<input type="hidden" name="result" value="9999">"#),
            &page(r#"<input name="other" value="0000"><input name="result" value="">"#),
        ] {
            assert!(!accepts(other), "{other}");
        }
    }

    #[test]
    fn a_notice_nobody_accepts_is_given_up() {
        let mut notice = KcpNotice::new("TX00", Vec::new(), false, DateTime::UNIX_EPOCH);
        let mut attempts = 0;
        while let Some(at) = notice.next_attempt_at {
            let url = String::new();
            notice.book(NoticeAttempt { at, url, status: Some(200), accepted: false, error: None });
            attempts += 1;
        }
        assert_eq!(attempts, MOST_ATTEMPTS);
    }

    #[test]
    fn forms_are_written_in_their_charset() {
        let fields = vec![("remitter".to_owned(), "홍".to_owned())];
        let body = |euc_kr| KcpNotice::new("TX00", fields.clone(), euc_kr, DateTime::UNIX_EPOCH).body();
        assert_eq!((body(false).as_str(), body(true).as_str()), ("remitter=%ED%99%8D", "remitter=%C8%AB"));
    }
}
