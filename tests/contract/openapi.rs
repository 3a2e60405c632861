//! The OpenAPI document is the contract that frontends generate their client from.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_json::Value;

use crate::{
    document::{self, Operation, PUBLIC, members, operations, text},
    own_tables,
};

const CHECKED_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/openapi.json");

#[tokio::test]
async fn the_checked_in_document_is_the_generated_one() {
    let checked_in = fs::read_to_string(CHECKED_IN).expect("openapi/openapi.json is there");
    let generated = gateway::cli::openapi_json().expect("the document is generated");
    let differs = checked_in.lines().zip(generated.lines()).position(|(old, new)| old != new);
    assert!(
        checked_in.trim_end() == generated.trim_end(),
        "openapi/openapi.json is not what the code says, from line {}. Run `just openapi` \
         (that is, `dangol openapi > openapi/openapi.json`, and the TypeScript client) and look at the difference.",
        differs.unwrap_or_else(|| checked_in.lines().count()) + 1
    );
}

#[tokio::test]
async fn two_contexts_mean_the_same_by_the_same_name() {
    let mut seen: BTreeMap<String, (&str, Value)> = BTreeMap::new();
    for (context, document) in document::unmerged() {
        let document = serde_json::to_value(&document).expect("a document is JSON");
        for (name, schema) in members(&document["components"]["schemas"]) {
            match seen.get(name) {
                None => _ = seen.insert(name.clone(), (context, schema.clone())),
                Some((other, same)) => assert_eq!(
                    schema, same,
                    "{context} and {other} both publish `{name}`; merging would silently keep one of them"
                ),
            }
        }
    }
    assert!(seen.contains_key("Problem"));
}

/// Within a context the routes are merged before anybody can look, so this reads the source.
#[test]
fn no_two_types_are_published_under_one_name() {
    let mut names = BTreeMap::new();
    let root = own_tables::root();
    for file in own_tables::rust_sources(&[root.join("crates"), root.join("apps/gateway")]) {
        let source = fs::read_to_string(&file).expect("a source file");
        let mut published_as = None;
        for line in source.lines().map(str::trim_start) {
            if line.starts_with("#[derive(") {
                published_as = line.contains("ToSchema").then_some("");
            }
            if let Some(name) = line.strip_prefix("#[schema(as = ") {
                published_as = name.strip_suffix(")]");
            }
            let words: Vec<&str> = line.split([' ', '<', '(', '{', ';']).collect();
            let Some(at) = words.iter().position(|word| ["struct", "enum"].contains(word)) else { continue };
            let Some(name) = published_as.take() else { continue };
            let name = if name.is_empty() { words[at + 1] } else { name };
            let namesake = names.insert(name.to_owned(), file.clone());
            assert_eq!(namesake, None, "`{name}` of {} has a namesake", file.display());
        }
    }
    assert!(names.len() > 40, "{names:?}");
}

#[tokio::test]
async fn an_operation_id_names_one_operation() {
    let mut ids = BTreeSet::new();
    for (context, document) in document::unmerged() {
        for path in document.paths.paths.values() {
            let path = serde_json::to_value(path).expect("a path is JSON");
            for (method, operation) in members(&path).filter(|(_, operation)| operation.is_object()) {
                let id = text(&operation["operationId"]);
                assert!(!id.is_empty(), "{context}: {method} without an operationId");
                assert!(ids.insert(id.clone()), "{context}: `{id}` is taken");
            }
        }
    }
    let merged: BTreeSet<_> = operations().into_iter().map(|operation| operation.id).collect();
    assert_eq!(ids, merged, "merging lost an operation");
}

#[tokio::test]
async fn every_operation_is_described() {
    let document = document::generated();
    let tags: BTreeSet<_> =
        document["tags"].as_array().into_iter().flatten().map(|tag| text(&tag["name"])).collect();
    for operation in operations() {
        let Operation { id, description, .. } = &operation;
        let named: Vec<_> = description["tags"].as_array().into_iter().flatten().map(text).collect();
        assert!(!named.is_empty() && named.iter().all(|tag| tags.contains(tag)), "{id}: tags {named:?}");
        assert!(!text(&description["summary"]).is_empty(), "{id} has no summary");
        for (status, response) in members(&description["responses"]) {
            assert!(!text(&response["description"]).is_empty(), "{id}: {status} is not described");
        }
    }
}

#[tokio::test]
async fn every_operation_says_who_may_call_it() {
    let operations = operations();
    for operation in &operations {
        let is_public = PUBLIC.contains(&operation.id.as_str());
        assert_eq!(operation.security().is_none(), is_public, "security of {}", operation.id);
        let scheme = operation.security();
        assert!(
            scheme.is_none_or(|scheme| ["bearer", "cron"].contains(&scheme.as_str())),
            "{}",
            operation.id
        );
        let of_a_business = operation.wants_bearer()
            && !operation.is_about_the_caller()
            && !operation.is_for_operators()
            && !operation.is_in_a_business();
        assert_eq!(
            operation.takes_header("X-Business-Id"),
            of_a_business,
            "X-Business-Id of {}",
            operation.id
        );
    }
    for public in PUBLIC {
        assert!(operations.iter().any(|operation| operation.id == public), "take {public} off the list");
    }
}

#[tokio::test]
async fn every_json_body_comes_with_an_example_that_has_its_members() {
    for operation in operations() {
        let Some(schema) = operation.body() else { continue };
        let Some(example) = operation.example() else { panic!("{} has no example", operation.id) };
        if schema.get("properties").is_none() {
            continue;
        }
        for (member, _) in members(&example) {
            assert!(schema["properties"].get(member).is_some(), "{}: no member {member}", operation.id);
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            assert!(example.get(text(required)).is_some(), "{}: {required} is missing", operation.id);
        }
        assert_eq!(schema["additionalProperties"], false, "{} would take unknown members", operation.id);
    }
}

#[tokio::test]
async fn every_error_is_a_problem_document() {
    for operation in operations() {
        for (status, response) in members(&operation.description["responses"]) {
            let is_error = status.starts_with(['4', '5']);
            let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(*problem == "#/components/schemas/Problem", is_error, "{} {status}", operation.id);
            assert!(!is_error || response["content"].as_object().is_some_and(|kinds| kinds.len() == 1));
            assert!(!is_error || text(&response["description"]).contains('`'), "{} {status}", operation.id);
        }
    }
}

#[tokio::test]
async fn every_parameter_of_a_path_is_declared_and_the_other_way_round() {
    for operation in operations() {
        let in_path: BTreeSet<_> = operation
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}').map(str::to_owned))
            .collect();
        let declared = operation.parameters("path");
        assert_eq!(in_path, declared.iter().map(|name| text(&name["name"])).collect(), "{}", operation.id);
        for parameter in declared {
            assert!(
                !parameter["example"].is_null(),
                "{} has no example in {}",
                parameter["name"],
                operation.id
            );
        }
    }
}

#[tokio::test]
async fn every_component_that_is_referred_to_exists() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("$ref").map(text));
                object.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document::generated();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 30);
    for reference in found {
        assert!(reference.starts_with("#/components/"), "{reference}");
        assert!(document.pointer(&reference[1..]).is_some(), "{reference} does not exist");
    }
}
