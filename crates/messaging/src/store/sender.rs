//! `messaging.sender`, with the business's name as identity publishes it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

/// Who a business is when it writes.
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
        r#"select business.business_id as "business!: BusinessId", business.name as "name!", sender.phone as "phone?",
                  sender.refusal_number as "refusal_number?", sender.kakao_channel as "kakao_channel?",
                  sender.contact as "contact?"
           from identity_read.business left join messaging.sender on sender.business_id = business.business_id
           where business.business_id = any($1)"#,
        businesses,
    )
    .fetch_all(conn)
    .await?;
    Ok(profiles.into_iter().map(|profile| (profile.business, profile)).collect())
}

pub(crate) async fn put(conn: &mut PgConnection, profile: &Profile, now: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into messaging.sender (business_id, phone, refusal_number, kakao_channel, contact, changed_at)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (business_id) do update
         set phone = excluded.phone, refusal_number = excluded.refusal_number, kakao_channel = excluded.kakao_channel,
             contact = excluded.contact, changed_at = excluded.changed_at",
        profile.business.0,
        profile.phone,
        profile.refusal_number,
        profile.kakao_channel,
        profile.contact,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}
