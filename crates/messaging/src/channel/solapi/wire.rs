//! Solapi's JSON.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::{
    super::{Kind, Outbound, Sent},
    codes,
};
use crate::{AlimTalk, Brand, Content, Text};

/// Under which name our reference travels: a key has 30 characters at most, a value 100.
const REFERENCE: &str = "dangolId";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendMany<'a> {
    messages: Vec<Message<'a>>,
    /// Two messages to one number are two messages: what is one was decided before.
    allow_duplicates: bool,
    show_message_list: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'a> {
    to: &'a str,
    from: &'a str,
    custom_fields: Value,
    #[serde(flatten)]
    said: Said<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Said<'a> {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kakao_options: Option<Value>,
}

impl<'a> SendMany<'a> {
    pub(super) fn of(messages: &'a [Outbound]) -> Self {
        Self {
            messages: messages.iter().map(Message::of).collect(),
            allow_duplicates: true,
            show_message_list: true,
        }
    }
}

impl<'a> Message<'a> {
    fn of(message: &'a Outbound) -> Self {
        let channel = message.from.kakao_channel.as_deref();
        Self {
            to: message.to.expose_secret(),
            from: message.from.phone.as_deref().unwrap_or_default(),
            custom_fields: json!({REFERENCE: message.reference.to_string()}),
            said: match &message.content {
                Content::Text(text) => Said::text(text),
                Content::AlimTalk(talk) => Said::alim_talk(talk, channel),
                Content::Brand(brand) => Said::brand(brand, channel),
                // No mail is led here; Solapi would refuse a message without text.
                Content::Mail(_) => Said::default(),
            },
        }
    }
}

impl<'a> Said<'a> {
    fn text(text: &'a Text) -> Self {
        Self {
            kind: Some(if text.kind() == Kind::Sms { "SMS" } else { "LMS" }),
            text: Some(&text.text),
            subject: text.subject.as_deref(),
            kakao_options: None,
        }
    }

    fn alim_talk(talk: &'a AlimTalk, channel: Option<&str>) -> Self {
        let variables: BTreeMap<String, &String> =
            talk.variables.iter().map(|(name, value)| (format!("#{{{name}}}"), value)).collect();
        let options = json!({
            "pfId": channel.unwrap_or_default(), "templateId": talk.template_code, "variables": variables,
            "disableSms": !talk.falls_back,
        });
        Self { kind: Some("ATA"), text: Some(&talk.text), subject: None, kakao_options: Some(options) }
    }

    /// Free text to friends of the channel who agreed: no salon has the 50,000 friends that more would take.
    fn brand(brand: &'a Brand, channel: Option<&str>) -> Self {
        let buttons: Vec<Value> = brand
            .buttons
            .iter()
            .map(|button| json!({"name": button.name, "linkType": "WL", "linkMobile": button.url, "linkPc": button.url}))
            .collect();
        let options = json!({
            "pfId": channel.unwrap_or_default(), "adFlag": true, "disableSms": brand.fallback.is_none(),
            "bms": {"targeting": "I", "chatBubbleType": "TEXT", "content": brand.text, "buttons": buttons},
        });
        let text = brand.fallback.as_ref().map_or("", |fallback| fallback.text.as_str());
        Self { kind: Some("BMS_FREE"), text: Some(text), subject: None, kakao_options: Some(options) }
    }
}

/// `{"errorCode", "errorMessage"}`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorBody {
    error_code: String,
}

impl ErrorBody {
    /// Empty for a body that is none.
    pub(super) fn code(body: &[u8]) -> String {
        serde_json::from_slice::<Self>(body).map(|body| body.error_code).unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Submitted {
    failed_message_list: Option<Vec<Accepted>>,
    message_list: Option<Vec<Accepted>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accepted {
    message_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    status_code: String,
    custom_fields: Option<HashMap<String, Value>>,
}

impl Accepted {
    fn reference(&self) -> Option<&str> {
        self.custom_fields.as_ref()?.get(REFERENCE)?.as_str()
    }
}

/// What a 200 says about each: also those that were not taken stand in one.
pub(super) fn read_sent(messages: &[Outbound], body: &[u8]) -> Vec<Sent> {
    let Ok(submitted) = serde_json::from_slice::<Submitted>(body) else {
        return vec![Sent::Unknown("an unreadable answer".to_owned()); messages.len()];
    };
    let listed = submitted.failed_message_list.iter().chain(&submitted.message_list);
    let told: HashMap<&str, &Accepted> =
        listed.flatten().filter_map(|entry| Some((entry.reference()?, entry))).collect();
    messages
        .iter()
        .map(|message| match told.get(message.reference.to_string().as_str()) {
            Some(Accepted { status_code, message_id: Some(id), .. })
                if matches!(status_code.as_str(), "2000" | "3000" | "4000") =>
            {
                Sent::Accepted(id.clone())
            }
            Some(Accepted { status_code, .. }) if status_code.starts_with('1') => {
                Sent::Refused(codes::refusal(status_code))
            }
            Some(entry) => Sent::Unknown(format!("a status code {}", entry.status_code)),
            None => Sent::Unknown("an answer that does not mention it".to_owned()),
        })
        .collect()
}

/// `GET /messages/v4/list`: the list is a map from message ids.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    #[serde(default, deserialize_with = "stored")]
    pub(super) message_list: HashMap<String, Stored>,
    pub(super) next_key: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stored {
    #[serde(default, deserialize_with = "text")]
    pub(super) message_id: String,
    pub(super) group_id: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    /// A string, or a list of one.
    #[serde(default)]
    to: Value,
    #[serde(default, deserialize_with = "text")]
    pub(super) status_code: String,
    custom_fields: Option<HashMap<String, Value>>,
    /// Also 0 or 1.
    #[serde(default)]
    replacement: Value,
    #[serde(default)]
    kakao_options: Value,
    #[serde(default, deserialize_with = "time")]
    pub(super) date_created: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "time")]
    pub(super) date_reported: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "time")]
    pub(super) date_received: Option<DateTime<Utc>>,
}

