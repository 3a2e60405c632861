//! Which providers there are, and the gateways that this process was configured with.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    str::FromStr,
    sync::Arc,
};

use crate::{
    Capabilities, ConnectError, Connector, CredentialField, Credentials, PaymentGateway, bootpay, kcp,
    portone, toss,
};

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

    /// What a contract with this provider comes with.
    pub fn credential_fields(self) -> &'static [CredentialField] {
        match self {
            Self::Toss => toss::CREDENTIALS,
            Self::PortOne => portone::CREDENTIALS,
            Self::Kcp => kcp::CREDENTIALS,
            Self::Bootpay => bootpay::CREDENTIALS,
        }
    }

    /// What this provider can do, by whoever's contract.
    pub fn capabilities(self) -> Capabilities {
        match self {
            Self::Toss => toss::CAPABILITIES,
            Self::PortOne => portone::CAPABILITIES,
            Self::Kcp => kcp::CAPABILITIES,
            Self::Bootpay => bootpay::CAPABILITIES,
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

/// The gateways that this process was configured with, by provider, and the way to more of them.
#[derive(Clone)]
pub struct Gateways {
    by_provider: HashMap<Provider, Configured>,
    /// Used where a request names no provider.
    pub default: Provider,
    /// For credentials that come from elsewhere.
    pub connector: Connector,
}

#[derive(Clone)]
struct Configured {
    gateway: Arc<dyn PaymentGateway>,
    public_values: BTreeMap<&'static str, String>,
}

impl Gateways {
    pub fn connect(
        default: Provider,
        connector: Connector,
        credentials: impl IntoIterator<Item = Credentials>,
    ) -> Result<Self, ConnectError> {
        let configured = credentials.into_iter().map(|credentials| {
            let gateway = connector.connect(&credentials)?;
            let public_values = credentials.public_values();
            Ok((credentials.provider(), Configured { gateway, public_values }))
        });
        Ok(Self { by_provider: configured.collect::<Result<_, ConnectError>>()?, default, connector })
    }

    /// Puts a gateway in the place of the one to the same provider.
    pub fn replace(&mut self, gateway: Arc<dyn PaymentGateway>) {
        if let Some(configured) = self.by_provider.get_mut(&gateway.provider()) {
            configured.gateway = gateway;
        }
    }

    /// Those that this process has credentials for, in the order of [`Provider::ALL`].
    pub fn all(&self) -> impl Iterator<Item = &Arc<dyn PaymentGateway>> {
        Provider::ALL.iter().filter_map(|provider| self.get(*provider))
    }

    /// `None` where the provider exists but this process has no credentials for it.
    pub fn get(&self, provider: Provider) -> Option<&Arc<dyn PaymentGateway>> {
        self.by_provider.get(&provider).map(|configured| &configured.gateway)
    }

    /// [`Credentials::public_values`] of those with which the process was configured.
    pub fn public_values(&self, provider: Provider) -> Option<&BTreeMap<&'static str, String>> {
        self.by_provider.get(&provider).map(|configured| &configured.public_values)
    }

    /// What a provider can do, by whoever's contract.
    pub fn capabilities(&self, provider: Provider) -> Capabilities {
        self.get(provider).map_or_else(|| provider.capabilities(), |gateway| gateway.capabilities())
    }
}
