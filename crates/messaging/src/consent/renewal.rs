//! Asking again before two years are over (정보통신망법 50 ⑧, Decree 62-3).
//!
//! The notice says who, that and when the person agreed, and how to keep or take back the consent. Whoever does not refuse
//! has confirmed, once the notice has reached them; whoever cannot be reached gets no advertising from the day on.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, Months, TimeDelta, Utc};
use kernel::BusinessId;
use platform::SystemTx;

use super::{
    Act, ConsentId, Method,
    notice::{Together, date, notice, together},
};
use crate::{
    MessageId, Messaging, MessagingError,
    store::{self, consent::NewConsent},
};

/// So long before the two years are over people are asked.
const AHEAD: Days = Days::new(30);
const BATCH: i64 = 500;

impl Messaging {
    /// Asks whose two years are nearly over, and writes down who kept their consent.
    pub(crate) async fn renew_consents(&self) -> Result<(), MessagingError> {
        while self.ask_again().await? {}
        while self.note_who_kept().await? {}
        Ok(())
    }

    async fn ask_again(&self) -> Result<bool, MessagingError> {
        let now = self.clock.now();
        let (before, after) = renewal_window(now);
        let mut tx = SystemTx::begin(&self.db).await?;
        store::consent::one_at_a_time(&mut tx).await?;
        let due = store::consent::nearly_over(&mut tx, before, after, BATCH).await?;
        if due.is_empty() {
            return Ok(false);
        }
        let groups = together(&mut tx, &due).await?;
        let businesses: BTreeSet<i64> = groups.iter().map(|group| group.business.0).collect();
        let businesses: Vec<i64> = businesses.into_iter().collect();
        let profiles = store::sender::profiles(&mut tx, &businesses).await?;
        let mut notices = Vec::with_capacity(groups.len());
        for group in &groups {
            let profile = profiles.get(&group.business);
            let shop = profile.map_or("", |profile| profile.name.as_str());
            let refusal_number = profile
                .and_then(|profile| profile.refusal_number.clone())
                .or_else(|| self.settings.sender.refusal_number.clone());
            let text = question(shop, group, refusal_number.as_deref());
            let subject = format!("[{shop}] 광고성 정보 수신 동의 확인");
            let first = group.lines.first().map_or(ConsentId(0), |line| line.id);
            notices.push(notice(group, format!("reconfirm:{first}"), &subject, &text));
        }
        // Also one that cannot be sent is written down, so that nobody is asked about again and again.
        let enqueued = self.enqueue(&mut tx, &notices).await?;
        let asked: Vec<(BusinessId, ConsentId, MessageId)> = groups
            .iter()
            .zip(enqueued)
            .flat_map(|(group, enqueued)| {
                group.lines.iter().map(move |line| (group.business, line.id, enqueued.message))
            })
            .collect();
        store::consent::note_asked(&mut tx, &asked).await?;
        tx.commit().await?;
        Ok(asked.len() == usize::try_from(BATCH).unwrap_or(usize::MAX))
    }

    async fn note_who_kept(&self) -> Result<bool, MessagingError> {
        let now = self.clock.now();
        let (before, _) = renewal_window(now);
        let mut tx = SystemTx::begin(&self.db).await?;
        store::consent::one_at_a_time(&mut tx).await?;
        let reached = store::consent::asked_and_reached(&mut tx, before, BATCH).await?;
        let lines: Vec<NewConsent> = reached
            .iter()
            .map(|(line, sent_at)| NewConsent {
                business: line.business,
                customer: line.customer,
                channel: line.channel,
                purpose: line.purpose,
                act: Act::Reconfirmed,
                acted_at: *sent_at,
                method: Method::Notice,
                wording: None,
                evidence: Some(format!("reconfirm:{}", line.id)),
                recorded_by: None,
            })
            .collect();
        let noted = store::consent::insert_all(&mut tx, &lines, now).await?;
        tx.commit().await?;
        Ok(i64::try_from(noted.len()).unwrap_or(0) == BATCH)
    }
}

/// Those who agreed in this time are to be asked now: not earlier, and not once it is over.
pub(crate) fn renewal_window(now: DateTime<Utc>) -> (DateTime<Utc>, DateTime<Utc>) {
    let two_years = Months::new(24);
    let nearly =
        now.checked_add_days(AHEAD).and_then(|then| then.checked_sub_months(two_years)).unwrap_or(now);
    let over = now.checked_sub_months(two_years).unwrap_or(now);
    (nearly, over)
}

/// When somebody who agreed then is asked.
pub(crate) fn ask_again_at(acted_at: DateTime<Utc>) -> DateTime<Utc> {
    let over = acted_at.checked_add_months(Months::new(24)).unwrap_or(acted_at);
    // A moment later: from then on the window is open.
    over.checked_sub_days(AHEAD).unwrap_or(over) + TimeDelta::seconds(1)
}

fn question(shop: &str, group: &Together, refusal_number: Option<&str>) -> String {
    let way_out = refusal_number.map(|number| format!(" 또는 {number}(무료)")).unwrap_or_default();
    format!(
        "[{shop}] 고객님은 {}에 {} 수신에 동의하셨습니다. 유지하시려면 별도 조치가 필요 없으며, 철회하시려면 매장{way_out}으로 알려 주세요.",
        date(group.acted_at),
        group.what(),
    )
}
