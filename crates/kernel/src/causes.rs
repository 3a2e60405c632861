//! Errors as operators read them.

use std::error::Error;

/// An error with all of its causes, for the log: each says only its own part.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
