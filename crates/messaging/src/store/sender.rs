//! `messaging.sender`, with the business's name as identity publishes it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

/// Who a business is when it writes: what an operator approved.
#[derive(Clone, Debug)]
pub(crate) struct Profile {
    pub business: BusinessId,
    pub name: String,
    pub phone: Option<String>,
    pub refusal_number: Option<String>,
    pub kakao_channel: Option<String>,
    pub contact: Option<String>,
}

pub(crate) async fn profiles(
    conn: &mut PgConnection,
    businesses: &[i64],
) -> sqlx::Result<HashMap<BusinessId, Profile>> {
    let profiles = sqlx::query_as!(
        Profile,
        r#"select business.business_id as "business!: BusinessId", business.name as "name!",
                  own.phone as "phone?", own.refusal_number as "refusal_number?", own.kakao_channel as "kakao_channel?",
                  sender.contact as "contact?"
           from identity_read.business
           left join messaging.sender on sender.business_id = business.business_id
           left join messaging.sender own on own.business_id = business.business_id and own.approved_at is not null
           where business.business_id = any($1)"#,
        businesses,
    )
    .fetch_all(conn)
    .await?;
    Ok(profiles.into_iter().map(|profile| (profile.business, profile)).collect())
}

/// Who a business wants to be when it writes.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub business: BusinessId,
    pub name: String,
    pub numbers: Numbers,
    pub contact: Option<String>,
    pub approved_at: Option<DateTime<Utc>>,
}

/// What is the account's, and an operator approves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    pub phone: Option<String>,
    pub refusal_number: Option<String>,
    pub kakao_channel: Option<String>,
}

impl Numbers {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Of one business, or those of all behind it that wait for an approval.
pub(crate) async fn wanted(
    conn: &mut PgConnection,
    only: Option<BusinessId>,
    behind: Option<BusinessId>,
    limit: i64,
) -> sqlx::Result<Vec<Wanted>> {
    let rows = sqlx::query!(
        r#"select business.business_id as "business!: BusinessId", business.name as "name!", sender.phone as "phone?",
                  sender.refusal_number as "refusal_number?", sender.kakao_channel as "kakao_channel?",
                  sender.contact as "contact?", sender.approved_at as "approved_at?"
           from identity_read.business left join messaging.sender on sender.business_id = business.business_id
           where case when $1::bigint is not null then business.business_id = $1
                      else sender.approved_at is null and ($2::bigint is null or business.business_id > $2)
                           and num_nonnulls(sender.phone, sender.refusal_number, sender.kakao_channel) > 0 end
           order by business.business_id limit $3"#,
        only.map(|id| id.0),
        behind.map(|id| id.0),
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Wanted {
            business: row.business,
            name: row.name,
            numbers: Numbers {
                phone: row.phone,
                refusal_number: row.refusal_number,
                kakao_channel: row.kakao_channel,
            },
            contact: row.contact,
            approved_at: row.approved_at,
        })
        .collect())
}

/// People may have this line in hand from now on.
pub(crate) async fn print_line(
    conn: &mut PgConnection,
    business: BusinessId,
    line: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.refusal_line (business_id, line, approved_at) values ($1, $2, $3)
         on conflict (business_id, line) do update set approved_at = excluded.approved_at",
        business.0,
        line,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn put(conn: &mut PgConnection, wanted: &Wanted, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.sender
             (business_id, phone, refusal_number, kakao_channel, contact, changed_at, approved_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (business_id) do update
         set phone = excluded.phone, refusal_number = excluded.refusal_number, kakao_channel = excluded.kakao_channel,
             contact = excluded.contact, changed_at = excluded.changed_at, approved_at = excluded.approved_at",
        wanted.business.0,
        wanted.numbers.phone,
        wanted.numbers.refusal_number,
        wanted.numbers.kakao_channel,
        wanted.contact,
        now,
        wanted.approved_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}
