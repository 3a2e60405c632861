//! `notifications.preference`: how people want to be told.

use std::collections::HashMap;

use sqlx::PgConnection;

use crate::{Channel, NotificationType, kind::Types, reading::Preference};

/// What a person said, which is not all: what is not said is on.
pub(crate) async fn said(conn: &mut PgConnection, user: &str) -> sqlx::Result<Vec<Preference>> {
    let rows = sqlx::query!(
        "select type as kind, channel, enabled from notifications.preference where user_id = $1",
        user
    )
    .fetch_all(conn)
    .await?;
    // What a later version asked about is none of this one's.
    let said = rows.into_iter().filter_map(|row| {
        Some(Preference {
            notification_type: NotificationType::named(&row.kind)?,
            channel: Channel::named(&row.channel)?,
            enabled: row.enabled,
        })
    });
    Ok(said.collect())
}

/// What a person does not want to see on the screen.
pub(crate) async fn muted(conn: &mut PgConnection, user: &str) -> sqlx::Result<Types> {
    let types = sqlx::query_scalar!(
        "select type from notifications.preference where user_id = $1 and channel = 'IN_APP' and not enabled",
        user,
    )
    .fetch_all(conn)
    .await?;
    Ok(Types::named(&types))
}

/// The same of many, as far as they turned anything off.
pub(crate) async fn muted_by(
    conn: &mut PgConnection,
    users: &[String],
) -> sqlx::Result<HashMap<String, Types>> {
    let rows = sqlx::query!(
        r#"select user_id, array_agg(type) as "types!" from notifications.preference
           where user_id = any($1) and channel = 'IN_APP' and not enabled group by user_id"#,
        users,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.user_id, Types::named(&row.types))).collect())
}

pub(crate) async fn say(conn: &mut PgConnection, user: &str, preferences: &[Preference]) -> sqlx::Result<()> {
    let types: Vec<_> = preferences.iter().map(|it| it.notification_type.as_str().to_owned()).collect();
    let channels: Vec<_> = preferences.iter().map(|it| it.channel.as_str().to_owned()).collect();
    let enabled: Vec<_> = preferences.iter().map(|it| it.enabled).collect();
    sqlx::query!(
        "insert into notifications.preference (user_id, type, channel, enabled)
         select $1, type, channel, enabled
         from unnest($2::text[], $3::text[], $4::boolean[]) as said (type, channel, enabled)
         on conflict (user_id, type, channel) do update set enabled = excluded.enabled",
        user,
        &types,
        &channels,
        &enabled,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn forget(conn: &mut PgConnection, user: &str) -> sqlx::Result<()> {
    sqlx::query!("delete from notifications.preference where user_id = $1", user).execute(conn).await?;
    Ok(())
}
