//! Writing down everybody whom a campaign is for, page by page.
//!
//! A page is one transaction: who is on it, their codes, their messages, and how far the campaign has come. Whoever dies in the
//! middle leaves nothing behind, and the next begins where the last page ended. The moment that decides who is in the segment is
//! fixed when the campaign begins, and customers come in the order of their ids, so that nobody comes twice.
//!
//! While a page is written down the next is read already, by another connection.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{BusinessId, korean_day};
use messaging::{Channel, Enqueued, Exclusion, NewMessage, Purpose, Recipient, Speaker, When, code};
use platform::{
    SystemTx, TenantTx,
    features::{self, Feature},
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{
    Campaign, CampaignFailure, CampaignId, CampaignMove, CampaignStatus,
    sort::{Known, NO_VALUE, Sorted},
    words::Values,
};
use crate::{
    Crm, CrmError,
    event::{CampaignCompleted, CrmEvent},
    segment::sql::Moment,
    store::{
        auto_campaign, campaign,
        customer::{self, SealedMember},
        recipient::{self, NewRecipient},
    },
};

/// So many customers in one transaction.
const PAGE: i64 = 1_000;

/// So many pages of a campaign, and then it is another's turn.
const TURN: u32 = 8;

/// How soon it is tried again after something went wrong.
pub(super) const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// How often a worker looks.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Customers who were found, and what speaks against sending them anything.
struct Page {
    /// The last customer of the page before.
    behind: Option<i64>,
    members: Vec<SealedMember>,
    excluded: HashMap<i64, Exclusion>,
}

impl Page {
    fn is_last(&self) -> bool {
        i64::try_from(self.members.len()).is_ok_and(|found| found < PAGE)
    }
}

impl Crm {
    /// Does all that is due now.
    pub async fn sweep(&self) -> Result<(), CrmError> {
        while self.run_next_auto().await? {}
        while self.write_next(TURN).await? {}
        self.finish_over().await
    }

    /// When something will be due next, if nothing happens before; in the past if it is due already. That a campaign is over
    /// follows from its messages, and is due when they are.
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>, CrmError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let campaigns = campaign::next_due(&mut tx).await?;
        let auto_campaigns = auto_campaign::next_due(&mut tx).await?;
        Ok([campaigns, auto_campaigns].into_iter().flatten().min())
    }

    /// Works until `stop`; a turn that is under way is finished.
    pub async fn run(&self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            match self.work_next().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "campaigns cannot be looked after; tried again"),
            }
            if let Err(error) = self.finish_over().await {
                tracing::error!(%error, "campaigns cannot be finished; tried again");
            }
            tokio::select! {
                () = sleep(LOOK_AGAIN) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    async fn work_next(&self) -> Result<bool, CrmError> {
        // In turns: at ten o'clock many shops' auto campaigns are due, and pages of others are waiting.
        let has_run = self.run_next_auto().await?;
        Ok(self.write_next(TURN).await? || has_run)
    }

    /// The next pages of whose turn it is; false if nothing is due.
    pub async fn write_next(&self, pages: u32) -> Result<bool, CrmError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let Some((business, id)) = campaign::due(&mut tx, now).await? else { return Ok(false) };
        tx.commit().await?;
        if let Err(error) = self.write_pages(business, id, pages).await {
            tracing::error!(%business, campaign = %id, %error, "a campaign's recipients cannot be written down; tried again");
            let now = self.clock.now();
            let mut tx = TenantTx::begin(&self.db, business).await?;
            campaign::put_off(&mut tx, business, id, now, now + PAUSE).await?;
            tx.commit().await?;
        }
        Ok(true)
    }

    async fn write_pages(&self, business: BusinessId, id: CampaignId, pages: u32) -> Result<(), CrmError> {
        let mut ahead = None;
        for left in (0..pages).rev() {
            ahead = self.write_page(business, id, ahead, left > 0).await?;
            if ahead.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Answers with the next page where it is wanted, and there is one.
    async fn write_page(
        &self,
        business: BusinessId,
        id: CampaignId,
        ahead: Option<Page>,
        is_next_wanted: bool,
    ) -> Result<Option<Page>, CrmError> {
        let now = self.clock.now();
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let Some(mut found) = campaign::lock(&mut tx, business, id).await? else { return Ok(None) };
        // Somebody else may have been faster, or have stopped it.
        if found.course.due_at.is_none_or(|due| due > now) {
            return Ok(None);
        }
        if found.course.status == CampaignStatus::Scheduled {
            self.begin(&mut tx, business, &mut found).await?;
        }
        let mut next = None;
        if let (CampaignStatus::Sending, Some(started_at)) = (found.course.status, found.course.started_at) {
            let behind = found.course.position;
            let page = match ahead {
                Some(page) if page.behind == behind => page,
                _ => self.read_page(&mut tx, business, &found, started_at, behind).await?,
            };
            let end = page.members.last().map(|last| last.customer_id).or(behind);
            let (is_last, on_it) = (page.is_last(), page.members.len());
            let reading = async {
                if is_last || !is_next_wanted {
                    return Ok(None);
                }
                let mut tx = TenantTx::begin(&self.db, business).await?;
                self.read_page(&mut tx, business, &found, started_at, end).await.map(Some)
            };
            let writing = self.write_members(&mut tx, business, &found, page);
            let (written, read) = tokio::join!(writing, reading);
            written?;
            // What is written stays, whatever comes of looking ahead: the next turn reads for itself.
            next = read.unwrap_or_else(|error: CrmError| {
                tracing::warn!(%business, campaign = %id, %error, "the next page of a campaign could not be read ahead");
                None
            });
            let course = &mut found.course;
            course.recipient_count += i64::try_from(on_it).unwrap_or(PAGE);
            course.position = end;
            course.written_at = is_last.then_some(now);
            course.due_at = (!is_last).then_some(now);
        }
        campaign::write_course(&mut tx, business, now, id, &found.course).await?;
        tx.commit().await?;
        metrics::counter!("dangol_campaign_pages_total").increment(1);
        Ok(next)
    }

    async fn read_page(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        found: &Campaign,
        started_at: DateTime<Utc>,
        behind: Option<i64>,
    ) -> Result<Page, CrmError> {
        let at = Moment { now: started_at, today: korean_day(started_at) };
        let condition = found.terms.condition(at)?;
        let members = customer::members(tx, business, &condition, at, behind, PAGE).await?;
        let ids: Vec<i64> = members.iter().map(|member| member.customer_id).collect();
        let wording = &found.terms.wording;
        // A code is lost on whoever had enough this week; others may have room again by the time that it goes out.
        let when = if wording.coupon.is_some() { When::Now } else { When::Later };
        let excluded = self.messaging.foresee(tx, business, wording.channel, &ids, when).await?;
        Ok(Page { behind, members, excluded })
    }

    /// It is time. From here on it is known who is in the segment.
    async fn begin(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        found: &mut Campaign,
    ) -> Result<(), CrmError> {
        let at = self.moment();
        let failure = if features::has(tx, business, Feature::Crm).await? {
            found.terms.condition(at).is_err().then_some(CampaignFailure::SegmentUnreadable)
        } else {
            Some(CampaignFailure::PlanLacksCrm)
        };
        let course = &mut found.course;
        if failure.is_some() {
            course.status = course.status.after(CampaignMove::Fail)?;
            (course.failure, course.due_at, course.ended_at) = (failure, None, Some(at.now));
            tracing::warn!(%business, campaign = %found.id, ?failure, "a campaign cannot begin");
        } else {
            course.status = course.status.after(CampaignMove::Begin)?;
            (course.started_at, course.recipient_count) = (Some(at.now), 0);
        }
        Ok(())
    }

    async fn write_members(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        found: &Campaign,
        Page { members, excluded, .. }: Page,
    ) -> Result<(), CrmError> {
        let terms = &found.terms;
        let heard = self.heard(tx, business, found, &members).await?;
        let known = Known { excluded, heard };
        let Sorted { left_out, mut coupons } = self.sort_out(tx, business, terms, &members, &known).await?;
        let business_name = campaign::business_name(tx, business).await?.ok_or(CrmError::NoSuchBusiness)?;
        let (has_link, is_mail) = (terms.wording.link.is_some(), terms.wording.channel == Channel::Email);

        let mut recipients = Vec::with_capacity(members.len());
        let mut messages = Vec::with_capacity(members.len());
        for member in &members {
            let customer_id = member.customer_id;
            let without = |exclusion| NewRecipient {
                customer_id,
                message: None,
                exclusion: Some(exclusion),
                link_code: None,
            };
            if let Some(reason) = left_out.get(&customer_id) {
                recipients.push(without(reason));
                continue;
            }
            let link_code = (has_link || is_mail).then(code::unguessable);
            let code = link_code.as_deref();
            let values = Values {
                customer_name: member.name.clone(),
                business_name: business_name.clone(),
                last_visit: member.last_visit_on,
                coupon: coupons.remove(&customer_id),
                link: code.filter(|_| has_link).map(|code| self.short_link(code)),
                picture: code.filter(|_| is_mail).map(|code| self.picture(code)),
            };
            let Ok(content) = terms.wording.words().said_to(&values, Purpose::Advertising) else {
                recipients.push(without(NO_VALUE));
                continue;
            };
            messages.push(NewMessage {
                business,
                dedup_key: format!("{}:{customer_id}", found.id.batch()),
                batch: Some(found.id.batch()),
                spoken_by: Speaker::Business,
                purpose: Purpose::Advertising,
                channel: terms.wording.channel,
                recipient: Recipient::Customer(customer_id),
                content,
                not_before: None,
                not_after: None,
            });
            recipients.push(NewRecipient { customer_id, message: None, exclusion: None, link_code });
        }
        let enqueued = self.messaging.enqueue(tx, &messages).await?;
        let written = recipients.iter_mut().filter(|recipient| recipient.exclusion.is_none());
        for (recipient, Enqueued { message, .. }) in written.zip(enqueued) {
            recipient.message = Some(message);
        }
        recipient::insert(tx, business, found.id, &recipients).await?;
        Ok(())
    }

    /// Who heard it from this auto campaign in this cycle.
    async fn heard(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        found: &Campaign,
        members: &[SealedMember],
    ) -> Result<HashSet<i64>, CrmError> {
        let Some(id) = found.terms.audience.auto() else { return Ok(HashSet::new()) };
        let Some(auto) = auto_campaign::list(tx, business, Some(id)).await?.pop() else {
            return Ok(HashSet::new());
        };
        let began = found.course.started_at.unwrap_or_else(|| self.clock.now());
        let since = |member: &SealedMember| {
            (member.customer_id, auto.terms.occasion.cycle_began(member.last_visit_on, began))
        };
        let since: Vec<_> = members.iter().map(since).collect();
        Ok(auto_campaign::heard_since(tx, business, id, found.id, &since).await?)
    }

    /// Those of which nothing is on its way any more are over.
    async fn finish_over(&self) -> Result<(), CrmError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let over = campaign::over(&mut tx).await?;
        tx.commit().await?;
        for (business, id) in over {
            self.finish(business, id).await?;
        }
        Ok(())
    }

    async fn finish(&self, business: BusinessId, id: CampaignId) -> Result<(), CrmError> {
        let now = self.clock.now();
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let Some(Campaign { terms, mut course, .. }) = campaign::lock(&mut tx, business, id).await? else {
            return Ok(());
        };
        // Somebody may have stopped it, or another worker have finished it.
        let Ok(status) = course.status.after(CampaignMove::Complete) else { return Ok(()) };
        course.status = status;
        course.ended_at = Some(now);
        campaign::write_course(&mut tx, business, now, id, &course).await?;
        let completed = CampaignCompleted {
            campaign_id: id,
            name: terms.name,
            channel: terms.wording.channel,
            recipients: course.recipient_count,
        };
        platform::events::publish(&mut tx, business, now, &CrmEvent::CampaignCompleted(completed)).await?;
        tx.commit().await?;
        metrics::counter!("dangol_campaigns_completed_total").increment(1);
        Ok(())
    }
}
