//! One message, as its carrier keeps it.

use chrono::{DateTime, Utc};
use kernel::KoreanTime;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::book::Provider;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ParcelKind {
    Sms,
    Lms,
    #[serde(rename = "ALIMTALK")]
    AlimTalk,
    /// 브랜드메시지.
    Brand,
    Email,
}

/// How a message stands by the sandbox's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ParcelState {
    InFlight,
    Delivered,
    Failed,
}

/// How it will end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    pub delivered: bool,
    /// In the carrier's own word.
    pub code: String,
}

/// A message that a carrier took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parcel {
    /// Position in the post, from 1.
    #[serde(default)]
    pub seq: u64,
    pub provider: Provider,
    /// The carrier's id.
    pub id: String,
    /// What it was handed over with: Solapi's group, NHN's request.
    pub group: String,
    pub kind: ParcelKind,
    pub to: String,
    pub from: String,
    pub subject: Option<String>,
    pub text: String,
    pub html: Option<String>,
    /// The sender's own name for it, where it has one.
    pub reference: Option<String>,
    /// In place of another one that could not be delivered.
    pub replaces: Option<String>,
    /// What else the carrier keeps: headers of a mail, buttons, fields to give back.
    pub extra: Value,
    pub accepted_at: DateTime<Utc>,
    /// When it arrives, or fails; `None` is never.
    pub reports_at: Option<DateTime<Utc>>,
    pub outcome: Outcome,
}

impl Parcel {
    pub fn state(&self, now: DateTime<Utc>) -> ParcelState {
        match self.reports_at {
            Some(at) if at <= now && self.outcome.delivered => ParcelState::Delivered,
            Some(at) if at <= now => ParcelState::Failed,
            _ => ParcelState::InFlight,
        }
    }

    pub(crate) fn reported_at(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.reports_at.filter(|at| *at <= now)
    }
}

/// A message as the control surface shows it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ParcelView {
    seq: u64,
    provider: Provider,
    id: String,
    group: String,
    kind: ParcelKind,
    state: ParcelState,
    code: Option<String>,
    to: String,
    from: String,
    subject: Option<String>,
    text: String,
    html: Option<String>,
    reference: Option<String>,
    replaces: Option<String>,
    extra: Value,
    at: KoreanTime,
}

impl ParcelView {
    pub(crate) fn of(parcel: &Parcel, now: DateTime<Utc>) -> Self {
        let state = parcel.state(now);
        Self {
            seq: parcel.seq,
            provider: parcel.provider,
            id: parcel.id.clone(),
            group: parcel.group.clone(),
            kind: parcel.kind,
            state,
            code: (state != ParcelState::InFlight).then(|| parcel.outcome.code.clone()),
            to: parcel.to.clone(),
            from: parcel.from.clone(),
            subject: parcel.subject.clone(),
            text: parcel.text.clone(),
            html: parcel.html.clone(),
            reference: parcel.reference.clone(),
            replaces: parcel.replaces.clone(),
            extra: parcel.extra.clone(),
            at: KoreanTime(parcel.accepted_at),
        }
    }
}
