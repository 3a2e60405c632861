//! `notifications.notification`.

use chrono::{DateTime, Utc};
use kernel::{BusinessId, KoreanTime};
use sqlx::PgConnection;

use crate::{
    NotificationType,
    audience::Audience,
    kind::Types,
    notification::{NewNotification, Notification, NotificationId, Told},
};

/// Writes down what is told, in this order.
pub(crate) async fn insert(conn: &mut PgConnection, told: &[NewNotification]) -> sqlx::Result<()> {
    fn column<'a, T>(told: &'a [NewNotification], value: impl Fn(&'a NewNotification) -> T) -> Vec<T> {
        told.iter().map(value).collect()
    }
    sqlx::query!(
        "insert into notifications.notification
             (business_id, audience, recipient, customer_id, type, title, message, link, created_at)
         select business_id, audience, recipient, customer_id, type, title, message, link, created_at
         from unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::timestamptz[])
             with ordinality as fresh
                 (business_id, audience, recipient, customer_id, type, title, message, link, created_at, position)
         order by position",
        &column(told, |it| it.audience.business().0),
        &column(told, |it| it.audience.name().to_owned()),
        &column(told, |it| it.audience.recipient().to_owned()),
        &column(told, |it| it.customer) as &[Option<i64>],
        &column(told, |it| it.kind.as_str().to_owned()),
        &column(told, |it| it.title.clone()),
        &column(told, |it| it.message.clone()),
        &column(told, |it| it.link.clone()) as &[Option<String>],
        &column(told, |it| it.created_at),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The newest there is.
pub(crate) async fn newest(conn: &mut PgConnection) -> sqlx::Result<NotificationId> {
    let newest = sqlx::query_scalar!(
        "select notification_id from notifications.notification order by notification_id desc limit 1"
    )
    .fetch_optional(conn)
    .await?;
    Ok(NotificationId(newest.unwrap_or(0)))
}

/// What was told behind a position, to anybody, in order.
pub(crate) struct Behind {
    pub told: Vec<Told>,
    /// Up to here that is all.
    pub up_to: NotificationId,
    /// And there is nothing behind it.
    pub is_all: bool,
}

/// Up to `limit`. What a later version tells is not told by this one.
pub(crate) async fn behind(
    conn: &mut PgConnection,
    position: NotificationId,
    limit: i64,
) -> sqlx::Result<Behind> {
    let rows = sqlx::query!(
        r#"select business_id as "business: BusinessId", audience, recipient,
                  notification_id as "id: NotificationId", type as kind, title, message, link,
                  created_at as "created_at: KoreanTime"
           from notifications.notification where notification_id > $1 order by notification_id limit $2"#,
        position.0,
        limit,
    )
    .fetch_all(conn)
    .await?;
    let up_to = rows.last().map_or(position, |last| last.id);
    let is_all = i64::try_from(rows.len()).unwrap_or(i64::MAX) < limit;
    let told = rows.into_iter().filter_map(|row| {
        let notification = Notification {
            id: row.id,
            notification_type: NotificationType::named(&row.kind)?,
            title: row.title,
            message: row.message,
            link: row.link,
            created_at: row.created_at,
        };
        Some(Told { audience: Audience::stored(row.business, &row.audience, row.recipient), notification })
    });
    Ok(Behind { told: told.collect(), up_to, is_all })
}

/// The columns of some audiences, as SQL takes them.
pub(crate) struct Columns {
    pub businesses: Vec<i64>,
    pub names: Vec<String>,
    pub recipients: Vec<String>,
}

impl Columns {
    pub(crate) fn of(audiences: &[Audience]) -> Self {
        Self {
            businesses: audiences.iter().map(|audience| audience.business().0).collect(),
            names: audiences.iter().map(|audience| audience.name().to_owned()).collect(),
            recipients: audiences.iter().map(|audience| audience.recipient().to_owned()).collect(),
        }
    }
}

/// What was told to some audiences behind a position and up to another, in order.
pub(crate) async fn missed(
    conn: &mut PgConnection,
    audiences: &[Audience],
    muted: Types,
    (after, up_to): (NotificationId, NotificationId),
    limit: i64,
) -> sqlx::Result<Vec<Notification>> {
    let Columns { businesses, names, recipients } = Columns::of(audiences);
    sqlx::query_as!(
        Notification,
        r#"select told.notification_id as "id!: NotificationId", told.type as "notification_type!: NotificationType",
                  told.title as "title!", told.message as "message!", told.link,
                  told.created_at as "created_at!: KoreanTime"
           from unnest($1::bigint[], $2::text[], $3::text[]) as told_to (business_id, audience, recipient)
           cross join lateral (
               select * from notifications.notification n
               where n.business_id = told_to.business_id and n.audience = told_to.audience
                 and n.recipient = told_to.recipient and n.notification_id > $4 and n.notification_id <= $5
                 and n.type = any($6)
               order by n.notification_id limit $7) told
           order by told.notification_id limit $7"#,
        &businesses,
        &names,
        &recipients,
        after.0,
        up_to.0,
        &muted.others(),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Forgets what was told about somebody.
pub(crate) async fn forget_about(
    conn: &mut PgConnection,
    business: BusinessId,
    customer: i64,
) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from notifications.notification where business_id = $1 and customer_id = $2",
        business.0,
        customer,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets up to `limit` of what was told before `before`; answers with how many they were.
pub(crate) async fn forget_old(
    conn: &mut PgConnection,
    before: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<u64> {
    let forgotten = sqlx::query!(
        "delete from notifications.notification
         where notification_id in (
             select notification_id from notifications.notification
             where created_at < $1 order by created_at limit $2)",
        before,
        limit,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from notifications.read_one r
         where r.notification_id < (select min(notification_id) from notifications.notification)"
    )
    .execute(conn)
    .await?;
    Ok(forgotten.rows_affected())
}
