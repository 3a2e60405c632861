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
pub struct NhnSwitches {
    /// How long after a message was taken the carrier reports.
    pub report_after_ms: u32,
    /// How long a text in place of a Kakao message is on its way (RSC03).
    pub resending_takes_ms: u32,
    /// What was sent as advertising stands among the other texts, and not where it was sent. Unknown.
    pub advertising_among_texts: bool,
    /// The lists see everything so late. Unknown.
    pub list_lag_seconds: u32,
    /// No sender number is registered (-2312).
    pub unregistered_senders: bool,
    /// Lists do not give grouping keys back. Unknown.
    pub nameless_lists: bool,
    /// The key is misspelt as in the official sample.
    pub misspelt_keys: bool,
    /// Codes of deliveries are numbers.
    pub numeric_codes: bool,
    /// Objects carry fields that no document names.
    pub unknown_fields: bool,
    pub webhook_timing: WebhookTiming,
}

impl Switches for NhnSwitches {
    fn house(world: &World) -> &House<Self> {
        &world.nhn
    }
}
