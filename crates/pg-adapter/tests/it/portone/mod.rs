mod answers;
mod cancel_answers;
mod canned;
mod contract;
mod key_answers;
pub(crate) mod rig;
