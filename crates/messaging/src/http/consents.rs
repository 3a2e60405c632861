//! Who agreed to advertising.

use axum::{extract::State, http::StatusCode};
use kernel::KoreanTime;
use platform::{
    BodyProblems, CommonProblems, Data, InBusiness, InBusinessOrAdmin, Json, List, PageQuery, Path, Problem,
    Query, SystemTx, TenantCrm, TenantTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Channel, Messaging, MessagingError,
    consent::{Act, ConsentId, ConsentPurpose, Method, Said},
    law::good_until,
    store::{self, consent::Consent},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerPath {
    customer_id: i64,
}

/// How a customer stands with one channel and purpose.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsentStanding {
    channel: Channel,
    purpose: ConsentPurpose,
    /// Advertising may be sent.
    holds: bool,
    /// When the number or address was refused at, by any way, if it was not agreed to since.
    refused_at: Option<KoreanTime>,
    /// The last that the customer said.
    act: Act,
    acted_at: KoreanTime,
    /// Until when it holds, unless it is confirmed anew; null where it was taken back.
    good_until: Option<KoreanTime>,
}

/// A line of the ledger.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsentView {
    #[schema(example = 1)]
    consent_id: ConsentId,
    channel: Channel,
    purpose: ConsentPurpose,
    act: Act,
    /// When the customer said so.
    acted_at: KoreanTime,
    /// When it was written down.
    recorded_at: KoreanTime,
    method: Method,
    #[schema(example = "marketing-2026-01")]
    wording: Option<String>,
    #[schema(example = "동의서 2026-0142")]
    evidence: Option<String>,
    /// Who wrote it down; null where a machine did.
    recorded_by: Option<String>,
}

impl From<Consent> for ConsentView {
    fn from(line: Consent) -> Self {
        Self {
            consent_id: line.id,
            channel: line.channel,
            purpose: line.purpose,
            act: line.act,
            acted_at: KoreanTime(line.acted_at),
            recorded_at: KoreanTime(line.recorded_at),
            method: line.method,
            wording: line.wording,
            evidence: line.evidence,
            recorded_by: line.recorded_by,
        }
    }
}

