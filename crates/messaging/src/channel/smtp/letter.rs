//! A mail as it goes out.

use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};
use secrecy::ExposeSecret;

use super::super::{Outbound, Refusal};
use crate::{FailureClass, Mail};

/// Headers that only this kind of mail has, each as its name says.
macro_rules! header {
    ($name:ident, $text:literal) => {
        #[derive(Clone)]
        struct $name(String);

        impl Header for $name {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($text)
            }

            fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(text.to_owned()))
            }

            fn display(&self) -> HeaderValue {
                HeaderValue::new(Self::name(), self.0.clone())
            }
        }
    };
}

header!(ListUnsubscribe, "List-Unsubscribe");
header!(ListUnsubscribePost, "List-Unsubscribe-Post");
header!(AutoSubmitted, "Auto-Submitted");
header!(Reference, "X-Entity-Ref-ID");

/// The same however often it is written: a receiver that sees a mail twice knows it by this.
pub(super) fn message_id(message: &Outbound) -> String {
    let domain = message.from.mail_address.as_deref().and_then(|address| address.split_once('@'));
    format!("<{}@{}>", message.reference, domain.map_or("localhost", |(_, domain)| domain))
}

pub(super) fn write(message: &Outbound, mail: &Mail) -> Result<(Envelope, Vec<u8>), Refusal> {
    let ours = || Refusal::new(FailureClass::OurBug, "LETTER");
    let to: Address =
        message.to.expose_secret().parse().map_err(|_| Refusal::new(FailureClass::BadNumber, "ADDRESS"))?;
    let from = message.from.mail_address.as_deref().ok_or_else(ours)?;
    let from: Address = from.parse().map_err(|_| ours())?;
    // A name is the shop's own word: no line of it may become a header.
    let name: String = message.from.name.chars().filter(|c| !c.is_control()).collect();
    let subject: String = mail.subject.chars().filter(|c| !c.is_control()).collect();
    let mut builder = Message::builder()
        .from(Mailbox::new(Some(name), from))
        .to(Mailbox::new(None, to))
        .subject(subject)
        .message_id(Some(message_id(message)))
        .header(Reference(message.reference.to_string()));
    if !message.is_advertising {
        builder = builder.header(AutoSubmitted("auto-generated".to_owned()));
    }
    if let Some(url) = &mail.unsubscribe_url {
        builder = builder
            .header(ListUnsubscribe(format!("<{url}>")))
            .header(ListUnsubscribePost("List-Unsubscribe=One-Click".to_owned()));
    }
    let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    let written = builder.multipart(body).map_err(|_| ours())?;
    Ok((written.envelope().clone(), written.formatted()))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::{Content, MessageId, channel::Sender};

    fn mail(subject: &str, name: &str, unsubscribe_url: Option<&str>) -> String {
        let content = Mail {
            subject: subject.to_owned(),
            text: "안녕하세요".to_owned(),
            html: "<p>안녕하세요</p>".to_owned(),
            unsubscribe_url: unsubscribe_url.map(str::to_owned),
        };
        let message = Outbound {
            reference: MessageId::new(DateTime::UNIX_EPOCH),
            to: "kim@misohair.com".into(),
            from: Sender {
                name: name.to_owned(),
                phone: None,
                refusal_number: None,
                kakao_channel: None,
                mail_address: Some("news@dangol.example".to_owned()),
            },
            content: Content::Mail(content.clone()),
            is_advertising: unsubscribe_url.is_some(),
        };
        String::from_utf8(write(&message, &content).unwrap().1).unwrap()
    }

    #[test]
    fn advertising_can_be_refused_by_one_click() {
        let text = mail("(광고) 소식", "미소헤어", Some("https://api.dangol.example/o/abc"));
        assert!(text.contains("List-Unsubscribe: <https://api.dangol.example/o/abc>\r\n"), "{text}");
        assert!(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{text}");
        assert!(!text.contains("Auto-Submitted"));
        assert!(text.contains("multipart/alternative"));
    }

    #[test]
    fn no_name_and_no_subject_becomes_a_header() {
        let text = mail("a\r\nBcc: all@misohair.com", "b\r\nX-Evil: 1", None);
        assert!(!text.contains("\r\nBcc:") && !text.contains("\r\nX-Evil:"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"));
        assert!(text.contains("@dangol.example>\r\n"));
    }
}
