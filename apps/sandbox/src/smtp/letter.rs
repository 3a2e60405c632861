//! A mail, as the mailbox keeps it.

use std::io;

use mail_parser::MessageParser;
use serde_json::{Map, Value, json};

use crate::{
    book::Provider,
    post::{Outcome, Parcel, ParcelKind},
    random,
    store::Record,
    world::World,
};

/// What QA wants to see of the headers.
const SHOWN: [&str; 7] = [
    "From",
    "Reply-To",
    "Message-ID",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Auto-Submitted",
    "X-Entity-Ref-ID",
];

/// One in the mailbox of each recipient.
pub(super) fn keep(world: &World, from: &str, to: &[String], mail: &[u8]) -> io::Result<()> {
    let now = world.clock.now();
    let parsed = MessageParser::default().parse(mail);
    let header = |name: &str| {
        let raw = parsed.as_ref()?.header_raw(name)?;
        Some(raw.trim().to_owned())
    };
    let headers: Map<String, Value> =
        SHOWN.iter().filter_map(|name| Some(((*name).to_owned(), json!(header(name)?)))).collect();
    let part = |html: bool| {
        let parsed = parsed.as_ref()?;
        let part = if html { parsed.body_html(0) } else { parsed.body_text(0) };
        part.map(std::borrow::Cow::into_owned)
    };
    let group = format!("mail_{}", random::letters(16));
    let records: Vec<Record> = to
        .iter()
        .map(|to| {
            Parcel {
                seq: 0,
                provider: Provider::Smtp,
                id: header("Message-ID").unwrap_or_else(|| group.clone()),
                group: group.clone(),
                kind: ParcelKind::Email,
                to: to.clone(),
                from: from.to_owned(),
                subject: parsed.as_ref().and_then(|parsed| parsed.subject()).map(str::to_owned),
                text: part(false).unwrap_or_default(),
                html: part(true),
                reference: header("X-Entity-Ref-ID"),
                replaces: None,
                extra: Value::Object(headers.clone()),
                accepted_at: now,
                reports_at: Some(now),
                outcome: Outcome { delivered: true, code: "250".to_owned() },
            }
            .into()
        })
        .collect();
    world.store().commit(records)
}
