//! Asking again before two years are over (정보통신망법 50 ⑧, Decree 62-3).
//!
//! The notice says who, that and when the person agreed, and how to keep or take back the consent. Whoever does not refuse
//! has confirmed, once the notice has reached them; whoever cannot be reached gets no advertising from the day on.

use chrono::{DateTime, Days, Months, TimeDelta, Utc};
use platform::SystemTx;

use super::{
    Act, ConsentPurpose, Method,
    notice::{date, notice},
};
use crate::{
    Messaging, MessagingError,
    law::good_until,
    store::{
        self,
        consent::{NewConsent, Written},
    },
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
        let mut notices = Vec::new();
        for line in &due {
            let known = store::customer::reachable(&mut tx, line.business, &[line.customer]).await?;
            let contact = match known.get(&line.customer) {
                Some(person) => person.contact(&self.vault, line.channel)?,
                None => None,
            };
            // One that is written down as failed is not asked about again and again.
            let to = contact.unwrap_or_default();
            let profiles = store::sender::profiles(&mut tx, &[line.business.0]).await?;
            let shop = profiles.get(&line.business).map_or("", |profile| profile.name.as_str());
            let refusal_number = profiles
                .get(&line.business)
                .and_then(|profile| profile.refusal_number.clone())
                .or_else(|| self.settings.sender.refusal_number.clone());
            let text = question(shop, line, refusal_number.as_deref());
            let subject = format!("[{shop}] 광고성 정보 수신 동의 확인");
            let key = format!("reconfirm:{}", line.id);
            notices.push(notice(line.business, line.customer, line.channel, to, key, &subject, &text));
        }
        self.enqueue(&mut tx, &notices).await?;
        tx.commit().await?;
        Ok(i64::try_from(due.len()).unwrap_or(0) == BATCH)
    }

    async fn note_who_kept(&self) -> Result<bool, MessagingError> {
        let now = self.clock.now();
        let (before, _) = renewal_window(now);
        let mut tx = SystemTx::begin(&self.db).await?;
        store::consent::one_at_a_time(&mut tx).await?;
        let reached = store::consent::asked_and_reached(&mut tx, before, BATCH).await?;
        let lines: Vec<NewConsent> = reached
            .iter()
            // A notice that came too late confirms nothing: the consent was over.
            .filter(|(line, sent_at)| *sent_at < good_until(line.acted_at))
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

fn question(shop: &str, line: &Written, refusal_number: Option<&str>) -> String {
    let what = match line.purpose {
        ConsentPurpose::Marketing => "광고성 정보",
        ConsentPurpose::MarketingNight => "야간(21시~8시) 광고성 정보",
    };
    let way_out = refusal_number.map(|number| format!(" 또는 {number}(무료)")).unwrap_or_default();
    format!(
        "[{shop}] 고객님은 {}에 {what} 수신에 동의하셨습니다. 유지하시려면 별도 조치가 필요 없으며, 철회하시려면 매장{way_out}으로 알려 주세요.",
        date(line.acted_at)
    )
}
