//! Campaigns: one sentence to everybody in a segment.
//!
//! A campaign is a row that is due. Whoever takes it fixes the moment that decides who is in the segment, and writes everybody
//! down page by page (`write.rs`); each page is one transaction that also writes their messages, so that a process may die
//! anywhere and nobody is written to twice. Sending is messaging's. Auto campaigns (`auto/`) write a campaign a day.

pub(crate) mod auto;
pub(crate) mod draft;
pub(crate) mod link;
mod manage;
mod sample;
mod sort;
mod standing;
pub(crate) mod wording;
pub(crate) mod words;
mod write;

pub(crate) use manage::{Intervention, Request};
pub(crate) use sample::CampaignPreview;
pub(crate) use standing::{Rates, Runs, Stats};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use self::{auto::AutoCampaignId, wording::Wording};
use crate::{
    CrmError,
    segment::{SegmentId, condition::Condition, sql::Moment, stored_condition},
};

kernel::number_id!(
    /// Names a campaign of a business.
    CampaignId
);

impl CampaignId {
    /// What its messages belong to.
    pub(crate) fn batch(self) -> String {
        format!("campaign:{self}")
    }
}

/// How a campaign stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum CampaignStatus {
    /// Somebody is still writing it.
    Draft,
    /// It begins when it is time.
    Scheduled,
    /// It has begun.
    Sending,
    /// It has begun, and waits until somebody lets it go on.
    Paused,
    /// Everybody was sent it, or left out.
    Completed,
    /// Somebody called it off. Who had it by then has it.
    Cancelled,
    /// It could not begin.
    Failed,
}

/// What can happen to a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CampaignMove {
    Schedule,
    Begin,
    Pause,
    Resume,
    Complete,
    Cancel,
    Fail,
}

/// A move that a campaign's status does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a campaign that is {from:?} cannot {wanted:?}")]
pub struct IllegalMove {
    from: CampaignStatus,
    wanted: CampaignMove,
}

impl CampaignStatus {
    /// The one place that says how a campaign may change.
    pub(crate) fn after(self, wanted: CampaignMove) -> Result<Self, IllegalMove> {
        use CampaignMove::{Begin, Cancel, Complete, Fail, Pause, Resume, Schedule};
        match (self, wanted) {
            (Self::Draft, Schedule) => Ok(Self::Scheduled),
            (Self::Scheduled, Begin) | (Self::Paused, Resume) => Ok(Self::Sending),
            (Self::Sending, Pause) => Ok(Self::Paused),
            (Self::Sending, Complete) => Ok(Self::Completed),
            (Self::Scheduled, Fail) => Ok(Self::Failed),
            (Self::Draft | Self::Scheduled | Self::Sending | Self::Paused, Cancel) => Ok(Self::Cancelled),
            (Self::Draft, Begin | Pause | Resume | Complete | Fail)
            | (Self::Scheduled, Schedule | Pause | Resume | Complete)
            | (Self::Sending, Schedule | Begin | Resume | Fail)
            | (Self::Paused, Schedule | Begin | Pause | Complete | Fail)
            | (Self::Completed | Self::Cancelled | Self::Failed, _) => {
                Err(IllegalMove { from: self, wanted })
            }
        }
    }

    /// Whether what it says, to whom and when may still change.
    pub(crate) fn is_open(self) -> bool {
        match self {
            Self::Draft | Self::Scheduled => true,
            Self::Sending | Self::Paused | Self::Completed | Self::Cancelled | Self::Failed => false,
        }
    }
}

/// What a campaign is about, for those who look at many. All of them are advertising by law, greetings and notices of opening
/// days as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TemplateType {
    Revisit,
    Birthday,
    Coupon,
    Event,
    Greeting,
    Notice,
}

/// Why a campaign could not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum CampaignFailure {
    PlanLacksCrm,
    SegmentUnreadable,
}

