//! Which of Popbill's operations a request names.

use axum::http::Method;

use crate::{faults::Operation, wire::Exchange};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Save and issue in one step (`RegistIssue`).
    RegistIssue,
    /// Save only.
    Register,
    IssueSaved {
        key: String,
    },
    Withdraw {
        key: String,
    },
    /// File at once.
    File {
        key: String,
    },
    Infos,
    Info {
        key: String,
    },
    Detail {
        key: String,
    },
    Link {
        key: String,
        view: String,
    },
    Pdf {
        key: String,
    },
    Xml {
        key: String,
    },
}

impl Target {
    pub(super) fn of(request: &Exchange) -> Option<Self> {
        let verb =
            request.parts.headers.get("x-http-method-override").map(|value| value.to_str().unwrap_or("?"));
        let query = request.parts.uri.query().unwrap_or_default();
        Self::parse(&request.parts.method, request.parts.uri.path(), verb, query)
    }

    fn parse(method: &Method, path: &str, verb: Option<&str>, query: &str) -> Option<Self> {
        let pieces: Vec<&str> = path.strip_prefix("/Taxinvoice")?.split('/').skip(1).collect();
        let is_post = method == Method::POST;
        let is_get = method == Method::GET && verb.is_none();
        Some(match (pieces.as_slice(), verb) {
            ([], Some("ISSUE")) if is_post => Self::RegistIssue,
            ([], None) if is_post => Self::Register,
            (["SELL"], None) if is_post => Self::Infos,
            (["SELL", key], Some("ISSUE")) if is_post => Self::IssueSaved { key: (*key).to_owned() },
            (["SELL", key], Some("CANCELISSUE")) if is_post => Self::Withdraw { key: (*key).to_owned() },
            (["SELL", key], Some("NTS")) if is_post => Self::File { key: (*key).to_owned() },
            (["SELL", key], None) if is_get => Self::look((*key).to_owned(), query)?,
            _ => return None,
        })
    }

    fn look(key: String, query: &str) -> Option<Self> {
        Some(match query {
            "" => Self::Info { key },
            "Detail" => Self::Detail { key },
            "PDF" => Self::Pdf { key },
            "XML" => Self::Xml { key },
            _ => {
                let view = query.strip_prefix("TG=")?;
                let known = ["POPUP", "VIEW", "PRINT", "EPRINT", "PDF", "MAIL", "PRINTOLD"].contains(&view);
                known.then(|| Self::Link { key, view: view.to_owned() })?
            }
        })
    }

    pub(super) fn operation(&self) -> Operation {
        match self {
            Self::RegistIssue | Self::Register | Self::IssueSaved { .. } => Operation::Issue,
            Self::Withdraw { .. } => Operation::Cancel,
            Self::File { .. } => Operation::Confirm,
            Self::Infos
            | Self::Info { .. }
            | Self::Detail { .. }
            | Self::Link { .. }
            | Self::Pdf { .. }
            | Self::Xml { .. } => Operation::Lookup,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_in_the_header_tells_the_operations_apart() {
        let post = |path: &str, verb| Target::parse(&Method::POST, path, verb, "");
        assert_eq!(post("/Taxinvoice", Some("ISSUE")), Some(Target::RegistIssue));
        assert_eq!(post("/Taxinvoice", None), Some(Target::Register));
        let key = || "INV-1".to_owned();
        assert_eq!(post("/Taxinvoice/SELL/INV-1", Some("ISSUE")), Some(Target::IssueSaved { key: key() }));
        assert_eq!(
            post("/Taxinvoice/SELL/INV-1", Some("CANCELISSUE")),
            Some(Target::Withdraw { key: key() })
        );
        assert_eq!(post("/Taxinvoice/SELL", None), Some(Target::Infos));
        let get = |query| Target::parse(&Method::GET, "/Taxinvoice/SELL/INV-1", None, query);
        assert_eq!(get("Detail"), Some(Target::Detail { key: key() }));
        assert_eq!(get("TG=PRINT"), Some(Target::Link { key: key(), view: "PRINT".to_owned() }));
        for nothing in [get("TG=FAX"), post("/Taxinvoice/BUY", None), post("/Cashbill", Some("ISSUE"))] {
            assert_eq!(nothing, None);
        }
    }
}
