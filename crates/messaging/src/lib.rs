//! Messaging: texts, KakaoTalk and mail reach a person once, lawfully, whatever dies in between.
//!
//! The rule of money holds here as well: **write down what you are about to ask for, commit, ask, write down the answer.**
//! [`Messaging::enqueue`] writes a message in the caller's transaction; [`dispatch`] sends what is due; [`reconcile`]
//! finishes what a crash or a lost answer left open, and looks before anything is repeated. Whether something may be
//! said at all is judged ([`law`]) when it is sent, and not when it was written.

mod advertising;
mod answer;
mod batch;
pub mod channel;
pub mod code;
mod consent;
mod contact;
mod content;
mod dispatch;
mod enqueue;
mod error;
mod event;
mod foresight;
mod handover;
mod http;
mod judgement;
mod law;
mod mails;
mod message;
mod opt_out;
mod preview;
mod reconcile;
mod route;
mod store;
mod sweep;
pub mod template;
pub mod text;

use std::sync::Arc;

use kernel::Clock;
use platform::Vault;
use sqlx::PgPool;
use tokio::sync::Mutex;

pub use batch::BatchState;
pub use channel::{Kind, Provider, nhn, smtp, solapi};
pub use consent::{Act, ConsentId, ConsentPurpose, Method};
pub use content::{AlimTalk, Brand, Button, Content, Mail, Text};
pub use dispatch::SendReport;
pub use enqueue::{Enqueued, Enqueueing, NewMessage, Recipient};
pub use error::MessagingError;
pub use foresight::When;
pub use http::router;
pub use law::{AdvertisingHours, Verdict};
pub use mails::CONSUMER;
pub use message::{Channel, Exclusion, FailureClass, MessageId, MessageStatus, Purpose, Speaker};
pub use preview::{Preview, Prices};
pub use route::{Channels, PlatformSender};
pub use store::{metrics::Backlog, template::TemplateId};

/// What this context needs to work.
#[derive(Clone)]
pub struct Messaging {
    pub db: PgPool,
    pub clock: Arc<dyn Clock>,
    /// Seals whom a message goes to and what it says.
    pub vault: Vault,
    pub channels: Channels,
    pub settings: Arc<Settings>,
    /// Advertising is counted by one at a time: who waits for others of this process keeps no connection meanwhile.
    pub counting: Arc<Mutex<()>>,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// Where links in messages lead: the address of this API as people reach it.
    pub public_url: String,
    /// Where links for shop owners lead: the pages on which they run their business.
    pub shop_url: String,
    /// Who speaks where a business has nothing of its own.
    pub sender: PlatformSender,
    pub advertising_hours: AdvertisingHours,
    /// How many advertisements one contact may get from one business in seven days.
    pub advertisements_a_week: i64,
    /// What messages cost, for whoever is about to send many.
    pub prices: Prices,
    /// How many requests to one provider are under way at once.
    pub concurrency: usize,
}

/// This context's migrations, in schema `messaging`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// A named step between a commit and a call, where tests kill the process. Compiled to nothing
/// unless the feature `failpoints` is on.
macro_rules! crash_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}
pub(crate) use crash_point;
