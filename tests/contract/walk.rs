//! A walk over every operation of the OpenAPI document, by callers who may not and with requests
//! that make no sense. An operation added later is walked as well.

mod callers;
mod garbage;
mod hostile;
mod parameters;
mod strangers;

use axum::http::Method;
use serde_json::{Map, Value, json};
use testkit::{Actor, Answer, TestApp};

use crate::document::Operation;

/// Somebody who may call an operation: an operator of the platform where it is for those, and
/// otherwise the owner of this business, or of the one that its path names.
fn who_may(app: &TestApp, operation: &Operation, business: i64) -> Actor {
    match operation {
        operation if operation.is_for_operators() => app.platform_admin(),
        operation if operation.is_in_a_business() => app.owner(),
        _ => app.owner_of(business),
    }
}

/// Calls an operation the way its documentation shows.
async fn calls(actor: &Actor, operation: &Operation) -> Answer {
    calls_with(actor, operation, operation.example()).await
}

async fn calls_with(actor: &Actor, operation: &Operation, body: Option<Value>) -> Answer {
    let body = body.map(|body| body.to_string().into_bytes());
    actor.send(operation.method.clone(), &operation.url(), body).await
}

/// The members of a body that nothing comes of: what its examples name at the provider does not exist.
fn harmless(example: &Map<String, Value>) -> Map<String, Value> {
    let mut body = example.clone();
    for member in ["authKey", "paymentKey"] {
        if body.contains_key(member) {
            body[member] = json!("names-nothing");
        }
    }
    body
}

/// A method that the path of an operation does not know.
fn another_method(operations: &[Operation], path: &str) -> Method {
    let known =
        |method: &Method| operations.iter().any(|other| other.path == path && other.method == *method);
    [Method::DELETE, Method::PATCH, Method::PUT, Method::POST]
        .into_iter()
        .find(|method| !known(method))
        .expect("no path knows every method")
}
