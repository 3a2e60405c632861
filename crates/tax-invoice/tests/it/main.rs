//! Popbill's adapter against servers: one that says exactly what a test tells it to, and the sandbox.

mod answers;
mod breaking;
mod canned;
mod invoices;
mod issuing;
mod rig;
mod secrets;
mod sessions;
mod standing;
mod webhooks;
