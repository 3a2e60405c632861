//! Switches for what the reference leaves open, and for what a client has to survive.

use serde::{Deserialize, Serialize};

use crate::{
    courier::WebhookTiming,
    house::{House, Switches},
    world::World,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a board of switches, each on or off by itself")]
pub struct TossSwitches {
    /// Keep 5xx answers under their idempotency key too. Unmeasured at Toss.
    pub store_server_errors: bool,
    /// A declined billing charge leaves an `ABORTED` payment that can be read, and tells a webhook.
    /// Unknown at Toss.
    pub declined_charges_readable: bool,
    /// Payments and billing keys carry fields that no document names.
    pub unknown_fields: bool,
    /// Card payments carry an `acquireStatus` that no document names.
    pub unknown_enum_values: bool,
    /// What deleting a billing key for the second time answers. Unknown at Toss.
    pub repeated_delete: RepeatedDelete,
    /// When webhooks go out, as seen from the answer to the request that caused them.
    pub webhook_timing: WebhookTiming,
    /// Cancel rows of the transaction list carry a negative amount. Their sign was never seen.
    pub negative_cancel_rows: bool,
    /// So many seconds pass until a transaction appears in the list.
    pub transactions_lag_seconds: u32,
    /// The tax service refuses the cash receipts that are issued from now on, which shows a day later.
    pub tax_service_refuses: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RepeatedDelete {
    /// 200 again.
    Ok,
    /// 400 `ALREADY_REMOVED_BILLING_KEY`.
    #[default]
    AlreadyRemoved,
    /// 400 `BILLING_KEY_NOT_FOUND`.
    NotFound,
}

/// How much an answer differs from the documents. Kept with the answer, which must not change later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Surprises {
    pub(crate) fields: bool,
    pub(crate) values: bool,
}

impl TossSwitches {
    pub(crate) fn surprises(self) -> Surprises {
        Surprises { fields: self.unknown_fields, values: self.unknown_enum_values }
    }
}

impl Switches for TossSwitches {
    fn house(world: &World) -> &House<Self> {
        &world.toss
    }
}
