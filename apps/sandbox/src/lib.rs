#![doc = include_str!("../README.md")]

mod book;
mod control;
mod faults;
mod journal;
mod line;
mod popbill;
mod random;
mod running;
mod store;
mod toss;
mod world;

pub use book::{BookEntry, BookKind, BookStatus, Provider};
pub use faults::{Fault, FaultKind, Moment, Operation};
pub use popbill::{IssuedInvoice, PopbillSwitches};
pub use running::{Sandbox, SandboxConfig};
pub use toss::{PaymentAuth, RepeatedDelete, TossSwitches, WebhookAttempt, WebhookDelivery, WebhookTiming};
