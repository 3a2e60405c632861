//! Looking up what became of messages.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Asia::Seoul;
use futures::{StreamExt, stream};
use secrecy::ExposeSecret;

use super::{
    super::{Asked, Fate, Found, Kind, Refused},
    Nhn, ProductName, codes,
    wire::{self, Folder, Id, Record},
};
use crate::MessageId;

/// Looked up side by side.
const AT_ONCE: usize = 8;
const PAGE: usize = 1_000;
/// What is further is asked for another time.
const MOST_PAGES: usize = 50;
const SKEW: TimeDelta = TimeDelta::minutes(5);
/// How long a request may have been under way.
const UNDER_WAY: TimeDelta = TimeDelta::minutes(25);
/// What was handed over within such a time is looked for in one list.
const TOGETHER: TimeDelta = TimeDelta::hours(1);

impl Nhn {
    pub(super) async fn find_all(&self, messages: &[Asked]) -> Vec<Found> {
        let (known, mut lost): (Vec<&Asked>, Vec<&Asked>) =
            messages.iter().partition(|message| message.provider_id.is_some());
        let known: Vec<_> = known
            .into_iter()
            .map(|message| async move { (message.reference, self.find_known(message).await) })
            .collect();
        let mut found: HashMap<MessageId, Found> = stream::iter(known).buffered(AT_ONCE).collect().await;
        lost.sort_by_key(|message| message.asked_at);
        for kind in [Kind::Sms, Kind::Lms, Kind::AlimTalk, Kind::Brand] {
            let of_kind: Vec<&Asked> = lost.iter().copied().filter(|message| message.kind == kind).collect();
            let mut rest = of_kind.as_slice();
            while let Some(first) = rest.first() {
                let count = rest.partition_point(|message| message.asked_at - first.asked_at <= TOGETHER);
                let (some, others) = rest.split_at(count);
                self.find_lost(some, kind, &mut found).await;
                rest = others;
            }
        }
        let none = || Found::Unknown("nothing of the kind is carried here".to_owned());
        messages.iter().map(|message| found.remove(&message.reference).unwrap_or_else(none)).collect()
    }

    async fn find_known(&self, message: &Asked) -> Found {
        let Some(id) = message.provider_id.as_deref().and_then(Id::parse) else {
            return Found::Unknown("a name that is not of NHN Cloud".to_owned());
        };
        let mut answer = Found::Absent;
        for folder in id.folder.alternatives() {
            let (product, path, query) = place(*folder, &id);
            match self.read(product, &path, &query).await.and_then(|body| wire::records(&body)) {
                Err(reason) => answer = Found::Unknown(reason),
                Ok(records) => {
                    let is_it = |record: &&Record| record.recipient_seq.is_none_or(|seq| seq == id.seq);
                    if let Some(record) = records.iter().find(is_it) {
                        return taken(&id, record);
                    }
                }
            }
        }
        answer
    }

    /// By when they were handed over, recognised by our reference.
    async fn find_lost(&self, messages: &[&Asked], kind: Kind, found: &mut HashMap<MessageId, Found>) {
        let (Some(first), Some(last)) = (messages.first(), messages.last()) else { return };
        let window = (first.asked_at - SKEW, last.asked_at + UNDER_WAY + SKEW);
        let mut seen: Vec<(Folder, Record)> = Vec::new();
        let mut trouble = None;
        for folder in Folder::of_kind(kind) {
            match self.handed_over_in(*folder, window).await {
                Ok(records) => seen.extend(records.into_iter().map(|record| (*folder, record))),
                Err(reason) => trouble = Some(reason),
            }
        }
        let by_name: HashMap<&str, &(Folder, Record)> = seen
            .iter()
            .filter_map(|entry| Some((entry.1.recipient_grouping_key.as_deref()?, entry)))
            .collect();
        for message in messages {
            let number = message.to.expose_secret();
            // One to the same number of which nobody says whose it is may be ours.
            let may_be_ours = |(_, record): &(Folder, Record)| {
                record.recipient_grouping_key.is_none() && record.recipient_no.as_deref() == Some(number)
            };
            let answer = match (by_name.get(message.reference.to_string().as_str()), &trouble) {
                (Some((folder, record)), _) => match (&record.request_id, record.recipient_seq) {
                    (Some(request), Some(seq)) => {
                        taken(&Id { folder: *folder, request: request.clone(), seq }, record)
                    }
                    _ => Found::Unknown("a record without a name".to_owned()),
                },
                (None, Some(reason)) => Found::Unknown(reason.clone()),
                (None, None) if seen.iter().any(may_be_ours) => {
                    Found::Unknown("a record that does not say whose it is".to_owned())
                }
                (None, None) => Found::Absent,
            };
            found.insert(message.reference, answer);
        }
    }

