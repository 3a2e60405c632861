//! The inbox: everything that anybody was sent, for QA to read.

use std::{fmt::Write, sync::Arc};

use axum::{
    Json, Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, put},
};

use super::{
    body::{Answered, ControlError, JsonBody},
    pages::{self, escaped},
};
use crate::{
    post::{
        FateOf, Parcel, ParcelState,
        desk::{self, PostFilter},
    },
    world::World,
};

const INBOX: &str = include_str!("pages/inbox.html");

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/inbox", get(inbox).delete(empty))
        .route("/_sandbox/inbox/{seq}", get(letter))
        .route("/_sandbox/post/fates", put(set_fate))
}

/// A page for browsers, JSON for everybody else.
async fn inbox(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    filter: Result<Query<PostFilter>, QueryRejection>,
) -> Answered {
    let Query(filter) = filter.map_err(|rejection| ControlError::bad_request(rejection.body_text()))?;
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !accept.contains("text/html") {
        return Ok(Json(desk::views(&world, &filter)).into_response());
    }
    let now = world.clock.now();
    let filter = PostFilter { limit: Some(filter.limit.unwrap_or(200)), ..filter };
    let letters: String =
        desk::newest(&world, &filter).iter().map(|parcel| shown(parcel, parcel.state(now))).collect();
    let to = filter.to.unwrap_or_default();
    let Html(page) = pages::page(INBOX, &[("to", &to)]);
    let letters = if letters.is_empty() {
        "<p>아직 아무것도 오지 않았습니다.</p>".to_owned()
    } else {
        letters
    };
    Ok(Html(page.replace("<!-- letters -->", &letters)).into_response())
}

fn shown(parcel: &Parcel, state: ParcelState) -> String {
    let name = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let word = |value: serde_json::Result<serde_json::Value>| value.map(name).unwrap_or_default();
    let subject = parcel.subject.as_deref().map(|subject| format!("<b>{}</b>", escaped(subject)));
    let html = match parcel.html {
        Some(_) => format!("<a href=\"/_sandbox/inbox/{}\">HTML 보기</a>", parcel.seq),
        None => String::new(),
    };
    format!(
        "<article><header><b>{}</b> · {} · {} → {} · {} <code>{}</code> {html}</header>{}<pre>{}</pre></article>",
        word(serde_json::to_value(parcel.kind)),
        word(serde_json::to_value(parcel.provider)),
        escaped(&parcel.from),
        escaped(&parcel.to),
        word(serde_json::to_value(state)),
        escaped(&parcel.outcome.code),
        subject.unwrap_or_default(),
        with_links(&parcel.text),
    )
}

/// Addresses in a text can be followed, as on a phone.
fn with_links(text: &str) -> String {
    let mut html = String::new();
    for line in text.split_inclusive(char::is_whitespace) {
        let word = line.trim_end();
        let rest = &line[word.len()..];
        if pages::web_url(word).is_some() {
            // Writing to a string cannot fail.
            let _ = write!(html, "<a href=\"{0}\">{0}</a>{1}", escaped(word), escaped(rest));
        } else {
            html.push_str(&escaped(line));
        }
    }
    html
}

/// The HTML of a mail as a mail program would show it: no script runs, and it is nobody's origin.
async fn letter(State(world): State<Arc<World>>, Path(seq): Path<u64>) -> Response {
    let found = world.store().post.parcels().iter().find(|parcel| parcel.seq == seq).cloned();
    match found.and_then(|parcel| parcel.html.clone()) {
        Some(html) => {
            let policy = "sandbox allow-popups allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'; img-src http: https:";
            ([(header::CONTENT_SECURITY_POLICY, policy)], Html(html)).into_response()
        }
        None => super::body::not_found().await.into_response(),
    }
}

async fn empty(State(world): State<Arc<World>>) -> Answered {
    desk::empty(&world)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn set_fate(State(world): State<Arc<World>>, JsonBody(fate): JsonBody<FateOf>) -> Answered {
    desk::set_fate(&world, &fate)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
