//! What a business's plan allows. Contexts ask for a feature and never for a plan; `billing` publishes
//! which business has which, now.

use axum::http::StatusCode;
use kernel::BusinessId;
use sqlx::PgConnection;

use crate::Problem;

/// Something that not every plan unlocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    Exports,
    Crm,
}

impl Feature {
    /// As plans name it.
    fn as_str(self) -> &'static str {
        match self {
            Self::Exports => "EXPORTS",
            Self::Crm => "CRM",
        }
    }

    /// As the subject of a sentence.
    fn subject(self) -> &'static str {
        match self {
            Self::Exports => "데이터 내보내기는",
            Self::Crm => "고객 관리와 쿠폰은",
        }
    }
}

/// Whether a business's plan has a feature, for work that nobody waits for.
pub async fn has(conn: &mut PgConnection, business: BusinessId, feature: Feature) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from billing_read.feature where business_id = $1 and feature = $2) as "has!""#,
        business.0,
        feature.as_str(),
    )
    .fetch_one(conn)
    .await
}

/// Refuses whoever's plan lacks a feature, and names the cheapest that has it: `PLAN_UPGRADE_REQUIRED`.
pub async fn require(conn: &mut PgConnection, business: BusinessId, feature: Feature) -> Result<(), Problem> {
    if has(&mut *conn, business, feature).await? {
        return Ok(());
    }
    let cheapest = sqlx::query!(
        r#"select plan_code as "code!", plan_name as "name!" from billing_read.plan_feature
           where feature = $1 order by position, plan_code limit 1"#,
        feature.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    let from = |detail: String| {
        Problem::new(StatusCode::FORBIDDEN, "PLAN_UPGRADE_REQUIRED", "Plan upgrade required", detail)
            .with("feature", feature.as_str())
    };
    Err(match cheapest {
        Some(plan) => from(format!("{} {} 요금제부터 사용할 수 있습니다.", feature.subject(), plan.name))
            .with("requiredPlan", plan.code)
            .with("requiredPlanName", plan.name),
        None => from(format!("{} 현재 요금제에서 사용할 수 없습니다.", feature.subject())),
    })
}
