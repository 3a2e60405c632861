//! Seeing a message before anybody gets it.

use std::collections::BTreeMap;

use kernel::BusinessId;
use sqlx::PgConnection;

use crate::{
    AlimTalk, Brand, Channel, Content, Exclusion, FailureClass, Mail, Messaging, MessagingError, Purpose,
    Text, advertising::escaped, channel::Kind, enqueue::unsendable, store, text,
};

/// A message as somebody would read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// In an advertisement with all that the law wants.
    pub text: String,
    pub subject: Option<String>,
    /// In which form it goes out.
    pub kind: Kind,
    /// As the carriers count; none where a character cannot be sent.
    pub bytes: Option<usize>,
    /// How many this form holds; none where bytes are not what counts.
    pub most_bytes: Option<usize>,
    /// Characters that a text message cannot carry.
    pub unsendable: Vec<char>,
    /// Why it could not be sent like this: a [`FailureClass`] or an [`Exclusion`].
    pub reason: Option<&'static str>,
    /// What one costs in won, as it is configured; none where nobody said.
    pub price: Option<u32>,
}

/// What the carriers ask for one message, in won without tax; none where nobody said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    pub sms: Option<u32>,
    pub lms: Option<u32>,
    pub alim_talk: Option<u32>,
    pub brand: Option<u32>,
    pub email: Option<u32>,
}

impl Prices {
    pub fn of(self, kind: Kind) -> Option<u32> {
        match kind {
            Kind::Sms => self.sms,
            Kind::Lms => self.lms,
            Kind::AlimTalk => self.alim_talk,
            Kind::Brand => self.brand,
            Kind::Email => self.email,
        }
    }
}

/// An opt-out code is as long as this.
const SAMPLE_CODE: &str = "000000000000";

impl Content {
    /// What somebody wrote, as it is enqueued for a channel. As `AlimTalk` it has no template yet.
    pub fn written(channel: Channel, purpose: Purpose, subject: Option<String>, text: String) -> Self {
        match (channel, purpose) {
            (Channel::Sms, _) => Self::Text(Text { subject, text }),
            (Channel::Kakao, Purpose::Information) => Self::AlimTalk(AlimTalk {
                template_code: String::new(),
                variables: BTreeMap::new(),
                text,
                falls_back: true,
            }),
            (Channel::Kakao, Purpose::Advertising | Purpose::Sample) => {
                let fallback = Some(Text::new(text.clone()));
                Self::Brand(Brand { text, buttons: Vec::new(), fallback })
            }
            (Channel::Email, _) => Self::Mail(Mail {
                subject: subject.unwrap_or_default(),
                html: format!("<p>{}</p>", escaped(&text).replace('\n', "<br>")),
                text,
                unsubscribe_url: None,
            }),
        }
    }
}

impl Messaging {
    /// How something would look and how long it would be. Nothing is stored or sent.
    pub async fn preview(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        channel: Channel,
        purpose: Purpose,
        content: Content,
    ) -> Result<Preview, MessagingError> {
        let profiles = store::sender::profiles(conn, &[business.0]).await?;
        let profile = profiles.get(&business).ok_or(MessagingError::NotFound)?;
        let dressed = match purpose {
            Purpose::Information => Ok(content.clone()),
            Purpose::Advertising | Purpose::Sample => {
                self.imprint(Some(profile), channel, SAMPLE_CODE).put_on(content.clone())
            }
        };
        Ok(match dressed {
            Ok(dressed) => {
                let reason = unsendable(&dressed).map(FailureClass::as_str);
                self.measured(dressed, reason)
            }
            Err(_) => self.measured(content, Some(Exclusion::SenderNotReady.as_str())),
        })
    }

    fn measured(&self, content: Content, reason: Option<&'static str>) -> Preview {
        let kind = content.kind();
        let (text, subject) = match content {
            Content::Text(text) => (text.text, text.subject),
            Content::AlimTalk(talk) => (talk.text, None),
            Content::Brand(brand) => (brand.text, None),
            Content::Mail(mail) => (mail.text, Some(mail.subject)),
        };
        let most_bytes = match kind {
            Kind::Sms => Some(text::SMS_BYTES),
            Kind::Lms => Some(text::LMS_BYTES),
            Kind::AlimTalk | Kind::Brand | Kind::Email => None,
        };
        let unsendable = if kind == Kind::Email { Vec::new() } else { text::unsendable(&text) };
        let price = self.settings.prices.of(kind);
        Preview {
            bytes: text::length(&text).ok(),
            most_bytes,
            unsendable,
            kind,
            text,
            subject,
            reason,
            price,
        }
    }
}
