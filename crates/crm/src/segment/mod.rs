//! Segments: a shop's questions about its customers, and their answers.

mod calendar;
pub(crate) mod condition;
pub(crate) mod field;
pub(crate) mod read;
mod ready_made;
pub(crate) mod sql;

use chrono::{DateTime, SubsecRound, Utc};
use kernel::BusinessId;
use platform::{
    FieldError, TenantTx,
    features::{self, Feature},
};
use serde_json::Value;

use self::{
    condition::Condition,
    read::{Conditions, Reference, ReferenceTo},
    ready_made::ready_made,
    sql::Moment,
};
use crate::{
    Crm, CrmError,
    store::{customer, segment},
    text,
};

kernel::number_id!(
    /// Names a segment of a business.
    SegmentId
);

/// How conditions are written today.
pub(crate) const VERSION: i16 = 1;

/// How long a list may count. A shop with a million customers and a hundred segments waits no longer.
const COUNTING_MILLISECONDS: u32 = 2_000;

/// A segment as it is stored.
#[derive(Debug)]
pub(crate) struct Segment {
    pub id: SegmentId,
    pub name: String,
    pub conditions: Value,
    pub version: i16,
    /// When it was last counted, and how many there were.
    pub customer_count: Option<i64>,
    pub counted_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub changed_at: DateTime<Utc>,
}

impl Segment {
    pub(crate) fn condition(&self, at: Moment) -> Result<Condition, CrmError> {
        stored_condition(&self.conditions, self.version, at)
    }
}

/// Conditions that were stored, read again.
pub(crate) fn stored_condition(conditions: &Value, version: i16, at: Moment) -> Result<Condition, CrmError> {
    let sent = conditions.as_array().filter(|_| version == VERSION).ok_or(CrmError::Unreadable)?;
    Ok(Conditions::read(sent, at.today).map_err(|_| CrmError::Unreadable)?.all)
}

/// What is to be otherwise about a segment; what is not said stays as it is.
pub(crate) struct SegmentChange {
    pub name: Option<String>,
    pub conditions: Option<Vec<Value>>,
}

impl Crm {
    pub(crate) fn moment(&self) -> Moment {
        // As exact as the database keeps it.
        Moment { now: self.clock.now().trunc_subsecs(6), today: self.clock.today() }
    }

    /// Gives a shop the ready-made segments, unless it was given them before.
    pub(crate) async fn stock(&self, business: BusinessId) -> Result<(), CrmError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let now = self.clock.now();
        if segment::stock(&mut tx, business, now).await? {
            for ready in ready_made() {
                segment::insert(&mut tx, business, now, ready.name, &ready.conditions).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    pub(crate) async fn add_segment(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        name: &str,
        conditions: Vec<Value>,
    ) -> Result<Segment, CrmError> {
        let at = self.moment();
        let name = text::name(name).map_err(|refusal| invalid("name", refusal));
        let read = read_conditions(tx, business, &conditions, at).await;
        let (name, _) = both(name, read)?;
        let id = segment::insert(tx, business, at.now, &name, &Value::from(conditions)).await?;
        self.counted(tx, business, id).await
    }

    pub(crate) async fn change_segment(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        id: SegmentId,
        change: SegmentChange,
    ) -> Result<Segment, CrmError> {
        let at = self.moment();
        let before = segment::one(tx, business, id).await?.ok_or(CrmError::NotFound)?;
        features::require(tx, business, Feature::Crm).await?;
        let name = change.name.as_deref().unwrap_or(&before.name);
        let name = text::name(name).map_err(|refusal| invalid("name", refusal));
        let conditions = change.conditions.map_or(before.conditions, Value::from);
        let sent = conditions.as_array().ok_or(CrmError::Unreadable)?;
        let read = read_conditions(tx, business, sent, at).await;
        let (name, _) = both(name, read)?;
        segment::update(tx, business, at.now, id, &name, &conditions).await?;
        self.counted(tx, business, id).await
    }

    /// A segment with how many are in it now.
    pub(crate) async fn counted(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        id: SegmentId,
    ) -> Result<Segment, CrmError> {
        let at = self.moment();
        let mut found = segment::one(tx, business, id).await?.ok_or(CrmError::NotFound)?;
        let count = customer::count(tx, business, &found.condition(at)?, at).await?;
        segment::write_counts(tx, business, at.now, &[(id, count)]).await?;
        (found.customer_count, found.counted_at) = (Some(count), Some(at.now));
        Ok(found)
    }

    /// Segments with how many are in each, counted all at once; where that takes too long, as they were counted last.
    pub(crate) async fn all_counted(
        &self,
        business: BusinessId,
        mut segments: Vec<Segment>,
    ) -> Result<Vec<Segment>, CrmError> {
        if segments.is_empty() {
            return Ok(segments);
        }
        let at = self.moment();
        let conditions: Vec<_> =
            segments.iter().map(|segment| segment.condition(at)).collect::<Result<_, _>>()?;
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let counts =
            customer::counts_within(&mut tx, business, &conditions, at, COUNTING_MILLISECONDS).await?;
        let Some(counts) = counts else {
            tracing::warn!(%business, segments = segments.len(), "segments could not be counted in time");
            return Ok(segments);
        };
        let counted: Vec<_> = segments.iter().map(|segment| segment.id).zip(counts).collect();
        segment::write_counts(&mut tx, business, at.now, &counted).await?;
        tx.commit().await?;
        for (segment, (_, count)) in segments.iter_mut().zip(counted) {
            (segment.customer_count, segment.counted_at) = (Some(count), Some(at.now));
        }
        Ok(segments)
    }
}

/// Conditions that can be, of services, staff and campaigns that the shop has or had.
pub(crate) async fn read_conditions(
    tx: &mut TenantTx,
    business: BusinessId,
    sent: &[Value],
    at: Moment,
) -> Result<Condition, CrmError> {
    let Conditions { all, references } = Conditions::read(sent, at.today).map_err(CrmError::Invalid)?;
    if references.is_empty() {
        return Ok(all);
    }
    let known = customer::known_references(tx, business, &references).await?;
    let unknown = |reference: &Reference| {
        let (known, code, message) = match reference.to {
            ReferenceTo::Service => (&known.services, "UNKNOWN_SERVICE", "등록되지 않은 시술입니다."),
            ReferenceTo::Staff => (&known.staff, "UNKNOWN_STAFF", "등록되지 않은 직원입니다."),
            ReferenceTo::Campaign => (&known.campaigns, "UNKNOWN_CAMPAIGN", "등록되지 않은 캠페인입니다."),
        };
        let error = FieldError { field: reference.path.clone(), code, message: message.to_owned() };
        (!known.contains(&reference.id)).then_some(error)
    };
    let errors: Vec<_> = references.iter().filter_map(unknown).collect();
    if errors.is_empty() { Ok(all) } else { Err(CrmError::Invalid(errors)) }
}

fn invalid(field: &str, refusal: text::Refusal) -> CrmError {
    let text::Refusal { code, message } = refusal;
    CrmError::Invalid(vec![FieldError { field: field.to_owned(), code, message: message.to_owned() }])
}

/// Both, or all that is wrong with either.
fn both<A, B>(one: Result<A, CrmError>, other: Result<B, CrmError>) -> Result<(A, B), CrmError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(CrmError::Invalid(mut errors)), Err(CrmError::Invalid(more))) => {
            errors.extend(more);
            Err(CrmError::Invalid(errors))
        }
        // What is ours comes before what is the sender's.
        (Err(CrmError::Invalid(_)) | Ok(_), Err(error)) | (Err(error), _) => Err(error),
    }
}
