//! Whether something may be said now: the rules for advertising (정보통신망법 50), as `docs/messaging.md` explains them.
//!
//! Judged right before a message goes out, on what is known at that moment; of a mail, also before its server hears whom it is for.

use chrono::{DateTime, Days, Months, NaiveDate, NaiveTime, Utc};
use chrono_tz::Asia::Seoul;
use kernel::{at_korean_time, korean_day, start_of_korean_day};

use crate::{
    Channel, Exclusion, Purpose,
    consent::{Act, LastWord},
};

/// When advertising may go out without a consent for the night. In Korean time; the end is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvertisingHours {
    from: NaiveTime,
    until: NaiveTime,
}

#[derive(Debug, thiserror::Error)]
#[error("advertising may go out from 08:00 until 21:00 at the most, and ends after it begins")]
pub struct ForbiddenHours;

impl Default for AdvertisingHours {
    /// Until ten to nine, where Kakao stops; what is on its way by then arrives before nine.
    fn default() -> Self {
        Self { from: clock_time(8, 0), until: clock_time(20, 50) }
    }
}

fn clock_time(hour: u32, minute: u32) -> NaiveTime {
    NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default()
}

impl AdvertisingHours {
    /// Narrower than the law is allowed, wider is not.
    pub fn new(from: NaiveTime, until: NaiveTime) -> Result<Self, ForbiddenHours> {
        if from >= clock_time(8, 0) && until <= clock_time(21, 0) && from < until {
            Ok(Self { from, until })
        } else {
            Err(ForbiddenHours)
        }
    }

    pub(crate) fn hold(self, channel: Channel, now: DateTime<Utc>) -> bool {
        let time = now.with_timezone(&Seoul).time();
        let until = match channel {
            // Kakao stops at ten to nine, and the text in place of what it cannot deliver has to arrive before nine as well.
            Channel::Kakao => self.until.min(clock_time(20, 40)),
            Channel::Sms | Channel::Email => self.until,
        };
        self.from <= time && time < until
    }

    /// When they begin next.
    pub(crate) fn next_begin(self, now: DateTime<Utc>) -> DateTime<Utc> {
        let today = at_korean_time(korean_day(now), self.from);
        if now < today { today } else { at_korean_time(after(korean_day(now)), self.from) }
    }
}

fn after(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

/// Until when a consent is good: the same calendar day two years later is too late.
pub(crate) fn good_until(acted_at: DateTime<Utc>) -> DateTime<Utc> {
    let day = korean_day(acted_at);
    start_of_korean_day(day.checked_add_months(Months::new(24)).unwrap_or(day))
}

/// What is known of a message's recipient at this moment.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub(crate) struct Standing {
    /// Nothing can be delivered there.
    pub(crate) is_dead: bool,
    /// The customer was erased, or is reached elsewhere by now.
    pub(crate) is_gone: bool,
    pub(crate) word: Word,
    /// About texts: what Kakao cannot deliver would go out as one.
    pub(crate) word_on_texts: Word,
    pub(crate) night_consent: Option<LastWord>,
    /// Another customer of this number or address was sent the same campaign: somebody is written down twice.
    pub(crate) had_the_same: bool,
    /// Advertisements of this business in the last seven days, to the number or address or another one of the customer's.
    pub(crate) had_lately: i64,
    /// Of a sample: it would go to a customer of the business.
    pub(crate) is_customers: bool,
}

/// What somebody said about advertising by one channel.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Word {
    /// On the list of refusals, the business's or everybody's, and did not explicitly agree to this business since.
    pub(crate) has_refused: bool,
    pub(crate) consent: Option<LastWord>,
}

impl Word {
    fn objection(self, now: DateTime<Utc>) -> Option<Exclusion> {
        match self.consent {
            _ if self.has_refused => Some(Exclusion::Refused),
            None => Some(Exclusion::NoConsent),
            Some(LastWord { act: Act::Withdrawn, .. }) => Some(Exclusion::ConsentWithdrawn),
            Some(word) if !word.holds(now) => Some(Exclusion::ConsentExpired),
            Some(_) => None,
        }
    }
}

