//! Which providers there are, and the gateways that this process was configured with.

use std::{collections::HashMap, fmt, str::FromStr, sync::Arc};

use crate::PaymentGateway;

/// Every provider that dangol speaks. A `match` on this enum is the checklist for adding one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Provider {
    Toss,
    PortOne,
    Kcp,
    Bootpay,
}

impl Provider {
    pub const ALL: &[Self] = &[Self::Toss, Self::PortOne, Self::Kcp, Self::Bootpay];

    /// The name in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Toss => "TOSS",
            Self::PortOne => "PORTONE",
            Self::Kcp => "KCP",
            Self::Bootpay => "BOOTPAY",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Debug, thiserror::Error)]
#[error("unknown payment provider `{0}`")]
pub struct UnknownProvider(pub String);

impl FromStr for Provider {
    type Err = UnknownProvider;

    /// Case does not matter: `toss` in a path is `TOSS` in a body.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .iter()
            .copied()
            .find(|provider| provider.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| UnknownProvider(text.to_owned()))
    }
}

/// The gateways of this process, by provider.
#[derive(Clone)]
pub struct Gateways {
    by_provider: HashMap<Provider, Arc<dyn PaymentGateway>>,
    /// Used where a request names no provider.
    pub default: Provider,
}

impl Gateways {
    pub fn new(default: Provider, gateways: impl IntoIterator<Item = Arc<dyn PaymentGateway>>) -> Self {
        let by_provider = gateways.into_iter().map(|gateway| (gateway.provider(), gateway)).collect();
        Self { by_provider, default }
    }

    /// Those that this process has credentials for, in the order of [`Provider::ALL`].
    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn PaymentGateway>> {
        Provider::ALL.iter().filter_map(|provider| self.by_provider.get(provider))
    }

    /// `None` where the provider exists but this process has no credentials for it.
    pub fn get(&self, provider: Provider) -> Option<&Arc<dyn PaymentGateway>> {
        self.by_provider.get(&provider)
    }
}
