//! AlimTalk and brand message: POST `/messages` and `/freestyle-messages`.

use chrono::{DateTime, FixedOffset, Timelike, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    call::{Call, Change, Refusal, header},
    rules,
    sms::{by_carrier, key_name, news, reports_at, request_id},
};
use crate::{
    book::Provider,
    post::{Fate, Outcome, Parcel, ParcelKind},
    store::{Record, Store},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    sender_key: String,
    /// Of AlimTalk.
    template_code: Option<String>,
    /// Of a brand message.
    content: Option<String>,
    targeting: Option<String>,
    #[serde(default)]
    recipient_list: Vec<Recipient>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recipient {
    #[serde(default)]
    recipient_no: String,
    #[serde(default)]
    template_parameter: Value,
    #[serde(default)]
    resend_parameter: Resend,
    recipient_grouping_key: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Resend {
    is_resend: bool,
    resend_type: Option<String>,
    resend_content: Option<String>,
    resend_send_no: Option<String>,
    resend_unsubscribe_no: Option<String>,
}

pub(super) fn send(store: &Store, call: &Call<'_>, kind: ParcelKind) -> Result<Change, Refusal> {
    let request: Request = serde_json::from_slice(call.body).map_err(|_| Refusal(-1031))?;
    if request.sender_key.is_empty() {
        return Err(Refusal(-1027));
    }
    if request.recipient_list.is_empty() || request.recipient_list.len() > 1_000 {
        return Err(Refusal(-2016));
    }
    match kind {
        ParcelKind::AlimTalk if request.template_code.as_deref().unwrap_or_default().is_empty() => {
            return Err(Refusal(-3003));
        }
        ParcelKind::Brand
            if request.content.as_deref().unwrap_or_default().is_empty() || request.targeting.is_none() =>
        {
            return Err(Refusal(-1031));
        }
        _ => {}
    }
    let id = request_id(call.now);
    let (mut results, mut parcels) = (Vec::new(), Vec::new());
    for (recipient, seq) in request.recipient_list.iter().zip(1_i64..) {
        let fate = store.post.fate(&recipient.recipient_no);
        let refused = kind == ParcelKind::Brand && store.nhn.has_refused(&recipient.recipient_no);
        let code = if rules::number_is_wrong(&recipient.recipient_no) {
            -2019
        } else if refused || fate == Fate::Blocked {
            -3301
        } else {
            0
        };
        results.push(json!({
            "recipientNo": recipient.recipient_no, "resultCode": code, "resultMessage": if code == 0 { "success" } else { "failure" },
            "recipientSeq": seq, key_name(call.switches): recipient.recipient_grouping_key,
        }));
        if code == 0 {
            parcels.extend(delivered(&request, recipient, kind, fate, (&id, seq), call));
        }
    }
    let answer = json!({
        "header": header(0), "message": {"requestId": id, "senderGroupingKey": null, "sendResults": results},
    });
    let news = news(&parcels, "KakaoTalk Bizmessage", call.now);
    Ok(Change { answer, records: parcels.into_iter().map(Record::from).collect(), news })
}

/// What arrives, and what arrives in its place.
fn delivered(
    request: &Request,
    recipient: &Recipient,
    kind: ParcelKind,
    fate: Fate,
    (id, seq): (&str, i64),
    call: &Call<'_>,
) -> Vec<Parcel> {
    let code = match (fate, kind) {
        (_, ParcelKind::Brand) if is_night(call.now) => "3022",
        (Fate::NoKakao | Fate::Nothing | Fate::NoSuchNumber, _) => "3019",
        (Fate::PhoneOff, _) => "3018",
        _ => "1000",
    };
    let resend = &recipient.resend_parameter;
    let falls_back = resend.is_resend && code != "1000";
    let text_code = if is_night(call.now) && kind == ParcelKind::Brand { "1000" } else { by_carrier(fate) };
    let text_arrives = text_code == "1000";
    let resend_status = match (resend.is_resend, code == "1000", text_arrives) {
        (false, _, _) => "RSC01",
        (true, true, _) => "RSC02",
        (true, false, true) => "RSC04",
        (true, false, false) => "RSC05",
    };
    let said = match &request.content {
        Some(content) => content.clone(),
        None => format!(
            "[{}] {}",
            request.template_code.as_deref().unwrap_or_default(),
            resend.resend_content.clone().unwrap_or_else(|| recipient.template_parameter.to_string())
        ),
    };
    let parcel = Parcel {
        seq: 0,
        provider: Provider::Nhn,
        id: format!("{id}/{seq}"),
        group: id.to_owned(),
        kind,
        to: recipient.recipient_no.clone(),
        from: request.sender_key.clone(),
        subject: None,
        text: said,
        html: None,
        reference: recipient.recipient_grouping_key.clone(),
        replaces: None,
        extra: json!({
            "recipientSeq": seq, "folder": if kind == ParcelKind::Brand { "brand" } else { "alimtalk" },
            "resendStatus": resend_status, "resendResultCode": falls_back.then_some(text_code),
            "resendType": resend.resend_type, "templateCode": request.template_code,
            "resendUnsubscribeNo": resend.resend_unsubscribe_no,
        }),
        accepted_at: call.now,
        reports_at: reports_at(fate, call),
        outcome: Outcome { delivered: code == "1000", code: code.to_owned() },
    };
    if !falls_back {
        return vec![parcel];
    }
    let text = Parcel {
        id: format!("{id}/{seq}/resend"),
        kind: if resend.resend_type.as_deref() == Some("SMS") { ParcelKind::Sms } else { ParcelKind::Lms },
        from: resend.resend_send_no.clone().unwrap_or_default(),
        text: resend.resend_content.clone().unwrap_or_default(),
        replaces: Some(parcel.id.clone()),
        extra: json!({"folder": "resend"}),
        accepted_at: parcel.reports_at.unwrap_or(call.now),
        outcome: Outcome { delivered: text_arrives, code: text_code.to_owned() },
        ..parcel.clone()
    };
    vec![parcel, text]
}

/// Advertising is refused from ten to nine until eight.
fn is_night(now: DateTime<Utc>) -> bool {
    let Some(korea) = FixedOffset::east_opt(9 * 3600) else { return false };
    let time = now.with_timezone(&korea);
    !(8 * 60..20 * 60 + 50).contains(&(time.hour() * 60 + time.minute()))
}
