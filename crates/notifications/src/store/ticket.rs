//! `notifications.ticket`: what browsers connect with.

use chrono::{DateTime, Utc};
use platform::{Membership, Principal};
use sqlx::{PgConnection, types::Json};

/// A ticket, as it is kept.
pub(crate) struct StoredTicket {
    pub principal: Principal,
    pub session_ends: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

pub(crate) async fn insert(conn: &mut PgConnection, hash: &[u8], ticket: &StoredTicket) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into notifications.ticket
             (ticket_hash, subject, memberships, is_platform_admin, session_ends_at, expires_at)
         values ($1, $2, $3, $4, $5, $6)",
        hash,
        ticket.principal.subject.replace('\0', ""),
        Json(&ticket.principal.memberships) as Json<&Vec<Membership>>,
        ticket.principal.is_platform_admin,
        ticket.session_ends,
        ticket.expires_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a ticket out, so that nobody takes it again.
pub(crate) async fn take(conn: &mut PgConnection, hash: &[u8]) -> sqlx::Result<Option<StoredTicket>> {
    let row = sqlx::query!(
        r#"delete from notifications.ticket where ticket_hash = $1
           returning subject, memberships as "memberships: Json<Vec<Membership>>", is_platform_admin,
                     session_ends_at, expires_at"#,
        hash,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| StoredTicket {
        principal: Principal {
            subject: row.subject,
            memberships: row.memberships.0,
            is_platform_admin: row.is_platform_admin,
        },
        session_ends: row.session_ends_at,
        expires_at: row.expires_at,
    }))
}

pub(crate) async fn forget_expired(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!("delete from notifications.ticket where expires_at < $1", now).execute(conn).await?;
    Ok(())
}
