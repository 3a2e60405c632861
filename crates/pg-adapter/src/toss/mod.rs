//! Toss Payments.
