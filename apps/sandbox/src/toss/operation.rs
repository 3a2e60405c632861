//! Which of Toss's operations a method and a path name.

use axum::http::Method;

use crate::{faults::Operation, percent};

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Issue,
    Charge { billing_key: String },
    Delete { billing_key: String },
    Confirm,
    Cancel { payment_key: String },
    LookupByKey { payment_key: String },
    LookupByOrder { order_id: String },
    Transactions,
    IssueCashReceipt,
    CancelCashReceipt { receipt_key: String },
    CashReceipts,
}

impl Target {
    /// `None` for a wrong URL as well as a wrong method: Toss has one code for both.
    pub(crate) fn parse(method: &Method, path: &str) -> Option<Self> {
        // Billing keys end in `=`, which clients may send raw or as `%3D`: both work (seen).
        let pieces: Vec<String> =
            path.strip_prefix("/v1/")?.split('/').map(percent::decode).collect::<Option<_>>()?;
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        Some(match (method.as_str(), pieces.as_slice()) {
            ("POST", ["billing", "authorizations", "issue"]) => Self::Issue,
            ("POST", ["billing", key]) => Self::Charge { billing_key: (*key).to_owned() },
            ("DELETE", ["billing", key]) => Self::Delete { billing_key: (*key).to_owned() },
            ("POST", ["payments", "confirm"]) => Self::Confirm,
            ("POST", ["payments", key, "cancel"]) => Self::Cancel { payment_key: (*key).to_owned() },
            ("GET", ["payments", "orders", id]) => Self::LookupByOrder { order_id: (*id).to_owned() },
            ("GET", ["payments", key]) => Self::LookupByKey { payment_key: (*key).to_owned() },
            ("GET", ["transactions"]) => Self::Transactions,
            ("POST", ["cash-receipts"]) => Self::IssueCashReceipt,
            ("POST", ["cash-receipts", key, "cancel"]) => {
                Self::CancelCashReceipt { receipt_key: (*key).to_owned() }
            }
            ("GET", ["cash-receipts"]) => Self::CashReceipts,
            _ => return None,
        })
    }

    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Issue => Operation::Issue,
            Self::Charge { .. } => Operation::Charge,
            Self::Delete { .. } => Operation::Delete,
            Self::Confirm => Operation::Confirm,
            Self::Cancel { .. } => Operation::Cancel,
            Self::LookupByKey { .. } | Self::LookupByOrder { .. } => Operation::Lookup,
            Self::Transactions => Operation::Transactions,
            Self::IssueCashReceipt => Operation::IssueCashReceipt,
            Self::CancelCashReceipt { .. } => Operation::CancelCashReceipt,
            Self::CashReceipts => Operation::LookupCashReceipt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_operations_however_they_are_encoded() {
        let charge = Target::Charge { billing_key: "a-b=".into() };
        assert_eq!(Target::parse(&Method::POST, "/v1/billing/a-b=").as_ref(), Some(&charge));
        assert_eq!(Target::parse(&Method::POST, "/v1/billing/a-b%3D").as_ref(), Some(&charge));
    }

    #[test]
    fn unknown_urls_and_methods_name_nothing() {
        for (method, path) in [
            (Method::GET, "/v1/billing/key"),
            (Method::POST, "/v2/payments/confirm"),
            (Method::GET, "/v1/payments/order-1/cancel"),
            (Method::POST, "/v1/billing/%zz"),
            (Method::GET, "/"),
        ] {
            assert_eq!(Target::parse(&method, path), None, "{method} {path}");
        }
    }
}
