//! A provider that only lists: Toss's transaction list of one day, as long as one wishes, made up row
//! by row, so that the figures are not the sandbox's.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State},
    routing::get,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::part::{answer, orphaned};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ListServer {
    pub rows: u64,
    /// The Korean day, as `2026-02-14`.
    pub day: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    starting_after: Option<String>,
    limit: u64,
}

/// Answers with its base URL, and serves until nobody wants it any more.
pub(crate) async fn run(task: ListServer) -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    answer(&format!("http://{}", listener.local_addr()?))?;
    let router = Router::new().route("/v1/transactions", get(list)).with_state(Arc::new(task));
    axum::serve(listener, router).with_graceful_shutdown(orphaned()).await?;
    Ok(())
}

async fn list(State(task): State<Arc<ListServer>>, Query(page): Query<Page>) -> Json<Vec<Value>> {
    let after = page.starting_after.as_deref().and_then(|key| key.strip_prefix("t")?.parse().ok());
    let first = after.map_or(1, |last: u64| last + 1);
    let rows = (first..=task.rows).take(usize::try_from(page.limit).unwrap_or(usize::MAX));
    Json(rows.map(|number| row(number, &task.day)).collect())
}

/// The same charge that the database holds under this number; every fiftieth was given back.
fn row(number: u64, day: &str) -> Value {
    let charge = charge_of(number);
    json!({
        "mId": "bench", "transactionKey": format!("t{number}"), "paymentKey": format!("pay{charge}"),
        "orderId": order_id(charge), "method": "카드", "customerKey": null, "useEscrow": false,
        "receiptUrl": "", "status": if is_cancel(number) { "CANCELED" } else { "DONE" },
        "transactionAt": format!("{day}T12:00:00+09:00"), "currency": "KRW", "amount": 29_000,
    })
}

/// Whether this row is the cancel of the charge before it.
pub(crate) fn is_cancel(number: u64) -> bool {
    number.is_multiple_of(50)
}

pub(crate) fn charge_of(number: u64) -> u64 {
    if is_cancel(number) { number - 1 } else { number }
}

pub(crate) fn order_id(charge: u64) -> String {
    format!("dgbench{charge:08}")
}
