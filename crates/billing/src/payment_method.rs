//! A payment method: a card that a provider will charge for us.

use kernel::BusinessId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::merchant::Merchant;

kernel::id!(
    /// Our handle for a billing key. The provider's key itself never leaves.
    PaymentMethodId, "bk_"
);

/// How a payment method stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum PaymentMethodStatus {
    /// The provider was asked for a key; its answer is not known yet.
    Issuing,
    Active,
    /// The provider said that this card will not work again.
    Unusable,
    /// No longer needed; its key is still to be deleted at the provider.
    Releasing,
    /// The key is gone.
    Released,
}

/// Why a card is kept beside the one that the subscription names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Standby {
    /// The business added it to be charged when the first one cannot be.
    Backup,
    /// The business is moving away from it; kept until the new one has paid once.
    Predecessor,
}

/// A row of `billing.payment_method`, as the use cases need it.
#[derive(Clone, Debug)]
pub(crate) struct PaymentMethod {
    pub business: BusinessId,
    pub id: PaymentMethodId,
    pub merchant: Merchant,
    pub customer_key: String,
    pub status: PaymentMethodStatus,
    /// Sealed.
    pub auth_key: Option<String>,
    /// Sealed.
    pub billing_key: Option<String>,
    pub tries: i32,
}

impl PaymentMethod {
    /// What its secrets are sealed for.
    pub(crate) fn purpose(business: BusinessId, id: PaymentMethodId) -> String {
        format!("billing.payment_method:{business}:{id}")
    }
}
