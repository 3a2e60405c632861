//! What every operation and every table promises, whatever it is about.
