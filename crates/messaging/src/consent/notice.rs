//! Telling people what was written down about them: within fourteen days, and so at once (정보통신망법 50 ⑦).
//!
//! Information and no advertisement: who, what, and since when. It goes out by the channel that it is about, as a text
//! where that is Kakao, for which a template would have to be approved.

use chrono::{DateTime, Datelike, Utc};
use chrono_tz::Asia::Seoul;
use kernel::BusinessId;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::{Act, ConsentPurpose};
use crate::{
    Channel, Content, Mail, Messaging, MessagingError, NewMessage, Purpose, Speaker, Text,
    advertising::escaped,
    store::{self, consent::Written},
};

impl Messaging {
    /// Enqueues what each of these people has to be told. One notice for a channel, however many purposes it is about.
    pub(super) async fn tell_of_consents(
        &self,
        conn: &mut PgConnection,
        written: &[Written],
    ) -> Result<(), MessagingError> {
        let mut notices = Vec::new();
        for line in written.iter().filter(|line| {
            let is_first = |other: &Written| other.customer == line.customer && other.channel == line.channel;
            written.iter().find(|other| is_first(other)).is_some_and(|first| first.id == line.id)
        }) {
            let known = store::customer::reachable(conn, line.business, &[line.customer]).await?;
            let Some(person) = known.get(&line.customer) else { continue };
            // Whoever gave no number cannot be told, nor sent anything.
            let Some(to) = person.contact(&self.vault, line.channel)? else { continue };
            let profiles = store::sender::profiles(conn, &[line.business.0]).await?;
            let shop = profiles.get(&line.business).map_or("", |profile| profile.name.as_str());
            let about_night = written.iter().any(|other| {
                other.customer == line.customer
                    && other.channel == line.channel
                    && other.purpose == ConsentPurpose::MarketingNight
            });
            let only_night = about_night && line.purpose == ConsentPurpose::MarketingNight;
            let said = Notice {
                shop,
                date: line.acted_at,
                act: line.act,
                what: match (only_night, about_night) {
                    (true, _) => "야간(21시~8시) 광고성 정보",
                    (false, true) => "광고성 정보(야간 포함)",
                    (false, false) => "광고성 정보",
                },
            };
            notices.push(notice(
                line.business,
                line.customer,
                line.channel,
                to,
                format!("consent:{}", line.id),
                &said.subject(),
                &said.text(),
            ));
        }
        self.enqueue(conn, &notices).await?;
        Ok(())
    }
}

struct Notice<'a> {
    shop: &'a str,
    date: DateTime<Utc>,
    act: Act,
    what: &'a str,
}

impl Notice<'_> {
    fn subject(&self) -> String {
        format!("[{}] 광고성 정보 수신 {} 처리 결과", self.shop, self.word())
    }

    fn word(&self) -> &'static str {
        match self.act {
            Act::Given | Act::Reconfirmed => "동의",
            Act::Withdrawn => "거부",
        }
    }

    /// Sender, the fact with its date, and what came of it.
    fn text(&self) -> String {
        let done = match self.act {
            Act::Given | Act::Reconfirmed => "수신 동의가 정상 처리되었습니다.",
            Act::Withdrawn => "더 이상 보내지 않습니다.",
        };
        format!("[{}] {} {} 수신 {}. {done}", self.shop, date(self.date), self.what, self.word())
    }
}

pub(super) fn date(at: DateTime<Utc>) -> String {
    let day = at.with_timezone(&Seoul);
    format!("{}년 {}월 {}일", day.year(), day.month(), day.day())
}

/// A notice to a customer, by text or by mail.
pub(super) fn notice(
    business: BusinessId,
    customer: i64,
    channel: Channel,
    recipient: SecretString,
    dedup_key: String,
    subject: &str,
    text: &str,
) -> NewMessage {
    let content = match channel {
        Channel::Email => Content::Mail(Mail {
            subject: subject.to_owned(),
            text: text.to_owned(),
            html: format!("<p>{}</p>", escaped(text).replace('\n', "<br>")),
            unsubscribe_url: None,
        }),
        Channel::Sms | Channel::Kakao => Content::Text(Text::new(text)),
    };
    NewMessage {
        business,
        dedup_key,
        batch: None,
        customer: Some(customer),
        spoken_by: Speaker::Business,
        purpose: Purpose::Information,
        channel: if channel == Channel::Kakao { Channel::Sms } else { channel },
        recipient,
        content,
        not_before: None,
        not_after: None,
    }
}
