//! Popbill's webhooks: a hint that a document moved.

use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret as _, SecretString};

use super::wire;
use crate::{BusinessNumber, Webhook, WebhookRefused};

pub(super) fn read(
    headers: &HeaderMap,
    body: &[u8],
    corp_number: BusinessNumber,
    api_key: Option<&SecretString>,
) -> Result<Webhook, WebhookRefused> {
    if let Some(expected) = api_key {
        let shown = headers.get("x-api-key").map(reqwest::header::HeaderValue::as_bytes).unwrap_or_default();
        aws_lc_rs::constant_time::verify_slices_are_equal(shown, expected.expose_secret().as_bytes())
            .map_err(|_| WebhookRefused::BadKey)?;
    }
    let id = header(headers, "pb-webhook-mid")
        .filter(|id| !id.is_empty())
        .ok_or_else(|| WebhookRefused::Malformed("it has no message id".to_owned()))?;
    let about: wire::Webhook = serde_json::from_slice(body)
        // The text of the error may quote a value.
        .map_err(|_| WebhookRefused::Malformed("the body is not readable".to_owned()))?;
    // The header and the body both name the business; what they name has to be ours.
    let named = [header(headers, "pb-webhook-corpnum"), about.corp_num.as_deref()];
    if named.into_iter().flatten().any(|number| number.parse() != Ok(corp_number)) {
        return Err(WebhookRefused::NotOurs);
    }
    let is_invoice = header(headers, "pb-webhook-type").is_none_or(|kind| kind.starts_with("TAXINVOICE"));
    let document = about.invoicer_mgt_key.filter(|_| is_invoice);
    let confirmation_number = about.nts_confirm_num.filter(|_| is_invoice);
    Ok(Webhook {
        id: id.chars().take(200).collect(),
        kind: header(headers, "pb-webhook-eventtype").unwrap_or_default().chars().take(100).collect(),
        document: document.and_then(|key| key.parse().ok()),
        confirmation_number: confirmation_number.and_then(|number| number.parse().ok()),
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] =
        br#"{"corpNum":"1234567891","itemKey":"026021410000000001","invoicerMgtKey":"INV-20260214-001",
             "ntsConfirmNum":"202602144100020300000001","ntssendErrCode":"SUC001"}"#;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn whole() -> HeaderMap {
        headers(&[
            ("pb-webhook-type", "TAXINVOICE.STATE"),
            ("pb-webhook-mid", "m-1"),
            ("pb-webhook-corpnum", "1234567891"),
            ("pb-webhook-eventtype", "NTS"),
            ("x-api-key", "agreed"),
        ])
    }

    fn us() -> BusinessNumber {
        "1234567891".parse().unwrap()
    }

    #[test]
    fn a_webhook_names_its_document_and_its_message() {
        let webhook = read(&whole(), BODY, us(), Some(&"agreed".to_owned().into())).unwrap();
        assert_eq!((webhook.id.as_str(), webhook.kind.as_str()), ("m-1", "NTS"));
        assert_eq!(webhook.document, "INV-20260214-001".parse().ok());
        assert_eq!(webhook.confirmation_number, "202602144100020300000001".parse().ok());
    }

    #[test]
    fn what_is_not_ours_or_not_popbills_is_refused() {
        let secret: SecretString = "agreed".to_owned().into();
        let other = read(&whole(), BODY, us(), Some(&"other".to_owned().into()));
        assert!(matches!(other, Err(WebhookRefused::BadKey)));
        assert!(matches!(read(&HeaderMap::new(), BODY, us(), Some(&secret)), Err(WebhookRefused::BadKey)));
        assert!(matches!(read(&HeaderMap::new(), BODY, us(), None), Err(WebhookRefused::Malformed(_))));
        assert!(matches!(read(&whole(), b"{", us(), None), Err(WebhookRefused::Malformed(_))));
        let stranger = "2222222227".parse().unwrap();
        assert!(matches!(read(&whole(), BODY, stranger, None), Err(WebhookRefused::NotOurs)));
    }

    #[test]
    fn another_kind_of_event_is_about_no_document() {
        let mut headers = whole();
        headers.insert("pb-webhook-type", "CASHBILL.STATE".parse().unwrap());
        assert_eq!(read(&headers, BODY, us(), None).unwrap().document, None);
        assert_eq!(read(&whole(), b"{}", us(), None).unwrap().document, None);
    }
}
