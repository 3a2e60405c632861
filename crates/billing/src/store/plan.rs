//! `billing.plan` and `billing.plan_price`.

use kernel::Krw;
use sqlx::PgConnection;

use crate::{
    BillingCycle,
    plan::{DunningPolicy, Plan, WhenExhausted},
};

/// The catalogue, cheapest first.
pub(crate) async fn all(conn: &mut PgConnection) -> sqlx::Result<Vec<Plan>> {
    let rows = sqlx::query!(
        r#"select plan.code, plan.name, plan.features, plan.retry_days,
                  plan.when_exhausted as "when_exhausted: WhenExhausted",
                  monthly.amount as "monthly: Option<Krw>", yearly.amount as "yearly: Option<Krw>"
           from billing.plan
           left join billing.plan_price monthly on monthly.plan_code = plan.code and monthly.cycle = 'MONTHLY'
           left join billing.plan_price yearly on yearly.plan_code = plan.code and yearly.cycle = 'YEARLY'
           order by plan.position, plan.code"#
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Plan {
            code: row.code,
            name: row.name,
            features: row.features,
            monthly_amount: row.monthly,
            yearly_amount: row.yearly,
            dunning: DunningPolicy { retry_days: row.retry_days, when_exhausted: row.when_exhausted },
        })
        .collect())
}

/// A plan by its code, in whatever case.
pub(crate) async fn find(conn: &mut PgConnection, code: &str) -> sqlx::Result<Option<Plan>> {
    // The catalogue is a handful of rows; one query serves both.
    Ok(all(conn).await?.into_iter().find(|plan| plan.code.eq_ignore_ascii_case(code)))
}

/// Adds a plan; one that exists already is left as it is.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    code: &str,
    name: &str,
    prices: &[(BillingCycle, Krw)],
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into billing.plan (code, name, position) values ($1, $2, 10) on conflict do nothing",
        code,
        name,
    )
    .execute(&mut *conn)
    .await?;
    for (cycle, amount) in prices {
        sqlx::query!(
            "insert into billing.plan_price (plan_code, cycle, amount) values ($1, $2, $3) on conflict do nothing",
            code,
            *cycle as BillingCycle,
            amount.get(),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}
