//! Who customers and businesses are, as their contexts publish it.

use std::collections::HashMap;

use kernel::BusinessId;
use sqlx::PgConnection;

/// A customer, as far as telling something to or about somebody needs it.
#[derive(Clone, Debug)]
pub(crate) struct Customer {
    pub name: String,
    /// The subject of their token; who has none cannot sign in.
    pub external_id: Option<String>,
}

/// Those of the customers who are there and were not erased.
pub(crate) async fn customers(
    conn: &mut PgConnection,
    wanted: &[(BusinessId, i64)],
) -> sqlx::Result<HashMap<(BusinessId, i64), Customer>> {
    let (businesses, ids): (Vec<i64>, Vec<i64>) =
        wanted.iter().map(|(business, id)| (business.0, *id)).unzip();
    let rows = sqlx::query!(
        r#"select business_id as "business!: BusinessId", customer_id as "id!", name as "name!", external_id
           from booking_read.customer
           join unnest($1::bigint[], $2::bigint[]) as wanted (business_id, customer_id)
               using (business_id, customer_id)
           where deleted_at is null"#,
        &businesses,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let customer = rows
        .into_iter()
        .map(|row| ((row.business, row.id), Customer { name: row.name, external_id: row.external_id }));
    Ok(customer.collect())
}

/// By what a customer signed in, who may have been erased.
pub(crate) async fn external_id(
    conn: &mut PgConnection,
    business: BusinessId,
    customer: i64,
) -> sqlx::Result<Option<String>> {
    let external_id = sqlx::query_scalar!(
        "select external_id from booking_read.customer where business_id = $1 and customer_id = $2",
        business.0,
        customer,
    )
    .fetch_optional(conn)
    .await?;
    Ok(external_id.flatten())
}

/// What businesses are called.
pub(crate) async fn business_names(
    conn: &mut PgConnection,
    wanted: &[BusinessId],
) -> sqlx::Result<HashMap<BusinessId, String>> {
    let ids: Vec<i64> = wanted.iter().map(|business| business.0).collect();
    let rows = sqlx::query!(
        r#"select business_id as "business!: BusinessId", name as "name!" from identity_read.business
           where business_id = any($1)"#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.business, row.name)).collect())
}
