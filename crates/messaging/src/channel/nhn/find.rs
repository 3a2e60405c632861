//! Looking up what became of messages.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Asia::Seoul;
use futures::{StreamExt, stream};
use kernel::KoreanTime;
use secrecy::ExposeSecret;

use super::{
    super::{Asked, Fate, Found, Kind},
    Nhn, ProductName, codes,
    wire::{self, Folder, Id, Record},
};

/// Looked up side by side.
const AT_ONCE: usize = 8;
const PAGE: usize = 1_000;
/// What is further is asked for another time.
const MOST_PAGES: usize = 100;
const SKEW: TimeDelta = TimeDelta::minutes(5);
/// How long a request may have been under way.
const UNDER_WAY: TimeDelta = TimeDelta::minutes(15);

impl Nhn {
    pub(super) async fn find_all(&self, messages: &[Asked]) -> Vec<Found> {
        let asked: Vec<_> = messages.iter().map(|message| self.find_one(message)).collect();
        stream::iter(asked).buffered(AT_ONCE).collect().await
    }

    async fn find_one(&self, message: &Asked) -> Found {
        match message.provider_id.as_deref().map(Id::parse) {
            Some(Some(id)) => self.find_known(message, &id).await,
            Some(None) => Found::Unknown("a name that is not of NHN Cloud".to_owned()),
            None => self.find_lost(message).await,
        }
    }

    async fn find_known(&self, message: &Asked, id: &Id) -> Found {
        let (product, path, query) = place(id);
        let records = match self.read(product, &path, &query).await.and_then(|body| wire::records(&body)) {
            Ok(records) => records,
            Err(reason) => return Found::Unknown(reason),
        };
        match records.iter().find(|record| record.recipient_seq.is_none_or(|seq| seq == id.seq)) {
            Some(record) => taken(id, record, message),
            None => Found::Absent,
        }
    }

    /// By when it was handed over, recognised by our reference.
    async fn find_lost(&self, message: &Asked) -> Found {
        let name = message.reference.to_string();
        // An LMS may have been meant where an SMS is looked for, and the other way round: the length decided.
        let folders: &[Folder] = match message.kind {
            Kind::Sms => &[Folder::Sms],
            Kind::Lms => &[Folder::Mms],
            Kind::AlimTalk => &[Folder::AlimTalk],
            Kind::Brand => &[Folder::Brand],
            Kind::Email => return Found::Unknown("no mail is carried here".to_owned()),
        };
        for folder in folders {
            let records = match self.handed_over_about(*folder, message.asked_at).await {
                Ok(records) => records,
                Err(reason) => return Found::Unknown(reason),
            };
            if let Some(record) =
                records.iter().find(|record| record.recipient_grouping_key.as_deref() == Some(&name))
            {
                let (Some(request), Some(seq)) = (&record.request_id, record.recipient_seq) else {
                    return Found::Unknown("a record without a name".to_owned());
                };
                let id = Id { folder: *folder, request: request.clone(), seq };
                return taken(&id, record, message);
            }
            // One to the same number of which nobody says whose it is may be ours.
            let number = message.to.expose_secret();
            let may_be_ours = |record: &Record| {
                record.recipient_grouping_key.is_none() && record.recipient_no.as_deref() == Some(number)
            };
            if records.iter().any(may_be_ours) {
                return Found::Unknown("a record that does not say whose it is".to_owned());
            }
        }
        Found::Absent
    }

    async fn handed_over_about(&self, folder: Folder, at: DateTime<Utc>) -> Result<Vec<Record>, String> {
        let time = |at: DateTime<Utc>| at.with_timezone(&Seoul).format("%Y-%m-%d %H:%M:%S").to_string();
        let (product, path) = list(folder);
        let mut all = Vec::new();
        for page in 1..=MOST_PAGES {
            let query = [
                ("startCreateDate", time(at - SKEW)),
                ("endCreateDate", time(at + UNDER_WAY + SKEW)),
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

fn list(folder: Folder) -> (ProductName, &'static str) {
    match folder {
        Folder::Sms => (ProductName::Sms, "/sms/v3.0/appKeys/{appKey}/sender/sms"),
        Folder::Mms => (ProductName::Sms, "/sms/v3.0/appKeys/{appKey}/sender/mms"),
        Folder::AlimTalk => (ProductName::Kakao, "/alimtalk/v2.3/appkeys/{appKey}/messages"),
        Folder::Brand => (ProductName::Kakao, "/brand-message/v1.0/appkeys/{appKey}/messages"),
    }
}

fn place(id: &Id) -> (ProductName, String, Vec<(&'static str, String)>) {
    let (product, path) = list(id.folder);
    match product {
        ProductName::Sms => {
            (product, format!("{path}/{}", id.request), vec![("recipientSeq", id.seq.to_string())])
        }
        ProductName::Kakao => (product, format!("{path}/{}/{}", id.request, id.seq), Vec::new()),
    }
}

fn taken(id: &Id, record: &Record, message: &Asked) -> Found {
    let fate = match id.folder {
        Folder::Sms | Folder::Mms => of_text(record, message.kind),
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
        // RSC02: a text follows. 3005: whether it was received is known within three days.
        (Some("FAILED" | "CANCEL"), resend) if resend != Some("RSC02") && code != "3005" => {
            Fate::Failed(codes::of_kakao(code))
        }
        _ => Fate::InFlight,
    }
}

fn arrived_at(record: &Record) -> Option<DateTime<Utc>> {
    let text = record.receive_date.as_deref()?;
    let local = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"];
    let read = local.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    KoreanTime::parse(&read.format("%Y-%m-%dT%H:%M:%S").to_string()).map(|time| time.0)
}
