//! The adapters against servers: one that says exactly what a test tells it to, and the sandbox.

mod answers;
mod canned;
mod outside;
mod portone_answers;
mod portone_cancel_answers;
mod portone_canned;
mod portone_contract;
mod portone_key_answers;
mod portone_rig;
mod requests;
mod toss_contract;
mod toss_rig;
