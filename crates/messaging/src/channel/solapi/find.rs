//! Looking up what became of messages, and who refused.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use secrecy::ExposeSecret;

use super::{
    super::{Asked, Fate, Found, ListFailed, Refused},
    Solapi, codes,
    codes::Standing,
    wire::{BlackList, Listed, Stored},
};
use crate::channel::Kind;

/// Ids in one request: an address has its limits.
const IDS_AT_ONCE: usize = 100;
const PAGE: usize = 500;
/// An hour of a busy account. Where there is more, each is asked for by number.
const MOST_PAGES: usize = 50;
/// What was handed over within such a time is looked for in one list.
const TOGETHER: TimeDelta = TimeDelta::hours(1);
/// Up to so many are asked for by number; more by the time at which they were handed over.
const FEW: usize = 20;
/// Their clock and ours.
const SKEW: TimeDelta = TimeDelta::minutes(5);
/// How long after Kakao's no a text may take to appear.
const REPLACED_WITHIN: TimeDelta = TimeDelta::minutes(10);

impl Solapi {
    pub(super) async fn find_all(&self, messages: &[Asked]) -> Vec<Found> {
        let (known, mut lost): (Vec<_>, Vec<_>) =
            messages.iter().partition(|message| message.provider_id.is_some());
        let mut found: HashMap<String, Found> = HashMap::new();
        for some in known.chunks(IDS_AT_ONCE) {
            self.find_known(some, &mut found).await;
        }
        if lost.len() <= FEW {
            for message in lost {
                self.find_by_number(message, &mut found).await;
            }
        } else {
            lost.sort_by_key(|message| message.asked_at);
            let mut rest = lost.as_slice();
            while let Some(first) = rest.first() {
                let count = rest.partition_point(|message| message.asked_at - first.asked_at <= TOGETHER);
                let (some, others) = rest.split_at(count);
                self.find_together(some, &mut found).await;
                rest = others;
            }
        }
        let told = |message: &Asked| {
            found
                .remove(&message.reference.to_string())
                .unwrap_or_else(|| Found::Unknown("not asked".to_owned()))
        };
        messages.iter().map(told).collect()
    }

    async fn find_known(&self, messages: &[&Asked], found: &mut HashMap<String, Found>) {
        let ids = messages.iter().filter_map(|message| message.provider_id.clone());
        let mut query: Vec<(&str, String)> = ids.map(|id| ("messageIds", id)).collect();
        query.push(("limit", PAGE.to_string()));
        let listed: Result<Listed, String> = self.read("lookup", "/messages/v4/list", &query).await;
        for message in messages {
            let id = message.provider_id.as_deref().unwrap_or_default();
            let answer = match &listed {
                Err(reason) => Found::Unknown(reason.clone()),
                Ok(listed) => match listed.message_list.get(id) {
                    Some(stored) => self.taken(id, stored, message).await,
                    None => Found::Absent,
                },
            };
            found.insert(message.reference.to_string(), answer);
        }
    }

    /// All of these in one list, or each by number where the list is longer than anybody reads.
    async fn find_together(&self, messages: &[&Asked], found: &mut HashMap<String, Found>) {
        if !self.find_lost(messages, None, found).await {
            for message in messages {
                self.find_by_number(message, found).await;
            }
        }
    }

    async fn find_by_number(&self, message: &Asked, found: &mut HashMap<String, Found>) {
        if !self.find_lost(&[message], Some(message.to.expose_secret()), found).await {
            let endless = Found::Unknown("the list has no end".to_owned());
            found.insert(message.reference.to_string(), endless);
        }
    }

    /// By when they were handed over, recognised by our reference. False where the list has no end.
    async fn find_lost(
        &self,
        messages: &[&Asked],
        to: Option<&str>,
        found: &mut HashMap<String, Found>,
    ) -> bool {
        let times = messages.iter().map(|message| message.asked_at);
        let (Some(first), Some(last)) = (times.clone().min(), times.max()) else { return true };
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut query = vec![
            ("dateType", "CREATED".to_owned()),
            ("startDate", time(first - SKEW)),
            // As long as the request was good, and longer: their clock writes it down.
            ("endDate", time(last + TimeDelta::minutes(25) + SKEW)),
            ("limit", PAGE.to_string()),
        ];
        query.extend(to.map(|to| ("to", to.to_owned())));
        let seen = match self.list(query).await {
            Ok(None) => return false,
            Ok(Some(seen)) => Ok(seen),
            Err(reason) => Err(reason),
        };
        for message in messages {
            let name = message.reference.to_string();
            let answer = match &seen {
                Err(reason) => Found::Unknown(reason.clone()),
                Ok(seen) => match seen.get(&name) {
                    Some(stored) => self.taken(&stored.message_id, stored, message).await,
                    None => Found::Absent,
                },
            };
            found.insert(name, answer);
        }
        true
    }

