#![doc = include_str!("../README.md")]

mod book;
mod bootpay;
mod broken;
mod card;
mod complaint;
mod control;
mod courier;
mod faults;
mod house;
mod journal;
mod kcp;
mod line;
mod nhn;
mod percent;
mod popbill;
mod portone;
mod post;
mod random;
mod running;
mod smtp;
mod solapi;
mod store;
mod toss;
mod wire;
mod world;

pub use book::{BookEntry, BookKind, BookStatus, Provider};
pub use bootpay::{
    BootpayAttempt, BootpayBillingAuth, BootpayNotice, BootpayPaymentAuth, BootpaySwitches, RepeatedOrders,
};
pub use courier::WebhookTiming;
pub use faults::{Fault, FaultKind, Moment, Operation};
pub use kcp::{
    AnswerCharset, DeletedKeyAnswer, DuplicateOrders, KcpCredentials, KcpNotice, KcpPaymentAuth, KcpSwitches,
    NoticeAttempt, UnknownKeyAnswer, UsedWindowData, kcp_dev_credentials,
};
pub use nhn::{NhnAttempt, NhnNotice, NhnSwitches};
pub use popbill::{IssuedInvoice, PopbillSwitches};
pub use portone::{
    CHANNEL_KEY as PORTONE_CHANNEL_KEY, CancelOutcome, PortOneAttempt, PortOneBillingAuth, PortOneDelivery,
    PortOnePaymentAuth, PortOneSwitches, STORE_ID as PORTONE_STORE_ID,
    WEBHOOK_SECRET as PORTONE_WEBHOOK_SECRET,
};
pub use post::{Fate, Outcome, Parcel, ParcelKind, ParcelState};
pub use running::{Sandbox, SandboxConfig, WebhookUrls};
pub use solapi::{SolapiAttempt, SolapiNotice, SolapiSwitches};
pub use toss::{
    CashReceiptType, PaymentAuth, RepeatedDelete, TossSwitches, TransferAuth, WebhookAttempt, WebhookDelivery,
};
