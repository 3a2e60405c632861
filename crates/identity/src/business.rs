//! Businesses and their members.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

/// A business that joins the platform, with the user who owns it.
pub struct NewBusiness<'a> {
    pub name: &'a str,
    pub owner: &'a str,
}

/// Registers a business. Needs a transaction that may see every business.
pub async fn register(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    business: &NewBusiness<'_>,
) -> sqlx::Result<BusinessId> {
    let id = sqlx::query_scalar!(
        r#"insert into identity.business (name, created_at) values ($1, $2)
           returning business_id as "id: BusinessId""#,
        business.name,
        now,
    )
    .fetch_one(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into identity.member (business_id, user_id, role) values ($1, $2, 'OWNER')",
        id.0,
        business.owner,
    )
    .execute(conn)
    .await?;
    Ok(id)
}

/// The names of those of `ids` that exist.
pub(crate) async fn names(conn: &mut PgConnection, ids: &[i64]) -> sqlx::Result<Vec<(BusinessId, String)>> {
    let rows = sqlx::query!(
        r#"select business_id as "id: BusinessId", name from identity.business where business_id = any($1)"#,
        ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}
