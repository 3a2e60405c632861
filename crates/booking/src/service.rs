//! Services: what a shop offers, in categories.

use platform::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::field::{self, Checked};

kernel::number_id!(
    /// Names a service of a business.
    ServiceId
);

/// A service that a shop offers, or did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceView {
    #[schema(example = 1)]
    pub service_id: ServiceId,
    /// The feeding system's name for the row, where it comes from there.
    #[schema(example = "CUT-F")]
    pub external_id: Option<String>,
    #[schema(example = "여성 컷")]
    pub name: String,
    #[schema(example = "컷")]
    pub category: Option<String>,
    /// The list price, won.
    #[schema(example = 30000)]
    pub price: i64,
    #[schema(example = 60)]
    pub duration_minutes: i32,
    /// False for what is not offered any more; visits keep it.
    pub active: bool,
}

/// A service as the feeding system knows it.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "externalId": "CUT-F", "name": "여성 컷", "category": "컷", "price": 30000, "durationMinutes": 60,
}))]
pub struct ServiceRow {
    #[schema(min_length = 1, max_length = 100)]
    pub external_id: String,
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// A category by its name; one that is not there yet is made.
    #[schema(max_length = 100)]
    pub category: Option<String>,
    /// The list price, won.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub price: i64,
    #[schema(minimum = 1, maximum = 1440)]
    pub duration_minutes: i64,
}

/// What a shop or the feeding system says about a service, read and found possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceFacts {
    pub(crate) name: String,
    pub(crate) category: Option<String>,
    pub(crate) price: i64,
    pub(crate) duration_minutes: i32,
}

impl ServiceFacts {
    /// `None` where something was refused.
    pub(crate) fn read(
        checked: &mut Checked,
        name: &str,
        category: Option<String>,
        price: i64,
        duration_minutes: i64,
    ) -> Option<Self> {
        let name = checked.take("name", field::name(name));
        let category = checked.optional("category", category, field::name);
        let price = checked.take("price", field::price(price));
        let duration_minutes = checked.take("durationMinutes", field::duration(duration_minutes));
        Some(Self { name: name?, category, price: price?, duration_minutes: duration_minutes? })
    }
}

/// A row of a feed that can be.
#[derive(Clone, Debug)]
pub struct FedService {
    pub(crate) external_id: String,
    pub(crate) facts: ServiceFacts,
}

impl ServiceRow {
    pub(crate) fn read(self) -> Result<FedService, Vec<FieldError>> {
        let mut checked = Checked::default();
        let external_id = checked.take("externalId", field::external_id(&self.external_id));
        let facts =
            ServiceFacts::read(&mut checked, &self.name, self.category, self.price, self.duration_minutes);
        checked.finish(external_id.zip(facts).map(|(external_id, facts)| FedService { external_id, facts }))
    }
}
