//! NHN Cloud's JSON. A 200 may carry a failure: `header.isSuccessful` says.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};
use kernel::at_korean_time;
use secrecy::ExposeSecret;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{
    super::{Kind, Outbound, Sent},
    codes,
};
use crate::{Content, Text};

/// The body of a request: what is said, and to whom.
pub(super) fn with_recipients(body: &str, messages: &[Outbound]) -> Value {
    let mut body: Value = serde_json::from_str(body).unwrap_or_else(|_| Value::Object(Map::new()));
    body["recipientList"] = messages.iter().map(recipient).collect();
    body
}

fn recipient(message: &Outbound) -> Value {
    let mut recipient = json!({
        "recipientNo": message.to.expose_secret(), "recipientGroupingKey": message.reference.to_string(),
    });
    let (fallback, variables) = match &message.content {
        Content::AlimTalk(talk) => {
            (Some(talk.falls_back.then(|| Text::new(talk.text.clone()))), Some(&talk.variables))
        }
        Content::Brand(brand) => (Some(brand.fallback.clone()), None),
        Content::Text(_) | Content::Mail(_) => (None, None),
    };
    if let Some(variables) = variables.filter(|variables| !variables.is_empty()) {
        recipient["templateParameter"] = json!(variables);
    }
    match fallback {
        None => {}
        Some(None) => recipient["resendParameter"] = json!({"isResend": false}),
        Some(Some(text)) => {
            let resend_type = if text.kind() == Kind::Sms { "SMS" } else { "LMS" };
            recipient["resendParameter"] = json!({
                "isResend": true, "resendType": resend_type, "resendContent": text.text,
                "resendSendNo": message.from.phone.as_deref().unwrap_or_default(),
            });
            if message.is_advertising
                && let Some(line) = &message.from.refusal_number
            {
                recipient["resendParameter"]["resendUnsubscribeNo"] = json!(line);
            }
        }
    }
    recipient
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Header {
    pub(super) is_successful: bool,
    #[serde(default)]
    pub(super) result_code: i64,
}

/// SMS wraps its answer in `body.data`, KakaoTalk in `message`.
#[derive(Deserialize)]
struct Answer {
    header: Header,
    body: Option<Body>,
    message: Option<Submitted>,
}

#[derive(Deserialize)]
struct Body {
    data: Option<Submitted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Submitted {
    request_id: Option<String>,
    #[serde(default, alias = "sendResultList")]
    send_results: Vec<Accepted>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    recipient_seq: Option<i64>,
    result_code: i64,
    // The official sample misspells it.
    #[serde(alias = "recipientGropuingKey")]
    recipient_grouping_key: Option<String>,
}

/// What a 200 says about each.
pub(super) fn read_sent(path: &str, messages: &[Outbound], body: &[u8]) -> Vec<Sent> {
    let all = |sent: Sent| vec![sent; messages.len()];
    let Ok(answer) = serde_json::from_slice::<Answer>(body) else {
        return all(Sent::Unknown("an unreadable answer".to_owned()));
    };
    let submitted = answer.message.or_else(|| answer.body.and_then(|body| body.data));
    let results = submitted.as_ref().map_or(&[][..], |submitted| submitted.send_results.as_slice());
    let told: HashMap<&str, &Accepted> = results
        .iter()
        .filter_map(|result| Some((result.recipient_grouping_key.as_deref()?, result)))
        .collect();
    // All recipients failed: each has its own reason, where it is told.
    if !answer.header.is_successful && told.is_empty() {
        return all(match answer.header.result_code {
            codes::REPEATED => Sent::Unknown("the same request came before".to_owned()),
            code if code < 0 => Sent::Refused(codes::of_api(code)),
            code => Sent::Unknown(format!("a result code {code}")),
        });
    }
    let request_id = submitted.as_ref().and_then(|submitted| submitted.request_id.as_deref());
    messages
        .iter()
        .map(|message| match (told.get(message.reference.to_string().as_str()), request_id) {
            (Some(Accepted { result_code: 0, recipient_seq: Some(seq), .. }), Some(request)) => {
                Sent::Accepted(
                    Id { folder: Folder::of(path), request: request.to_owned(), seq: *seq }.to_string(),
                )
            }
            (Some(result), _) if result.result_code < 0 => Sent::Refused(codes::of_api(result.result_code)),
            (Some(result), _) => Sent::Unknown(format!("a result code {}", result.result_code)),
            (None, _) => Sent::Unknown("an answer that does not mention it".to_owned()),
        })
        .collect()
}

/// Where a message is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folder {
    Sms,
    AdSms,
    Mms,
    AdMms,
    AlimTalk,
    Brand,
}

impl Folder {
    pub(super) const ALL: [Self; 6] =
        [Self::Sms, Self::AdSms, Self::Mms, Self::AdMms, Self::AlimTalk, Self::Brand];

    /// Where a message of this kind may lie. Advertising has paths of its own, and nobody says whether lists of its own.
    pub(super) const fn of_kind(kind: Kind) -> &'static [Self] {
        match kind {
            Kind::Sms => &[Self::Sms, Self::AdSms],
            Kind::Lms => &[Self::Mms, Self::AdMms],
            Kind::AlimTalk => &[Self::AlimTalk],
            Kind::Brand => &[Self::Brand],
            Kind::Email => &[],
        }
    }

    /// Where a message is that was handed over here.
    pub(super) const fn alternatives(self) -> &'static [Self] {
        match self {
            Self::Sms => &[Self::Sms],
            Self::AdSms => &[Self::AdSms, Self::Sms],
            Self::Mms => &[Self::Mms],
            Self::AdMms => &[Self::AdMms, Self::Mms],
            Self::AlimTalk => &[Self::AlimTalk],
            Self::Brand => &[Self::Brand],
        }
    }

    fn of(path: &str) -> Self {
        match path {
            path if path.starts_with("/alimtalk") => Self::AlimTalk,
            path if path.starts_with("/brand") => Self::Brand,
            path if path.ends_with("/ad-mms") => Self::AdMms,
            path if path.ends_with("/mms") => Self::Mms,
            path if path.ends_with("/ad-sms") => Self::AdSms,
            _ => Self::Sms,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::AdSms => "ad-sms",
            Self::Mms => "mms",
            Self::AdMms => "ad-mms",
            Self::AlimTalk => "alimtalk",
            Self::Brand => "brand",
        }
    }
}

