//! Customers, whose name is an object on its way in and a text on its way out.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Customer {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone_number: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerInput {
    id: Option<String>,
    name: Option<NameInput>,
    email: Option<String>,
    phone_number: Option<String>,
}

#[derive(Deserialize)]
struct NameInput {
    full: Option<String>,
    separated: Option<SeparatedName>,
}

#[derive(Deserialize)]
struct SeparatedName {
    first: String,
    last: String,
}

impl Customer {
    pub(crate) fn with_id(id: Option<String>) -> Self {
        Self { id, ..Self::default() }
    }
}

impl From<CustomerInput> for Customer {
    fn from(input: CustomerInput) -> Self {
        let name = input.name.and_then(|name| {
            let joined = name.separated.map(|name| format!("{} {}", name.first, name.last));
            name.full.or(joined)
        });
        Self { id: input.id, name, email: input.email, phone_number: input.phone_number }
    }
}
