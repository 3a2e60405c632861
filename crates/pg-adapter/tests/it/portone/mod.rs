mod answers;
mod cancel_answers;
mod canned;
mod contract;
mod key_answers;
mod papers;
pub(crate) mod rig;
