//! Asking for what is there: states, one or many, and documents to look at.

use reqwest::Url;

use super::{
    Operation, Popbill, errors,
    http::Answer,
    mapping::{self, Document},
    path_of, wire,
};
use crate::{DocumentKey, Lookup, Unavailable, View};

/// The most that one list may ask for.
const MOST_KEYS: usize = 1_000;

/// What is under a key, with what only this adapter compares.
pub(super) enum Found {
    Document(Box<Document>),
    Nothing,
    Unknown(String),
}

impl Found {
    pub(super) fn into_lookup(self) -> Lookup {
        match self {
            Self::Document(document) => document.into_lookup(),
            Self::Nothing => Lookup::NotFound,
            Self::Unknown(reason) => Lookup::Unknown(reason),
        }
    }
}

/// The code says that there is nothing, not the 404: a wrong URL answers 404 as well.
pub(super) fn found(answer: Answer, key: &DocumentKey) -> Found {
    match answer {
        Answer::Accepted(body) => match mapping::document(&body, key) {
            Ok(document) => Found::Document(Box::new(document)),
            Err(reason) => Found::Unknown(reason),
        },
        Answer::Refused { status, code } if errors::is_not_found(code) && !status.is_server_error() => {
            Found::Nothing
        }
        Answer::Refused { status, code } => Found::Unknown(format!("{status} {code}")),
        Answer::Unauthorized => Found::Unknown("401".to_owned()),
        Answer::NotSent(reason) | Answer::Unclear(reason) => Found::Unknown(reason),
    }
}

impl Popbill {
    pub(super) async fn look_up(&self, key: &DocumentKey) -> Found {
        found(self.get(key, "").await, key)
    }

    pub(super) async fn look_up_all(&self, keys: &[DocumentKey]) -> Vec<(DocumentKey, Lookup)> {
        let mut lookups = Vec::with_capacity(keys.len());
        for keys in keys.chunks(MOST_KEYS) {
            lookups.extend(self.look_up_some(keys).await);
        }
        lookups
    }

    async fn look_up_some(&self, keys: &[DocumentKey]) -> Vec<(DocumentKey, Lookup)> {
        let names: Vec<&str> = keys.iter().map(DocumentKey::as_str).collect();
        let answer = self
            .ask(Operation::LookUp, "", |client, base_url| {
                client.post(format!("{base_url}/Taxinvoice/SELL")).json(&names)
            })
            .await;
        let (mut documents, missing) = match answer {
            Answer::Accepted(body) => match mapping::documents(&body, keys) {
                Some(documents) => (documents, "not in the list"),
                None => (Vec::new(), "the list is not readable"),
            },
            _ => (Vec::new(), "there was no list"),
        };
        let lookup = |key: &DocumentKey| match documents.iter().position(|it| it.standing.key == *key) {
            Some(index) => documents.swap_remove(index).into_lookup(),
            None => Lookup::Unknown(missing.to_owned()),
        };
        let lookups: Vec<Lookup> = keys.iter().map(lookup).collect();
        keys.iter().cloned().zip(lookups).collect()
    }

    pub(super) async fn link(&self, key: &DocumentKey, view: View) -> Result<Url, Unavailable> {
        let query = match view {
            View::Page => "?TG=POPUP",
            View::Print => "?TG=PRINT",
            View::PrintForBuyer => "?TG=EPRINT",
            View::Mail => "?TG=MAIL",
        };
        let body = available(self.get(key, query).await)?;
        serde_json::from_slice(&body)
            .ok()
            .and_then(|link: wire::Link| Url::parse(&link.url).ok())
            // Somebody's browser will follow it.
            .filter(|url| matches!(url.scheme(), "http" | "https"))
            .ok_or_else(|| Unavailable::Unknown("the link is not readable".to_owned()))
    }

    pub(super) async fn pdf_of(&self, key: &DocumentKey) -> Result<Vec<u8>, Unavailable> {
        let body = available(self.get(key, "?PDF").await)?;
        if body.starts_with(b"%PDF-") {
            Ok(body)
        } else {
            Err(Unavailable::Unknown("what came is not a PDF".to_owned()))
        }
    }

    pub(super) async fn xml_of(&self, key: &DocumentKey) -> Result<String, Unavailable> {
        let body = available(self.get(key, "?XML").await)?;
        match serde_json::from_slice(&body) {
            Ok(wire::Xml { code: 1, ret_object }) if !ret_object.is_empty() => Ok(ret_object),
            Ok(wire::Xml { code, .. }) => Err(Unavailable::Unknown(format!("accepted with the code {code}"))),
            Err(_) => Err(Unavailable::Unknown("the XML is not readable".to_owned())),
        }
    }

    async fn get(&self, key: &DocumentKey, query: &str) -> Answer {
        self.ask(Operation::LookUp, key.as_str(), |client, base_url| {
            client.get(format!("{base_url}{}{query}", path_of(key)))
        })
        .await
    }
}

fn available(answer: Answer) -> Result<Vec<u8>, Unavailable> {
    match answer {
        Answer::Accepted(body) => Ok(body),
        Answer::Refused { status, code } if errors::is_not_found(code) && !status.is_server_error() => {
            Err(Unavailable::NotFound)
        }
        Answer::Refused { status, code } => Err(Unavailable::Unknown(format!("{status} {code}"))),
        Answer::Unauthorized => Err(Unavailable::Unknown("401".to_owned())),
        Answer::NotSent(reason) | Answer::Unclear(reason) => Err(Unavailable::Unknown(reason)),
    }
}
