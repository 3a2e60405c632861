mod answers;
mod contract;
mod papers;
pub(crate) mod rig;
