//! How a mail of the platform looks: in text, and in HTML that every mail program shows.

use std::fmt::Write;

use crate::{Mail, advertising::escaped};

/// A mail before it is laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) paragraphs: Vec<String>,
    /// Name and value.
    pub(super) facts: Vec<(&'static str, String)>,
    /// What to do, and where.
    pub(super) links: Vec<(&'static str, String)>,
}

const FOOTER: &str = "본 메일은 서비스 이용에 따른 안내 메일로, 수신 동의 여부와 관계없이 발송됩니다.";

impl Letter {
    pub(super) fn into_mail(self) -> Mail {
        Mail { text: self.text(), html: self.html(), subject: self.subject, unsubscribe_url: None }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for paragraph in &self.paragraphs {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{paragraph}\n");
        }
        for (name, value) in &self.facts {
            let _ = writeln!(text, "{name}: {value}");
        }
        for (name, url) in &self.links {
            let _ = writeln!(text, "\n{name}: {url}");
        }
        let _ = write!(text, "\n--\n단골 (dangol)\n{FOOTER}\n");
        text
    }

    fn html(&self) -> String {
        let mut html = String::from(
            "<!doctype html><html lang=\"ko\"><body style=\"margin:0;padding:24px;background:#f2f4f6;font-family:sans-serif;color:#191f28\">\
             <div style=\"max-width:560px;margin:0 auto;padding:32px;background:#fff;border-radius:16px\">",
        );
        let _ = write!(html, "<h1 style=\"margin:0 0 16px;font-size:20px\">{}</h1>", escaped(&self.subject));
        for paragraph in &self.paragraphs {
            let _ = write!(html, "<p style=\"margin:0 0 12px;line-height:1.6\">{}</p>", escaped(paragraph));
        }
        if !self.facts.is_empty() {
            html.push_str("<table style=\"width:100%;margin:16px 0;border-collapse:collapse\">");
            for (name, value) in &self.facts {
                let _ = write!(
                    html,
                    "<tr><td style=\"padding:8px 0;border-top:1px solid #e5e8eb;color:#6b7684\">{name}</td>\
                     <td style=\"padding:8px 0;border-top:1px solid #e5e8eb;text-align:right\">{}</td></tr>",
                    escaped(value)
                );
            }
            html.push_str("</table>");
        }
        for (name, url) in &self.links {
            let _ = write!(
                html,
                "<p style=\"margin:16px 0 0\"><a href=\"{}\" style=\"display:inline-block;padding:12px 20px;border-radius:12px;background:#3182f6;color:#fff;text-decoration:none\">{name}</a></p>",
                escaped(url)
            );
        }
        let _ = write!(
            html,
            "<p style=\"margin:24px 0 0;color:#6b7684;font-size:12px\">단골 (dangol)<br>{FOOTER}</p></div></body></html>"
        );
        html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same_and_neither_runs_anything() {
        let mail = Letter {
            subject: "결제 완료".to_owned(),
            paragraphs: vec!["<script>alert(1)</script> 님".to_owned()],
            facts: vec![("결제 금액", "29,000원".to_owned())],
            links: vec![("영수증 보기", "https://a.example/?a=1&b=\"2\"".to_owned())],
        }
        .into_mail();
        for said in ["29,000원", "영수증 보기", "https://a.example/?a=1"] {
            assert!(mail.text.contains(said) && mail.html.contains(said), "{said}");
        }
        assert!(!mail.html.contains("<script>") && mail.html.contains("&amp;b=&quot;2&quot;"));
    }
}
