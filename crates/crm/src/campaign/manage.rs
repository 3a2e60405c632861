//! Writing campaigns, and stopping them.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use messaging::code;
use platform::{
    TenantTx,
    audit::{self, Actor},
    digest,
    features::{self, Feature},
    idempotency::KEPT_FOR,
};
use serde_json::json;
use uuid::Uuid;

use super::{Campaign, CampaignId, CampaignMove, CampaignStatus, Course, Terms, draft::CampaignText};
use crate::{
    Crm, CrmError,
    store::{
        campaign::{self, NewCampaign},
        customer,
    },
};

/// Who asks, and for whom.
pub(crate) struct Request {
    pub business: BusinessId,
    pub actor: Actor,
    /// Under which name it is asked for, if it is to happen once.
    pub key: Option<String>,
}

impl Request {
    /// A name of its own, or the same again for a repeat.
    pub(crate) fn once(&self) -> Uuid {
        let named =
            self.key.as_ref().and_then(|key| Uuid::from_slice(digest(key.as_bytes()).get(..16)?).ok());
        named.unwrap_or_else(Uuid::new_v4)
    }
}

/// What somebody does about a campaign that is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Intervention {
    /// A draft is good as it is, and goes out at its time, or at once.
    Schedule,
    /// Nothing more goes out until it is let go on; what is on its way arrives.
    Pause,
    Resume,
    /// For good. What is on its way arrives.
    Cancel,
}

impl Intervention {
    /// Its name in the audit trail.
    fn action(self) -> &'static str {
        match self {
            Self::Schedule => "campaign.scheduled",
            Self::Pause => "campaign.paused",
            Self::Resume => "campaign.resumed",
            Self::Cancel => "campaign.cancelled",
        }
    }
}

/// What is to be otherwise about a campaign; what is not said stays as it is.
pub(crate) type CampaignChange = Box<dyn FnOnce(&mut CampaignText) + Send>;

/// A campaign as somebody wrote it, while it is open: those that begin by themselves never are.
fn open_text(terms: &Terms, course: &Course) -> Result<CampaignText, CrmError> {
    let segment = terms.audience.segment().filter(|_| course.status.is_open());
    Ok(CampaignText {
        name: terms.name.clone(),
        segment: segment.ok_or(CrmError::CampaignHasBegun)?,
        template_type: terms.template_type,
        wording: terms.wording.clone(),
        scheduled_at: terms.scheduled_at,
    })
}

impl Crm {
    pub(crate) async fn add_campaign(
        &self,
        tx: &mut TenantTx,
        request: &Request,
        wanted: CampaignText,
        is_draft: bool,
    ) -> Result<Campaign, CrmError> {
        let business = request.business;
        features::require(tx, business, Feature::Crm).await?;
        let mut terms = self.read_terms(tx, business, wanted, None).await?;
        if let Some(key) = &request.key
            && let Some(earlier) = self.under_key(tx, business, key).await?
        {
            // Whoever asks again because the answer was lost gets the campaign that there is.
            let is_the_same = earlier.terms.says_the_same(&terms);
            return if is_the_same { Ok(earlier) } else { Err(CrmError::KeyReused) };
        }
        let mut course = Course::draft(self.count(tx, business, &terms).await?);
        if !is_draft {
            self.schedule(tx, business, &mut terms, &mut course).await?;
        }
        let sample_code = code::unguessable();
        let new = NewCampaign {
            terms: &terms,
            course: &course,
            sample_code: &sample_code,
            key: request.key.as_deref(),
        };
        let id = match campaign::insert(tx, business, self.clock.now(), &new).await {
            // The same request, taken for dead, is still running.
            Err(sqlx::Error::Database(error)) if error.constraint() == Some("campaign_once") => {
                return Err(CrmError::KeyInUse);
            }
            inserted => inserted?,
        };
        self.remember(tx, request, "campaign.created", id, &course).await?;
        campaign::one(tx, business, id).await?.ok_or(CrmError::NotFound)
    }

    /// The campaign that was made under a key, as long as the key is remembered.
    async fn under_key(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        key: &str,
    ) -> Result<Option<Campaign>, CrmError> {
        let forgotten = self.clock.now() - KEPT_FOR;
        campaign::forget_key(tx, business, key, forgotten).await?;
        match campaign::under_key(tx, business, key).await? {
            Some(id) => Ok(campaign::one(tx, business, id).await?),
            None => Ok(None),
        }
    }

