//! Every SQL statement of this context.

pub(crate) mod notification;
pub(crate) mod people;
pub(crate) mod preference;
pub(crate) mod reading;
pub(crate) mod reminder;
pub(crate) mod ticket;
