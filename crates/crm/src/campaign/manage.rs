//! Writing campaigns, and stopping them.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use messaging::code;
use platform::{
    TenantTx,
    audit::{self, Actor},
    features::{self, Feature},
};
use serde_json::json;

use super::{Campaign, CampaignId, CampaignMove, CampaignStatus, Course, Terms, draft::CampaignText};
use crate::{
    Crm, CrmError,
    store::{
        campaign::{self, NewCampaign},
        customer,
    },
};

/// Who asks, and for whom.
pub(crate) struct Request<'a> {
    pub business: BusinessId,
    pub actor: &'a Actor,
}

/// What is to be otherwise about a campaign; what is not said stays as it is.
pub(crate) type CampaignChange = Box<dyn FnOnce(&mut CampaignText) + Send>;

impl Crm {
    pub(crate) async fn add_campaign(
        &self,
        tx: &mut TenantTx,
        request: &Request<'_>,
        wanted: CampaignText,
        is_draft: bool,
    ) -> Result<Campaign, CrmError> {
        let business = request.business;
        features::require(tx, business, Feature::Crm).await?;
        let mut terms = self.read_terms(tx, business, wanted, None).await?;
        let mut course = Course {
            status: CampaignStatus::Draft,
            recipient_count: self.count(tx, business, &terms).await?,
            position: None,
            due_at: None,
            started_at: None,
            written_at: None,
            ended_at: None,
            failure: None,
        };
        if !is_draft {
            self.schedule(tx, business, &mut terms, &mut course).await?;
        }
        let sample_code = code::unguessable();
        let new = NewCampaign { terms: &terms, course: &course, sample_code: &sample_code };
        let id = campaign::insert(tx, business, self.clock.now(), &new).await?;
        self.remember(tx, request, "campaign.created", id, &course).await?;
        campaign::one(tx, business, id).await?.ok_or(CrmError::NotFound)
    }

    /// Before it begins, all of it may change.
    pub(crate) async fn change_campaign(
        &self,
        tx: &mut TenantTx,
        request: &Request<'_>,
        id: CampaignId,
        change: CampaignChange,
    ) -> Result<Campaign, CrmError> {
        let business = request.business;
        let Campaign { terms: before, mut course, .. } =
            campaign::lock(tx, business, id).await?.ok_or(CrmError::NotFound)?;
        features::require(tx, business, Feature::Crm).await?;
        if !course.status.is_open() {
            return Err(CrmError::CampaignHasBegun);
        }
        let mut wanted = CampaignText::from(&before);
        change(&mut wanted);
        let mut terms = self.read_terms(tx, business, wanted, Some(&before)).await?;
        course.recipient_count = self.count(tx, business, &terms).await?;
        if course.status == CampaignStatus::Scheduled {
            self.check_channel(tx, business, &terms).await?;
            let at = *terms.scheduled_at.get_or_insert(self.clock.now());
            course.due_at = Some(at);
        }
        let now = self.clock.now();
        campaign::write_terms(tx, business, now, id, &terms).await?;
        campaign::write_course(tx, business, now, id, &course).await?;
        self.remember(tx, request, "campaign.changed", id, &course).await?;
        campaign::one(tx, business, id).await?.ok_or(CrmError::NotFound)
    }

    /// A draft is good as it is, and goes out at its time, or at once.
    pub(crate) async fn schedule_campaign(
        &self,
        tx: &mut TenantTx,
        request: &Request<'_>,
        id: CampaignId,
    ) -> Result<Campaign, CrmError> {
        let business = request.business;
        let Campaign { mut terms, mut course, .. } =
            campaign::lock(tx, business, id).await?.ok_or(CrmError::NotFound)?;
        features::require(tx, business, Feature::Crm).await?;
        // A coupon may have run out since, and a time have passed.
        terms = self.read_terms(tx, business, CampaignText::from(&terms), Some(&terms)).await?;
        course.recipient_count = self.count(tx, business, &terms).await?;
        self.schedule(tx, business, &mut terms, &mut course).await?;
        let now = self.clock.now();
        campaign::write_terms(tx, business, now, id, &terms).await?;
        campaign::write_course(tx, business, now, id, &course).await?;
        self.remember(tx, request, "campaign.scheduled", id, &course).await?;
        campaign::one(tx, business, id).await?.ok_or(CrmError::NotFound)
    }

    /// Nothing more goes out until it is let go on; what is on its way arrives.
    pub(crate) async fn pause_campaign(
        &self,
        tx: &mut TenantTx,
        request: &Request<'_>,
        id: CampaignId,
    ) -> Result<Campaign, CrmError> {
        let mut course = self.lock_course(tx, request.business, id).await?;
        course.status = course.status.after(CampaignMove::Pause)?;
        course.due_at = None;
        self.messaging.hold_batch(tx, request.business, &id.batch()).await?;
        self.write(tx, request, "campaign.paused", id, &course).await
    }

    pub(crate) async fn resume_campaign(
        &self,
        tx: &mut TenantTx,
        request: &Request<'_>,
        id: CampaignId,
    ) -> Result<Campaign, CrmError> {
        let mut course = self.lock_course(tx, request.business, id).await?;
        features::require(tx, request.business, Feature::Crm).await?;
        course.status = course.status.after(CampaignMove::Resume)?;
        course.due_at = course.written_at.is_none().then(|| self.clock.now());
        self.messaging.resume_batch(tx, request.business, &id.batch()).await?;
        self.write(tx, request, "campaign.resumed", id, &course).await
    }

    /// For good. What is on its way arrives.
    pub(crate) async fn cancel_campaign(
        &self,
        tx: &mut TenantTx,
        request: &Request<'_>,
        id: CampaignId,
    ) -> Result<Campaign, CrmError> {
        let mut course = self.lock_course(tx, request.business, id).await?;
        course.status = course.status.after(CampaignMove::Cancel)?;
        course.due_at = None;
        course.ended_at = Some(self.clock.now());
        if course.started_at.is_some() {
            self.messaging.cancel_batch(tx, request.business, &id.batch()).await?;
        }
        self.write(tx, request, "campaign.cancelled", id, &course).await
    }

    async fn schedule(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        terms: &mut Terms,
        course: &mut Course,
    ) -> Result<(), CrmError> {
        course.status = course.status.after(CampaignMove::Schedule)?;
        self.check_channel(tx, business, terms).await?;
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

    async fn lock_course(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        id: CampaignId,
    ) -> Result<Course, CrmError> {
        Ok(campaign::lock(tx, business, id).await?.ok_or(CrmError::NotFound)?.course)
    }

    async fn write(
        &self,
        tx: &mut TenantTx,
        request: &Request<'_>,
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
        request: &Request<'_>,
        action: &str,
        id: CampaignId,
        course: &Course,
    ) -> Result<(), CrmError> {
        let facts =
            json!({"campaignId": id, "status": course.status, "recipientCount": course.recipient_count});
        audit::record(tx, request.business, self.clock.now(), request.actor, action, &facts).await?;
        Ok(())
    }
}
