//! The adapters against servers: one that says exactly what a test tells it to, and the sandbox.

mod answers;
mod canned;
mod kcp_canned;
mod kcp_contract;
mod kcp_odd_answers;
mod kcp_requests;
mod kcp_rig;
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