impl Standing {
    /// Whether something may go out as a text where Kakao cannot deliver it.
    pub(crate) fn allows_texts(&self, purpose: Purpose, now: DateTime<Utc>) -> bool {
        match purpose {
            Purpose::Information => true,
            Purpose::Sample if !self.is_customers => !self.word_on_texts.has_refused,
            Purpose::Sample | Purpose::Advertising => self.word_on_texts.objection(now).is_none(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Send,
    /// Not now: until then.
    Wait(DateTime<Utc>),
    Exclude(Exclusion),
}

/// What the rules are where they are not the law's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) hours: AdvertisingHours,
    pub(crate) advertisements_a_week: i64,
}

impl Rules {
    /// Information may be said to anybody at any hour who can be reached, and was not erased.
    pub(crate) fn of_information(standing: &Standing) -> Verdict {
        match standing {
            Standing { is_dead: true, .. } => Verdict::Exclude(Exclusion::DeadContact),
            Standing { is_gone: true, .. } => Verdict::Exclude(Exclusion::ContactGone),
            _ => Verdict::Send,
        }
    }

    /// To a customer a sample is an advertisement like any other.
    pub(crate) fn of_sample(self, standing: &Standing, channel: Channel, now: DateTime<Utc>) -> Verdict {
        if standing.is_customers {
            self.of_advertising(standing, channel, now)
        } else if standing.word.has_refused {
            Verdict::Exclude(Exclusion::Refused)
        } else {
            Self::of_information(standing)
        }
    }

    pub(crate) fn of_advertising(self, standing: &Standing, channel: Channel, now: DateTime<Utc>) -> Verdict {
        if let Some(exclusion) = self.exclusion(standing, now) {
            return Verdict::Exclude(exclusion);
        }
        if self.hours.hold(channel, now) {
            return Verdict::Send;
        }
        // Kakao takes none at night, whoever agreed.
        let agreed = channel != Channel::Kakao && standing.night_consent.is_some_and(|word| word.holds(now));
        if agreed { Verdict::Send } else { Verdict::Wait(self.hours.next_begin(now)) }
    }

    /// Why it must not be said at any hour.
    pub(crate) fn exclusion(self, standing: &Standing, now: DateTime<Utc>) -> Option<Exclusion> {
        if standing.is_dead {
            return Some(Exclusion::DeadContact);
        }
        if let Some(objection) = standing.word.objection(now) {
            return Some(objection);
        }
        if standing.is_gone {
            return Some(Exclusion::ContactGone);
        }
        if standing.had_the_same {
            return Some(Exclusion::SameContact);
        }
        (standing.had_lately >= self.advertisements_a_week).then_some(Exclusion::FrequencyCap)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use kernel::KoreanTime;
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        KoreanTime::parse(text).unwrap().0
    }

    fn rules() -> Rules {
        Rules { hours: AdvertisingHours::default(), advertisements_a_week: 3 }
    }

    fn word(act: Act, acted_at: &str) -> LastWord {
        LastWord { act, acted_at: at(acted_at) }
    }

    fn agreed() -> Standing {
        let consent = Some(word(Act::Given, "2026-01-10T10:00"));
        Standing { word: Word { has_refused: false, consent }, ..Standing::default() }
    }

    fn said(act: Act, acted_at: &str) -> Standing {
        Standing { word: Word { has_refused: false, consent: Some(word(act, acted_at)) }, ..agreed() }
    }

    fn of(standing: &Standing, now: &str) -> Verdict {
        rules().of_advertising(standing, Channel::Sms, at(now))
    }

    #[test]
    fn nothing_leaves_between_ten_to_nine_and_eight() {
        for (now, verdict) in [
            ("2026-02-14T07:59:59", Verdict::Wait(at("2026-02-14T08:00"))),
            ("2026-02-14T08:00", Verdict::Send),
            ("2026-02-14T20:49:59", Verdict::Send),
            ("2026-02-14T20:50", Verdict::Wait(at("2026-02-15T08:00"))),
            ("2026-02-14T23:59:59", Verdict::Wait(at("2026-02-15T08:00"))),
            ("2026-02-15T00:00", Verdict::Wait(at("2026-02-15T08:00"))),
        ] {
            assert_eq!(of(&agreed(), now), verdict, "{now}");
        }
    }

    #[test]
    fn who_agreed_to_the_night_gets_texts_and_no_kakao_then() {
        let standing = Standing { night_consent: Some(word(Act::Given, "2026-01-10T10:00")), ..agreed() };
        assert_eq!(of(&standing, "2026-02-14T22:00"), Verdict::Send);
        let kakao = rules().of_advertising(&standing, Channel::Kakao, at("2026-02-14T22:00"));
        assert_eq!(kakao, Verdict::Wait(at("2026-02-15T08:00")));
        let only_the_night = Standing { word: Word::default(), ..standing };
        assert_eq!(of(&only_the_night, "2026-02-14T12:00"), Verdict::Exclude(Exclusion::NoConsent));
    }

    #[test]
    fn kakao_stops_before_its_texts_would_arrive_too_late() {
        let latest = AdvertisingHours::new(clock_time(8, 0), clock_time(21, 0)).unwrap();
        for (channel, now, holds) in [
            (Channel::Sms, "2026-02-14T20:59", true),
            (Channel::Kakao, "2026-02-14T20:39", true),
            (Channel::Kakao, "2026-02-14T20:40", false),
        ] {
            assert_eq!(latest.hold(channel, at(now)), holds, "{channel:?} {now}");
        }
    }

    #[test]
    fn a_text_in_place_of_a_kakao_message_wants_a_consent_to_texts() {
        let now = at("2026-02-14T12:00");
        assert!(!agreed().allows_texts(Purpose::Advertising, now));
        let both = Standing { word_on_texts: agreed().word, ..agreed() };
        assert!(both.allows_texts(Purpose::Advertising, now));
        let refused = Word { has_refused: true, ..agreed().word };
        assert!(!Standing { word_on_texts: refused, ..agreed() }.allows_texts(Purpose::Advertising, now));
    }

    #[test]
    fn a_consent_is_good_until_the_day_before_its_second_anniversary_ends() {
        let noon = "2026-01-10T10:00";
        assert_eq!(good_until(at(noon)), at("2028-01-10T00:00"));
        assert_eq!(of(&agreed(), "2028-01-09T20:49"), Verdict::Send);
        assert_eq!(of(&agreed(), "2028-01-10T08:00"), Verdict::Exclude(Exclusion::ConsentExpired));
        assert_eq!(good_until(at("2024-02-29T10:00")), at("2026-02-28T00:00"));
    }

    #[test]
    fn each_reason_is_told() {
        let now = "2026-02-14T12:00";
        for (standing, exclusion) in [
            (Standing::default(), Exclusion::NoConsent),
            (said(Act::Withdrawn, now), Exclusion::ConsentWithdrawn),
            (Standing { word: Word { has_refused: true, ..agreed().word }, ..agreed() }, Exclusion::Refused),
            (Standing { is_gone: true, ..agreed() }, Exclusion::ContactGone),
            (Standing { had_lately: 3, ..agreed() }, Exclusion::FrequencyCap),
            (Standing { is_dead: true, ..agreed() }, Exclusion::DeadContact),
        ] {
            assert_eq!(of(&standing, now), Verdict::Exclude(exclusion));
        }
    }

    #[test]
    fn hours_that_the_law_forbids_cannot_be_configured() {
        assert!(AdvertisingHours::new(clock_time(9, 0), clock_time(18, 0)).is_ok());
        assert!(AdvertisingHours::new(clock_time(8, 0), clock_time(21, 0)).is_ok());
        for (from, until) in [((7, 59), (20, 0)), ((8, 0), (21, 1)), ((12, 0), (12, 0)), ((18, 0), (9, 0))] {
            let hours = AdvertisingHours::new(clock_time(from.0, from.1), clock_time(until.0, until.1));
            assert!(hours.is_err(), "{from:?} {until:?}");
        }
    }

    proptest! {
        #[test]
        fn whoever_is_told_to_wait_is_told_a_time_at_which_it_goes_out(minutes in 0..2 * 365 * 24 * 60i64) {
            let now = at("2026-01-10T10:00") + TimeDelta::minutes(minutes);
            let consent = Some(LastWord { act: Act::Reconfirmed, acted_at: now });
            let forever = Standing { word: Word { has_refused: false, consent }, ..Standing::default() };
            match rules().of_advertising(&forever, Channel::Sms, now) {
                Verdict::Wait(until) => {
                    prop_assert!(until > now && until - now <= TimeDelta::hours(12));
                    prop_assert_eq!(rules().of_advertising(&forever, Channel::Sms, until), Verdict::Send);
                }
                verdict => prop_assert_eq!(verdict, Verdict::Send),
            }
        }

        #[test]
        fn at_night_nothing_goes_out_that_nobody_agreed_to(hour in 0..24u32, minute in 0..60u32) {
            let now = at_korean_time(korean_day(at("2026-02-14T12:00")), clock_time(hour, minute));
            let goes_out = rules().of_advertising(&agreed(), Channel::Sms, now) == Verdict::Send;
            prop_assert_eq!(goes_out, (8 * 60..20 * 60 + 50).contains(&(hour * 60 + minute)));
        }
    }
}
