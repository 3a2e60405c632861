//! An invoice: what is owed for one period.

use chrono::NaiveDate;
use kernel::{BusinessId, Krw};

use crate::{
    payment_method::PaymentMethodId,
    subscription::{Period, SubscriptionId},
};

kernel::id!(
    /// What is owed for one period of a subscription.
    InvoiceId, "inv_"
);

/// A row of `billing.invoice` that is still open.
#[derive(Clone, Debug)]
pub(crate) struct Invoice {
    pub business: BusinessId,
    pub id: InvoiceId,
    pub subscription: SubscriptionId,
    pub period: Period,
    pub amount: Krw,
    pub due_on: NaiveDate,
    /// How many of the plan's retry days have been used up.
    pub retries_used: i32,
    /// The cards that were tried in the present round, where there are several.
    pub tried: Vec<PaymentMethodId>,
}
