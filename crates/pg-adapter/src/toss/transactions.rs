//! The list of a day's transactions, for the daily reconciliation.

use chrono::NaiveDate;

use super::{
    Operation, TossGateway,
    http::{Answer, path},
    mapping,
};
use crate::{ListFailed, TransactionPage};

impl TossGateway {
    /// The times carry no zone (a `Z` is refused) and are Korean; the end counts in.
    pub(super) async fn list(
        &self,
        day: NaiveDate,
        after: Option<&str>,
    ) -> Result<TransactionPage, ListFailed> {
        let limit = self.transactions_per_page;
        let mut query = vec![
            ("startDate", format!("{day}T00:00:00")),
            ("endDate", format!("{day}T23:59:59")),
            ("limit", limit.to_string()),
        ];
        query.extend(after.map(|key| ("startingAfter", key.to_owned())));
        let path = path(&["transactions"]).unwrap_or_default();
        match self.http.list(Operation::List, &path, &query).await {
            Answer::Accepted(body) => mapping::transactions(&body, limit),
            Answer::Refused { status, code } => Err(ListFailed(format!("{status} {code}"))),
            Answer::NotSent(reason) | Answer::Unclear(reason) => Err(ListFailed(reason)),
        }
    }
}
