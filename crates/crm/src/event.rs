//! What this context tells the rest of the platform.

use kernel::Krw;
use messaging::Channel;
use platform::events::Event;
use serde::Serialize;

use crate::{campaign::CampaignId, coupon::CouponId};

/// An event of this context. The members of each variant are its published `data`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum CrmEvent {
    CouponRedeemed(Used),
    /// It was given back, and can be used again.
    CouponRestored(Used),
    /// Everybody was sent it, or left out.
    CampaignCompleted(CampaignCompleted),
}

/// A campaign that is over.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CampaignCompleted {
    pub campaign_id: CampaignId,
    pub name: String,
    pub channel: Channel,
    /// How many were in its segment.
    pub recipients: i64,
}

/// A use of a code. The code itself is worth money, and is not told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Used {
    pub coupon_id: CouponId,
    pub customer_id: i64,
    pub reference: String,
    pub amount: Krw,
    pub discount: Krw,
}

impl Event for CrmEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::CouponRedeemed(_) => "coupon.redeemed",
            Self::CouponRestored(_) => "coupon.restored",
            Self::CampaignCompleted(_) => "campaign.completed",
        }
    }
}
