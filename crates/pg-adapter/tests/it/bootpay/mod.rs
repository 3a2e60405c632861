mod answers;
mod contract;
pub(crate) mod rig;
