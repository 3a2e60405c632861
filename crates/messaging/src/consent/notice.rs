//! Telling people what was written down about them: within fourteen days, and so at once (정보통신망법 50 ⑦).
//!
//! Information and no advertisement: who, what, and since when. One notice to a number or an address for what was said on a
//! day, however many channels and customers it is about. What is about Kakao is told by text, for which no template has to be
//! approved.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Asia::Seoul;
use kernel::{BusinessId, korean_day};
use sqlx::PgConnection;

use super::{Act, ConsentPurpose};
use crate::{
    Channel, Content, Mail, Messaging, MessagingError, NewMessage, Purpose, Recipient, Speaker, Text,
    advertising::escaped,
    store::{self, consent::Written},
};

/// Lines of the ledger that one notice is about.
pub(super) struct Together {
    pub(super) business: BusinessId,
    /// One of those who are reached there.
    pub(super) customer: i64,
    /// By which way they are told.
    pub(super) told_by: Channel,
    contact_hash: Vec<u8>,
    pub(super) acted_at: DateTime<Utc>,
    act: Act,
    pub(super) lines: Vec<Written>,
}

impl Together {
    /// Of what it is about: `문자·카카오톡 광고성 정보(야간 포함)`.
    pub(super) fn what(&self) -> String {
        let channels: BTreeSet<Channel> = self.lines.iter().map(|line| line.channel).collect();
        let channels: Vec<&str> = channels.into_iter().map(name).collect();
        let about = |purpose| self.lines.iter().any(|line| line.purpose == purpose);
        let what = match (about(ConsentPurpose::Marketing), about(ConsentPurpose::MarketingNight)) {
            (false, true) => "야간(21시~8시) 광고성 정보",
            (_, true) => "광고성 정보(야간 포함)",
            (_, false) => "광고성 정보",
        };
        format!("{} {what}", channels.join("·"))
    }

    /// The same is told once, also if it is written down in several steps.
    fn key(&self) -> String {
        let channels: BTreeSet<&str> = self.lines.iter().map(|line| line.channel.as_str()).collect();
        let channels: Vec<&str> = channels.into_iter().collect();
        let purposes: BTreeSet<ConsentPurpose> = self.lines.iter().map(|line| line.purpose).collect();
        let purposes: Vec<String> = purposes.iter().map(|purpose| format!("{purpose:?}")).collect();
        let is_given = self.act != Act::Withdrawn;
        let contact = hex::encode(&self.contact_hash[..self.contact_hash.len().min(16)]);
        format!(
            "consent:{}:{}:{}:{}:{contact}",
            if is_given { "given" } else { "withdrawn" },
            korean_day(self.acted_at),
            channels.join("+"),
            purposes.join("+"),
        )
    }
}

fn name(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => "문자",
        Channel::Kakao => "카카오톡",
        Channel::Email => "이메일",
    }
}

/// By whom they reach, and the day on which it was said. Who was erased is told nothing.
pub(super) async fn together(conn: &mut PgConnection, written: &[Written]) -> sqlx::Result<Vec<Together>> {
    let mut of_business: BTreeMap<BusinessId, Vec<i64>> = BTreeMap::new();
    for line in written {
        of_business.entry(line.business).or_default().push(line.customer);
    }
    let mut groups: BTreeMap<(BusinessId, Channel, Vec<u8>, bool, NaiveDate), Together> = BTreeMap::new();
    for (business, customers) in of_business {
        let known = store::customer::reachable(conn, business, &customers).await?;
        for line in written.iter().filter(|line| line.business == business) {
            let Some(person) = known.get(&line.customer) else { continue };
            let told_by = if line.channel == Channel::Kakao { Channel::Sms } else { line.channel };
            let hash = person.contact_hash(line.channel).cloned().unwrap_or_default();
            let key =
                (business, told_by, hash.clone(), line.act == Act::Withdrawn, korean_day(line.acted_at));
            let group = groups.entry(key).or_insert_with(|| Together {
                business,
                customer: line.customer,
                told_by,
                contact_hash: hash,
                acted_at: line.acted_at,
                act: line.act,
                lines: Vec::new(),
            });
            group.lines.push(*line);
        }
    }
    Ok(groups.into_values().collect())
}

impl Messaging {
    /// Enqueues what each of these people has to be told.
    pub(crate) async fn tell_of_consents(
        &self,
        conn: &mut PgConnection,
        written: &[Written],
    ) -> Result<(), MessagingError> {
        let groups = together(conn, written).await?;
        let businesses: BTreeSet<i64> = groups.iter().map(|group| group.business.0).collect();
        let businesses: Vec<i64> = businesses.into_iter().collect();
        let profiles = store::sender::profiles(conn, &businesses).await?;
        let notices: Vec<NewMessage> = groups
            .iter()
            // Whoever gave no number cannot be told, nor sent anything.
            .filter(|group| !group.contact_hash.is_empty())
            .map(|group| {
                let shop = profiles.get(&group.business).map_or("", |profile| profile.name.as_str());
                let (word, done) = match group.act {
                    Act::Given | Act::Reconfirmed => ("동의", "정상 처리되었습니다."),
                    Act::Withdrawn => ("거부", "더 이상 보내지 않습니다."),
                };
                let subject = format!("[{shop}] 광고성 정보 수신 {word} 처리 결과");
                // Sender, the fact with its date, and what came of it.
                let text = format!("[{shop}] {} {} 수신 {word}. {done}", date(group.acted_at), group.what());
                notice(group, group.key(), &subject, &text)
            })
            .collect();
        self.enqueue(conn, &notices).await?;
        Ok(())
    }
}

pub(super) fn date(at: DateTime<Utc>) -> String {
    let day = at.with_timezone(&Seoul);
    format!("{}년 {}월 {}일", day.year(), day.month(), day.day())
}

/// A notice to a customer, by text or by mail.
pub(super) fn notice(group: &Together, dedup_key: String, subject: &str, text: &str) -> NewMessage {
    let content = match group.told_by {
        Channel::Email => Content::Mail(Mail {
            subject: subject.to_owned(),
            text: text.to_owned(),
            html: format!("<p>{}</p>", escaped(text).replace('\n', "<br>")),
            unsubscribe_url: None,
        }),
        Channel::Sms | Channel::Kakao => Content::Text(Text::new(text)),
    };
    NewMessage {
        business: group.business,
        dedup_key,
        batch: None,
        spoken_by: Speaker::Business,
        purpose: Purpose::Information,
        channel: group.told_by,
        recipient: Recipient::Customer(group.customer),
        content,
        not_before: None,
        not_after: None,
    }
}
