//! Channels: one contract with a PG each, set up in PortOne's console.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::errors::Refusal;

/// The channels of this merchant. All of them take payments in the browser and charge billing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Channel {
    TossLive,
    /// No real money: what a manipulated page would pay with.
    TossTest,
    KcpLive,
    SmartroLive,
}

/// The card gateway behind a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pg {
    TossPayments,
    Kcp,
    Smartro,
}

impl Channel {
    pub(crate) const ALL: [Self; 4] = [Self::TossLive, Self::TossTest, Self::KcpLive, Self::SmartroLive];

    pub(crate) fn with_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.key() == key)
    }

    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::TossLive => "channel-key-00000000-0000-4000-8000-000000000001",
            Self::TossTest => "channel-key-00000000-0000-4000-8000-000000000002",
            Self::KcpLive => "channel-key-00000000-0000-4000-8000-000000000003",
            Self::SmartroLive => "channel-key-00000000-0000-4000-8000-000000000004",
        }
    }

    pub(crate) fn is_test(self) -> bool {
        self == Self::TossTest
    }

    pub(crate) fn pg(self) -> Pg {
        match self {
            Self::TossLive | Self::TossTest => Pg::TossPayments,
            Self::KcpLive => Pg::Kcp,
            Self::SmartroLive => Pg::Smartro,
        }
    }

    /// `SelectedChannel` on the wire.
    pub(crate) fn body(self) -> Value {
        let (id, name, merchant) = match self {
            Self::TossLive => ("channel-id-toss", "토스페이먼츠", "tdangol0001"),
            Self::TossTest => ("channel-id-toss-test", "토스페이먼츠 (테스트)", "tosstest"),
            Self::KcpLive => ("channel-id-kcp", "NHN KCP", "A0001"),
            Self::SmartroLive => ("channel-id-smartro", "스마트로", "dangol001m"),
        };
        json!({
            "type": if self.is_test() { "TEST" } else { "LIVE" },
            "id": id,
            "key": self.key(),
            "name": name,
            "pgProvider": self.pg().as_str(),
            "pgMerchantId": merchant,
        })
    }
}

impl Pg {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TossPayments => "TOSSPAYMENTS",
            Self::Kcp => "KCP_V2",
            Self::Smartro => "SMARTRO_V2",
        }
    }

    /// The id under which a payment is known once the PG has seen it.
    ///
    /// KCP and Smartro take letters and digits only, and Smartro cuts what is longer than 40 of them
    /// without a word. How PortOne tells of the former was not found. That the cut shows in PortOne
    /// itself and not only at Smartro is the harsher of two readings: whoever sends longer ids shall
    /// notice here.
    pub(crate) fn payment_id(self, id: &str) -> Result<String, Refusal> {
        let letters_and_digits = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match self {
            Self::Kcp | Self::Smartro if !letters_and_digits => Err(Refusal::invalid_request(&format!(
                "{}: paymentId는 영문과 숫자만 가능합니다.",
                self.as_str()
            ))),
            Self::Smartro => Ok(id.chars().take(40).collect()),
            Self::TossPayments | Self::Kcp => Ok(id.to_owned()),
        }
    }
}
