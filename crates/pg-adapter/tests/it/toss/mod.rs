mod answers;
mod canned;
mod contract;
mod papers;
mod requests;
pub(crate) mod rig;
