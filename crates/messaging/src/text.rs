//! How long a text is where it matters: in the bytes of CP949, which the carriers' network speaks.
//!
//! Source: the messaging reference. 90 bytes are an SMS, 2,000 an LMS, 40 a subject; a syllable takes two, a letter and a
//! line break one. CP949 holds more syllables than strict EUC-KR (똠, 펲); whether every carrier does is not known, and
//! the providers decide by CP949.

use encoding_rs::EUC_KR;

pub const SMS_BYTES: usize = 90;
pub const LMS_BYTES: usize = 2_000;
pub const SUBJECT_BYTES: usize = 40;

/// A character that no text message can carry, such as an emoji.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` cannot be sent in a text message")]
pub struct Unsendable(pub char);

/// How many bytes a text takes.
pub fn length(text: &str) -> Result<usize, Unsendable> {
    let (encoded, _, has_unmappable) = EUC_KR.encode(text);
    if has_unmappable || text.chars().any(is_no_text) {
        let unsendable = text.chars().find(|character| !is_sendable(*character));
        return unsendable.map_or(Ok(encoded.len()), |character| Err(Unsendable(character)));
    }
    Ok(encoded.len())
}

fn is_no_text(character: char) -> bool {
    character.is_ascii_control() && !matches!(character, '\n' | '\r' | '\t')
}

fn is_sendable(character: char) -> bool {
    let mut buffer = [0; 4];
    let (_, _, has_unmappable) = EUC_KR.encode(character.encode_utf8(&mut buffer));
    !has_unmappable && !is_no_text(character)
}

/// The characters that cannot be sent, each once, in the order in which they come.
pub fn unsendable(text: &str) -> Vec<char> {
    let mut found = Vec::new();
    for character in text.chars() {
        if !is_sendable(character) && !found.contains(&character) {
            found.push(character);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_syllable_is_two_bytes_and_a_letter_one() {
        for (text, bytes) in [
            ("", 0),
            ("abc", 3),
            ("안녕하세요", 10),
            ("안녕 hi\n", 8),
            ("a\nb", 3),
            ("똠방각하 펲시", 13),
            ("（광고）", 8),
            ("金", 2),
            ("①☎※", 6),
        ] {
            assert_eq!(length(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn forty_five_syllables_are_an_sms_and_one_letter_more_is_not() {
        let full = "가".repeat(45);
        assert_eq!(length(&full), Ok(SMS_BYTES));
        assert_eq!(length(&format!("{full}!")), Ok(SMS_BYTES + 1));
    }

    #[test]
    fn an_emoji_cannot_be_sent() {
        assert_eq!(length("축하해요🎉"), Err(Unsendable('🎉')));
        assert_eq!(unsendable("🎉가💕나🎉"), ['🎉', '💕']);
        assert_eq!(length("a\u{0}b"), Err(Unsendable('\u{0}')));
    }

    proptest! {
        #[test]
        fn a_text_is_as_long_as_the_sum_of_its_characters(text in "[가-힣a-z0-9 .,!?\n]{0,200}") {
            let sum: usize = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
            prop_assert_eq!(length(&text), Ok(sum));
        }

        #[test]
        fn what_is_found_unsendable_is_all_there_is(text in "\\PC{0,60}") {
            let without: String = text.chars().filter(|c| !unsendable(&text).contains(c)).collect();
            prop_assert!(length(&without).is_ok());
        }
    }
}
