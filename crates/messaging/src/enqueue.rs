//! Writing messages down, in the transaction of whoever has something to say.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use platform::digest;
use secrecy::SecretString;
use sqlx::PgConnection;

use crate::{
    Channel, Content, Exclusion, FailureClass, MessageId, MessageStatus, Messaging, MessagingError, Purpose,
    Speaker, Text,
    advertising::{CannotAdvertise, Imprint},
    code,
    contact::Contact,
    content::{content_purpose, recipient_purpose},
    judgement,
    store::{self, customer::Reachable, message::NewRow, sender::Profile},
    text,
};

/// Whom something is for.
#[derive(Clone, Debug)]
pub enum Recipient {
    /// A customer of the business, as they are reached by the channel now. Advertising is for customers alone, and judged by
    /// what they agreed to.
    Customer(i64),
    /// Somebody else, by number or address, however it is written.
    Contact(SecretString),
}

/// Something to be said to somebody.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub business: BusinessId,
    /// The caller's name for it: under one name something is said once, however often it is enqueued.
    pub dedup_key: String,
    /// What it belongs to, such as a campaign.
    pub batch: Option<String>,
    pub spoken_by: Speaker,
    pub purpose: Purpose,
    pub channel: Channel,
    pub recipient: Recipient,
    /// Of an advertisement only what is said: label, sender and the ways to refuse are put in here.
    pub content: Content,
    /// Not before; at once where nobody says.
    pub not_before: Option<DateTime<Utc>>,
    /// Not after.
    pub not_after: Option<DateTime<Utc>>,
}

/// A message that was written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueued {
    pub message: MessageId,
    pub fate: Enqueueing,
}

/// What came of writing a message down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueueing {
    /// It waits to be sent.
    Queued,
    /// It must not be sent, as is certain already.
    Excluded(Exclusion),
    /// It cannot be sent, as is certain already.
    Failed(FailureClass),
    /// Something was said under its key before, and this is that.
    AlreadyThere,
}

/// Customers, by business.
type People = HashMap<(BusinessId, i64), Reachable>;

impl Messaging {
    /// Writes messages down; those whose key is there already are left alone. Answers for each, in the order given.
    ///
    /// One that can never be sent is written down with its reason, and holds up nobody else's.
    pub async fn enqueue(
        &self,
        conn: &mut PgConnection,
        messages: &[NewMessage],
    ) -> Result<Vec<Enqueued>, MessagingError> {
        if messages.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let businesses: BTreeSet<i64> = messages.iter().map(|message| message.business.0).collect();
        let businesses: Vec<i64> = businesses.into_iter().collect();
        let profiles = store::sender::profiles(conn, &businesses).await?;
        let people = people(conn, messages).await?;
        let batches: BTreeSet<(BusinessId, &str)> = messages
            .iter()
            .filter_map(|message| Some((message.business, message.batch.as_deref()?)))
            .collect();
        let batches: Vec<(BusinessId, &str)> = batches.into_iter().collect();
        if !batches.is_empty() {
            store::batch::open(conn, &batches, now).await?;
        }
        let rows: Vec<(NewRow, Enqueueing)> = messages
            .iter()
            .map(|message| self.row(message, profiles.get(&message.business), &people, now))
            .collect();
        let (rows, fates): (Vec<NewRow>, Vec<Enqueueing>) = rows.into_iter().unzip();
        let fresh = store::message::insert_all(conn, &rows, now).await?;
        let known: Vec<&NewRow> = rows.iter().filter(|row| !fresh.contains(&row.id)).collect();
        let known = store::message::known_under(conn, &known).await?;
        let mut enqueued = Vec::with_capacity(rows.len());
        for (row, fate) in rows.iter().zip(fates) {
            if fresh.contains(&row.id) {
                if let Enqueueing::Excluded(exclusion) = fate {
                    judgement::count(exclusion, 1);
                }
                enqueued.push(Enqueued { message: row.id, fate });
            } else {
                let message = known.get(&(row.business, row.dedup_key.clone()));
                let message = *message.ok_or(sqlx::Error::RowNotFound)?;
                enqueued.push(Enqueued { message, fate: Enqueueing::AlreadyThere });
            }
        }
        Ok(enqueued)
    }

