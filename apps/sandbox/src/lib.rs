#![doc = include_str!("../README.md")]

mod book;
mod broken;
mod card;
mod complaint;
mod control;
mod courier;
mod faults;
mod journal;
mod line;
mod percent;
mod portone;
mod random;
mod running;
mod store;
mod toss;
mod world;

pub use book::{BookEntry, BookKind, BookStatus, Provider};
pub use faults::{Fault, FaultKind, Moment, Operation};
pub use portone::{
    CHANNEL_KEY as PORTONE_CHANNEL_KEY, CancelOutcome, PortOneAttempt, PortOneBillingAuth, PortOneDelivery,
    PortOnePaymentAuth, PortOneSwitches, STORE_ID as PORTONE_STORE_ID,
    WEBHOOK_SECRET as PORTONE_WEBHOOK_SECRET,
};
pub use running::{Sandbox, SandboxConfig};
pub use toss::{PaymentAuth, RepeatedDelete, TossSwitches, WebhookAttempt, WebhookDelivery, WebhookTiming};