    /// Before it begins, all of it may change.
    pub(crate) async fn change_campaign(
        &self,
        tx: &mut TenantTx,
        request: &Request,
        id: CampaignId,
        change: CampaignChange,
    ) -> Result<Campaign, CrmError> {
        let business = request.business;
        let Campaign { terms: before, mut course, .. } =
            campaign::lock(tx, business, id).await?.ok_or(CrmError::NotFound)?;
        features::require(tx, business, Feature::Crm).await?;
        let mut wanted = open_text(&before, &course)?;
        change(&mut wanted);
        let mut terms = self.read_terms(tx, business, wanted, Some(&before)).await?;
        course.recipient_count = self.count(tx, business, &terms).await?;
        if course.status == CampaignStatus::Scheduled {
            self.check_channel(tx, business, terms.wording.channel).await?;
            let at = *terms.scheduled_at.get_or_insert(self.clock.now());
            course.due_at = Some(at);
        }
        campaign::write_terms(tx, business, self.clock.now(), id, &terms).await?;
        self.write(tx, request, "campaign.changed", id, &course).await
    }

    pub(crate) async fn intervene(
        &self,
        tx: &mut TenantTx,
        request: &Request,
        id: CampaignId,
        what: Intervention,
    ) -> Result<Campaign, CrmError> {
        let business = request.business;
        let Campaign { terms, mut course, .. } =
            campaign::lock(tx, business, id).await?.ok_or(CrmError::NotFound)?;
        match what {
            Intervention::Schedule => {
                features::require(tx, business, Feature::Crm).await?;
                // A coupon may have run out since, and a time have passed.
                course.status.after(CampaignMove::Schedule)?;
                let wanted = open_text(&terms, &course)?;
                // What it was to be is no promise: a time that has passed is a mistake again.
                let kept = Terms { scheduled_at: None, ..terms };
                let mut terms = self.read_terms(tx, business, wanted, Some(&kept)).await?;
                course.recipient_count = self.count(tx, business, &terms).await?;
                self.schedule(tx, business, &mut terms, &mut course).await?;
                campaign::write_terms(tx, business, self.clock.now(), id, &terms).await?;
            }
            Intervention::Pause => {
                course.status = course.status.after(CampaignMove::Pause)?;
                course.due_at = None;
                self.messaging.hold_batch(tx, business, &id.batch()).await?;
            }
            Intervention::Resume => {
                features::require(tx, business, Feature::Crm).await?;
                course.status = course.status.after(CampaignMove::Resume)?;
                course.due_at = course.written_at.is_none().then(|| self.clock.now());
                self.messaging.resume_batch(tx, business, &id.batch()).await?;
            }
            Intervention::Cancel => {
                course.status = course.status.after(CampaignMove::Cancel)?;
                course.due_at = None;
                course.ended_at = Some(self.clock.now());
                if course.started_at.is_some() {
                    self.messaging.cancel_batch(tx, business, &id.batch()).await?;
                }
            }
        }
        self.write(tx, request, what.action(), id, &course).await
    }

    async fn schedule(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        terms: &mut Terms,
        course: &mut Course,
    ) -> Result<(), CrmError> {
        course.status = course.status.after(CampaignMove::Schedule)?;
        self.check_channel(tx, business, terms.wording.channel).await?;
        let at: DateTime<Utc> = *terms.scheduled_at.get_or_insert(self.clock.now());
        course.due_at = Some(at);
        Ok(())
    }

    pub(crate) async fn count(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        terms: &Terms,
    ) -> Result<i64, CrmError> {
        let at = self.moment();
        Ok(customer::count(tx, business, &terms.condition(at)?, at).await?)
    }

    async fn write(
        &self,
        tx: &mut TenantTx,
        request: &Request,
        action: &str,
        id: CampaignId,
        course: &Course,
    ) -> Result<Campaign, CrmError> {
        campaign::write_course(tx, request.business, self.clock.now(), id, course).await?;
        self.remember(tx, request, action, id, course).await?;
        campaign::one(tx, request.business, id).await?.ok_or(CrmError::NotFound)
    }

    /// Who did what must be answered for: it reaches people.
    pub(crate) async fn remember(
        &self,
        tx: &mut TenantTx,
        request: &Request,
        action: &str,
        id: CampaignId,
        course: &Course,
    ) -> Result<(), CrmError> {
        let facts =
            json!({"campaignId": id, "status": course.status, "recipientCount": course.recipient_count});
        audit::record(tx, request.business, self.clock.now(), &request.actor, action, &facts).await?;
        Ok(())
    }
}
