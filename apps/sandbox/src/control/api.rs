//! The book, the faults, and whether anybody is at home.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::body::{Answered, ControlError, JsonBody};
use crate::{
    book::BookFilter,
    faults::{Fault, FaultJson},
    world::World,
};

pub(crate) async fn health() -> Response {
    Json(json!({"status": "UP"})).into_response()
}

pub(crate) async fn book(
    State(world): State<Arc<World>>,
    filter: Result<Query<BookFilter>, QueryRejection>,
) -> Answered {
    let Query(filter) = filter.map_err(|rejection| ControlError::bad_request(rejection.body_text()))?;
    let lines = world.store().book.select(&filter);
    // A full book of 100,000 lines takes a while to write: not on a thread that answers charges.
    let written = tokio::task::spawn_blocking(move || {
        let mut body = Vec::with_capacity(lines.len() * 300 + 2);
        body.push(b'[');
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            serde_json::to_writer(&mut body, &**line)?;
        }
        body.push(b']');
        serde_json::Result::Ok(body)
    });
    match written.await {
        Ok(Ok(body)) => Ok(([(CONTENT_TYPE, "application/json")], body).into_response()),
        _ => Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
    }
}

pub(crate) async fn faults(State(world): State<Arc<World>>) -> Json<Vec<FaultJson>> {
    Json(world.faults.list().into_iter().map(FaultJson::from).collect())
}

pub(crate) async fn add_fault(
    State(world): State<Arc<World>>,
    JsonBody(fault): JsonBody<FaultJson>,
) -> Answered {
    let fault = Fault::try_from(fault).map_err(ControlError::bad_request)?;
    world.faults.add(fault.clone());
    Ok((StatusCode::CREATED, Json(FaultJson::from(fault))).into_response())
}

pub(crate) async fn clear_faults(State(world): State<Arc<World>>) -> StatusCode {
    world.faults.replace(Vec::new());
    StatusCode::NO_CONTENT
}
