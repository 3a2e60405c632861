//! A document at Popbill and its way to the tax service, which only time and the control surface decide.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta, Utc, Weekday};
use kernel::{Krw, at_korean_time, korean_day};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Between 15:00 and the transmission, and between that and the tax service's answer. Our choice; the
/// reference says "within about 30 minutes".
const QUEUE: TimeDelta = TimeDelta::minutes(10);
const TAX_SERVICE: TimeDelta = TimeDelta::minutes(20);
/// What the tax service says of a document that it takes.
pub(super) const ACCEPTED: &str = "SUC001";

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Invoice {
    /// The seller.
    pub(super) corp_num: String,
    pub(super) mgt_key: String,
    /// Popbill's own id, 18 digits.
    pub(super) item_key: String,
    /// Set from the beginning, shown from the issue on.
    pub(super) confirmation_number: String,
    pub(super) write_date: NaiveDate,
    pub(super) supply: Krw,
    pub(super) tax: Krw,
    pub(super) modify_code: Option<u8>,
    /// The body as it came, for `Detail`.
    pub(super) form: Value,
    pub(super) saved_at: DateTime<Utc>,
    pub(super) issued_at: Option<DateTime<Utc>>,
    pub(super) withdrawn_at: Option<DateTime<Utc>>,
    /// When it joins the queue to the tax service.
    pub(super) filing_at: Option<DateTime<Utc>>,
    /// What the tax service will say of it, or has said.
    pub(super) verdict: String,
}

impl Invoice {
    pub(super) fn issue(&mut self, now: DateTime<Utc>) {
        self.issued_at = Some(now);
        self.filing_at = Some(next_filing(now));
    }

    /// Skips the waiting: in the tax service's hands and answered by now.
    pub(super) fn file_and_answer(&mut self, now: DateTime<Utc>) {
        self.filing_at = Some(now - QUEUE - TAX_SERVICE);
    }

    pub(super) fn sent_at(&self) -> Option<DateTime<Utc>> {
        self.filing_at.map(|at| at + QUEUE)
    }

    pub(super) fn answered_at(&self) -> Option<DateTime<Utc>> {
        self.sent_at().map(|at| at + TAX_SERVICE)
    }

    /// 100 saved, 300 issued today, 301 waits for its day's filing, 302 in the queue, 303 sent, 304 taken,
    /// 305 refused, 600 withdrawn.
    pub(super) fn state_code(&self, now: DateTime<Utc>) -> u16 {
        let Some(issued_at) = self.issued_at else { return 100 };
        if self.withdrawn_at.is_some() {
            return 600;
        }
        let has_come = |at: Option<DateTime<Utc>>| at.is_some_and(|at| at <= now);
        if has_come(self.answered_at()) {
            if self.verdict == ACCEPTED { 304 } else { 305 }
        } else if has_come(self.sent_at()) {
            303
        } else if has_come(self.filing_at) {
            302
        } else if korean_day(issued_at) < korean_day(now) {
            301
        } else {
            300
        }
    }
}

/// 15:00 of the next business day. Of holidays the sandbox knows weekends alone.
fn next_filing(issued_at: DateTime<Utc>) -> DateTime<Utc> {
    let mut day = korean_day(issued_at) + Days::new(1);
    while matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
        day = day + Days::new(1);
    }
    at_korean_time(day, NaiveTime::from_hms_opt(15, 0, 0).unwrap_or(NaiveTime::MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn filing_is_at_three_on_the_next_business_day() {
        for (issued, filed) in [
            ("2026-11-18T23:00:00+09:00", "2026-11-19T15:00:00+09:00"), // Wednesday
            ("2026-11-20T09:00:00+09:00", "2026-11-23T15:00:00+09:00"), // Friday
            ("2026-11-21T09:00:00+09:00", "2026-11-23T15:00:00+09:00"), // Saturday
            ("2026-11-18T16:00:00Z", "2026-11-20T15:00:00+09:00"),      // Thursday in Korea already
        ] {
            assert_eq!(next_filing(at(issued)), at(filed), "{issued}");
        }
    }
}
