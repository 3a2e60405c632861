//! Where businesses want to be written to, as identity publishes it.

use std::collections::HashMap;

use kernel::BusinessId;
use platform::{Vault, VaultError};
use secrecy::SecretString;
use sqlx::PgConnection;

pub(crate) struct BillingContact {
    business: BusinessId,
    pub name: String,
    email: String,
}

impl BillingContact {
    /// Sealed by identity.
    pub(crate) fn address(&self, vault: &Vault) -> Result<SecretString, VaultError> {
        vault.open(&format!("identity.business.billing_email:{}", self.business), &self.email)
    }
}

pub(crate) async fn of_businesses(
    conn: &mut PgConnection,
    businesses: &[i64],
) -> sqlx::Result<HashMap<BusinessId, BillingContact>> {
    let contacts = sqlx::query_as!(
        BillingContact,
        r#"select business_id as "business!: BusinessId", name as "name!", billing_email as "email!"
           from identity_read.billing_contact where business_id = any($1)"#,
        businesses,
    )
    .fetch_all(conn)
    .await?;
    Ok(contacts.into_iter().map(|contact| (contact.business, contact)).collect())
}
