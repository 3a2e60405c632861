//! How customers are reached, as far as whoever asked may know.

use platform::{Vault, VaultError, contact};
use secrecy::ExposeSecret;

/// Opens what `booking` publishes sealed, and masks it unless the file is for somebody who may see it.
pub(crate) struct Contacts {
    pub vault: Vault,
    pub whole: bool,
}

impl Contacts {
    /// `booking` seals a telephone number for the customer that it belongs to.
    pub(crate) fn phone(&self, customer: i64, sealed: &str) -> Result<String, VaultError> {
        let digits = self.vault.open(&format!("booking.customer.phone:{customer}"), sealed)?;
        let shown = if self.whole { contact::phone_in_full } else { contact::masked_phone };
        Ok(shown(digits.expose_secret()))
    }

    pub(crate) fn email(&self, customer: i64, sealed: &str) -> Result<String, VaultError> {
        let address = self.vault.open(&format!("booking.customer.email:{customer}"), sealed)?;
        let address = address.expose_secret();
        Ok(if self.whole { address.to_owned() } else { contact::masked_email(address) })
    }
}
