//! Killing the real process: at every named step of a charge, and at random moments of a busy day.
//!
//! The gateway runs as a process of its own (`dangol-crashable`: the real one, with failpoints
//! compiled in) against the sandbox, which lives in the test and therefore survives. Afterwards the
//! sandbox's book is held against the ledger: [`judge`].

mod busy_day;
mod campaign;
mod cash_receipt;
mod checkout;
mod customers;
mod dice;
mod exports;
mod failover;
mod first_charge;
mod judge;
mod message;
mod mood;
mod new_card;
mod notifications;
mod operator;
mod owner;
mod process;
mod provider;
mod refund;
mod renewal;
mod tax_invoice;
mod world;
