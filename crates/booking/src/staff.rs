//! Staff: who does the work.

use platform::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::field::{self, Checked};

kernel::number_id!(
    /// Names somebody who works in a business.
    StaffId
);

/// Somebody who works in a shop, or did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StaffView {
    #[schema(example = 1)]
    pub staff_id: StaffId,
    /// The feeding system's name for the row, where it comes from there.
    #[schema(example = "S-1")]
    pub external_id: Option<String>,
    #[schema(example = "이지은")]
    pub name: String,
    /// False for who has left; what they did stays theirs.
    pub active: bool,
}

/// Somebody who works in a shop, as the feeding system knows them.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"externalId": "S-1", "name": "이지은"}))]
pub struct StaffRow {
    #[schema(min_length = 1, max_length = 100)]
    pub external_id: String,
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// A row of a feed that can be.
#[derive(Clone, Debug)]
pub struct FedStaff {
    pub(crate) external_id: String,
    pub(crate) name: String,
}

impl StaffRow {
    pub(crate) fn read(self) -> Result<FedStaff, Vec<FieldError>> {
        let mut checked = Checked::default();
        let external_id = checked.take("externalId", field::external_id(&self.external_id));
        let name = checked.take("name", field::name(&self.name));
        checked.finish(external_id.zip(name).map(|(external_id, name)| FedStaff { external_id, name }))
    }
}
