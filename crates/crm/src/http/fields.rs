//! What can be asked about customers, for whoever builds the page on which it is asked.

use axum::extract::State;
use platform::{CommonProblems, Data, InBusinessOrAdmin, Json, Problem, TenantCrm, TenantTx};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::condition_schema::SegmentCondition;
use crate::{
    Crm,
    segment::{
        condition::{Channel, Gender, VisitedField},
        field::{Field, FieldType, Operator, ValueKind},
    },
    store::customer::{self, Named},
};

/// A fact about customers that conditions compare.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentField {
    #[schema(example = "lastVisitDate")]
    field: &'static str,
    #[schema(example = "마지막 방문일")]
    label: &'static str,
    /// What it is, and what it is of customers of whom it is not known.
    #[schema(example = "완료된 방문 중 가장 늦은 날. 방문한 적이 없는 고객은 IS_NOT_SET에만 해당합니다.")]
    description: &'static str,
    #[serde(rename = "type")]
    field_type: FieldType,
    operators: Vec<SegmentOperator>,
    /// The values that it may be compared with, where they are known; of tags those that most customers have, of campaigns the
    /// newest that have begun.
    options: Vec<SegmentOption>,
    /// The largest number that it may be compared with; the least is 0.
    #[schema(example = 36_500)]
    maximum: Option<i64>,
    /// A condition that can be sent as it is.
    #[schema(value_type = SegmentCondition)]
    example: Value,
}

/// How a field may be compared.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentOperator {
    operator: Operator,
    #[schema(example = "이전")]
    label: &'static str,
    value_kind: ValueKind,
}

/// A value that a field may be compared with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentOption {
    /// A text or an id.
    #[schema(value_type = Object, example = "FEMALE")]
    value: Value,
    #[schema(example = "여성")]
    label: String,
}

impl From<Named> for SegmentOption {
    fn from(named: Named) -> Self {
        Self { value: named.id.into(), label: named.name }
    }
}

/// What customers can be chosen by
///
/// Every field with its operators, in the order in which a page would show them.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/segments/fields", operation_id = "listSegmentFields", tag = "segments",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "All of them", body = Data<Vec<SegmentField>>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_segment_fields(
    State(crm): State<Crm>,
    caller: InBusinessOrAdmin<TenantCrm>,
) -> Result<Json<Data<Vec<SegmentField>>>, Problem> {
    let mut tx = TenantTx::begin_snapshot(&crm.db, caller.business).await?;
    let mut fields = Vec::with_capacity(Field::ALL.len());
    for field in Field::ALL {
        let options: Vec<SegmentOption> = match field {
            Field::Gender => Gender::ALL.map(|gender| option(gender.as_str(), gender.label())).into(),
            Field::Channel => Channel::ALL.map(|channel| option(channel.as_str(), channel.label())).into(),
            Field::Visited(VisitedField::Service) => {
                named(customer::services(&mut tx, caller.business).await?)
            }
            Field::Visited(VisitedField::Staff) => named(customer::staff(&mut tx, caller.business).await?),
            Field::Campaigns(_) => named(customer::campaigns(&mut tx, caller.business).await?),
            Field::Tag => {
                let tags = customer::tags(&mut tx, caller.business).await?;
                tags.iter().map(|tag| option(tag, tag)).collect()
            }
            Field::Day(_) | Field::Number(_) | Field::Flag(_) | Field::Birthday | Field::BirthdayMonth => {
                Vec::new()
            }
        };
        fields.push(described(field, options));
    }
    tx.commit().await?;
    Ok(Data::json(fields))
}

fn named(named: Vec<Named>) -> Vec<SegmentOption> {
    named.into_iter().map(SegmentOption::from).collect()
}

fn option(value: &str, label: &str) -> SegmentOption {
    SegmentOption { value: value.into(), label: label.to_owned() }
}

fn described(field: Field, options: Vec<SegmentOption>) -> SegmentField {
    let operators = field.operators().iter().map(|operator| SegmentOperator {
        operator: *operator,
        label: operator.label(),
        value_kind: field.value_kind(*operator),
    });
    // Where there is nothing yet that a list could be compared with, whether it is empty can be asked.
    let can_be_sent = |operator: &&Operator| {
        !options.is_empty() || !matches!(field.value_kind(**operator), ValueKind::Option | ValueKind::Options)
    };
    let operator = field.operators().iter().find(can_be_sent).copied().unwrap_or(field.operators()[0]);
    let first = || options.first().map_or_else(|| json!(1), |option| option.value.clone());
    let value = match field.value_kind(operator) {
        ValueKind::Date => json!({"daysAgo": 90}),
        ValueKind::DateRange => json!([{"daysAgo": 90}, {"daysAgo": 30}]),
        ValueKind::Number => json!(field.most().map_or(3, |most| most.min(3))),
        ValueKind::NumberRange => json!([1, 3]),
        ValueKind::Boolean => json!(true),
        ValueKind::Option => first(),
        ValueKind::Options => json!([first()]),
        ValueKind::Texts => json!([options.first().map_or("단골", |option| &option.label)]),
        ValueKind::Month => json!({"monthsAhead": 0}),
        ValueKind::Months => json!([{"monthsAhead": 0}, {"monthsAhead": 1}]),
        ValueKind::None => Value::Null,
    };
    SegmentField {
        field: field.name(),
        label: field.label(),
        description: field.meaning(),
        field_type: field.field_type(),
        operators: operators.collect(),
        maximum: field.most(),
        example: json!({"field": field.name(), "operator": operator, "value": value}),
        options,
    }
}
