//! Writing messages down, in the transaction of whoever has something to say.

use aws_lc_rs::rand;
use chrono::{DateTime, Utc};
use kernel::BusinessId;
use platform::digest;
use secrecy::SecretString;
use sqlx::PgConnection;

use crate::{
    Channel, Content, Exclusion, FailureClass, MessageId, MessageStatus, Messaging, MessagingError, Purpose,
    Speaker, Text,
    advertising::{CannotAdvertise, Imprint},
    contact::Contact,
    content::{content_purpose, recipient_purpose},
    store::{self, message::NewRow, sender::Profile},
    text,
};

/// Something to be said to somebody.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub business: BusinessId,
    /// The caller's name for it: under one name something is said once, however often it is enqueued.
    pub dedup_key: String,
    /// What it belongs to, such as a campaign.
    pub batch: Option<String>,
    /// Whom it is for, where that is a customer; advertising is judged by what they agreed to.
    pub customer: Option<i64>,
    pub spoken_by: Speaker,
    pub purpose: Purpose,
    pub channel: Channel,
    /// However it is written.
    pub recipient: SecretString,
    /// Of an advertisement only what is said: label, sender and the ways to refuse are put in here.
    pub content: Content,
    /// Not before; at once where nobody says.
    pub not_before: Option<DateTime<Utc>>,
    /// Not after.
    pub not_after: Option<DateTime<Utc>>,
}

/// What is certain about a message before it is written down.
enum Checked {
    Sendable(Content),
    Not(MessageStatus, &'static str),
}

impl Messaging {
    /// Writes messages down; those whose key is there already are left alone. Answers with the ids of the new ones.
    ///
    /// One that can never be sent is written down with its reason, and holds up nobody else's.
    pub async fn enqueue(
        &self,
        conn: &mut PgConnection,
        messages: &[NewMessage],
    ) -> Result<Vec<MessageId>, MessagingError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let mut businesses: Vec<i64> = messages.iter().map(|message| message.business.0).collect();
        businesses.sort_unstable();
        businesses.dedup();
        let profiles = store::sender::profiles(conn, &businesses).await?;
        let now = self.clock.now();
        let rows: Vec<NewRow> =
            messages.iter().map(|message| self.row(message, profiles.get(&message.business), now)).collect();
        Ok(store::message::insert_all(conn, &rows, now).await?)
    }

    /// What still waits of a batch is not sent any more; what is on its way arrives. Answers with how many were stopped.
    pub async fn cancel_batch(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        batch: &str,
    ) -> Result<u64, MessagingError> {
        Ok(store::message::cancel_batch(conn, business, batch, self.clock.now()).await?)
    }

    fn row(&self, message: &NewMessage, profile: Option<&Profile>, now: DateTime<Utc>) -> NewRow {
        let id = MessageId::new(now);
        let code = (message.purpose == Purpose::Advertising).then(opt_out_code);
        let contact = Contact::read(message.channel, &message.recipient);
        let checked = match &contact {
            None => Checked::Not(MessageStatus::Failed, FailureClass::BadNumber.as_str()),
            Some(_) => self.checked(message, profile, code.as_deref()),
        };
        let sealed = |purpose: String, value: &SecretString| self.vault.seal(&purpose, value);
        let (status, reason, content) = match checked {
            Checked::Sendable(content) => {
                let content = sealed(content_purpose(id), &content.to_sealable());
                (MessageStatus::Queued, None, Some(content))
            }
            Checked::Not(status, reason) => (status, Some(reason.to_owned()), None),
        };
        let is_queued = status == MessageStatus::Queued;
        let contact_hash = match &contact {
            Some(contact) => contact.hash(&self.vault),
            None => self.vault.keyed_hash(&message.recipient),
        };
        NewRow {
            business: message.business,
            id,
            dedup_key: message.dedup_key.clone(),
            batch: message.batch.clone(),
            customer: message.customer,
            spoken_by: message.spoken_by,
            purpose: message.purpose,
            channel: message.channel,
            recipient: contact
                .filter(|_| is_queued)
                .map(|contact| sealed(recipient_purpose(id), contact.secret())),
            content,
            contact_hash,
            opt_out_digest: code.map(|code| digest(code.as_bytes()).to_vec()),
            status,
            reason,
            due_at: is_queued.then(|| message.not_before.map_or(now, |then| then.max(now))),
            not_after: message.not_after,
        }
    }

