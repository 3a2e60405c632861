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
pub struct BootpaySwitches {
    /// What a second payment with the same `order_id` gets. Only "not allowed" is documented.
    pub repeated_orders: RepeatedOrders,
    /// The look-up by order answers an error, and not an empty array, where there is none. Unknown.
    pub missing_order_is_an_error: bool,
    /// The look-up by order does not show payments that failed. Unknown.
    pub failed_payments_hidden: bool,
    /// The look-up by order sees everything so late. Unknown.
    pub order_lookup_lag_seconds: u32,
    /// A sandbox project, whose receipts say so and move no real money.
    pub sandbox_project: bool,
    /// `error_code` is an integer, as one of the SDKs declares it.
    pub numeric_error_codes: bool,
    /// Errors come with 200: `error_code` decides.
    pub errors_with_status_200: bool,
    /// A billing key that was issued has the status 1 and not 11, as one page says.
    pub keys_with_status_1: bool,
    /// Amounts are written `9900.0`: "number" is all that is documented.
    pub decimal_amounts: bool,
    /// Objects carry fields that no document names.
    pub unknown_fields: bool,
    /// Webhooks without `webhook_type`, as before version 5 of the API.
    pub old_webhooks: bool,
    /// Webhooks are forms, which is a setting of the console.
    pub form_webhooks: bool,
    pub webhook_timing: WebhookTiming,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RepeatedOrders {
    /// Refused where the first was paid.
    #[default]
    RefusedOncePaid,
    /// Refused whatever became of the first.
    RefusedOnceUsed,
    /// Charged again.
    Charged,
}

impl Switches for BootpaySwitches {
    fn house(world: &World) -> &House<Self> {
        &world.bootpay
    }
}
