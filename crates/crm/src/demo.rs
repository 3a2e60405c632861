//! What the demo has of this context.

use kernel::{BusinessId, Krw};
use messaging::Channel;
use platform::TenantTx;

use crate::{
    Crm, CrmError,
    campaign::{Audience, Course, TemplateType, Terms, wording::Wording},
    coupon::{self as coupons, Discount, NewCoupon, code::Code},
    segment::Segment,
    store::{
        campaign::{self, CampaignFilter, NewCampaign, WrittenBy},
        coupon::{self, Changeable},
        segment,
    },
};

/// The code that the API's examples name.
const CODE: &str = "K7QM-3XWD-9TFH";

/// Nobody stayed away from the demo's salon for three months; in this segment there is somebody.
const SEGMENT: &str = "VIP 고객";

impl Crm {
    /// The ready-made segments, a coupon of which a customer has the code that the API's examples name, and a campaign that
    /// somebody is still writing; unless the shop has its own already.
    pub async fn load_demo(&self, business: BusinessId, customer: i64) -> Result<(), CrmError> {
        self.stock(business).await?;
        let mut tx = TenantTx::begin(&self.db, business).await?;
        if coupon::list(&mut tx, business, None, None, 1).await?.is_empty() {
            self.demo_coupon(&mut tx, business, customer).await?;
        }
        let every =
            CampaignFilter { only: None, written_by: WrittenBy::Any, status: None, before: None, limit: 1 };
        if campaign::list(&mut tx, business, every).await?.is_empty() {
            self.demo_campaign(&mut tx, business).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn demo_coupon(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        customer: i64,
    ) -> Result<(), CrmError> {
        let (now, today) = (self.clock.now(), self.clock.today());
        let terms = coupons::Terms {
            discount: Discount::Percent(10, Some(Krw::won(10_000))),
            minimum_spend: Krw::won(30_000),
            valid_from: today,
            valid_until: today.checked_add_days(chrono::Days::new(365)).unwrap_or(today),
        };
        let new = NewCoupon { name: "재방문 10% 할인".to_owned(), terms, total_limit: Some(500) };
        let id = coupon::insert(tx, business, now, &new).await?;
        let code = Code::parse(CODE).map(|code| (code, customer));
        coupon::insert_codes(tx, business, now, id, code.as_slice()).await?;
        if let Some(found) = coupon::lock(tx, business, id).await? {
            coupon::update(tx, business, now, id, &Changeable { issued: 1, ..found }).await?;
        }
        Ok(())
    }

    async fn demo_campaign(&self, tx: &mut TenantTx, business: BusinessId) -> Result<(), CrmError> {
        let segments = segment::list(tx, business, None, None, 100).await?;
        let found = segments.into_iter().find(|segment| segment.name == SEGMENT);
        let Some(Segment { id, name, conditions, version, .. }) = found else { return Ok(()) };
        let terms = Terms {
            name: "봄맞이 재방문".to_owned(),
            audience: Audience::Segment { id, name },
            conditions,
            version,
            template_type: TemplateType::Revisit,
            wording: Wording {
                channel: Channel::Sms,
                subject: None,
                message: "{{customerName}}님, 다시 뵙고 싶어요. {{link}}".to_owned(),
                coupon: None,
                link: Some("https://misohair.example/spring".to_owned()),
            },
            scheduled_at: None,
        };
        let course = Course::draft(self.count(tx, business, &terms).await?);
        let sample_code = messaging::code::unguessable();
        let new = NewCampaign { terms: &terms, course: &course, sample_code: &sample_code, key: None };
        campaign::insert(tx, business, self.clock.now(), &new).await?;
        Ok(())
    }
}
