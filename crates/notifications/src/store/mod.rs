//! Every SQL statement of this context.

pub(crate) mod notification;
pub(crate) mod people;
pub(crate) mod preference;
pub(crate) mod reading;
pub(crate) mod reminder;
pub(crate) mod ticket;

use kernel::BusinessId;
use sqlx::PgConnection;

use crate::audience;

/// Forgets what was told about a customer, and what they have read and wanted.
pub(crate) async fn forget_about(
    conn: &mut PgConnection,
    business: BusinessId,
    customer: i64,
) -> sqlx::Result<()> {
    notification::forget_about(conn, business, customer).await?;
    if let Some(external_id) = people::external_id(conn, business, customer).await? {
        let user = audience::customer(business, &external_id);
        preference::forget(conn, &user).await?;
        reading::forget(conn, &user).await?;
    }
    Ok(())
}
