//! Killing the real process: at every named step of a charge, and at random moments of a busy day.
