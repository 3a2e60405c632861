//! How the API document describes conditions. They are read by `segment/read.rs`, which names every mistake by its path; a
//! derived type would give up at the first.

use std::borrow::Cow;

use serde_json::json;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Ref, RefOr, Schema,
        schema::{AdditionalProperties, AllOf, ArrayBuilder, Object, ObjectBuilder, OneOfBuilder, Type},
    },
};

/// A condition in the document: a comparison, or several conditions put together.
pub(crate) struct SegmentCondition;

impl PartialSchema for SegmentCondition {
    fn schema() -> RefOr<Schema> {
        let this = || Ref::from_schema_name("SegmentCondition");
        let closed = || {
            ObjectBuilder::new()
                .schema_type(Type::Object)
                .additional_properties(Some(AdditionalProperties::FreeForm(false)))
        };
        let text =
            |description: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(description));
        let comparison = closed()
            .description(Some(
                "A comparison; `GET .../segments/fields` lists what can be compared with what.",
            ))
            .property("field", text("The `field` of one of the fields.").examples(["lastVisitDate"]))
            .required("field")
            .property(
                "operator",
                text("The `operator` of one of the field's operators.").examples(["BEFORE"]),
            )
            .required("operator")
            .property(
                "value",
                AllOf::builder()
                    .description(Some("As the operator's `valueKind` says."))
                    .examples([json!("2025-11-14")]),
            );
        let group = |name: &str, description: &str| -> Object {
            let list = ArrayBuilder::new().items(this()).min_items(Some(1));
            closed().description(Some(description)).property(name, list).required(name).build()
        };
        let not = closed().description(Some("It is not true.")).property("not", this()).required("not");
        let condition = OneOfBuilder::new()
            .description(Some(
                "A comparison, or several conditions put together, up to 5 deep and 50 comparisons in all.",
            ))
            .item(comparison)
            .item(group("all", "All of them are true."))
            .item(group("any", "At least one of them is true."))
            .item(not)
            .build();
        RefOr::T(Schema::OneOf(condition))
    }
}

impl ToSchema for SegmentCondition {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("SegmentCondition")
    }
}
