//! Customers, as booking publishes them.

use std::collections::HashMap;

use kernel::BusinessId;
use platform::{Vault, VaultError};
use secrecy::SecretString;
use sqlx::PgConnection;

use crate::Channel;

/// How a customer is reached. Sealed by booking, for `booking.customer.phone:<id>` and `booking.customer.email:<id>`.
pub(crate) struct Reachable {
    pub id: i64,
    phone: Option<String>,
    email: Option<String>,
    pub phone_hash: Option<Vec<u8>>,
    pub email_hash: Option<Vec<u8>>,
}

impl Reachable {
    /// `None` where there is no such way.
    pub(crate) fn contact(
        &self,
        vault: &Vault,
        channel: Channel,
    ) -> Result<Option<SecretString>, VaultError> {
        let (sealed, what) = match channel {
            Channel::Sms | Channel::Kakao => (&self.phone, "phone"),
            Channel::Email => (&self.email, "email"),
        };
        let open = |sealed: &String| vault.open(&format!("booking.customer.{what}:{}", self.id), sealed);
        sealed.as_ref().map(open).transpose()
    }

    pub(crate) fn contact_hash(&self, channel: Channel) -> Option<&Vec<u8>> {
        match channel {
            Channel::Sms | Channel::Kakao => self.phone_hash.as_ref(),
            Channel::Email => self.email_hash.as_ref(),
        }
    }
}

/// Those of a business who were not erased.
pub(crate) async fn reachable(
    conn: &mut PgConnection,
    business: BusinessId,
    customers: &[i64],
) -> sqlx::Result<HashMap<i64, Reachable>> {
    let rows = sqlx::query_as!(
        Reachable,
        r#"select customer_id as "id!", phone, email, phone_hash, email_hash
           from booking_read.customer
           where business_id = $1 and customer_id = any($2) and deleted_at is null"#,
        business.0,
        customers,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}
