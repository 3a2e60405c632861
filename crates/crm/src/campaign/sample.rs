//! Seeing a campaign before anybody gets it.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use kernel::BusinessId;
use messaging::{
    Channel, Content, NewMessage, Preview, Purpose, Recipient, Speaker, Verdict, When, template::VARIABLES,
};
use platform::{
    TenantTx,
    features::{self, Feature},
};
use secrecy::SecretString;

use super::{
    CampaignId, Request, Terms,
    draft::CampaignText,
    sort::{Known, has_values},
    words::{CouponValues, Values, Words},
};
use crate::{
    Crm, CrmError,
    store::{
        campaign,
        coupon::{self, Coupon},
        customer::{self, SealedMember},
    },
};

/// Of so many in a segment it is found out beforehand who would not get it.
const EXAMINED: i64 = 2_000;

/// A sample goes to anybody who is named, so there are not many.
const SAMPLES_A_DAY: i64 = 20;

/// What a campaign would come to, if it went out now.
pub(crate) struct CampaignPreview {
    pub recipient_count: i64,
    /// Of how many it was found out who would not get it: all, unless there are very many.
    pub examined: usize,
    pub excluded: BTreeMap<&'static str, i64>,
    /// Whose values the message shows.
    pub customer: Option<(i64, String)>,
    pub message: Preview,
}

impl Crm {
    /// In a transaction that is not to be committed: who would get a code is found out by giving it to them.
    pub(crate) async fn preview_campaign(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        wanted: CampaignText,
    ) -> Result<CampaignPreview, CrmError> {
        features::require(tx, business, Feature::Crm).await?;
        let terms = self.read_terms(tx, business, wanted, None).await?;
        self.check_channel(tx, business, terms.wording.channel).await?;
        let recipient_count = self.count(tx, business, &terms).await?;
        let at = self.moment();
        let members = if recipient_count == 0 {
            Vec::new()
        } else {
            let condition = terms.condition(at)?;
            customer::members(tx, business, &condition, at, None, EXAMINED.min(recipient_count)).await?
        };
        let ids: Vec<i64> = members.iter().map(|member| member.customer_id).collect();
        let excluded = self.messaging.foresee(tx, business, terms.wording.channel, &ids, When::Now).await?;
        let known = Known { excluded, ..Known::default() };
        let left_out = self.sort_out(tx, business, &terms, &members, &known).await?.left_out;
        let mut excluded = BTreeMap::new();
        for reason in left_out.values() {
            *excluded.entry(*reason).or_default() += 1;
        }
        let reader = reader(&members, &left_out, terms.wording.words());
        let values = self.example_values(tx, business, &terms, reader).await?;
        let content =
            terms.wording.words().said_to(&values, Purpose::Advertising).map_err(|_| CrmError::NotFound)?;
        let message = self
            .messaging
            .preview(tx, business, terms.wording.channel, Purpose::Advertising, content)
            .await?;
        Ok(CampaignPreview {
            recipient_count,
            examined: members.len(),
            excluded,
            customer: reader.map(|reader| (reader.customer_id, reader.name.clone())),
            message,
        })
    }

    /// The values of somebody, and a code that looks like one.
    async fn example_values(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        terms: &Terms,
        reader: Option<&SealedMember>,
    ) -> Result<Values, CrmError> {
        let shown: HashMap<_, _> = VARIABLES.into_iter().collect();
        let coupon = match terms.wording.coupon {
            Some(id) => coupon::list(tx, business, Some(id), None, 1).await?.pop(),
            None => None,
        };
        let business_name = campaign::business_name(tx, business).await?.ok_or(CrmError::NoSuchBusiness)?;
        Ok(Values {
            customer_name: reader
                .map_or_else(|| shown["customerName"].to_owned(), |reader| reader.name.clone()),
            business_name,
            last_visit: reader.and_then(|reader| reader.last_visit_on).or_else(|| Some(self.clock.today())),
            coupon: coupon.map(|Coupon { name, valid_until, .. }| CouponValues {
                name,
                code: "K7QM-3XWD-9TFH".to_owned(),
                valid_until,
            }),
            link: terms.wording.link.is_some().then(|| self.short_link("000000000000")),
            picture: None,
        })
    }

