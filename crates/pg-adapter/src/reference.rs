//! Our name of a cancel, written at the end of its reason: a cancel has no field for an id of ours.

/// What fits into the reason of a cancel everywhere. Counted as Java counts, which is never less
/// than characters.
const LONGEST_REASON: usize = 200;

/// `reason (reference)`
pub(crate) fn written_into(reason: &str, reference: &str) -> String {
    let mut room = LONGEST_REASON.saturating_sub(reference.len() + " ()".len());
    let fits = |character: &char| {
        let left = room.checked_sub(character.len_utf16());
        room = left.unwrap_or(0);
        left.is_some()
    };
    let reason: String = reason.trim().chars().take_while(fits).collect();
    format!("{reason} ({reference})").trim_start().to_owned()
}

/// The reference in a reason, if we wrote one there.
pub(crate) fn read_from(reason: &str) -> Option<&str> {
    let (before, reference) = reason.trim_end().strip_suffix(')')?.rsplit_once('(')?;
    let separate = before.is_empty() || before.ends_with(' ');
    (separate && is_reference(reference)).then_some(reference)
}

/// What can be told apart again after it was written into a reason.
pub(crate) fn is_reference(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_reference_comes_back_out_of_any_reason(
            reason in "\\PC{0,300}",
            reference in "[A-Za-z0-9_-]{1,100}",
        ) {
            let text = written_into(&reason, &reference);
            prop_assert!(text.encode_utf16().count() <= LONGEST_REASON);
            prop_assert_eq!(read_from(&text), Some(reference.as_str()));
        }
    }

    #[test]
    fn what_others_write_is_no_reference() {
        for reason in
            ["고객 변심", "콘솔에서 취소 (고객 요청)", "변심(refund-1)", "변심 (refund 1)", "()", ""]
        {
            assert_eq!(read_from(reason), None, "{reason}");
        }
    }
}
