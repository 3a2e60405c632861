//! POST `/messages/v4/send-many/detail`.

use std::collections::HashSet;

use chrono::{DateTime, FixedOffset, TimeDelta, Timelike, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    call::{Call, Change, Decision, Refusal},
    list::MessageBody,
    notices::SolapiNotice,
    rules::{self, Draft},
    switches::SolapiSwitches,
};
use crate::{
    book::Provider,
    post::{Fate, Outcome, Parcel, ParcelKind},
    random,
    store::{Record, Store},
};

const MOST_RECIPIENTS: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SendMany {
    messages: Vec<Message>,
    #[serde(default)]
    allow_duplicates: bool,
    #[serde(default)]
    show_message_list: bool,
    #[serde(default)]
    scheduled_date: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    #[serde(default)]
    to: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    text: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    subject: Option<String>,
    #[serde(default)]
    kakao_options: Value,
    #[serde(default)]
    custom_fields: Value,
}

impl Message {
    /// `None` for what is not played.
    fn kind(&self) -> Option<ParcelKind> {
        match self.kind.as_deref() {
            Some("SMS") => Some(ParcelKind::Sms),
            Some("LMS") => Some(ParcelKind::Lms),
            Some("ATA") => Some(ParcelKind::AlimTalk),
            Some(kind) if kind.starts_with("BMS") => Some(ParcelKind::Brand),
            // Chosen by the server.
            None if self.subject.is_none() && rules::bytes(&self.text).is_some_and(|bytes| bytes <= 90) => {
                Some(ParcelKind::Sms)
            }
            None => Some(ParcelKind::Lms),
            Some(_) => None,
        }
    }
}

pub(super) fn send_many(store: &Store, call: &Call<'_>) -> Decision {
    let request: SendMany = serde_json::from_slice(call.body)
        .map_err(|error| Refusal::invalid(format!("요청 본문이 올바르지 않습니다: {error}")))?;
    if request.messages.is_empty() {
        return Err(Refusal::invalid("messages는 비어 있을 수 없습니다."));
    }
    if request.messages.len() > MOST_RECIPIENTS {
        return Err(Refusal::new(400, "RecipientsTooMany", "한 번에 보낼 수 있는 수신자를 초과했습니다."));
    }
    if request.scheduled_date.is_some() {
        return Err(Refusal::new(400, "InvalidScheduledDate", "샌드박스는 예약 발송을 하지 않습니다."));
    }
    if call.switches.no_balance {
        return Err(Refusal::new(400, "NotEnoughBalance", "잔액이 부족합니다."));
    }
    Ok(take(store, call, &request))
}

fn take(store: &Store, call: &Call<'_>, request: &SendMany) -> Change {
    let group = id("G4V", call.now);
    let (mut parcels, mut failed, mut listed) = (Vec::new(), Vec::new(), Vec::new());
    let mut accepted = 0;
    let mut numbers: HashSet<&str> = HashSet::new();
    for message in &request.messages {
        let message_id = id("M4V", call.now);
        let is_repeated = !numbers.insert(&message.to) && !request.allow_duplicates;
        let fault = if is_repeated { Some("1026") } else { fault(store, call.switches, message) };
        if let Some(code) = fault {
            failed.push(json!({
                "to": message.to, "from": message.from, "type": message.kind, "country": "82",
                "messageId": message_id, "accountId": "26000000000001", "statusCode": code,
                "statusMessage": "접수 실패", "customFields": message.custom_fields,
            }));
            continue;
        }
        accepted += 1;
        if request.show_message_list {
            listed.push(json!({
                "messageId": message_id, "statusCode": "2000", "statusMessage": "정상 접수(이통사로 접수 예정)",
                "customFields": message.custom_fields,
            }));
        }
        let fate = store.post.fate(&message.to);
        parcels.extend(delivered(&group, message_id, message, fate, call));
    }
    let mut answer = json!({"groupInfo": group_info(&group, accepted, failed.len(), call.now), "failedMessageList": failed});
    if request.show_message_list {
        answer["messageList"] = json!(listed);
    }
    let news = news(&parcels, call);
    Change { answer, records: parcels.into_iter().map(Record::from).collect(), news }
}

fn fault(store: &Store, switches: SolapiSwitches, message: &Message) -> Option<&'static str> {
    let Some(kind) = message.kind() else { return Some("1025") };
    let draft = Draft {
        to: &message.to,
        from: &message.from,
        text: &message.text,
        subject: message.subject.as_deref(),
        kind,
        kakao: &message.kakao_options,
        custom_fields: &message.custom_fields,
    };
    rules::fault(&draft, &store.solapi, switches).or_else(|| {
        let refused = store.post.fate(&message.to) == Fate::Blocked || store.solapi.has_refused(&message.to);
        refused.then_some("1061")
    })
}

