//! Switches for what the reference leaves open, and for what a client has to survive.

use serde::{Deserialize, Serialize};

use crate::{
    courier::WebhookTiming,
    house::{House, Switches},
    world::World,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a board of switches, each on or off by itself")]
pub struct PortOneSwitches {
    /// The channels have manual confirmation (수동 승인): what the browser brings back has to be
    /// confirmed by the server, unless the control surface says otherwise for one of them.
    pub manual_confirmation: bool,
    /// What becomes of a cancel.
    pub cancel_outcome: CancelOutcome,
    /// A declined charge through the API leaves a `FAILED` payment that can be read. Likely, since
    /// a webhook tells of it, but written nowhere.
    pub declined_charges_readable: bool,
    /// Refusals are kept under their idempotency key as successes are. The text makes no difference
    /// between the two.
    pub store_refusals: bool,
    /// 5xx of PortOne's own are kept too. Unknown.
    pub store_server_errors: bool,
    /// So many attempts on one `paymentId` until `MAX_TRANSACTION_COUNT_REACHED`. The number is unknown.
    pub most_attempts: u32,
    /// `amount.paid` is what is left after cancels, not what was paid. Neither is stated.
    pub paid_shrinks: bool,
    /// Objects carry fields that no document names.
    pub unknown_fields: bool,
    /// Enums that only decorate (card brand, platform) carry values that no document names.
    pub unknown_enum_values: bool,
    /// Fields that the schema calls required, and were added lately, or that are optional, are absent.
    pub sparse: bool,
    /// When webhooks go out, as seen from the answer to the request that caused them.
    pub webhook_timing: WebhookTiming,
    /// Webhooks have the shape of version `2024-01-01` and not that of `2024-04-25`.
    pub old_webhooks: bool,
    /// So many seconds pass until payments and events appear in the lists.
    pub lists_lag_seconds: u32,
}

impl Default for PortOneSwitches {
    fn default() -> Self {
        Self {
            manual_confirmation: false,
            cancel_outcome: CancelOutcome::Succeeded,
            declined_charges_readable: true,
            store_refusals: true,
            store_server_errors: false,
            most_attempts: 10,
            paid_shrinks: false,
            unknown_fields: false,
            unknown_enum_values: false,
            sparse: false,
            webhook_timing: WebhookTiming::AfterAnswer,
            old_webhooks: false,
            lists_lag_seconds: 0,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CancelOutcome {
    /// The money is back at once.
    Succeeded,
    /// Asynchronous: it waits until the control surface settles it.
    Requested,
    /// 200, and it failed all the same.
    Failed,
}

impl Switches for PortOneSwitches {
    fn house(world: &World) -> &House<Self> {
        &world.portone
    }
}
