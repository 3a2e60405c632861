//! What a campaign brought in.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::BusinessId;
use messaging::{Channel, MessageStatus};
use platform::TenantTx;

use super::{Campaign, CampaignId, auto::AutoCampaign};
use crate::{
    Crm, CrmError,
    store::{
        auto_campaign, campaign,
        recipient::{self, Count},
    },
};

/// So far back an auto campaign's figures reach.
const YEAR: TimeDelta = TimeDelta::days(365);

/// How a campaign's recipients stand. Each is in one of `waiting`, `total_sent` and `excluded`, and of those to whom it was sent
/// in one of `delivered`, `failed` and `pending`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Stats {
    /// To be sent, or being sent right now.
    pub waiting: i64,
    /// Handed to a carrier, whatever came of it.
    pub total_sent: i64,
    /// It arrived. A mail has arrived when its server took it: nobody tells more of one.
    pub delivered: i64,
    pub failed: i64,
    /// Nothing was heard since, or nobody knows.
    pub pending: i64,
    /// Recipients who followed the link.
    pub clicked: i64,
    /// Of mails: recipients whose picture was loaded, or who followed the link.
    pub opened: i64,
    pub converted: i64,
    /// By reason; also those to whom it certainly could not be sent.
    pub excluded: BTreeMap<String, i64>,
    /// When the first of it went out.
    pub sent_at: Option<DateTime<Utc>>,
}

/// What the runs of an auto campaign came to.
pub(crate) struct Runs {
    pub count: usize,
    /// Whether anybody could follow a link.
    pub has_link: bool,
    /// Whether all of them were mails, of which it is known who opened them.
    pub are_mails: bool,
    pub stats: Stats,
}

/// Percentages, in tenths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rates {
    pub delivery: i64,
    pub conversion: i64,
    pub click: i64,
    pub open: i64,
}

impl Stats {
    fn of(channel: Channel, counts: Vec<Count>) -> Self {
        let mut stats = Self::default();
        for count in counts {
            let recipients = count.recipients;
            stats.clicked += count.clicked;
            stats.opened += count.opened;
            stats.sent_at = [stats.sent_at, count.first_sent_at].into_iter().flatten().min();
            match count.status {
                Some(MessageStatus::Queued) => stats.waiting += recipients,
                Some(MessageStatus::Sending) if !count.was_asked => stats.waiting += recipients,
                None | Some(MessageStatus::Excluded) => stats.exclude(count),
                Some(MessageStatus::Failed) if !count.was_asked => stats.exclude(count),
                Some(status) => {
                    stats.total_sent += recipients;
                    match status {
                        MessageStatus::Delivered => stats.delivered += recipients,
                        MessageStatus::Sent if channel == Channel::Email => stats.delivered += recipients,
                        MessageStatus::Failed => stats.failed += recipients,
                        _ => stats.pending += recipients,
                    }
                }
            }
        }
        stats
    }

    fn and(mut self, other: Self) -> Self {
        self.waiting += other.waiting;
        self.total_sent += other.total_sent;
        self.delivered += other.delivered;
        self.failed += other.failed;
        self.pending += other.pending;
        self.clicked += other.clicked;
        self.opened += other.opened;
        self.converted += other.converted;
        for (reason, recipients) in other.excluded {
            *self.excluded.entry(reason).or_default() += recipients;
        }
        self.sent_at = [self.sent_at, other.sent_at].into_iter().flatten().min();
        self
    }

    fn exclude(&mut self, count: Count) {
        *self.excluded.entry(count.reason.unwrap_or_default()).or_default() += count.recipients;
    }

    pub(crate) fn rates(&self) -> Rates {
        Rates {
            delivery: tenths(self.delivered, self.total_sent),
            conversion: tenths(self.converted, self.delivered),
            click: tenths(self.clicked, self.delivered),
            open: tenths(self.opened, self.delivered),
        }
    }
}

/// Tenths of a percent, rounded half up; of nothing none.
fn tenths(part: i64, whole: i64) -> i64 {
    if whole == 0 { 0 } else { (part * 2_000 + whole) / (2 * whole) }
}

