//! Time is an argument: nothing asks the machine for it except through a [`Clock`].

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::korean_day;

pub trait Clock: Send + Sync {
    fn now(&self) -> DateTime<Utc>;

    /// The business date: the Korean calendar day that `now` falls on.
    fn today(&self) -> NaiveDate {
        korean_day(self.now())
    }
}

/// The machine's time: the only clock of a production process.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's time")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// The machine's time plus an offset that QA and tests may move. It keeps ticking.
#[derive(Default)]
pub struct MovableClock {
    offset_micros: AtomicI64,
}

impl MovableClock {
    pub fn with_offset(offset: TimeDelta) -> Self {
        let clock = Self::default();
        clock.set_offset(offset);
        clock
    }

    /// How far this clock is ahead of the machine's.
    pub fn offset(&self) -> TimeDelta {
        TimeDelta::microseconds(self.offset_micros.load(Ordering::SeqCst))
    }

    pub fn set_offset(&self, offset: TimeDelta) {
        self.offset_micros.store(offset.num_microseconds().unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Makes the clock show `instant` now. Earlier than its present time is allowed: QA may want it.
    pub fn set(&self, instant: DateTime<Utc>) {
        self.set_offset(instant - SystemClock.now());
    }

    pub fn advance(&self, by: TimeDelta) {
        self.set_offset(self.offset() + by);
    }
}

impl Clock for MovableClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + self.offset()
    }
}
