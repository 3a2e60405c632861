//! What the law wants to stand in an advertisement, put in by us: nobody can leave it out, and it counts in the length.
//!
//! Source: law-kr 1.1 and the providers' own rule, which checks it (NHN: begins with "(광고)", ends with the 080 line).

use crate::{Brand, Content, Mail, Text, content::AlimTalk};

const LABEL: &str = "(광고)";

/// Who advertises, and how it is refused.
#[derive(Clone, Debug)]
pub(crate) struct Imprint {
    /// The business, as people know it.
    pub(crate) name: String,
    /// How it is reached, where the sender number does not say so.
    pub(crate) contact: Option<String>,
    /// 080: free for who calls it.
    pub(crate) refusal_number: Option<String>,
    /// Where this very recipient refuses.
    pub(crate) opt_out_url: String,
}

/// An advertisement of this kind needs something that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CannotAdvertise {
    #[error("there is no 080 number to refuse at")]
    NoRefusalNumber,
    #[error("a mail needs a contact to write to or call")]
    NoContact,
    #[error("AlimTalk is for information alone")]
    AlimTalk,
}

impl Imprint {
    pub(crate) fn put_on(&self, content: Content) -> Result<Content, CannotAdvertise> {
        Ok(match content {
            Content::Text(text) => Content::Text(self.on_text(&text)?),
            Content::Brand(brand) => Content::Brand(self.on_brand(brand)?),
            Content::Mail(mail) => Content::Mail(self.on_mail(&mail)?),
            Content::AlimTalk(AlimTalk { .. }) => return Err(CannotAdvertise::AlimTalk),
        })
    }

    /// `(광고)미소헤어 02-312-3456`, what is said, `무료수신거부 0801234567`.
    fn on_text(&self, text: &Text) -> Result<Text, CannotAdvertise> {
        let line = self.refusal_number.as_ref().ok_or(CannotAdvertise::NoRefusalNumber)?;
        let contact = self.contact.as_ref().map(|contact| format!(" {contact}")).unwrap_or_default();
        let said = without_label(&text.text);
        let text = format!("{LABEL}{}{contact}\n{said}\n무료수신거부 {line}", self.name);
        // An LMS shows its subject first, so the label has to stand there too.
        Ok(Text { subject: None, text })
    }

    /// Kakao shows its own label and the channel's name; the way to refuse is ours, and stands in the text.
    fn on_brand(&self, brand: Brand) -> Result<Brand, CannotAdvertise> {
        let line = self.refusal_number.as_ref().ok_or(CannotAdvertise::NoRefusalNumber)?;
        let fallback = brand.fallback.as_ref().map(|text| self.on_text(text)).transpose()?;
        let text = format!("{}\n\n무료수신거부 {line}", brand.text.trim_end());
        Ok(Brand { text, fallback, ..brand })
    }

    fn on_mail(&self, mail: &Mail) -> Result<Mail, CannotAdvertise> {
        let contact = self.contact.as_ref().ok_or(CannotAdvertise::NoContact)?;
        let url = &self.opt_out_url;
        let subject = format!("{LABEL} {}", without_label(&mail.subject));
        let text = format!(
            "{}\n\n--\n{} ({contact})\n본 메일은 광고 수신에 동의하신 분께 보내 드립니다.\n수신거부(무료): {url}\nUnsubscribe: {url}\n",
            mail.text, self.name
        );
        let html = format!(
            "{}<hr><p style=\"color:#6b7684;font-size:12px\">{} ({})<br>본 메일은 광고 수신에 동의하신 분께 보내 드립니다.<br><a href=\"{url}\">수신거부(무료) · Unsubscribe</a></p>",
            mail.html,
            escaped(&self.name),
            escaped(contact)
        );
        Ok(Mail { subject, text, html, unsubscribe_url: Some(url.clone()) })
    }
}

/// Whoever wrote the label themselves meant the same; twice would be another text.
fn without_label(text: &str) -> &str {
    text.trim().strip_prefix(LABEL).map_or(text.trim(), str::trim_start)
}

pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    fn imprint() -> Imprint {
        Imprint {
            name: "미소헤어".to_owned(),
            contact: Some("02-312-3456".to_owned()),
            refusal_number: Some("0808880000".to_owned()),
            opt_out_url: "https://api.dangol.example/o/abc".to_owned(),
        }
    }

    #[test]
    fn a_text_begins_with_the_label_and_ends_with_the_line_to_refuse_at() {
        let Ok(Content::Text(text)) = imprint().put_on(Content::Text(Text::new("새해 할인 20%"))) else {
            panic!("it can be dressed");
        };
        assert_eq!(text.text, "(광고)미소헤어 02-312-3456\n새해 할인 20%\n무료수신거부 0808880000");
        assert_eq!(text::length(&text.text), Ok(27 + 14 + 23));
    }

    #[test]
    fn who_wrote_the_label_does_not_get_it_twice() {
        for said in ["(광고) 새해 할인", "(광고)새해 할인", "  새해 할인 "] {
            let Ok(Content::Text(text)) = imprint().put_on(Content::Text(Text::new(said))) else {
                panic!("it can be dressed");
            };
            assert_eq!(text.text.matches("(광고)").count(), 1);
            assert!(text.text.contains("\n새해 할인\n"), "{}", text.text);
        }
    }

    #[test]
    fn without_a_line_to_refuse_at_there_is_no_advertisement() {
        let imprint = Imprint { refusal_number: None, ..imprint() };
        let refused = imprint.put_on(Content::Text(Text::new("할인")));
        assert_eq!(refused, Err(CannotAdvertise::NoRefusalNumber));
        for fallback in [Some(Text::new("할인")), None] {
            let brand = Content::Brand(Brand { text: "할인".to_owned(), buttons: Vec::new(), fallback });
            assert_eq!(imprint.put_on(brand), Err(CannotAdvertise::NoRefusalNumber));
        }
    }

    #[test]
    fn a_brand_message_ends_with_the_line_to_refuse_at_whether_a_text_may_follow_or_not() {
        let brand = Brand { text: "할인".to_owned(), buttons: Vec::new(), fallback: None };
        let Ok(Content::Brand(brand)) = imprint().put_on(Content::Brand(brand)) else {
            panic!("it can be dressed");
        };
        assert_eq!(brand.text, "할인\n\n무료수신거부 0808880000");
        assert!(brand.fallback.is_none());
    }

    #[test]
    fn a_mail_carries_the_way_out_three_times() {
        let mail = Mail {
            subject: "봄 소식".to_owned(),
            text: "안녕하세요".to_owned(),
            html: "<p>안녕하세요</p>".to_owned(),
            unsubscribe_url: None,
        };
        let Ok(Content::Mail(mail)) = imprint().put_on(Content::Mail(mail)) else {
            panic!("it can be dressed");
        };
        let url = "https://api.dangol.example/o/abc";
        assert_eq!(mail.subject, "(광고) 봄 소식");
        assert!(mail.text.contains(url) && mail.html.contains(url));
        assert_eq!(mail.unsubscribe_url.as_deref(), Some(url));
    }
}
