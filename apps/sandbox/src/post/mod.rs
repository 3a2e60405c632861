//! The post: every text, Kakao message and mail that somebody was sent, whoever carried it.
//!
//! It is the judge of what was said: whatever the product believes, people got what lies here. The carriers keep what
//! they were handed here as well, so that there is one list to look at.

pub(crate) mod desk;
mod fate;
mod parcel;
mod state;

pub use fate::Fate;
pub use parcel::{Outcome, Parcel, ParcelKind, ParcelState};
pub(crate) use state::{FateOf, Record, State};