/// What a customer said.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "act": "GIVEN", "channels": ["SMS", "KAKAO"], "purposes": ["MARKETING"], "method": "PAPER",
    "wording": "marketing-2026-01", "evidence": "동의서 2026-0142",
}))]
pub(crate) struct ConsentBody {
    act: GivenAct,
    #[schema(min_items = 1, max_items = 3)]
    channels: Vec<Channel>,
    #[schema(min_items = 1, max_items = 2)]
    purposes: Vec<ConsentPurpose>,
    method: Method,
    /// Now, where it is left out.
    acted_at: Option<KoreanTime>,
    /// The version of the text that was agreed to; required for `GIVEN`.
    #[schema(max_length = 100)]
    wording: Option<String>,
    /// Where the proof is kept; required for `GIVEN` by `IMPORT`.
    #[schema(max_length = 500)]
    evidence: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum GivenAct {
    Given,
    Withdrawn,
}

/// How a customer stands
///
/// The last word for each channel and purpose; what is not listed was never agreed to.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/customers/{customerId}/consent", operation_id = "getConsent", tag = "messaging",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("customerId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "How the customer stands", body = Data<Vec<ConsentStanding>>),
        (status = 404, description = "`NOT_FOUND`: no such customer, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_consent(
    State(messaging): State<Messaging>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Path(path): Path<CustomerPath>,
) -> Result<Json<Data<Vec<ConsentStanding>>>, Problem> {
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let known = store::customer::reachable(&mut tx, caller.business, &[path.customer_id]).await?;
    let person = known.get(&path.customer_id).ok_or(MessagingError::NotFound)?;
    let standing = store::consent::standing_of(&mut tx, caller.business, path.customer_id).await?;
    let given = store::consent::last_given(&mut tx, caller.business, path.customer_id).await?;
    tx.commit().await?;
    let contacts: Vec<(Channel, Vec<u8>)> = Channel::ALL
        .into_iter()
        .filter_map(|channel| Some((channel, person.contact_hash(channel)?.clone())))
        .collect();
    // Who refuses everybody's advertising refuses this business's.
    let mut tx = SystemTx::begin(&messaging.db).await?;
    let mut refused = store::refusal::of_contacts(&mut tx, caller.business, &contacts).await?;
    tx.commit().await?;
    refused.retain(|channel, at| given.get(channel).is_none_or(|given| *at >= *given));
    let now = messaging.clock.now();
    let view = |line: Consent| {
        let good_until = (line.act != Act::Withdrawn).then(|| good_until(line.acted_at));
        ConsentStanding {
            channel: line.channel,
            purpose: line.purpose,
            holds: good_until.is_some_and(|until| now < until) && !refused.contains_key(&line.channel),
            refused_at: refused.get(&line.channel).copied().map(KoreanTime),
            act: line.act,
            acted_at: KoreanTime(line.acted_at),
            good_until: good_until.map(KoreanTime),
        }
    };
    Ok(Data::json(standing.into_iter().map(view).collect()))
}

/// What a customer said
///
/// Every line of the ledger, the newest first. None is ever changed.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/customers/{customerId}/consents", operation_id = "listConsents", tag = "messaging",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("customerId" = i64, Path, example = 1), PageQuery),
    responses(
        (status = 200, description = "A page of the ledger", body = List<ConsentView>),
        (status = 404, description = "`NOT_FOUND`: no such customer, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_consents(
    State(messaging): State<Messaging>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Path(path): Path<CustomerPath>,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<ConsentView>>, Problem> {
    let limit = page.limit()?;
    let before = page.after()?.map(ConsentId);
    let mut tx = TenantTx::begin(&messaging.db, caller.business).await?;
    let known = store::customer::reachable(&mut tx, caller.business, &[path.customer_id]).await?;
    if known.is_empty() {
        return Err(MessagingError::NotFound.into());
    }
    let lines =
        store::consent::of_customer(&mut tx, caller.business, path.customer_id, before, limit + 1).await?;
    tx.commit().await?;
    let lines = lines.into_iter().map(ConsentView::from).collect();
    Ok(Json(List::cut(lines, limit, |line: &ConsentView| line.consent_id)))
}

/// Write down what a customer said
///
/// A withdrawal holds at once, also for what waits to be sent. The customer is told what was written down, as the law wants.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/customers/{customerId}/consents", operation_id = "recordConsent", tag = "messaging",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("customerId" = i64, Path, example = 1)),
    request_body = ConsentBody,
    responses(
        (status = 204, description = "Written down"),
        (status = 404, description = "`NOT_FOUND`: no such customer, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn record_consent(
    State(messaging): State<Messaging>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<CustomerPath>,
    Json(body): Json<ConsentBody>,
) -> Result<StatusCode, Problem> {
    let mut said = Said {
        channels: body.channels,
        purposes: body.purposes,
        act: match body.act {
            GivenAct::Given => Act::Given,
            GivenAct::Withdrawn => Act::Withdrawn,
        },
        acted_at: body.acted_at.map(|at| at.0),
        method: body.method,
        wording: line(body.wording, "wording", 100)?,
        evidence: line(body.evidence, "evidence", 500)?,
        recorded_by: caller.caller.subject.chars().take(100).collect(),
    };
    said.channels.sort_unstable();
    said.channels.dedup();
    said.purposes.sort_unstable();
    said.purposes.dedup();
    messaging.record_consent(caller.business, path.customer_id, &said).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Text that fits; one that is empty is none.
pub(super) fn line(text: Option<String>, field: &str, longest: usize) -> Result<Option<String>, Problem> {
    let Some(text) = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > longest {
        let message = format!("{longest}자 이하여야 합니다.");
        return Err(Problem::invalid_field(field, "TOO_LONG", message));
    }
    Ok(Some(text))
}
