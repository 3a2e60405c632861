//! What a message says, as it is sealed and as channels take it.

use std::{collections::BTreeMap, fmt};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{MessagingError, channel::Kind, message::MessageId, text};

/// What a message says. What that is, is told to nobody.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    Text(Text),
    AlimTalk(AlimTalk),
    Brand(Brand),
    Mail(Mail),
}

/// A text message. What kind of one its length decides.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Of an LMS alone.
    pub subject: Option<String>,
    pub text: String,
}

/// 알림톡: information, by a template that Kakao approved.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlimTalk {
    pub template_code: String,
    /// For the template's `#{places}`, without the braces.
    pub variables: BTreeMap<String, String>,
    /// The template with the variables in it, to the letter; also what goes out as a text where Kakao cannot deliver.
    pub text: String,
    /// Whether it goes out as a text then.
    pub falls_back: bool,
}

/// 브랜드메시지: advertising by Kakao, to friends of the channel.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brand {
    pub text: String,
    pub buttons: Vec<Button>,
    /// What goes out as a text where Kakao cannot deliver, with all that the law wants of one.
    pub fallback: Option<Text>,
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Button {
    pub name: String,
    pub url: String,
}

/// A mail, in both forms.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Where one click takes the reader off the list (RFC 8058).
    pub unsubscribe_url: Option<String>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind())
    }
}

impl Content {
    /// Line ends as one character, as they are counted. Of a mail they are the mail's own matter.
    pub(crate) fn with_plain_line_ends(mut self) -> Self {
        let plain = |text: &mut String| {
            if text.contains('\r') {
                *text = text.replace("\r\n", "\n").replace('\r', "\n");
            }
        };
        match &mut self {
            Self::Text(text) => plain(&mut text.text),
            Self::AlimTalk(talk) => plain(&mut talk.text),
            Self::Brand(brand) => {
                plain(&mut brand.text);
                brand.fallback.iter_mut().for_each(|text| plain(&mut text.text));
            }
            Self::Mail(_) => {}
        }
        self
    }

    /// Where Kakao cannot deliver it, that is the end.
    pub(crate) fn without_fallback(&mut self) {
        match self {
            Self::AlimTalk(talk) => talk.falls_back = false,
            Self::Brand(brand) => brand.fallback = None,
            Self::Text(_) | Self::Mail(_) => {}
        }
    }

    /// What it goes out as, unless Kakao cannot deliver it.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Text(text) => text.kind(),
            Self::AlimTalk(_) => Kind::AlimTalk,
            Self::Brand(_) => Kind::Brand,
            Self::Mail(_) => Kind::Email,
        }
    }

    pub(crate) fn to_sealable(&self) -> SecretString {
        serde_json::to_string(self).expect("content has no map with keys that are no text").into()
    }

    pub(crate) fn from_sealed(text: &SecretString) -> Result<Self, MessagingError> {
        serde_json::from_str(text.expose_secret()).map_err(|_| MessagingError::UnreadableContent)
    }
}

impl Text {
    pub fn new(text: impl Into<String>) -> Self {
        Self { subject: None, text: text.into() }
    }

    /// SMS as long as it fits and has no subject.
    pub(crate) fn kind(&self) -> Kind {
        match text::length(&self.text) {
            Ok(bytes) if bytes <= text::SMS_BYTES && self.subject.is_none() => Kind::Sms,
            _ => Kind::Lms,
        }
    }
}

/// What a message's recipient is sealed for.
pub(crate) fn recipient_purpose(id: MessageId) -> String {
    format!("messaging.message.recipient:{id}")
}

/// What a message's content is sealed for.
pub(crate) fn content_purpose(id: MessageId) -> String {
    format!("messaging.message.content:{id}")
}
