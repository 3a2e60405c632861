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
pub struct SolapiSwitches {
    /// How long after a message was taken the carrier reports.
    pub report_after_ms: u32,
    /// The list sees everything so late. Unknown.
    pub list_lag_seconds: u32,
    /// No sender number is registered (1062).
    pub unregistered_senders: bool,
    /// The account is empty: every request answers `NotEnoughBalance`.
    pub no_balance: bool,
    /// Only templates that were registered here exist; otherwise any code is an approved template of any text.
    pub known_templates_only: bool,
    /// The text in place of a Kakao message does not repeat its custom fields. Unknown.
    pub nameless_replacements: bool,
    /// Booleans come as 0 and 1, and recipients as lists of one: both were seen.
    pub odd_types: bool,
    /// Objects carry fields that no document names.
    pub unknown_fields: bool,
    pub webhook_timing: WebhookTiming,
}

impl Switches for SolapiSwitches {
    fn house(world: &World) -> &House<Self> {
        &world.solapi
    }
}
