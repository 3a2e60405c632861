//! Which of PortOne's operations a method and a path name.

use axum::http::Method;

use crate::{faults::Operation, percent};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// From raw card data, which takes a contract that this merchant has not.
    IssueFromCard,
    PayFromCard,
    ConfirmBillingKey,
    LookUpBillingKey {
        billing_key: String,
    },
    DeleteBillingKey {
        billing_key: String,
    },
    Charge {
        payment_id: String,
    },
    Confirm {
        payment_id: String,
    },
    PreRegister {
        payment_id: String,
    },
    Cancel {
        payment_id: String,
    },
    LookUpPayment {
        payment_id: String,
    },
    Payments,
    Events,
    IssueCashReceipt,
    LookUpCashReceipt {
        payment_id: String,
    },
    CancelCashReceipt {
        payment_id: String,
    },
}

impl Target {
    /// Paths are decoded once: an id may contain anything that is encoded.
    pub(crate) fn parse(method: &Method, path: &str) -> Option<Self> {
        let pieces: Vec<String> =
            path.strip_prefix('/')?.split('/').map(percent::decode).collect::<Option<_>>()?;
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        Some(match (method.as_str(), pieces.as_slice()) {
            (_, [_, ""] | ["", ..] | [_, "", _]) => return None,
            ("POST", ["billing-keys"]) => Self::IssueFromCard,
            ("POST", ["billing-keys", "confirm"]) => Self::ConfirmBillingKey,
            ("GET", ["billing-keys", key]) => Self::LookUpBillingKey { billing_key: (*key).to_owned() },
            ("DELETE", ["billing-keys", key]) => Self::DeleteBillingKey { billing_key: (*key).to_owned() },
            ("POST", ["payments", _, "instant"]) => Self::PayFromCard,
            ("POST", ["payments", id, "billing-key"]) => Self::Charge { payment_id: (*id).to_owned() },
            ("POST", ["payments", id, "confirm"]) => Self::Confirm { payment_id: (*id).to_owned() },
            ("POST", ["payments", id, "pre-register"]) => Self::PreRegister { payment_id: (*id).to_owned() },
            ("POST", ["payments", id, "cancel"]) => Self::Cancel { payment_id: (*id).to_owned() },
            ("POST", ["cash-receipts"]) => Self::IssueCashReceipt,
            ("GET", ["payments", id, "cash-receipt"]) => {
                Self::LookUpCashReceipt { payment_id: (*id).to_owned() }
            }
            ("POST", ["payments", id, "cash-receipt", "cancel"]) => {
                Self::CancelCashReceipt { payment_id: (*id).to_owned() }
            }
            ("GET", ["payments", id]) => Self::LookUpPayment { payment_id: (*id).to_owned() },
            ("GET", ["payments-by-cursor"]) => Self::Payments,
            ("GET", ["payment-events-by-cursor"]) => Self::Events,
            _ => return None,
        })
    }

    pub(crate) fn operation(&self) -> Operation {
        match self {
            // The browser brings the key itself; reading it is what makes it ours.
            Self::IssueFromCard | Self::ConfirmBillingKey | Self::LookUpBillingKey { .. } => Operation::Issue,
            Self::DeleteBillingKey { .. } => Operation::Delete,
            Self::Charge { .. } | Self::PayFromCard => Operation::Charge,
            Self::Confirm { .. } | Self::PreRegister { .. } => Operation::Confirm,
            Self::Cancel { .. } => Operation::Cancel,
            Self::LookUpPayment { .. } => Operation::Lookup,
            Self::Payments | Self::Events => Operation::Transactions,
            Self::IssueCashReceipt => Operation::IssueCashReceipt,
            Self::LookUpCashReceipt { .. } => Operation::LookupCashReceipt,
            Self::CancelCashReceipt { .. } => Operation::CancelCashReceipt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_decoded_exactly_once() {
        let id = |path| match Target::parse(&Method::GET, path) {
            Some(Target::LookUpPayment { payment_id }) => payment_id,
            other => panic!("{other:?}"),
        };
        assert_eq!(id("/payments/a%2Fb%3Fc"), "a/b?c");
        assert_eq!(id("/payments/a%252Fb"), "a%2Fb");
    }

    #[test]
    fn unknown_urls_and_methods_name_nothing() {
        for (method, path) in [
            (Method::GET, "/"),
            (Method::GET, "/payments/"),
            (Method::POST, "/payments//cancel"),
            (Method::POST, "/payments/a/schedules"),
            (Method::POST, "/billing-keys/key/payments"),
            (Method::GET, "/payments/a/cancel"),
            (Method::GET, "/payments/%zz"),
        ] {
            assert_eq!(Target::parse(&method, path), None, "{method} {path}");
        }
    }
}