/// What arrives, and what arrives in its place.
fn delivered(group: &str, id: String, message: &Message, fate: Fate, call: &Call<'_>) -> Vec<Parcel> {
    let kind = message.kind().unwrap_or(ParcelKind::Lms);
    let is_kakao = matches!(kind, ParcelKind::AlimTalk | ParcelKind::Brand);
    let reports_at = call.now + TimeDelta::milliseconds(call.switches.report_after_ms.into());
    let shown = if kind == ParcelKind::Brand {
        message.kakao_options["bms"]["content"].as_str().unwrap_or_default()
    } else {
        &message.text
    };
    let code = match (fate, kind) {
        (_, ParcelKind::Brand) if is_night(call.now) => "3108",
        (Fate::NoKakao | Fate::Nothing | Fate::NoSuchNumber, ParcelKind::AlimTalk) => "3104",
        (Fate::NoKakao | Fate::Nothing | Fate::NoSuchNumber, ParcelKind::Brand) => "3102",
        (fate, _) => by_carrier(fate),
    };
    let parcel = Parcel {
        seq: 0,
        provider: Provider::Solapi,
        id,
        group: group.to_owned(),
        kind,
        to: message.to.clone(),
        from: message.from.clone(),
        subject: message.subject.clone(),
        text: shown.to_owned(),
        html: None,
        reference: message.custom_fields["dangolId"].as_str().map(str::to_owned),
        replaces: None,
        extra: json!({
            "type": message.kind.clone().unwrap_or_else(|| if kind == ParcelKind::Sms { "SMS" } else { "LMS" }.to_owned()),
            "customFields": message.custom_fields, "kakaoOptions": message.kakao_options,
        }),
        accepted_at: call.now,
        reports_at: (fate != Fate::NeverReported).then_some(reports_at),
        outcome: Outcome { delivered: code == "4000", code: code.to_owned() },
    };
    let falls_back =
        is_kakao && code.starts_with("31") && message.kakao_options["disableSms"].as_bool() != Some(true);
    if !falls_back {
        return vec![parcel];
    }
    let text = in_place_of(&parcel, message, fate, call);
    vec![parcel, text]
}

fn in_place_of(kakao: &Parcel, message: &Message, fate: Fate, call: &Call<'_>) -> Parcel {
    let is_short = rules::bytes(&message.text).is_some_and(|bytes| bytes <= 90);
    let (kind, name) = if is_short { (ParcelKind::Sms, "SMS") } else { (ParcelKind::Lms, "LMS") };
    let code = if fate == Fate::NoKakao || is_night(call.now) { "4000" } else { by_carrier(fate) };
    let fields =
        if call.switches.nameless_replacements { Value::Null } else { message.custom_fields.clone() };
    Parcel {
        id: id("M4V", call.now),
        kind,
        text: message.text.clone(),
        replaces: Some(kakao.id.clone()),
        extra: json!({"type": name, "customFields": fields, "replacement": true}),
        accepted_at: kakao.reports_at.unwrap_or(call.now),
        outcome: Outcome { delivered: code == "4000", code: code.to_owned() },
        ..kakao.clone()
    }
}

fn by_carrier(fate: Fate) -> &'static str {
    match fate {
        Fate::Delivered | Fate::NoKakao | Fate::NeverReported => "4000",
        Fate::NoSuchNumber | Fate::Nothing => "3032",
        Fate::Blocked => "3047",
        Fate::PhoneOff => "3043",
    }
}

/// Kakao takes no advertising from ten to nine until eight.
fn is_night(now: DateTime<Utc>) -> bool {
    let Some(korea) = FixedOffset::east_opt(9 * 3600) else { return false };
    let time = now.with_timezone(&korea);
    let minutes = time.hour() * 60 + time.minute();
    !(8 * 60..20 * 60 + 50).contains(&minutes)
}

/// One webhook for all that one request sent off and that is ever reported.
fn news(parcels: &[Parcel], call: &Call<'_>) -> Vec<SolapiNotice> {
    let reported: Vec<&Parcel> = parcels.iter().filter(|parcel| parcel.reports_at.is_some()).collect();
    let Some(at) = reported.iter().filter_map(|parcel| parcel.reports_at).max() else { return Vec::new() };
    let bodies: Vec<_> = reported.iter().map(|parcel| MessageBody::of(parcel, at, call.switches)).collect();
    vec![SolapiNotice::new(serde_json::to_string(&bodies).expect("JSON without maps of odd keys"), at)]
}

/// 32 characters: what it is, when it was made, and what nobody guesses.
pub(super) fn id(kind: &str, now: DateTime<Utc>) -> String {
    format!("{kind}{}{}", now.format("%Y%m%d%H%M%S"), random::letters(15).to_uppercase())
}

pub(super) fn group_info(id: &str, accepted: usize, failed: usize, now: DateTime<Utc>) -> Value {
    json!({
        "groupId": id, "accountId": "26000000000001", "masterAccountId": null, "apiVersion": "4", "status": "SENDING",
        "count": {
            "total": accepted + failed, "sentTotal": 0, "sentFailed": 0, "sentSuccess": 0, "sentPending": 0,
            "sentReplacement": 0, "refund": 0, "registeredFailed": failed, "registeredSuccess": accepted,
        },
        "log": [], "isRefunded": false, "dateCreated": now, "dateUpdated": now, "scheduledDate": null,
        "dateSent": now, "dateCompleted": null,
    })
}
