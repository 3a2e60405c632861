//! What became of the rows of a feed.

use platform::FieldError;
use serde::Serialize;
use utoipa::ToSchema;

/// What became of the rows. `received` is the sum of the five that follow.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(example = json!({
    "received": 4, "created": 2, "updated": 1, "unchanged": 0, "superseded": 0, "failed": 1,
    "errors": [{"row": 3, "externalId": "R-20003", "field": "staffExternalId", "code": "UNKNOWN_STAFF",
                "message": "등록되지 않은 직원입니다."}],
}))]
pub struct FeedReport {
    pub received: usize,
    pub created: usize,
    pub updated: usize,
    /// They said what is known already.
    pub unchanged: usize,
    /// A later row of the same call had the same `externalId`, and counted instead.
    pub superseded: usize,
    pub failed: usize,
    /// All that is wrong with the failed rows.
    pub errors: Vec<RowError>,
}

/// What is wrong with a row.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RowError {
    /// Counted from 1; of NDJSON it is the line.
    pub row: usize,
    /// Null where it cannot be read.
    pub external_id: Option<String>,
    /// Empty where the whole row is meant.
    pub field: String,
    pub code: &'static str,
    /// What a shop owner may read, in Korean.
    pub message: String,
}

impl FeedReport {
    pub(crate) fn fail(&mut self, row: usize, external_id: Option<&str>, errors: Vec<FieldError>) {
        self.failed += 1;
        // Whatever stands there may be longer than any name.
        let external_id = external_id.map(|name| name.chars().take(100).collect::<String>());
        self.errors.extend(errors.into_iter().map(|error| RowError {
            row,
            external_id: external_id.clone(),
            field: error.field,
            code: error.code,
            message: error.message,
        }));
    }

    /// In the order of the rows.
    pub(crate) fn sorted(mut self) -> Self {
        self.errors.sort_by_key(|error| error.row);
        self
    }
}

pub(crate) fn error(field: impl Into<String>, code: &'static str, message: &str) -> FieldError {
    FieldError { field: field.into(), code, message: message.to_owned() }
}