/// What a campaign says, to whom, and how.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub name: String,
    pub audience: Audience,
    pub conditions: Value,
    /// How the conditions are written.
    pub version: i16,
    pub template_type: TemplateType,
    pub wording: Wording,
    pub scheduled_at: Option<DateTime<Utc>>,
}

/// Where a campaign's conditions come from.
#[derive(Clone, Debug)]
pub(crate) enum Audience {
    /// A segment, as it was when the campaign was written.
    Segment { id: SegmentId, name: String },
    /// Those whose day it is.
    Auto(AutoCampaignId),
}

impl Audience {
    pub(crate) fn segment(&self) -> Option<SegmentId> {
        match self {
            Self::Segment { id, .. } => Some(*id),
            Self::Auto(_) => None,
        }
    }

    /// What the segment was called.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Segment { name, .. } => Some(name),
            Self::Auto(_) => None,
        }
    }

    pub(crate) fn auto(&self) -> Option<AutoCampaignId> {
        match self {
            Self::Auto(id) => Some(*id),
            Self::Segment { .. } => None,
        }
    }
}

/// How far a campaign has come.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub status: CampaignStatus,
    pub recipient_count: i64,
    pub position: Option<i64>,
    pub due_at: Option<DateTime<Utc>>,
    pub started_at: Option<DateTime<Utc>>,
    pub written_at: Option<DateTime<Utc>>,
    pub ended_at: Option<DateTime<Utc>>,
    pub failure: Option<CampaignFailure>,
}

impl Course {
    /// One that begins now.
    pub(crate) fn begun(now: DateTime<Utc>) -> Self {
        let begun = Some(now);
        Self { status: CampaignStatus::Sending, due_at: begun, started_at: begun, ..Self::draft(0) }
    }

    pub(crate) fn draft(recipient_count: i64) -> Self {
        Self {
            status: CampaignStatus::Draft,
            recipient_count,
            position: None,
            due_at: None,
            started_at: None,
            written_at: None,
            ended_at: None,
            failure: None,
        }
    }
}

/// A campaign as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Campaign {
    pub id: CampaignId,
    pub terms: Terms,
    pub course: Course,
    pub sample_code: String,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}

impl Terms {
    pub(crate) fn condition(&self, at: Moment) -> Result<Condition, CrmError> {
        stored_condition(&self.conditions, self.version, at)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        CampaignMove::{Begin, Cancel, Complete, Fail, Pause, Resume, Schedule},
        CampaignStatus::{Cancelled, Completed, Draft, Failed, Paused, Scheduled, Sending},
        *,
    };

    const STATUSES: [CampaignStatus; 7] = [Draft, Scheduled, Sending, Paused, Completed, Cancelled, Failed];
    const MOVES: [CampaignMove; 7] = [Schedule, Begin, Pause, Resume, Complete, Cancel, Fail];

    #[test]
    fn what_is_over_stays_as_it_is() {
        for status in [Completed, Cancelled, Failed] {
            assert!(MOVES.iter().all(|wanted| status.after(*wanted).is_err()), "{status:?}");
        }
    }

    #[test]
    fn what_has_begun_is_never_written_anew() {
        for (status, wanted) in STATUSES.into_iter().flat_map(|status| MOVES.map(|wanted| (status, wanted))) {
            if let Ok(after) = status.after(wanted)
                && !status.is_open()
            {
                assert!(!after.is_open(), "{status:?} {wanted:?}");
            }
        }
    }

    #[test]
    fn all_that_is_not_over_can_be_called_off() {
        for status in [Draft, Scheduled, Sending, Paused] {
            assert_eq!(status.after(Cancel), Ok(Cancelled));
        }
    }

    #[test]
    fn only_what_goes_out_can_be_complete() {
        let complete: Vec<_> = STATUSES.iter().filter(|status| status.after(Complete).is_ok()).collect();
        assert_eq!(complete, [&Sending]);
    }
}
