//! The adapters against servers: one that says exactly what a test tells it to, and the sandbox.

mod answers;
mod canned;
mod requests;
mod toss_contract;
mod toss_rig;
