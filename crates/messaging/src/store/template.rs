//! `messaging.template`.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use crate::{Channel, Purpose};

kernel::number_id!(
    /// Names a template of a business.
    TemplateId
);

#[derive(Clone, Debug)]
pub(crate) struct Template {
    pub id: TemplateId,
    pub name: String,
    pub channel: Channel,
    pub purpose: Purpose,
    pub subject: Option<String>,
    pub body: String,
    pub kakao_code: Option<String>,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}

/// What is written of one; its id and times are not.
#[derive(Clone, Debug)]
pub(crate) struct TemplateFacts {
    pub name: String,
    pub channel: Channel,
    pub purpose: Purpose,
    pub subject: Option<String>,
    pub body: String,
    pub kakao_code: Option<String>,
}

pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    only: Option<TemplateId>,
    before: Option<TemplateId>,
    limit: i64,
) -> sqlx::Result<Vec<Template>> {
    sqlx::query_as!(
        Template,
        r#"select template_id as "id: TemplateId", name, channel as "channel: Channel", purpose as "purpose: Purpose",
                  subject, body, kakao_code, created_at, changed_at
           from messaging.template
           where business_id = $1 and ($2::bigint is null or template_id = $2) and ($3::bigint is null or template_id < $3)
           order by template_id desc limit $4"#,
        business.0,
        only.map(|id| id.0),
        before.map(|id| id.0),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// The id of the new one; `None` where the name is taken.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    business: BusinessId,
    facts: &TemplateFacts,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<TemplateId>> {
    sqlx::query_scalar!(
        r#"insert into messaging.template
               (business_id, name, channel, purpose, subject, body, kakao_code, created_at, changed_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
           on conflict (business_id, name) do nothing returning template_id as "id: TemplateId""#,
        business.0,
        facts.name,
        facts.channel as Channel,
        facts.purpose as Purpose,
        facts.subject,
        facts.body,
        facts.kakao_code,
        now,
    )
    .fetch_optional(conn)
    .await
}

/// False where there is none of this id. A name that is taken is an error of the constraint.
pub(crate) async fn update(
    conn: &mut PgConnection,
    business: BusinessId,
    id: TemplateId,
    facts: &TemplateFacts,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update messaging.template
         set name = $3, channel = $4, purpose = $5, subject = $6, body = $7, kakao_code = $8, changed_at = $9
         where business_id = $1 and template_id = $2",
        business.0,
        id.0,
        facts.name,
        facts.channel as Channel,
        facts.purpose as Purpose,
        facts.subject,
        facts.body,
        facts.kakao_code,
        now,
    )
    .execute(conn)
    .await?;
    Ok(updated.rows_affected() == 1)
}

pub(crate) async fn delete(
    conn: &mut PgConnection,
    business: BusinessId,
    id: TemplateId,
) -> sqlx::Result<bool> {
    let deleted = sqlx::query!(
        "delete from messaging.template where business_id = $1 and template_id = $2",
        business.0,
        id.0,
    )
    .execute(conn)
    .await?;
    Ok(deleted.rows_affected() == 1)
}
