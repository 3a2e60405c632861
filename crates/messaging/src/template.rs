//! What is said again and again, with `{{places}}` for what differs.

use std::collections::BTreeMap;

use crate::MessagingError;

/// What may stand in braces, with what a preview shows there.
pub const VARIABLES: [(&str, &str); 8] = [
    ("customerName", "김민서"),
    ("businessName", "미소헤어"),
    ("lastVisitDate", "2026년 1월 10일"),
    ("couponName", "재방문 10% 할인"),
    ("couponCode", "WELCOME10"),
    ("couponValidUntil", "2026년 3월 31일"),
    ("visitDate", "2월 14일 (토) 오후 2:00"),
    ("link", "https://dangol.example/l/Ab3dE6"),
];

/// The names in braces, each once, in the order in which they come. Braces that hold no name are just braces.
pub fn names(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        let name = name.trim();
        if !found.contains(&name) {
            found.push(name);
        }
        rest = behind;
    }
    found
}

/// Refuses what nobody would fill in: people would read the braces.
pub fn check(field: &str, text: &str) -> Result<(), MessagingError> {
    let is_known = |name: &str| VARIABLES.iter().any(|(known, _)| *known == name);
    match names(text).into_iter().find(|name| !is_known(name)) {
        None => Ok(()),
        Some(unknown) => {
            let unknown: String = unknown.chars().take(40).collect();
            Err(MessagingError::field(
                field,
                "UNKNOWN_VARIABLE",
                format!("알 수 없는 변수입니다: {{{{{unknown}}}}}"),
            ))
        }
    }
}

/// A place for which there is no value: who has no last visit is told nothing about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is nothing to put in place of `{0}`")]
pub struct NoValue(pub String);

/// Fills the places. A value is text: braces in it are not looked into again.
pub fn fill(text: &str, values: &BTreeMap<&str, String>) -> Result<String, NoValue> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else { break };
        filled.push_str(before);
        let name = name.trim();
        filled.push_str(values.get(name).ok_or_else(|| NoValue(name.to_owned()))?);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_once() {
        let values =
            BTreeMap::from([("customerName", "{{couponCode}}".to_owned()), ("couponCode", "X".to_owned())]);
        let filled = |text: &str| fill(text, &values);
        assert_eq!(filled("{{customerName}}님, {{ couponCode }}").as_deref(), Ok("{{couponCode}}님, X"));
        assert_eq!(filled("{{link}}!"), Err(NoValue("link".to_owned())));
        assert_eq!(filled("{ {{ }").as_deref(), Ok("{ {{ }"));
    }

    #[test]
    fn a_place_that_nobody_fills_is_refused() {
        assert!(check("body", "{{customerName}}님 {{link}}").is_ok());
        assert!(check("body", "{{customername}}님").is_err());
        assert!(check("body", "{{}}").is_err());
        assert_eq!(names("{{a}} {{b}} {{a}} {{"), ["a", "b"]);
    }
}
