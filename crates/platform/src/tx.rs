//! Transactions behind row-level security.
//!
//! The database shows a row only to a transaction that said for whom it works
//! (`platform.isolate_tenants` in this crate's migrations). These two types are the only way to say it.

use std::ops::{Deref, DerefMut};

use kernel::BusinessId;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Postgres, Transaction};

/// A transaction that sees one business's rows and no others. Rolled back unless committed.
pub struct TenantTx(Transaction<'static, Postgres>);

impl TenantTx {
    pub async fn begin(db: &PgPool, business: BusinessId) -> sqlx::Result<Self> {
        // One round trip. The id is a number, so there is nothing to escape.
        let statement = format!("begin; set local app.business_id = '{}'", business.0);
        Ok(Self(db.begin_with(AssertSqlSafe(statement)).await?))
    }

    /// One that changes nothing and sees one moment, however many statements it takes to look at it.
    pub async fn begin_snapshot(db: &PgPool, business: BusinessId) -> sqlx::Result<Self> {
        let statement = format!(
            "begin isolation level repeatable read read only; set local app.business_id = '{}'",
            business.0
        );
        Ok(Self(db.begin_with(AssertSqlSafe(statement)).await?))
    }

    pub async fn commit(self) -> sqlx::Result<()> {
        self.0.commit().await
    }
}

/// A transaction of a worker that serves every business. Rolled back unless committed.
pub struct SystemTx(Transaction<'static, Postgres>);

impl SystemTx {
    /// Its statements are about many rows, and are planned each time for the tables as they are: a plan
    /// that was kept from when a queue was empty takes minutes for the thousands that fill it later.
    pub async fn begin(db: &PgPool) -> sqlx::Result<Self> {
        let statement =
            "begin; set local app.scope = 'system'; set local plan_cache_mode = force_custom_plan";
        Ok(Self(db.begin_with(statement).await?))
    }

    /// One whose statements name every row that they want, of tables that grow faster than anybody looks at them: by what is
    /// known of a queue from before it filled, all of it would be read to find a thousand.
    pub async fn begin_by_name(db: &PgPool) -> sqlx::Result<Self> {
        let statement =
            "begin; set local app.scope = 'system'; set local plan_cache_mode = force_custom_plan;
             set local enable_seqscan = off";
        Ok(Self(db.begin_with(statement).await?))
    }

    pub async fn commit(self) -> sqlx::Result<()> {
        self.0.commit().await
    }

    /// Lets its locks go before anything else happens. A transaction that is only dropped does so when
    /// its connection gets round to it, and until then others pass over the rows.
    pub async fn rollback(self) -> sqlx::Result<()> {
        self.0.rollback().await
    }
}

/// A transaction that works for one person: it sees what is told to them, and what they keep. Rolled back unless committed.
pub struct UserTx(Transaction<'static, Postgres>);

impl UserTx {
    /// `told` are the businesses of which the person is told something; what everybody is told stands under business 0.
    pub async fn begin(db: &PgPool, user: &str, told: &[BusinessId]) -> sqlx::Result<Self> {
        let businesses: Vec<String> = told.iter().map(|business| business.0.to_string()).collect();
        // One round trip. Numbers, and one text in which a quote is all that has a meaning.
        let statement = format!(
            "begin; set local app.told_businesses = '{{{}}}'; set local app.user_id = '{}'",
            businesses.join(","),
            user.replace('\'', "''"),
        );
        Ok(Self(db.begin_with(AssertSqlSafe(statement)).await?))
    }

    pub async fn commit(self) -> sqlx::Result<()> {
        self.0.commit().await
    }
}

impl Deref for UserTx {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for UserTx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

impl Deref for TenantTx {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for TenantTx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

impl Deref for SystemTx {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for SystemTx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}
