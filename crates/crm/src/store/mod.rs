//! Every SQL statement of this context, one file a table; `customer` reads what `booking` publishes.
//!
//! Functions borrow a connection and neither begin nor commit. Rows are read under row-level security; every statement names its
//! business all the same.

pub(crate) mod auto_campaign;
pub(crate) mod campaign;
pub(crate) mod coupon;
pub(crate) mod customer;
pub(crate) mod recipient;
pub(crate) mod redemption;
pub(crate) mod segment;
