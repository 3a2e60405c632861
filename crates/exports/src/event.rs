//! What exports tell the rest of the platform.

use platform::events::Event;
use serde::Serialize;

use crate::export::{ExportFormat, ExportId, ExportType, Failure};

/// An event of this context. The members of each variant are its published `data`.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(crate) enum ExportEvent {
    Completed {
        export_id: ExportId,
        r#type: ExportType,
        format: ExportFormat,
        row_count: i64,
        file_size: i64,
        asked_by: String,
    },
    Failed {
        export_id: ExportId,
        r#type: ExportType,
        format: ExportFormat,
        error: Failure,
        asked_by: String,
    },
}

impl Event for ExportEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::Completed { .. } => "export.completed",
            Self::Failed { .. } => "export.failed",
        }
    }
}
