//! KakaoTalk Bizmessage: AlimTalk v2.3 and brand message v1.0.

use serde_json::{Value, json};

use super::{super::Outbound, ProductName, Saying};
use crate::{AlimTalk, Brand};

/// What differs between recipients (variables, the text in its place) stands with each.
pub(super) fn alim_talk(message: &Outbound, talk: &AlimTalk) -> Saying {
    let body = json!({
        "senderKey": message.from.kakao_channel.as_deref().unwrap_or_default(), "templateCode": talk.template_code,
    });
    Saying {
        path: "/alimtalk/v2.3/appkeys/{appKey}/messages".to_owned(),
        product: ProductName::Kakao,
        body: body.to_string(),
    }
}

/// Free text to friends of the channel who agreed. The reference names path and fields; how they nest is as the guide of
/// AlimTalk has it, and unverified.
pub(super) fn brand(message: &Outbound, brand: &Brand) -> Saying {
    let buttons: Vec<Value> = brand
        .buttons
        .iter()
        .map(|button| json!({"name": button.name, "type": "WL", "linkMo": button.url, "linkPc": button.url}))
        .collect();
    let mut body = json!({
        "senderKey": message.from.kakao_channel.as_deref().unwrap_or_default(), "chatBubbleType": "TEXT",
        "targeting": "I", "content": brand.text, "buttons": buttons, "pushAlarm": true,
    });
    if let Some(line) = &message.from.refusal_number {
        body["unsubscribeNo"] = json!(line);
    }
    Saying {
        path: "/brand-message/v1.0/appkeys/{appKey}/freestyle-messages".to_owned(),
        product: ProductName::Kakao,
        body: body.to_string(),
    }
}
