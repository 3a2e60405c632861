//! `notifications.read_mark` and `read_one`: what people have read.

use kernel::{BusinessId, KoreanTime};
use sqlx::PgConnection;

use super::notification::Columns;
use crate::{
    NotificationType,
    audience::Audience,
    kind::Types,
    notification::{Notification, NotificationId},
    reading::Listed,
};

/// Where a person stands.
pub(crate) struct Standing {
    /// What they do not want to see.
    pub muted: Types,
    /// How much of the rest they have not read.
    pub unread: i64,
    /// The newest that they were told, muted or not.
    pub newest: NotificationId,
}

/// Where a person stands who is told what some audiences are told, at one moment and in one round trip.
pub(crate) async fn standing(
    conn: &mut PgConnection,
    user: &str,
    audiences: &[Audience],
) -> sqlx::Result<Standing> {
    let Columns { businesses, names, recipients } = Columns::of(audiences);
    let row = sqlx::query!(
        r#"with told_to as (
               select * from unnest($2::bigint[], $3::text[], $4::text[]) as told_to (business_id, audience, recipient)),
           muted as (
               select array(select type from notifications.preference
                            where user_id = $1 and channel = 'IN_APP' and not enabled) as types)
           select (select types from muted) as "muted!",
                  (select count(*) from told_to
                   join notifications.notification n using (business_id, audience, recipient)
                   where n.notification_id > coalesce(
                           (select read_up_to from notifications.read_mark where user_id = $1), 0)
                     and n.type = any($5) and n.type <> all((select types from muted)::text[])
                     and not exists (
                         select from notifications.read_one r
                         where r.user_id = $1 and r.notification_id = n.notification_id)) as "unread!",
                  (select max(told.notification_id) from told_to
                   cross join lateral (
                       select n.notification_id from notifications.notification n
                       where n.business_id = told_to.business_id and n.audience = told_to.audience
                         and n.recipient = told_to.recipient
                       order by n.notification_id desc limit 1) told) as newest"#,
        user,
        &businesses,
        &names,
        &recipients,
        &Types::default().others(),
    )
    .fetch_one(conn)
    .await?;
    Ok(Standing {
        muted: Types::named(&row.muted),
        unread: row.unread,
        newest: NotificationId(row.newest.unwrap_or(0)),
    })
}

/// Which notifications are wanted.
pub(crate) struct ListFilter {
    pub unread_only: bool,
    pub muted: Types,
    pub before: Option<NotificationId>,
    pub limit: i64,
}

/// Newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    user: &str,
    audiences: &[Audience],
    filter: &ListFilter,
) -> sqlx::Result<Vec<Listed>> {
    let Columns { businesses, names, recipients } = Columns::of(audiences);
    let rows = sqlx::query!(
        r#"select told.business_id as "business!: BusinessId", told.notification_id as "id!: NotificationId",
                  told.type as "kind!: NotificationType", told.title as "title!", told.message as "message!", told.link,
                  told.created_at as "created_at!: KoreanTime", told.read as "read!"
           from unnest($2::bigint[], $3::text[], $4::text[]) as told_to (business_id, audience, recipient)
           cross join lateral (
               select n.*, n.notification_id <= coalesce(
                              (select read_up_to from notifications.read_mark where user_id = $1), 0)
                          or exists (select from notifications.read_one r
                                     where r.user_id = $1 and r.notification_id = n.notification_id) as read
               from notifications.notification n
               where n.business_id = told_to.business_id and n.audience = told_to.audience
                 and n.recipient = told_to.recipient and n.notification_id < coalesce($5, 9223372036854775807)
                 and n.type = any($6)
                 and (not $7 or n.notification_id > coalesce(
                                    (select read_up_to from notifications.read_mark where user_id = $1), 0)
                                and not exists (select from notifications.read_one r
                                                where r.user_id = $1 and r.notification_id = n.notification_id))
               order by n.notification_id desc limit $8) told
           order by told.notification_id desc limit $8"#,
        user,
        &businesses,
        &names,
        &recipients,
        filter.before.map(|id| id.0),
        &filter.muted.others(),
        filter.unread_only,
        filter.limit,
    )
    .fetch_all(conn)
    .await?;
    let listed = rows.into_iter().map(|row| Listed {
        business_id: Some(row.business).filter(|business| business.0 != 0),
        notification: Notification {
            id: row.id,
            notification_type: row.kind,
            title: row.title,
            message: row.message,
            link: row.link,
            created_at: row.created_at,
        },
        read: row.read,
    });
    Ok(listed.collect())
}

/// Whether one of the audiences was told this.
pub(crate) async fn was_told(
    conn: &mut PgConnection,
    audiences: &[Audience],
    id: NotificationId,
) -> sqlx::Result<bool> {
    let Columns { businesses, names, recipients } = Columns::of(audiences);
    sqlx::query_scalar!(
        r#"select exists (
               select from notifications.notification
               join unnest($1::bigint[], $2::text[], $3::text[]) as told_to (business_id, audience, recipient)
                   using (business_id, audience, recipient)
               where notification_id = $4) as "was_told!""#,
        &businesses,
        &names,
        &recipients,
        id.0,
    )
    .fetch_one(conn)
    .await
}

/// A person has read this one. Twice is once.
pub(crate) async fn mark_one(conn: &mut PgConnection, user: &str, id: NotificationId) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into notifications.read_one (user_id, notification_id)
         select $1, $2
         where not exists (select from notifications.read_mark where user_id = $1 and read_up_to >= $2)
         on conflict do nothing",
        user,
        id.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A person has read everything up to this one.
pub(crate) async fn mark_up_to(conn: &mut PgConnection, user: &str, id: NotificationId) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into notifications.read_mark as known (user_id, read_up_to) values ($1, $2)
         on conflict (user_id) do update set read_up_to = greatest(known.read_up_to, excluded.read_up_to)",
        user,
        id.0,
    )
    .execute(&mut *conn)
    .await?;
    // The mark says it of them as well.
    sqlx::query!(
        "delete from notifications.read_one where user_id = $1 and notification_id <= $2",
        user,
        id.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn forget(conn: &mut PgConnection, user: &str) -> sqlx::Result<()> {
    sqlx::query!("delete from notifications.read_mark where user_id = $1", user).execute(&mut *conn).await?;
    sqlx::query!("delete from notifications.read_one where user_id = $1", user).execute(conn).await?;
    Ok(())
}
