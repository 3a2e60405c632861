//! Businesses and their members.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

/// A business that joins the platform, with the user who owns it.
pub struct NewBusiness<'a> {
    pub name: &'a str,
    pub owner: &'a str,
}

/// Registers those businesses that are not registered under their name yet. Needs a transaction
/// that may see every business.
pub async fn register_missing(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    businesses: &[NewBusiness<'_>],
) -> sqlx::Result<()> {
    for business in businesses {
        sqlx::query!(
            "with registered as (
                 insert into identity.business (name, created_at)
                 select $1, $2 where not exists (select from identity.business where name = $1)
                 returning business_id)
             insert into identity.member (business_id, user_id, role)
             select business_id, $3, 'OWNER' from registered",
            business.name,
            now,
            business.owner,
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
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

/// The business that is registered under a name.
pub async fn business_named(conn: &mut PgConnection, name: &str) -> sqlx::Result<Option<BusinessId>> {
    sqlx::query_scalar!(
        r#"select business_id as "id: BusinessId" from identity.business where name = $1
           order by business_id limit 1"#,
        name,
    )
    .fetch_optional(conn)
    .await
}
