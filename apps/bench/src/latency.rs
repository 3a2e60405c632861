//! How long each of many answers took.

use serde::{Deserialize, Serialize};

/// Milliseconds, shortest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Latencies(Vec<f64>);

impl FromIterator<f64> for Latencies {
    fn from_iter<I: IntoIterator<Item = f64>>(milliseconds: I) -> Self {
        let mut all: Vec<f64> = milliseconds.into_iter().collect();
        all.sort_by(f64::total_cmp);
        Self(all)
    }
}

impl Latencies {
    pub(crate) fn with(self, other: Self) -> Self {
        self.0.into_iter().chain(other.0).collect()
    }

    pub(crate) fn p50(&self) -> f64 {
        self.percentile(50)
    }

    pub(crate) fn p95(&self) -> f64 {
        self.percentile(95)
    }

    /// The smallest that so many per cent do not exceed.
    fn percentile(&self, percent: usize) -> f64 {
        let at = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(at).copied().unwrap_or(f64::NAN)
    }
}