    fn row(
        &self,
        message: &NewMessage,
        profile: Option<&Profile>,
        people: &People,
        now: DateTime<Utc>,
    ) -> (NewRow, Enqueueing) {
        let id = MessageId::new(now);
        let code = message.purpose.is_advertising().then(code::unguessable);
        let contact = self.contact(message, people);
        let checked = match &contact {
            Err(fate) => Err(*fate),
            Ok(_) => self.checked(message, profile, code.as_deref()),
        };
        let sealed = |purpose: String, value: &SecretString| self.vault.seal(&purpose, value);
        let (fate, content) = match checked {
            Ok(content) => (Enqueueing::Queued, Some(sealed(content_purpose(id), &content.to_sealable()))),
            Err(fate) => (fate, None),
        };
        let (status, reason) = match fate {
            Enqueueing::Queued | Enqueueing::AlreadyThere => (MessageStatus::Queued, None),
            Enqueueing::Excluded(exclusion) => (MessageStatus::Excluded, Some(exclusion.as_str())),
            Enqueueing::Failed(class) => (MessageStatus::Failed, Some(class.as_str())),
        };
        let is_queued = status == MessageStatus::Queued;
        let contact = contact.ok();
        let contact_hash = match (&contact, &message.recipient) {
            (Some(contact), _) => contact.hash(&self.vault),
            (None, Recipient::Contact(text)) => self.vault.keyed_hash(text),
            (None, Recipient::Customer(_)) => self.vault.keyed_hash(&SecretString::default()),
        };
        let row = NewRow {
            business: message.business,
            id,
            dedup_key: message.dedup_key.clone(),
            batch: message.batch.clone(),
            customer: match message.recipient {
                Recipient::Customer(customer) => Some(customer),
                Recipient::Contact(_) => None,
            },
            spoken_by: message.spoken_by,
            purpose: message.purpose,
            channel: message.channel,
            recipient: contact
                .filter(|_| is_queued)
                .map(|contact| sealed(recipient_purpose(id), contact.secret())),
            content,
            contact_hash,
            // Only a mail has a link; in what goes to a telephone the way out is a number.
            opt_out_digest: code
                .filter(|_| message.channel == Channel::Email)
                .map(|code| digest(code.as_bytes()).to_vec()),
            status,
            reason: reason.map(str::to_owned),
            due_at: is_queued.then(|| message.not_before.map_or(now, |then| then.max(now))),
            not_after: message.not_after,
        };
        (row, fate)
    }

    /// By which number or address, or why by none.
    fn contact(&self, message: &NewMessage, people: &People) -> Result<Contact, Enqueueing> {
        let opened;
        let text = match &message.recipient {
            Recipient::Contact(_) if message.purpose == Purpose::Advertising => {
                return Err(Enqueueing::Excluded(Exclusion::NoConsent));
            }
            Recipient::Contact(text) => text,
            Recipient::Customer(customer) => {
                let person = people.get(&(message.business, *customer));
                let person = person.ok_or(Enqueueing::Excluded(Exclusion::ContactGone))?;
                let contact = person.contact(&self.vault, message.channel).map_err(|error| {
                    tracing::error!(business = %message.business, customer, %error, "a customer's contact cannot be opened");
                    Enqueueing::Failed(FailureClass::OurBug)
                })?;
                opened = contact.ok_or(Enqueueing::Excluded(Exclusion::NoContact))?;
                &opened
            }
        };
        Contact::read(message.channel, text).ok_or(Enqueueing::Failed(FailureClass::BadNumber))
    }

    /// The content as it goes out, or why it cannot.
    fn checked(
        &self,
        message: &NewMessage,
        profile: Option<&Profile>,
        code: Option<&str>,
    ) -> Result<Content, Enqueueing> {
        let said = message.content.clone().with_plain_line_ends();
        if !is_for(&said, message.channel, message.purpose) {
            return Err(Enqueueing::Failed(FailureClass::OurBug));
        }
        let content = match code {
            None => Ok(said),
            Some(code) => self.imprint(profile, message.channel, code).put_on(said),
        };
        let content = content.map_err(|cannot| match cannot {
            CannotAdvertise::NoRefusalNumber | CannotAdvertise::NoContact => {
                Enqueueing::Excluded(Exclusion::SenderNotReady)
            }
            CannotAdvertise::AlimTalk => Enqueueing::Failed(FailureClass::Template),
        })?;
        match unsendable(&content) {
            None => Ok(content),
            Some(class) => Err(Enqueueing::Failed(class)),
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

/// Those who are named, as they are reached.
async fn people(conn: &mut PgConnection, messages: &[NewMessage]) -> sqlx::Result<People> {
    let mut named: BTreeMap<BusinessId, Vec<i64>> = BTreeMap::new();
    for message in messages {
        if let Recipient::Customer(customer) = message.recipient {
            named.entry(message.business).or_default().push(customer);
        }
    }
    let mut people = People::new();
    for (business, customers) in named {
        let known = store::customer::reachable(conn, business, &customers).await?;
        people.extend(known.into_iter().map(|(customer, person)| ((business, customer), person)));
    }
    Ok(people)
}

/// Whether a channel takes this at all. A brand message is advertising, whatever it says.
fn is_for(content: &Content, channel: Channel, purpose: Purpose) -> bool {
    match (content, channel) {
        (Content::Brand(_), Channel::Kakao) => purpose.is_advertising(),
        (Content::Text(_), Channel::Sms)
        | (Content::AlimTalk(_), Channel::Kakao)
        | (Content::Mail(_), Channel::Email) => true,
        (Content::Text(_) | Content::AlimTalk(_) | Content::Brand(_) | Content::Mail(_), _) => false,
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
