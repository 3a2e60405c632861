//! Every SQL statement of this context.
//!
//! Functions borrow a connection and neither begin nor commit. Rows are read under row-level
//! security; what is about one business names it all the same.

pub(crate) mod batch;
pub(crate) mod claim;
pub(crate) mod consent;
pub(crate) mod contact;
pub(crate) mod customer;
pub(crate) mod due;
pub(crate) mod message;
pub(crate) mod metrics;
pub(crate) mod refusal;
pub(crate) mod sender;
pub(crate) mod standing;
pub(crate) mod template;
pub(crate) mod view;

/// One column of many rows, as `unnest` takes them.
fn column<R, V>(rows: &[R], value: impl Fn(&R) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}
