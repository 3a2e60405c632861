//! Messages, as a business looks at them.

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use crate::{Channel, MessageId, MessageStatus, Purpose, channel::Kind};

pub(crate) struct MessageRow {
    pub id: MessageId,
    pub batch: Option<String>,
    pub customer: Option<i64>,
    pub purpose: Purpose,
    pub channel: Channel,
    pub recipient: Option<String>,
    pub content: Option<String>,
    pub status: MessageStatus,
    pub reason: Option<String>,
    pub provider_code: Option<String>,
    pub delivered_by: Option<Kind>,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// Which messages are wanted.
pub(crate) struct MessageFilter {
    pub only: Option<MessageId>,
    pub batch: Option<String>,
    pub customer: Option<i64>,
    pub channel: Option<Channel>,
    pub status: Option<MessageStatus>,
    pub before: Option<MessageId>,
    pub limit: i64,
}

/// The newest first, of what the business said.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    filter: &MessageFilter,
) -> sqlx::Result<Vec<MessageRow>> {
    sqlx::query_as!(
        MessageRow,
        r#"select m.message_id as "id: MessageId", m.batch, m.customer_id as customer, m.purpose as "purpose: Purpose",
                  m.channel as "channel: Channel", m.recipient, m.content, d.status as "status: MessageStatus", d.reason,
                  d.provider_code, d.delivered_by as "delivered_by: Kind", m.created_at, d.sent_at, d.finished_at
           from messaging.message m
           join messaging.delivery d on d.business_id = m.business_id and d.message_id = m.message_id
           where m.business_id = $1 and m.spoken_by = 'BUSINESS' and ($2::uuid is null or m.message_id = $2)
             and ($3::text is null or m.batch = $3) and ($4::bigint is null or m.customer_id = $4)
             and ($5::text is null or m.channel = $5) and ($6::text is null or d.status = $6)
             and ($7::uuid is null or m.message_id < $7)
           order by m.message_id desc limit $8"#,
        business.0,
        filter.only.map(|id| id.0),
        filter.batch,
        filter.customer,
        filter.channel as Option<Channel>,
        filter.status as Option<MessageStatus>,
        filter.before.map(|id| id.0),
        filter.limit,
    )
    .fetch_all(conn)
    .await
}