impl Crm {
    pub(crate) async fn campaign_standing(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        id: CampaignId,
    ) -> Result<(Campaign, Stats), CrmError> {
        let found = campaign::one(tx, business, id).await?.ok_or(CrmError::NotFound)?;
        let stats = self.stats(tx, business, found.terms.wording.channel, &[id]).await?;
        Ok((found, stats))
    }

    /// Every auto campaign of a business, with what its runs of a year brought in together.
    pub(crate) async fn auto_standings(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
    ) -> Result<Vec<(AutoCampaign, Runs)>, CrmError> {
        let since = self.clock.now() - YEAR;
        let mut standings = Vec::new();
        for auto in auto_campaign::list(tx, business, None).await? {
            let mut stats = Stats::default();
            let runs = auto_campaign::runs_since(tx, business, auto.id, since).await?;
            // What counts as delivered is the channel's, and that may have been another one.
            for channel in Channel::ALL {
                let ids: Vec<_> =
                    runs.iter().filter(|run| run.channel == channel).map(|run| run.id).collect();
                stats = stats.and(self.stats(tx, business, channel, &ids).await?);
            }
            let has_link = runs.iter().any(|run| run.has_link);
            let are_mails = !runs.is_empty() && runs.iter().all(|run| run.channel == Channel::Email);
            standings.push((auto, Runs { count: runs.len(), has_link, are_mails, stats }));
        }
        Ok(standings)
    }

    /// Of campaigns of one channel, together.
    async fn stats(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        channel: Channel,
        ids: &[CampaignId],
    ) -> Result<Stats, CrmError> {
        let ids: Vec<_> = ids.iter().map(|id| id.0).collect();
        if ids.is_empty() {
            return Ok(Stats::default());
        }
        let mut stats = Stats::of(channel, recipient::count(tx, business, &ids).await?);
        if stats.total_sent > 0 {
            stats.converted = recipient::converted(tx, business, &ids, self.settings.attribution).await?;
        }
        Ok(stats)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(status: Option<MessageStatus>, was_asked: bool, recipients: i64) -> Count {
        Count {
            status,
            reason: Some("REASON".to_owned()),
            was_asked,
            recipients,
            clicked: 0,
            opened: 0,
            first_sent_at: None,
        }
    }

    #[test]
    fn rates_have_one_decimal() {
        let stats = Stats {
            total_sent: 45,
            delivered: 43,
            clicked: 20,
            opened: 35,
            converted: 5,
            ..Stats::default()
        };
        assert_eq!(stats.rates(), Rates { delivery: 956, conversion: 116, click: 465, open: 814 });
        assert_eq!(Stats::default().rates(), Rates { delivery: 0, conversion: 0, click: 0, open: 0 });
        assert_eq!((tenths(1, 3), tenths(2, 3), tenths(1, 2_000), tenths(7, 7)), (333, 667, 1, 1_000));
    }

    #[test]
    fn everybody_is_counted_once() {
        use MessageStatus::{Delivered, Excluded, Failed, Queued, Sending, Sent, Unknown};
        let counts = || {
            vec![
                count(None, false, 1),
                count(Some(Queued), false, 2),
                count(Some(Sending), false, 4),
                count(Some(Sending), true, 8),
                count(Some(Sent), true, 16),
                count(Some(Delivered), true, 32),
                count(Some(Failed), true, 64),
                count(Some(Failed), false, 128),
                count(Some(Excluded), false, 256),
                count(Some(Unknown), true, 512),
            ]
        };
        let stats = Stats::of(Channel::Sms, counts());
        assert_eq!(stats.waiting + stats.total_sent + stats.excluded.values().sum::<i64>(), 1_023);
        assert_eq!(stats.delivered + stats.failed + stats.pending, stats.total_sent);
        assert_eq!((stats.delivered, stats.failed, stats.pending), (32, 64, 8 + 16 + 512));
        assert_eq!(stats.excluded["REASON"], 1 + 128 + 256);
        // Nobody tells more of a mail than that it was taken.
        assert_eq!(Stats::of(Channel::Email, counts()).delivered, 32 + 16);
    }
}
