//! No context touches another's tables, so that each can change its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The contexts that have tables. Everybody may use those of `platform`.
const CONTEXTS: [&str; 7] =
    ["billing", "booking", "crm", "exports", "identity", "messaging", "notifications"];

/// What contexts publish as views: anybody reads them, and nobody writes through them.
const PUBLISHED: [&str; 4] = ["billing_read", "booking_read", "identity_read", "messaging_read"];

/// The test harness looks where no API does, and is part of no process.
const SEES_EVERYTHING: &str = "testkit";

const SQL_WORDS: [&str; 10] = [
    "select ",
    "insert ",
    "update ",
    "delete ",
    "from ",
    "join ",
    "references ",
    "call ",
    "create ",
    "alter ",
];

#[test]
fn no_contexts_sql_names_another_contexts_schema() {
    let root = root();
    let mut looked_at = 0;
    for owner in members_of(&root.join("crates")).into_iter().filter(|owner| owner != SEES_EVERYTHING) {
        for file in rust_sources(&[root.join("crates").join(&owner).join("src")]) {
            let source = fs::read_to_string(&file).expect("a source file");
            for literal in string_literals(&source) {
                let lower = literal.to_lowercase();
                if SQL_WORDS.iter().any(|word| lower.contains(word)) {
                    looked_at += 1;
                    must_keep_to_itself(&owner, literal, &file);
                }
            }
        }
    }
    assert!(looked_at > 60, "only {looked_at} statements were found");
}

#[test]
fn no_contexts_migrations_name_another_contexts_schema() {
    let root = root().join("migrations");
    for owner in members_of(&root) {
        for file in files_in(&root.join(&owner)) {
            let migration = fs::read_to_string(&file).expect("a migration");
            let statements: String = migration.lines().map(without_comment).collect::<Vec<_>>().join("\n");
            must_keep_to_itself(&owner, &statements, &file);
        }
    }
}

/// A crate without tables of its own, such as `kernel`, may name none.
fn must_keep_to_itself(owner: &str, sql: &str, file: &Path) {
    for other in CONTEXTS.iter().filter(|context| **context != owner) {
        let schema = format!("{other}.");
        let named = sql.match_indices(&schema).any(|(at, _)| {
            // `rebilling.` is not the schema, nor is the `"billing.payment_method:"` of a sealed value.
            let before = sql[..at].chars().next_back();
            let after = sql[at + schema.len()..].chars().next();
            before.is_none_or(|c| !c.is_alphanumeric() && c != '_')
                && after.is_some_and(|c| c.is_alphabetic() || c == '"')
        });
        assert!(!named, "{owner} names schema {other} in {}:\n{sql}", file.display());
    }
    let plain = sql.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    for schema in PUBLISHED {
        let written = ["insert into", "update", "delete from", "merge into", "truncate"]
            .iter()
            .any(|verb| plain.contains(&format!("{verb} {schema}.")));
        assert!(!written, "{owner} writes through {schema} in {}:\n{sql}", file.display());
    }
}

fn without_comment(line: &str) -> &str {
    line.split_once("--").map_or(line, |(code, _)| code)
}

/// The text of each string literal, raw ones included. Quotes in comments are passed over.
fn string_literals(source: &str) -> Vec<&str> {
    let mut literals = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '/']) {
        let before = &rest[..at];
        let tail = &rest[at..];
        if tail.starts_with("//") {
            rest = tail.split_once('\n').map_or("", |(_, next)| next);
        } else if tail.starts_with('/') || before.ends_with('\'') {
            // A division, or the character `'"'`.
            rest = &rest[at + 1..];
        } else {
            let hashes = before.len() - before.trim_end_matches('#').len();
            let is_raw = before.trim_end_matches('#').ends_with('r');
            let end = if is_raw { format!("\"{}", "#".repeat(hashes)) } else { "\"".to_owned() };
            let length = end_of_literal(&tail[1..], &end, is_raw);
            literals.push(&tail[1..=length]);
            rest = tail.get(1 + length + end.len()..).unwrap_or_default();
        }
    }
    literals
}

fn end_of_literal(text: &str, end: &str, is_raw: bool) -> usize {
    let mut from = 0;
    while let Some(at) = text[from..].find(end).map(|at| at + from) {
        let backslashes = text[..at].len() - text[..at].trim_end_matches('\\').len();
        if is_raw || backslashes.is_multiple_of(2) {
            return at;
        }
        from = at + 1;
    }
    text.len()
}

fn members_of(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = entries(folder)
        .into_iter()
        .filter(|path| path.is_dir())
        .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{} is empty", folder.display());
    names
}

/// The workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Every Rust file below `folders`, tests of crates excluded.
pub(crate) fn rust_sources(folders: &[PathBuf]) -> Vec<PathBuf> {
    let is_source = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "rs")
            && !path.components().any(|part| part.as_os_str() == "tests")
    };
    folders.iter().flat_map(|folder| files_in(folder)).filter(is_source).collect()
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    entries(folder)
        .into_iter()
        .flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] })
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    listed.map(|entry| entry.expect("a folder's entry").path()).collect()
}

#[test]
fn literals_are_found_where_they_are() {
    let source = r##"let a = "one\"1"; // "no"
        let q = '"'; f(r#"two "2" "#, b"three");"##;
    assert_eq!(string_literals(source), ["one\\\"1", "two \"2\" ", "three"]);
}
