//! `billing.route`.

use kernel::BusinessId;
use sqlx::PgConnection;

use crate::{routing::Route, store::column};

/// The rules of a business, or of the platform.
pub(crate) async fn of(conn: &mut PgConnection, business: BusinessId) -> sqlx::Result<Vec<Route>> {
    let rows = sqlx::query!(
        "select provider, rank, weight from billing.route where business_id = $1 order by rank, provider",
        business.0,
    )
    .fetch_all(conn)
    .await?;
    // A rule about a provider that this version does not know leads nowhere.
    let routes = rows.into_iter().filter_map(|row| {
        Some(Route { provider: row.provider.parse().ok()?, rank: row.rank, weight: row.weight })
    });
    Ok(routes.collect())
}

/// Puts these rules in the place of all that the business had.
pub(crate) async fn replace(
    conn: &mut PgConnection,
    business: BusinessId,
    routes: &[Route],
) -> sqlx::Result<()> {
    sqlx::query!("delete from billing.route where business_id = $1", business.0).execute(&mut *conn).await?;
    sqlx::query!(
        "insert into billing.route (business_id, provider, rank, weight)
         select $1, rule.* from unnest($2::text[], $3::int[], $4::int[]) as rule",
        business.0,
        &column(routes, |route| route.provider.as_str().to_owned()),
        &column(routes, |route| route.rank),
        &column(routes, |route| route.weight),
    )
    .execute(conn)
    .await?;
    Ok(())
}