/// NHN's name of a message, with where to look for it: `sms/20260214…/1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) folder: Folder,
    pub(super) request: String,
    pub(super) seq: i64,
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.folder.as_str(), self.request, self.seq)
    }
}

impl Id {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (folder, request, seq) = (parts.next()?, parts.next()?, parts.next()?);
        let folder = Folder::ALL.into_iter().find(|known| known.as_str() == folder)?;
        let is_plain = !request.is_empty() && request.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_plain.then_some(Self { folder, request: request.to_owned(), seq: seq.parse().ok()? })
    }
}

/// A message as it is read back: one, or some in a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    pub(super) request_id: Option<String>,
    pub(super) recipient_seq: Option<i64>,
    pub(super) recipient_no: Option<String>,
    #[serde(alias = "recipientGropuingKey")]
    pub(super) recipient_grouping_key: Option<String>,
    /// Of a text: `0` to `7`.
    #[serde(default, deserialize_with = "text")]
    pub(super) msg_status: Option<String>,
    /// Of a Kakao message: `COMPLETED`, `FAILED`, `CANCEL`.
    pub(super) message_status: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) result_code: Option<String>,
    pub(super) resend_status: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub(super) resend_result_code: Option<String>,
    pub(super) resend_type: Option<String>,
    pub(super) receive_date: Option<String>,
}

/// Somebody who called the 080 line.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefusalLine {
    pub(super) recipient_no: Option<String>,
    pub(super) unsubscribe_no: Option<String>,
    #[serde(alias = "createDate", alias = "requestDate")]
    created_date_time: Option<String>,
}

impl RefusalLine {
    pub(super) fn at(&self) -> Option<DateTime<Utc>> {
        self.created_date_time.as_deref().and_then(time)
    }
}

pub(super) fn refusals(body: &[u8]) -> Result<Vec<RefusalLine>, String> {
    read_list(body)
}

/// In Korea, however precise; with or without an offset.
pub(super) fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    let local = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%.f"];
    let read = local.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    Some(at_korean_time(read.date(), read.time()))
}

/// Codes are strings here and numbers there.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The records of an answer, wherever they stand; `Err` for one that says no.
pub(super) fn records(body: &[u8]) -> Result<Vec<Record>, String> {
    read_list(body)
}

fn read_list<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>, String> {
    let answer: Value =
        serde_json::from_slice(body).map_err(|error| format!("an unreadable answer: {error}"))?;
    let header: Header =
        Header::deserialize(&answer["header"]).map_err(|_| "an answer without a header".to_owned())?;
    if !header.is_successful {
        return Err(format!("a result code {}", header.result_code));
    }
    let places = [
        &answer["body"]["data"],
        &answer["message"],
        &answer["messageSearchResultResponse"]["messages"],
        &answer["messages"],
    ];
    let found = places.into_iter().find(|place| !place.is_null());
    let list = match found {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
    };
    list.into_iter()
        .map(|record| T::deserialize(&record).map_err(|error| format!("an unreadable record: {error}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MessageId, channel::Sender};

    fn outbound() -> Outbound {
        Outbound {
            reference: MessageId::new(DateTime::UNIX_EPOCH),
            to: "01012345678".into(),
            from: Sender {
                name: "미소헤어".to_owned(),
                phone: Some("0231234567".to_owned()),
                refusal_number: None,
                kakao_channel: None,
                mail_address: None,
            },
            content: Content::Text(Text::new("안녕하세요")),
            is_advertising: false,
        }
    }

    #[test]
    fn a_name_says_where_to_look() {
        let id = Id { folder: Folder::Mms, request: "20260214100000aB3".to_owned(), seq: 7 };
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        for other in ["", "sms/1", "fax/1/1", "sms/../1", "sms/a/b", "sms//1"] {
            assert_eq!(Id::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_200_may_say_no_to_all_or_to_one() {
        let message = outbound();
        let name = message.reference.to_string();
        let read = |answer: Value| {
            read_sent("/sms/sender/sms", std::slice::from_ref(&message), answer.to_string().as_bytes())
                .remove(0)
        };
        let no = json!({"header": {"isSuccessful": false, "resultCode": -2312, "resultMessage": "no"}, "body": null});
        assert!(matches!(read(no), Sent::Refused(refusal) if refusal.code == "-2312"));
        let repeated = json!({"header": {"isSuccessful": false, "resultCode": -1005}});
        assert!(matches!(read(repeated), Sent::Unknown(_)));
        let one = |code: i64| {
            json!({"header": {"isSuccessful": true, "resultCode": 0}, "body": {"data": {"requestId": "R1", "sendResultList": [
                {"recipientNo": "01012345678", "resultCode": code, "recipientSeq": 1, "recipientGropuingKey": name}
            ]}}})
        };
        assert_eq!(read(one(0)), Sent::Accepted("sms/R1/1".to_owned()));
        assert!(matches!(read(one(-2019)), Sent::Refused(_)));
        assert!(matches!(read(json!({})), Sent::Unknown(_)));
    }
}
