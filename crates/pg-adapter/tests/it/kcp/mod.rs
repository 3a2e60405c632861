mod answers;
mod canned;
mod contract;
mod requests;
pub(crate) mod rig;
