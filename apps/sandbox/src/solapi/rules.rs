//! What Solapi looks at before it takes a message: the code of the first thing that is wrong.

use encoding_rs::EUC_KR;
use serde_json::Value;

use super::{state::State, switches::SolapiSwitches};
use crate::post::ParcelKind;

pub(super) struct Draft<'a> {
    pub(super) to: &'a str,
    pub(super) from: &'a str,
    pub(super) text: &'a str,
    pub(super) subject: Option<&'a str>,
    pub(super) kind: ParcelKind,
    pub(super) kakao: &'a Value,
    pub(super) custom_fields: &'a Value,
}

/// Of the text in bytes of EUC-KR; `None` where it holds what EUC-KR does not.
pub(super) fn bytes(text: &str) -> Option<usize> {
    let (encoded, _, has_unmappable) = EUC_KR.encode(text);
    (!has_unmappable).then_some(encoded.len())
}

pub(super) fn fault(draft: &Draft<'_>, state: &State, switches: SolapiSwitches) -> Option<&'static str> {
    let is_number = |text: &str, shortest: usize| {
        (shortest..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if draft.to.is_empty() || draft.from.is_empty() {
        return Some("1010");
    }
    if !is_number(draft.to, 8) || !draft.to.starts_with('0') {
        return Some("1011");
    }
    if !is_number(draft.from, 8) || switches.unregistered_senders {
        return Some("1062");
    }
    if custom_fields_are_wrong(draft.custom_fields) {
        return Some("1032");
    }
    match draft.kind {
        ParcelKind::Sms | ParcelKind::Lms => text_fault(draft),
        ParcelKind::AlimTalk => alim_talk_fault(draft, state, switches),
        ParcelKind::Brand => brand_fault(draft),
        ParcelKind::Email => Some("1025"),
    }
}

fn text_fault(draft: &Draft<'_>) -> Option<&'static str> {
    if draft.text.is_empty() {
        return Some("1010");
    }
    let Some(length) = bytes(draft.text) else { return Some("1029") };
    let longest = if draft.kind == ParcelKind::Sms { 90 } else { 2_000 };
    if length > longest {
        return Some("1031");
    }
    match draft.subject {
        Some(_) if draft.kind == ParcelKind::Sms => Some("1013"),
        Some(subject) => match bytes(subject) {
            None => Some("1029"),
            Some(length) => (length > 40).then_some("1014"),
        },
        None => None,
    }
}

fn alim_talk_fault(draft: &Draft<'_>, state: &State, switches: SolapiSwitches) -> Option<&'static str> {
    let word = |name: &str| draft.kakao[name].as_str().unwrap_or_default();
    if word("pfId").is_empty() {
        return Some("1041");
    }
    if word("templateId").is_empty() {
        return Some("1042");
    }
    if draft.text.chars().count() > 1_000 {
        return Some("1031");
    }
    match state.template(word("templateId")) {
        None if switches.known_templates_only => Some("1042"),
        None => None,
        Some(template) if template.status != "APPROVED" => Some("1042"),
        Some(template) => {
            let variables = draft.kakao["variables"].as_object().into_iter().flatten();
            let filled = variables.fold(template.content.clone(), |text, (name, value)| {
                text.replace(name, value.as_str().unwrap_or_default())
            });
            (filled != draft.text).then_some("1043")
        }
    }
}

fn brand_fault(draft: &Draft<'_>) -> Option<&'static str> {
    let bms = &draft.kakao["bms"];
    if draft.kakao["pfId"].as_str().unwrap_or_default().is_empty() {
        return Some("1041");
    }
    if !matches!(bms["targeting"].as_str(), Some("I" | "M" | "N")) {
        return Some("1033");
    }
    let content = bms["content"].as_str().unwrap_or_default();
    if content.is_empty() {
        return Some("1010");
    }
    if content.chars().count() > 1_300 {
        return Some("1031");
    }
    let buttons = bms["buttons"].as_array().map_or(&[][..], Vec::as_slice);
    let too_long = buttons.iter().any(|button| {
        button["name"].as_str().is_none_or(|name| name.is_empty() || name.chars().count() > 14)
    });
    if buttons.len() > 5 || too_long {
        return Some("1044");
    }
    // Where Kakao cannot deliver, the text has to be one.
    let falls_back = draft.kakao["disableSms"].as_bool() != Some(true);
    if falls_back {
        let Some(length) = bytes(draft.text) else { return Some("1029") };
        return (length > 2_000).then_some("1031");
    }
    None
}

fn custom_fields_are_wrong(fields: &Value) -> bool {
    match fields {
        Value::Null => false,
        Value::Object(fields) => fields.iter().any(|(key, value)| {
            key.chars().count() > 30 || value.as_str().is_none_or(|text| text.chars().count() > 100)
        }),
        _ => true,
    }
}
