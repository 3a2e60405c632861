//! Every SQL statement of this context, one file a table.
//!
//! Functions borrow a connection and neither begin nor commit. Rows are read under row-level
//! security; every statement names its business all the same. What is written is written for many rows at once.
//!
//! What a feed names is looked up name by name: `lateral`, with a limit that keeps it a look-up, and with the business
//! behind an `offset 0`, as a column and not a number. Asked for `any` of thousands of names of one business, the planner
//! reads all that the business has if it believes that to be little, and so it believes of one whose history is just
//! coming in: the import of a large shop grew slower with every batch.

pub(crate) mod customer;
pub(crate) mod generated;
pub(crate) mod import_run;
pub(crate) mod reservation;
pub(crate) mod review;
pub(crate) mod service;
pub(crate) mod staff;

use kernel::BusinessId;
use sqlx::{Executor, PgConnection};

/// Makes those who write for one business wait for each other; false if there is no such business.
///
/// Every change counts up this row anyway. Taking it first means that two feeds of the same rows queue up
/// instead of locking each other out.
pub(crate) async fn lock(conn: &mut PgConnection, business: BusinessId) -> sqlx::Result<bool> {
    let locked = sqlx::query!(
        "insert into booking.revision as known (business_id, revision)
         select business_id, 0 from identity_read.business where business_id = $1
         on conflict (business_id) do update set revision = known.revision",
        business.0,
    )
    .execute(conn)
    .await?;
    Ok(locked.rows_affected() == 1)
}

/// From here to the end of the transaction a statement is planned for the values that it is asked with. A list with
/// filters is one statement, and what finds a telephone number finds no tag.
pub(crate) async fn plan_for_each_value(conn: &mut PgConnection) -> sqlx::Result<()> {
    conn.execute("set local plan_cache_mode = 'force_custom_plan'").await?;
    Ok(())
}

/// One column of many rows, as `unnest` takes them.
fn column<R, V>(rows: &[R], value: impl Fn(&R) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}