    /// Sends it to whoever writes it, with all that the law wants of an advertisement. It counts nowhere.
    pub(crate) async fn send_sample(
        &self,
        tx: &mut TenantTx,
        request: &Request,
        id: CampaignId,
        to: SecretString,
    ) -> Result<(), CrmError> {
        let business = request.business;
        let found = campaign::one(tx, business, id).await?.ok_or(CrmError::NotFound)?;
        features::require(tx, business, Feature::Crm).await?;
        let terms = &found.terms;
        self.check_channel(tx, business, terms.wording.channel).await?;
        let now = self.clock.now();
        if campaign::samples_since(tx, business, now - TimeDelta::days(1)).await? >= SAMPLES_A_DAY {
            return Err(CrmError::TooManySamples);
        }
        match self.messaging.foresee_sample(tx, business, terms.wording.channel, &to).await? {
            Some(Verdict::Exclude(exclusion)) => return Err(CrmError::SampleRefused(exclusion)),
            Some(Verdict::Wait(_)) => return Err(CrmError::SampleAtNight),
            Some(Verdict::Send) | None => {}
        }
        let mut values = self.example_values(tx, business, terms, None).await?;
        values.link = terms.wording.link.is_some().then(|| self.short_link(&found.sample_code));
        let content =
            terms.wording.words().said_to(&values, Purpose::Sample).map_err(|_| CrmError::NotFound)?;
        let sample = NewMessage {
            business,
            // A key is forgotten some day; by then it is another sample.
            dedup_key: format!("sample:{id}:{}:{}", self.clock.today(), request.once()),
            batch: Some(SAMPLES.to_owned()),
            spoken_by: Speaker::Business,
            purpose: Purpose::Sample,
            channel: terms.wording.channel,
            recipient: Recipient::Contact(to),
            content,
            not_before: None,
            not_after: Some(now + TimeDelta::hours(1)),
        };
        let enqueued = self.messaging.enqueue(tx, &[sample]).await?;
        if let Some(messaging::Enqueued { fate: messaging::Enqueueing::Failed(class), .. }) = enqueued.first()
        {
            return Err(CrmError::NoSuchContact(*class));
        }
        self.remember(tx, request, "campaign.sampled", id, &found.course).await
    }

    /// Whether anything could be sent at all: nobody is to find out an hour after it was to go out.
    pub(crate) async fn check_channel(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        channel: Channel,
    ) -> Result<(), CrmError> {
        if !self.messaging.offers(channel) {
            return Err(messaging::MessagingError::ChannelNotOffered.into());
        }
        let subject = (channel == Channel::Email).then(|| "-".to_owned());
        let content = Content::written(channel, Purpose::Advertising, subject, "-".to_owned());
        let preview = self.messaging.preview(tx, business, channel, Purpose::Advertising, content).await?;
        match preview.reason {
            Some("SENDER_NOT_READY") => Err(CrmError::SenderNotReady),
            _ => Ok(()),
        }
    }
}

/// What samples belong to.
const SAMPLES: &str = "samples";

/// Somebody who would get it, and of whom everything is known that it says.
fn reader<'a>(
    members: &'a [SealedMember],
    left_out: &HashMap<i64, &str>,
    words: Words<'_>,
) -> Option<&'a SealedMember> {
    let knows = |member: &&SealedMember| has_values(words, member);
    let gets = |member: &&SealedMember| !left_out.contains_key(&member.customer_id);
    let candidates = || members.iter().filter(knows);
    candidates().find(gets).or_else(|| candidates().next())
}
