//! The gateway: where the contexts are put together into one process.
//!
//! Nothing here knows a rule of billing. [`config`] reads the environment once, [`app`] composes the
//! routers and the OpenAPI document, [`worker`] runs what is due, [`dev`] is `cargo run` with nothing
//! configured, [`cli`] is the command line.

pub mod app;
pub mod cli;
pub mod config;
pub mod database;
pub mod dev;
pub mod events;
mod generate;
mod import;
mod layers;
mod lingering;
mod ops;
pub mod providers;
mod serve;
pub mod worker;
