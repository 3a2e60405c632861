//! Every SQL statement of this context.

pub(crate) mod export;
pub(crate) mod rows;
pub(crate) mod work;
