//! The vocabulary that every part of dangol shares: won, ids, the clock and the Korean calendar.
//!
//! Pure: nothing here reads a file, a socket or the time of day by itself (the one exception is
//! [`SystemClock`], whose whole purpose that is).

mod calendar;
mod causes;
mod clock;
mod ids;
mod money;

pub use calendar::{
    KoreanTime, at_korean_time, korean_day, korean_time, korean_weekday, start_of_korean_day,
};
pub use causes::with_causes;
pub use clock::{Clock, MovableClock, SystemClock};
pub use ids::{BusinessId, IdError};
pub use money::{Krw, VatSplit};
