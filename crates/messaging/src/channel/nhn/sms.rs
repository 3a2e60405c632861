//! Texts: SMS v3.0.

use serde_json::json;

use super::{super::Kind, super::Outbound, ProductName, Saying};
use crate::Text;

/// Advertising has paths of its own, which check the label and the 080 line.
pub(super) fn saying(message: &Outbound, text: &Text) -> Saying {
    let operation = match (text.kind(), message.is_advertising) {
        (Kind::Sms, false) => "sms",
        (Kind::Sms, true) => "ad-sms",
        (_, false) => "mms",
        (_, true) => "ad-mms",
    };
    let mut body = json!({"body": text.text, "sendNo": message.from.phone.as_deref().unwrap_or_default()});
    if operation.ends_with("mms") {
        // An LMS cannot be without one.
        let first_line = text.text.lines().next().unwrap_or_default();
        let title: String = text.subject.clone().unwrap_or_else(|| first_line.chars().take(20).collect());
        body["title"] = json!(title);
    }
    Saying {
        path: format!("/sms/v3.0/appKeys/{{appKey}}/sender/{operation}"),
        product: ProductName::Sms,
        body: body.to_string(),
    }
}
