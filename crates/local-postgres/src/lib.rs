#![doc = include_str!("../README.md")]

mod account;
mod binaries;
mod cluster;
mod error;
mod home;
mod server;
mod supervisor;

pub use binaries::{Binaries, find_binaries};
pub use error::Error;
pub use server::{LocalPostgres, Options};