/// A code may be null, or a number; empty for what is neither.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    })
}

/// A time that is written otherwise is none: nothing here rests on it.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    Ok(time.map(|time| time.with_timezone(&Utc)))
}

/// A map from ids, or nothing. A message that cannot be read would be taken for absent: then nothing is read.
fn stored<'de, D: Deserializer<'de>>(deserializer: D) -> Result<HashMap<String, Stored>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Stored {
    pub(super) fn reference(&self) -> Option<&str> {
        self.custom_fields.as_ref()?.get(REFERENCE)?.as_str()
    }

    pub(super) fn is_to(&self, number: &str) -> bool {
        self.to.as_str() == Some(number) || self.to[0].as_str() == Some(number)
    }

    pub(super) fn is_replacement(&self) -> bool {
        is_true(&self.replacement)
    }

    pub(super) fn may_be_replaced(&self) -> bool {
        !is_true(&self.kakao_options["disableSms"])
    }

    pub(super) fn kind(&self) -> Kind {
        match self.kind.as_deref() {
            Some("SMS" | "RCS_SMS") => Kind::Sms,
            Some("ATA") => Kind::AlimTalk,
            Some(kind) if kind.starts_with("BMS") => Kind::Brand,
            _ => Kind::Lms,
        }
    }
}

fn is_true(value: &Value) -> bool {
    value.as_bool() == Some(true) || value.as_i64() == Some(1)
}

/// A line of the list of refusals. Its members are not documented publicly; those of the SDK are read, and nothing else is
/// needed of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BlackList {
    #[serde(alias = "blacks", alias = "list")]
    pub(super) black_list: Option<Vec<Black>>,
    pub(super) next_key: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Black {
    pub(super) recipient_number: Option<String>,
    pub(super) sender_number: Option<String>,
    #[serde(default, deserialize_with = "time")]
    pub(super) date_created: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{Button, MessageId, channel::Sender};

    fn outbound(content: Content) -> Outbound {
        Outbound {
            reference: MessageId::new(DateTime::UNIX_EPOCH),
            to: "01012345678".into(),
            from: Sender {
                name: "미소헤어".to_owned(),
                phone: Some("0231234567".to_owned()),
                refusal_number: None,
                kakao_channel: Some("KA01PF".to_owned()),
                mail_address: None,
            },
            content,
            is_advertising: false,
        }
    }

    fn wire(message: &Outbound) -> Value {
        serde_json::to_value(Message::of(message)).expect("JSON")
    }

    #[test]
    fn an_alim_talk_names_its_places_in_braces() {
        let wire = wire(&outbound(Content::AlimTalk(AlimTalk {
            template_code: "KA01TP".to_owned(),
            variables: [("이름".to_owned(), "김민서".to_owned())].into(),
            text: "김민서님".to_owned(),
            falls_back: true,
        })));
        assert_eq!(wire["kakaoOptions"]["variables"], json!({"#{이름}": "김민서"}));
        assert_eq!(wire["kakaoOptions"]["disableSms"], json!(false));
        assert_eq!(wire["type"], "ATA");
    }

    #[test]
    fn a_brand_message_is_marked_as_advertising_and_goes_to_friends() {
        let wire = wire(&outbound(Content::Brand(Brand {
            text: "봄 할인".to_owned(),
            buttons: vec![Button { name: "예약".to_owned(), url: "https://a.example".to_owned() }],
            fallback: None,
        })));
        assert_eq!(wire["kakaoOptions"]["adFlag"], json!(true));
        assert_eq!(wire["kakaoOptions"]["bms"]["targeting"], "I");
        assert_eq!(wire["kakaoOptions"]["disableSms"], json!(true));
    }

    #[test]
    fn null_is_nothing_and_no_reason_to_read_nothing() {
        let list = json!({"messageList": {"M4V1": {
            "messageId": "M4V1", "groupId": null, "type": null, "to": null, "statusCode": null, "customFields": null,
            "replacement": null, "kakaoOptions": null, "dateCreated": "2026-02-14", "dateReported": null,
        }}, "nextKey": null});
        let listed: Listed = serde_json::from_value(list).unwrap();
        assert_eq!(listed.message_list["M4V1"].status_code, "");
        let empty: Listed = serde_json::from_value(json!({"messageList": null})).unwrap();
        assert!(empty.message_list.is_empty());
        assert!(
            serde_json::from_value::<BlackList>(json!({"blackList": null})).unwrap().black_list.is_none()
        );
    }

    #[test]
    fn a_200_may_say_no() {
        let message = outbound(Content::Text(Text::new("안녕하세요")));
        let name = message.reference.to_string();
        let answer = |list: &str, code: &str| {
            let entry = json!({"messageId": "M4V1", "statusCode": code, "customFields": {"dangolId": name}});
            let body = json!({"groupInfo": {}, list: [entry]}).to_string();
            read_sent(std::slice::from_ref(&message), body.as_bytes()).remove(0)
        };
        assert_eq!(answer("messageList", "2000"), Sent::Accepted("M4V1".to_owned()));
        assert!(matches!(answer("failedMessageList", "1062"), Sent::Refused(_)));
        assert!(matches!(answer("messageList", ""), Sent::Unknown(_)));
        assert!(matches!(read_sent(std::slice::from_ref(&message), b"{}").remove(0), Sent::Unknown(_)));
        assert!(matches!(read_sent(std::slice::from_ref(&message), b"<html>").remove(0), Sent::Unknown(_)));
    }
}