    /// All pages, by our reference; `None` where there are too many.
    async fn list(&self, query: Vec<(&str, String)>) -> Result<Option<HashMap<String, Stored>>, String> {
        let mut seen = HashMap::new();
        let mut start_key: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut page = query.clone();
            page.extend(start_key.take().map(|key| ("startKey", key)));
            let listed: Listed = self.read("lookup", "/messages/v4/list", &page).await?;
            for (id, mut stored) in listed.message_list {
                if stored.message_id.is_empty() {
                    stored.message_id = id;
                }
                // The text in place of a Kakao message carries the same reference.
                if let Some(name) = stored.reference().filter(|_| !stored.is_replacement()) {
                    seen.insert(name.to_owned(), stored);
                }
            }
            match listed.next_key {
                Some(key) if !key.is_empty() => start_key = Some(key),
                _ => return Ok(Some(seen)),
            }
        }
        Ok(None)
    }

    async fn taken(&self, id: &str, stored: &Stored, message: &Asked) -> Found {
        let fate = match codes::standing(&stored.status_code) {
            Standing::OnItsWay => Fate::InFlight,
            Standing::Arrived => arrived(stored),
            Standing::Failed(refusal)
                if codes::is_kakaos(&stored.status_code) && stored.may_be_replaced() =>
            {
                match self.replacement(stored, message).await {
                    Err(reason) => return Found::Unknown(reason),
                    Ok(Some(text)) => match codes::standing(&text.status_code) {
                        Standing::OnItsWay => Fate::InFlight,
                        Standing::Arrived => arrived(&text),
                        Standing::Failed(refusal) => Fate::Failed(refusal),
                    },
                    Ok(None) if self.clock.now() - stored.since(message) < REPLACED_WITHIN => Fate::InFlight,
                    Ok(None) => Fate::Failed(refusal),
                }
            }
            Standing::Failed(refusal) => Fate::Failed(refusal),
        };
        Found::Taken { provider_id: id.to_owned(), fate }
    }

    /// The text that went out because Kakao could not deliver.
    async fn replacement(&self, stored: &Stored, message: &Asked) -> Result<Option<Stored>, String> {
        if !matches!(message.kind, Kind::AlimTalk | Kind::Brand) {
            return Ok(None);
        }
        let Some(group) = &stored.group_id else { return Ok(None) };
        let number = message.to.expose_secret().to_owned();
        let query = [("groupId", group.clone()), ("to", number.clone()), ("limit", PAGE.to_string())];
        let listed: Listed = self.read("lookup", "/messages/v4/list", &query).await?;
        let mut texts = listed.message_list.into_values().filter(Stored::is_replacement);
        let name = message.reference.to_string();
        Ok(texts
            .find(|text| text.reference().map_or_else(|| text.is_to(&number), |reference| reference == name)))
    }

    /// The list of those who called the 080 line. Its path and members are the SDK's, and unverified.
    pub(super) async fn list_refusals(&self, since: DateTime<Utc>) -> Result<Vec<Refused>, ListFailed> {
        let mut refused = Vec::new();
        let mut start_key: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query = vec![
                ("type", "DENIAL".to_owned()),
                ("startDate", since.to_rfc3339_opts(SecondsFormat::Secs, true)),
                ("limit", PAGE.to_string()),
            ];
            query.extend(start_key.take().map(|key| ("startKey", key)));
            let page: BlackList = self.read("refusals", "/iam/v1/black", &query).await.map_err(ListFailed)?;
            refused.extend(page.black_list.into_iter().flatten().filter_map(|line| {
                let contact = line.recipient_number?.into();
                let refusal_number = line.sender_number.filter(|number| number.starts_with("080"));
                Some(Refused { contact, refusal_number, at: line.date_created })
            }));
            match page.next_key {
                Some(key) if !key.is_empty() => start_key = Some(key),
                _ => return Ok(refused),
            }
        }
        Err(ListFailed("the list has no end".to_owned()))
    }
}

impl Stored {
    fn since(&self, message: &Asked) -> DateTime<Utc> {
        self.date_reported.or(self.date_created).unwrap_or(message.asked_at)
    }
}

fn arrived(stored: &Stored) -> Fate {
    Fate::Delivered { by: stored.kind(), at: stored.date_received.or(stored.date_reported) }
}