    async fn handed_over_in(
        &self,
        folder: Folder,
        (from, until): (DateTime<Utc>, DateTime<Utc>),
    ) -> Result<Vec<Record>, String> {
        let time = |at: DateTime<Utc>| at.with_timezone(&Seoul).format("%Y-%m-%d %H:%M:%S").to_string();
        let (product, path) = list(folder);
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let query = [
                ("startCreateDate", time(from)),
                ("endCreateDate", time(until)),
                ("pageNum", page.to_string()),
                ("pageSize", PAGE.to_string()),
            ];
            let records = wire::records(&self.read(product, path, &query).await?)?;
            let is_last = records.len() < PAGE;
            all.extend(records);
            if is_last {
                return Ok(all);
            }
        }
        Err("the list has no end".to_owned())
    }
}

impl Nhn {
    /// Who called the 080 line. The reference names the path alone; the members are read as the webhook has them. One whose
    /// time is not told is left out: read again and again, it would take back what was agreed to since.
    pub(super) async fn list_refusals(&self, since: DateTime<Utc>) -> Result<Vec<Refused>, String> {
        let mut refused = Vec::new();
        for page in 1..=MOST_PAGES {
            let query = [("pageNum", page.to_string()), ("pageSize", PAGE.to_string())];
            let path = "/sms/v3.0/appKeys/{appKey}/blockservice/recipients";
            let lines = wire::refusals(&self.read(ProductName::Sms, path, &query).await?)?;
            let is_last = lines.len() < PAGE;
            refused.extend(lines.into_iter().filter_map(|line| {
                let at = line.at()?;
                let contact = line.recipient_no?.into();
                (at >= since).then_some(Refused {
                    contact,
                    refusal_number: line.unsubscribe_no,
                    at: Some(at),
                })
            }));
            if is_last {
                return Ok(refused);
            }
        }
        Err("the list has no end".to_owned())
    }
}

fn list(folder: Folder) -> (ProductName, &'static str) {
    match folder {
        Folder::Sms => (ProductName::Sms, "/sms/v3.0/appKeys/{appKey}/sender/sms"),
        Folder::AdSms => (ProductName::Sms, "/sms/v3.0/appKeys/{appKey}/sender/ad-sms"),
        Folder::AdMms => (ProductName::Sms, "/sms/v3.0/appKeys/{appKey}/sender/ad-mms"),
        Folder::Mms => (ProductName::Sms, "/sms/v3.0/appKeys/{appKey}/sender/mms"),
        Folder::AlimTalk => (ProductName::Kakao, "/alimtalk/v2.3/appkeys/{appKey}/messages"),
        Folder::Brand => (ProductName::Kakao, "/brand-message/v1.0/appkeys/{appKey}/messages"),
    }
}

fn place(folder: Folder, id: &Id) -> (ProductName, String, Vec<(&'static str, String)>) {
    let (product, path) = list(folder);
    match product {
        ProductName::Sms => {
            (product, format!("{path}/{}", id.request), vec![("recipientSeq", id.seq.to_string())])
        }
        ProductName::Kakao => (product, format!("{path}/{}/{}", id.request, id.seq), Vec::new()),
    }
}

fn taken(id: &Id, record: &Record) -> Found {
    let fate = match id.folder {
        Folder::Sms | Folder::AdSms => of_text(record, Kind::Sms),
        Folder::Mms | Folder::AdMms => of_text(record, Kind::Lms),
        Folder::AlimTalk => of_kakao(record, Kind::AlimTalk),
        Folder::Brand => of_kakao(record, Kind::Brand),
    };
    Found::Taken { provider_id: id.to_string(), fate }
}

fn of_text(record: &Record, by: Kind) -> Fate {
    let code = record.result_code.as_deref().unwrap_or_default();
    match record.msg_status.as_deref() {
        Some("3") => Fate::Delivered { by, at: arrived_at(record) },
        Some("0" | "4" | "5" | "6") => Fate::Failed(codes::of_carrier(code)),
        _ => Fate::InFlight,
    }
}

/// What Kakao could not deliver may arrive as a text, which is told in the same record.
fn of_kakao(record: &Record, by: Kind) -> Fate {
    let code = record.result_code.as_deref().unwrap_or_default();
    match (record.message_status.as_deref(), record.resend_status.as_deref()) {
        (_, Some("RSC04")) => {
            let by = if record.resend_type.as_deref() == Some("SMS") { Kind::Sms } else { Kind::Lms };
            Fate::Delivered { by, at: arrived_at(record) }
        }
        (_, Some("RSC05")) => {
            Fate::Failed(codes::of_carrier(record.resend_result_code.as_deref().unwrap_or(code)))
        }
        (Some("COMPLETED"), _) if code == "1000" => Fate::Delivered { by, at: arrived_at(record) },
        // A text follows, or is on its way. 3005: whether it was received is known within three days.
        (Some("FAILED" | "CANCEL"), Some("RSC02" | "RSC03")) => Fate::InFlight,
        (Some("FAILED" | "CANCEL"), _) if code != "3005" => Fate::Failed(codes::of_kakao(code)),
        _ => Fate::InFlight,
    }
}

fn arrived_at(record: &Record) -> Option<DateTime<Utc>> {
    record.receive_date.as_deref().and_then(wire::time)
}
