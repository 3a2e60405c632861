//! Which of Bootpay's operations a method and a path name.

use axum::http::Method;

use crate::{faults::Operation, percent};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    Token,
    Receipt(String),
    Order(String),
    Confirm,
    Cancel,
    Charge,
    KeyOfReceipt(String),
    Key(String),
    DeleteKey(String),
    PublishCashReceipt,
    CancelCashReceipt(String),
}

impl Target {
    /// Paths are decoded once: an id may contain anything that is encoded.
    pub(super) fn parse(method: &Method, path: &str) -> Option<Self> {
        let pieces: Vec<String> =
            path.strip_prefix('/')?.split('/').map(percent::decode).collect::<Option<_>>()?;
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        if pieces.contains(&"") {
            return None;
        }
        Some(match (method.as_str(), pieces.as_slice()) {
            ("POST", ["request", "token"]) => Self::Token,
            ("POST", ["request", "receipt", "cash", "publish"]) => Self::PublishCashReceipt,
            ("DELETE", ["request", "receipt", "cash", "cancel", id]) => {
                Self::CancelCashReceipt((*id).to_owned())
            }
            ("GET", ["receipt", id]) => Self::Receipt((*id).to_owned()),
            ("GET", ["lookup", "order", id]) => Self::Order((*id).to_owned()),
            ("POST", ["confirm"]) => Self::Confirm,
            ("POST", ["cancel"]) => Self::Cancel,
            ("POST", ["subscribe", "payment"]) => Self::Charge,
            ("GET", ["subscribe", "billing_key", receipt]) => Self::KeyOfReceipt((*receipt).to_owned()),
            ("GET", ["billing_key", key]) => Self::Key((*key).to_owned()),
            ("DELETE", ["subscribe", "billing_key", key]) => Self::DeleteKey((*key).to_owned()),
            _ => return None,
        })
    }

    pub(super) fn operation(&self) -> Operation {
        match self {
            Self::Token => Operation::Token,
            Self::Receipt(_) | Self::Order(_) => Operation::Lookup,
            Self::Confirm => Operation::Confirm,
            Self::Cancel => Operation::Cancel,
            Self::Charge => Operation::Charge,
            // Reading the key is what fetches it.
            Self::KeyOfReceipt(_) | Self::Key(_) => Operation::Issue,
            Self::DeleteKey(_) => Operation::Delete,
            Self::PublishCashReceipt => Operation::IssueCashReceipt,
            Self::CancelCashReceipt(_) => Operation::CancelCashReceipt,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_decoded_once_and_unknown_urls_name_nothing() {
        let parse = |method, path| Target::parse(&method, path);
        assert_eq!(parse(Method::GET, "/receipt/a%2Fb"), Some(Target::Receipt("a/b".to_owned())));
        assert_eq!(parse(Method::GET, "/lookup/order/a%252F"), Some(Target::Order("a%2F".to_owned())));
        for path in ["/", "/receipt/", "/receipt", "/lookup/order", "/confirm", "/receipt/%zz"] {
            assert_eq!(parse(Method::GET, path), None, "{path}");
        }
    }
}
