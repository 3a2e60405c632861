//! POST `/sms/v3.0/appKeys/{appKey}/sender/{sms, mms, ad-sms, ad-mms}`.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    call::{Call, Change, Refusal, header},
    notices::NhnNotice,
    rules,
    switches::NhnSwitches,
};
use crate::{
    book::Provider,
    post::{Fate, Outcome, Parcel, ParcelKind},
    random,
    store::{Record, Store},
};

/// What is sent by a path is read by it.
pub(super) const FOLDERS: [&str; 4] = ["sms", "ad-sms", "mms", "ad-mms"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    body: String,
    title: Option<String>,
    #[serde(default)]
    send_no: String,
    #[serde(default)]
    recipient_list: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    #[serde(default)]
    recipient_no: String,
    recipient_grouping_key: Option<String>,
}

pub(super) fn send(store: &Store, call: &Call<'_>, operation: &str) -> Result<Change, Refusal> {
    let request: Request = serde_json::from_slice(call.body).map_err(|_| Refusal(-2000))?;
    let (kind, is_advertising) = match operation {
        "sms" => (ParcelKind::Sms, false),
        "ad-sms" => (ParcelKind::Sms, true),
        "mms" => (ParcelKind::Lms, false),
        _ => (ParcelKind::Lms, true),
    };
    check(&request, kind, is_advertising, call.switches)?;
    let request_id = request_id(call.now);
    let (mut results, mut parcels) = (Vec::new(), Vec::new());
    for (recipient, seq) in request.recipient_list.iter().zip(1_i64..) {
        let fate = store.post.fate(&recipient.recipient_no);
        let refused = is_advertising && store.nhn.has_refused(&recipient.recipient_no);
        let code = if rules::number_is_wrong(&recipient.recipient_no) {
            -2019
        } else if refused || fate == Fate::Blocked {
            -6001
        } else {
            0
        };
        results.push(json!({
            "recipientNo": recipient.recipient_no, "resultCode": code, "resultMessage": if code == 0 { "SUCCESS" } else { "FAILURE" },
            "recipientSeq": seq, key_name(call.switches): recipient.recipient_grouping_key,
        }));
        if code == 0 {
            let parcel = parcel(&request, recipient, kind, fate, &request_id, seq, call);
            let extra = json!({"recipientSeq": seq, "folder": operation});
            parcels.push(Parcel { extra, ..parcel });
        }
    }
    let answer = json!({
        "header": header(0),
        "body": {"data": {
            "requestId": request_id, "statusCode": "2", "senderGroupingKey": null, "sendResultList": results,
        }},
    });
    let news = news(&parcels, "SMS", call.now);
    Ok(Change { answer, records: parcels.into_iter().map(Record::from).collect(), news })
}

fn check(
    request: &Request,
    kind: ParcelKind,
    is_advertising: bool,
    switches: NhnSwitches,
) -> Result<(), Refusal> {
    if request.recipient_list.len() > 1_000 {
        return Err(Refusal(-2016));
    }
    if request.recipient_list.is_empty() || request.body.is_empty() {
        return Err(Refusal(-2000));
    }
    if rules::number_is_wrong(&request.send_no) || switches.unregistered_senders {
        return Err(Refusal(-2312));
    }
    let longest = if kind == ParcelKind::Sms { 90 } else { 2_000 };
    // What is longer is cut at the standard length; that anybody sent it on purpose is hard to believe.
    let length = rules::bytes(&request.body).ok_or(Refusal(-2023))?;
    let title = request.title.as_deref().map_or(Some(0), rules::bytes).ok_or(Refusal(-2023))?;
    if length > longest || title > 40 || (kind == ParcelKind::Lms && request.title.is_none()) {
        return Err(Refusal(-2000));
    }
    if is_advertising && !rules::is_advertisement(&request.body) {
        return Err(Refusal(-6003));
    }
    Ok(())
}

fn parcel(
    request: &Request,
    recipient: &Recipient,
    kind: ParcelKind,
    fate: Fate,
    request_id: &str,
    seq: i64,
    call: &Call<'_>,
) -> Parcel {
    let code = by_carrier(fate);
    Parcel {
        seq: 0,
        provider: Provider::Nhn,
        id: format!("{request_id}/{seq}"),
        group: request_id.to_owned(),
        kind,
        to: recipient.recipient_no.clone(),
        from: request.send_no.clone(),
        subject: request.title.clone(),
        text: request.body.clone(),
        html: None,
        reference: recipient.recipient_grouping_key.clone(),
        replaces: None,
        extra: Value::Null,
        accepted_at: call.now,
        reports_at: reports_at(fate, call),
        outcome: Outcome { delivered: code == "1000", code: code.to_owned() },
    }
}

pub(super) fn reports_at(fate: Fate, call: &Call<'_>) -> Option<DateTime<Utc>> {
    let at = call.now + TimeDelta::milliseconds(call.switches.report_after_ms.into());
    (fate != Fate::NeverReported).then_some(at)
}

pub(super) fn by_carrier(fate: Fate) -> &'static str {
    match fate {
        Fate::Delivered | Fate::NoKakao | Fate::NeverReported => "1000",
        Fate::NoSuchNumber | Fate::Nothing => "3001",
        Fate::Blocked => "3006",
        Fate::PhoneOff => "2003",
    }
}

pub(super) fn request_id(now: DateTime<Utc>) -> String {
    format!("{}{}", now.format("%Y%m%d%H%M%S"), random::letters(11))
}

pub(super) fn key_name(switches: NhnSwitches) -> &'static str {
    if switches.misspelt_keys { "recipientGropuingKey" } else { "recipientGroupingKey" }
}

/// One webhook for all of a request that is ever reported.
pub(super) fn news(parcels: &[Parcel], product: &str, now: DateTime<Utc>) -> Vec<NhnNotice> {
    let reported: Vec<&Parcel> = parcels.iter().filter(|parcel| parcel.reports_at.is_some()).collect();
    let Some(at) = reported.iter().filter_map(|parcel| parcel.reports_at).max() else { return Vec::new() };
    let hooks: Vec<Value> = reported
        .iter()
        .map(|parcel| {
            json!({
                "hookId": random::letters(20), "requestId": parcel.group, "recipientSeq": parcel.extra["recipientSeq"],
                "recipientNo": parcel.to, "sendNo": parcel.from, "resultCode": parcel.outcome.code,
                "messageStatus": if parcel.outcome.delivered { "COMPLETED" } else { "FAILED" },
                "recipientGroupingKey": parcel.reference, "messageCount": 1,
            })
        })
        .collect();
    let body = json!({
        "hooksId": random::letters(20), "webhookConfigId": "sandbox", "productName": product,
        "appKey": "dangol-development", "event": "MESSAGE_RESULT_UPDATE", "hooks": hooks,
    });
    vec![NhnNotice::new(&body, at.max(now))]
}
