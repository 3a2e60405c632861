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
        r#"select message_id as "id: MessageId", batch, customer_id as customer, purpose as "purpose: Purpose",
                  channel as "channel: Channel", recipient, content, status as "status: MessageStatus", reason,
                  provider_code, delivered_by as "delivered_by: Kind", created_at, sent_at, finished_at
           from messaging.message
           where business_id = $1 and spoken_by = 'BUSINESS' and ($2::uuid is null or message_id = $2)
             and ($3::text is null or batch = $3) and ($4::bigint is null or customer_id = $4)
             and ($5::text is null or channel = $5) and ($6::text is null or status = $6)
             and ($7::uuid is null or message_id < $7)
           order by message_id desc limit $8"#,
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
