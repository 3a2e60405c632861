//! Webhooks: signed with a word that both sides know, and no more than that. Of messages they say that there is news; a
//! refusal is taken as it comes, since it can only make us silent.

use platform::digest;
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{
    super::{Refused, Webhook, WebhookRefused},
    wire::{self, Folder, Id},
};

const SIGNATURE: &str = "x-toast-webhook-signature";

#[derive(Deserialize)]
struct Delivery {
    event: String,
    #[serde(default)]
    hooks: Vec<Hook>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hook {
    request_id: Option<String>,
    recipient_seq: Option<i64>,
    recipient_no: Option<String>,
    unsubscribe_no: Option<String>,
    created_date_time: Option<String>,
}

pub(super) fn read(
    signature: Option<&SecretString>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Webhook, WebhookRefused> {
    let given = headers.get(SIGNATURE).map_or(&[][..], |value| value.as_bytes());
    let expected = signature.ok_or(WebhookRefused::BadSignature)?;
    // Digests, so that how long it takes tells nothing.
    if digest(given) != digest(expected.expose_secret().as_bytes()) {
        return Err(WebhookRefused::BadSignature);
    }
    let delivery: Delivery = serde_json::from_slice(body)
        .map_err(|_| WebhookRefused::Malformed("not a delivery of hooks".to_owned()))?;
    let mut webhook = Webhook::default();
    for hook in delivery.hooks {
        match delivery.event.as_str() {
            "UNSUBSCRIBE" => webhook.refusals.extend(hook.recipient_no.map(|contact| Refused {
                contact: contact.into(),
                refusal_number: hook.unsubscribe_no,
                at: hook.created_date_time.as_deref().and_then(wire::time),
            })),
            "MESSAGE_RESULT_UPDATE" => {
                // It does not say of which kind the message was: one of these is ours.
                if let (Some(request), Some(seq)) = (hook.request_id, hook.recipient_seq) {
                    let names = Folder::ALL.map(|folder| Id { folder, request: request.clone(), seq });
                    webhook.messages.extend(names.iter().map(ToString::to_string));
                }
            }
            _ => {}
        }
    }
    Ok(webhook)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn signed(word: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(HeaderName::from_static(SIGNATURE), HeaderValue::from_static(word))])
    }

    #[test]
    fn only_who_knows_the_word_is_believed() {
        let word = SecretString::from("the-word");
        let body = br#"{"event": "UNSUBSCRIBE", "hooks": [{"recipientNo": "01012345678", "unsubscribeNo": "0801234567"}]}"#;
        assert_eq!(read(Some(&word), &signed("the-word"), body).unwrap().refusals.len(), 1);
        for (signature, headers) in
            [(Some(&word), signed("another")), (Some(&word), HeaderMap::new()), (None, signed("the-word"))]
        {
            assert!(matches!(read(signature, &headers, body), Err(WebhookRefused::BadSignature)));
        }
        assert!(matches!(read(Some(&word), &signed("the-word"), b"[]"), Err(WebhookRefused::Malformed(_))));
    }

    #[test]
    fn news_name_a_message_by_all_names_that_it_may_have() {
        let word = SecretString::from("the-word");
        let body =
            br#"{"event": "MESSAGE_RESULT_UPDATE", "hooks": [{"requestId": "R1", "recipientSeq": 2}]}"#;
        let names = read(Some(&word), &signed("the-word"), body).unwrap().messages;
        assert!(names.contains(&"sms/R1/2".to_owned()) && names.contains(&"alimtalk/R1/2".to_owned()));
    }
}
