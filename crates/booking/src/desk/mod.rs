//! What a shop writes by hand, one thing at a time.

pub(crate) mod customers;
pub(crate) mod reservations;
pub(crate) mod reviews;
pub(crate) mod services;
pub(crate) mod staffs;