    /// The content as it goes out, or why it cannot.
    fn checked(&self, message: &NewMessage, profile: Option<&Profile>, code: Option<&str>) -> Checked {
        let content = match code {
            None => Ok(message.content.clone()),
            Some(code) => self.imprint(profile, message.channel, code).put_on(message.content.clone()),
        };
        let content = match content {
            Ok(content) => content,
            Err(CannotAdvertise::NoRefusalNumber | CannotAdvertise::NoContact) => {
                return Checked::Not(MessageStatus::Excluded, Exclusion::SenderNotReady.as_str());
            }
            Err(CannotAdvertise::AlimTalk) => {
                return Checked::Not(MessageStatus::Failed, FailureClass::Template.as_str());
            }
        };
        match unsendable(&content) {
            None => Checked::Sendable(content),
            Some(class) => Checked::Not(MessageStatus::Failed, class.as_str()),
        }
    }

    /// What stands in a business's advertisements.
    pub(crate) fn imprint(&self, profile: Option<&Profile>, channel: Channel, code: &str) -> Imprint {
        let platform = &self.settings.sender;
        let phone = profile.and_then(|own| own.phone.as_ref()).or(platform.phone.as_ref());
        let contact = profile.and_then(|own| own.contact.clone());
        // A text shows the number that it comes from; a mail does not.
        let contact = if channel == Channel::Email { contact.or_else(|| phone.cloned()) } else { contact };
        Imprint {
            name: profile.map_or_else(|| platform.name.clone(), |own| own.name.clone()),
            contact,
            refusal_number: profile
                .and_then(|own| own.refusal_number.clone())
                .or_else(|| platform.refusal_number.clone()),
            opt_out_url: format!("{}/o/{code}", self.settings.public_url.trim_end_matches('/')),
        }
    }
}

/// What no provider would take.
pub(crate) fn unsendable(content: &Content) -> Option<FailureClass> {
    let text_is = |text: &Text| {
        let too_long = |bytes, most| (bytes > most).then_some(FailureClass::TooLong);
        match (text::length(&text.text), text.subject.as_deref().map(text::length)) {
            (Err(_), _) | (_, Some(Err(_))) => Some(FailureClass::Charset),
            (Ok(bytes), subject) => too_long(bytes, text::LMS_BYTES)
                .or_else(|| subject.and_then(|bytes| too_long(bytes.unwrap_or(0), text::SUBJECT_BYTES))),
        }
    };
    match content {
        Content::Text(text) => text_is(text),
        Content::AlimTalk(talk) if talk.falls_back => text_is(&Text::new(talk.text.clone()))
            .or_else(|| (talk.text.chars().count() > KAKAO_CHARACTERS).then_some(FailureClass::TooLong)),
        Content::AlimTalk(talk) => {
            (talk.text.chars().count() > KAKAO_CHARACTERS).then_some(FailureClass::TooLong)
        }
        Content::Brand(brand) => brand
            .fallback
            .as_ref()
            .and_then(text_is)
            .or_else(|| (brand.text.chars().count() > BRAND_CHARACTERS).then_some(FailureClass::TooLong)),
        Content::Mail(_) => None,
    }
}

/// Variables included.
pub(crate) const KAKAO_CHARACTERS: usize = 1_000;
pub(crate) const BRAND_CHARACTERS: usize = 1_300;

/// What stands in an opt-out link: 71 bits that nobody guesses, short enough for a text.
fn opt_out_code() -> String {
    const LETTERS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut code = String::with_capacity(12);
    while code.len() < 12 {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes).expect("the system has randomness");
        // Bytes from 248 on would favour some letters.
        let letters = bytes.iter().filter(|byte| **byte < 248).map(|byte| LETTERS[usize::from(*byte) % 62]);
        code.extend(letters.take(12 - code.len()).map(char::from));
    }
    code
}
