//! Webhooks: a list of messages, or of groups. Believed in nothing but that there is news.

use serde::Deserialize;

use super::super::{Webhook, WebhookRefused};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    message_id: Option<String>,
}

pub(super) fn read(body: &[u8]) -> Result<Webhook, WebhookRefused> {
    let reports: Vec<Report> = serde_json::from_slice(body)
        .map_err(|_| WebhookRefused::Malformed("not a list of reports".to_owned()))?;
    // A report about a group names no message: its messages have reports of their own, and are asked about anyway.
    let messages = reports.into_iter().filter_map(|report| report.message_id).collect();
    Ok(Webhook { messages, refusals: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_messages_and_nothing_else_is_read() {
        let body = br#"[{"messageId": "M4V1", "statusCode": "4000"}, {"groupId": "G4V1"}]"#;
        assert_eq!(read(body).unwrap().messages, ["M4V1"]);
        for other in [&b"{}"[..], b"[1]", b"", b"[{\"messageId\": 1}]"] {
            assert!(read(other).is_err());
        }
    }
}
