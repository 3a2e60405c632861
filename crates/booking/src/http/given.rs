//! What requests have in common.

use platform::{FieldError, Problem};
use serde::{Deserialize, Deserializer};

use crate::field::Refusal;

/// For a member that may be left out but never null.
pub(crate) fn stated<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// The value of a query parameter, refused by its name.
pub(crate) fn parameter<V, T>(
    name: &str,
    given: Option<V>,
    read: impl FnOnce(V) -> Result<T, Refusal>,
) -> Result<Option<T>, Problem> {
    let refused =
        |Refusal { message, .. }| Problem::bad_request("INVALID_PARAMETER", format!("{name}: {message}"));
    given.map(|value| read(value).map_err(refused)).transpose()
}

/// The member of a body that is all there is to check.
pub(crate) fn member<T>(field: &str, value: Result<T, Refusal>) -> Result<T, Problem> {
    value.map_err(|Refusal { code, message }| {
        Problem::invalid(vec![FieldError { field: field.to_owned(), code, message: message.to_owned() }])
    })
}
