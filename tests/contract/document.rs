//! The OpenAPI document, as these tests read it.

use std::sync::Arc;

use axum::http::Method;
use kernel::SystemClock;
use platform::idempotency::Idempotency;
use serde_json::{Map, Value};
use sqlx::PgPool;
use testkit::Answer;
use utoipa::openapi::OpenApi;

/// Operations that anybody may call. The list can only shrink.
pub(crate) const PUBLIC: [&str; 15] = [
    "followLink",
    "getDevClock",
    "healthLive",
    "healthReady",
    "issueDevToken",
    "listPlans",
    "loadMailPicture",
    "metrics",
    "moveDevClock",
    "optOut",
    "receiveMerchantWebhook",
    "receiveNhnWebhook",
    "receiveSolapiWebhook",
    "receiveWebhook",
    "showOptOut",
];

/// The document that the gateway generates.
pub(crate) fn generated() -> Value {
    let text = gateway::cli::openapi_json().expect("the document is generated");
    serde_json::from_str(&text).expect("the document is JSON")
}

/// The contexts' documents before they are merged.
pub(crate) fn unmerged() -> Vec<(&'static str, OpenApi)> {
    let db = PgPool::connect_lazy("postgres://localhost/none").expect("a pool that nobody uses");
    gateway::app::documents(&Idempotency { db, clock: Arc::new(SystemClock) })
}

/// Every operation of the document.
pub(crate) fn operations() -> Vec<Operation> {
    let document = Arc::new(generated());
    let mut operations = Vec::new();
    for (path, methods) in members(&document["paths"]) {
        for (method, description) in members(methods) {
            operations.push(Operation {
                id: text(&description["operationId"]),
                method: method.to_uppercase().parse().expect("a method"),
                path: path.clone(),
                description: description.clone(),
                document: Arc::clone(&document),
            });
        }
    }
    assert!(operations.len() > 20, "the document lists the operations");
    operations
}

pub(crate) fn operation(id: &str) -> Operation {
    operations().into_iter().find(|operation| operation.id == id).expect("the operation exists")
}

/// One operation, with the document for looking its components up.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub id: String,
    pub method: Method,
    /// With names in braces.
    pub path: String,
    pub description: Value,
    document: Arc<Value>,
}

impl Operation {
    /// The name of the scheme that secures it.
    pub(crate) fn security(&self) -> Option<String> {
        let scheme = self.description["security"][0].as_object()?.keys().next()?;
        Some(scheme.clone())
    }

    pub(crate) fn wants_bearer(&self) -> bool {
        self.security().as_deref() == Some("bearer")
    }

    /// It is for operators of the platform, and for no business.
    pub(crate) fn is_for_operators(&self) -> bool {
        self.path.starts_with("/api/admin/")
    }

    /// Its path names a business: the one of the example is business 1.
    pub(crate) fn is_in_a_business(&self) -> bool {
        self.path.contains("{businessId}")
    }

    /// It is about whoever calls, and no business.
    pub(crate) fn is_about_the_caller(&self) -> bool {
        self.id == "getMe" || self.description["tags"][0] == "notifications"
    }

    /// It answers with a connection that stays open.
    pub(crate) fn is_a_connection(&self) -> bool {
        self.description["responses"].get("101").is_some()
    }

    /// It tells people things in an operator's own words.
    pub(crate) fn takes_prose(&self) -> bool {
        self.id == "publishNotice"
    }

    /// It takes many rows at a time, a list and no object.
    pub(crate) fn takes_rows(&self) -> bool {
        self.path.ends_with("/bulk")
    }

    /// The parameters in `path`, `query` or `header`.
    pub(crate) fn parameters(&self, place: &str) -> Vec<Value> {
        let all = self.description["parameters"].as_array().cloned().unwrap_or_default();
        all.into_iter().filter(|parameter| parameter["in"] == place).collect()
    }

    pub(crate) fn takes_header(&self, name: &str) -> bool {
        self.parameters("header").iter().any(|parameter| parameter["name"] == name)
    }

    /// The path with the parameters' examples in it.
    pub(crate) fn url(&self) -> String {
        self.url_with(&self.path)
    }

    /// The same where some of the parameters in the path are filled in already.
    pub(crate) fn url_with(&self, path: &str) -> String {
        self.parameters("path").iter().fold(path.to_owned(), |url, parameter| {
            let example = &parameter["example"];
            let example = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            url.replace(&format!("{{{}}}", text(&parameter["name"])), &example)
        })
    }

    /// What its JSON body must look like.
    pub(crate) fn body(&self) -> Option<Value> {
        let media = self.description["requestBody"]["content"].get("application/json")?;
        Some(self.resolved(&media["schema"]).clone())
    }

    /// A body of an object with known members, as nearly every operation with a body has.
    pub(crate) fn form(&self) -> Option<Form> {
        let schema = self.body()?;
        let members = schema["properties"].as_object()?.clone();
        Some(Form { example: self.example()?.as_object()?.clone(), members })
    }

    pub(crate) fn example(&self) -> Option<Value> {
        let media = self.description["requestBody"]["content"].get("application/json")?;
        let schema = self.resolved(&media["schema"]);
        [&media["example"], &schema["example"], &schema["examples"][0]]
            .into_iter()
            .find(|example| !example.is_null())
            .cloned()
    }

    pub(crate) fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(reference) => self.document.pointer(&reference[1..]).expect("the component exists"),
            None => schema,
        }
    }

    /// Fails unless the operation's documentation names this problem under its status.
    pub(crate) fn must_document(&self, problem: &Answer) {
        let documented = text(&self.description["responses"][problem.status.as_str()]["description"]);
        let code = format!("`{}`", text(&problem.body["code"]));
        assert!(
            documented.contains(&code),
            "{} answers {} {code}, which it does not document: {documented:?}",
            self.id,
            problem.status
        );
    }
}

/// The members that a JSON body may have, and an example of one.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub example: Map<String, Value>,
    /// Each with its schema.
    pub members: Map<String, Value>,
}

/// Whether a schema allows null.
pub(crate) fn is_nullable(schema: &Value) -> bool {
    let is_null = |schema: &Value| schema["type"] == "null";
    let among = |list: &Value| list.as_array().is_some_and(|list| list.iter().any(is_null));
    let listed = schema["type"].as_array().is_some_and(|types| types.iter().any(|kind| kind == "null"));
    listed || among(&schema["oneOf"]) || among(&schema["anyOf"])
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}
