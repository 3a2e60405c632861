//! From credentials to a gateway.

use std::{fmt, sync::Arc};

use kernel::Clock;

use crate::{Credentials, PaymentGateway, Provider, bootpay, kcp, portone, toss};

/// Where the providers are, and what this installation takes from them. The same for everybody's
/// credentials.
#[derive(Clone)]
pub struct Connector {
    pub addresses: Addresses,
    /// Payments of a provider's test world count as payments. Never in production.
    pub accepts_tests: bool,
    pub clock: Arc<dyn Clock>,
}

/// Base URLs.
#[derive(Clone, Debug)]
pub struct Addresses {
    pub toss: String,
    pub portone: String,
    pub kcp: String,
    /// Where KCP's receipt pages are.
    pub kcp_receipts: String,
    pub bootpay: String,
}

/// Credentials with which no gateway can be made. The text names what is wrong with which one, and
/// no secret.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(transparent)]
    Toss(#[from] toss::TossConfigError),
    #[error(transparent)]
    PortOne(#[from] portone::PortOneConfigError),
    #[error(transparent)]
    Kcp(#[from] kcp::KcpConfigError),
    #[error(transparent)]
    Bootpay(#[from] bootpay::BootpayConfigError),
}

impl Connector {
    /// Nothing is asked of the provider yet: whether it knows the credentials shows with the first request.
    pub fn connect(&self, credentials: &Credentials) -> Result<Arc<dyn PaymentGateway>, ConnectError> {
        let addresses = &self.addresses;
        Ok(match credentials.provider() {
            Provider::Toss => {
                let config = toss::TossConfig::of(credentials, &addresses.toss);
                Arc::new(toss::TossGateway::new(config)?)
            }
            Provider::PortOne => {
                let mut config = portone::PortOneConfig::of(credentials, &addresses.portone);
                config.accept_test_channels = self.accepts_tests;
                Arc::new(portone::PortOneGateway::new(config, Arc::clone(&self.clock))?)
            }
            Provider::Kcp => {
                let config = kcp::KcpConfig::of(credentials, &addresses.kcp, &addresses.kcp_receipts);
                Arc::new(kcp::KcpGateway::new(config, Arc::clone(&self.clock))?)
            }
            Provider::Bootpay => {
                let mut config = bootpay::BootpayConfig::of(credentials, &addresses.bootpay);
                config.accept_sandbox = self.accepts_tests;
                Arc::new(bootpay::BootpayGateway::new(&config, Arc::clone(&self.clock))?)
            }
        })
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
