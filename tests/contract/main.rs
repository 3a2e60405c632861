//! What every operation and every table promises, whatever it is about.

mod database;
mod document;
mod examples;
mod health;
mod idempotency;
mod invariants;
mod openapi;
mod own_tables;
mod problem;
mod queries;
mod secrets;
mod tables;
mod upgrade;
mod walk;
