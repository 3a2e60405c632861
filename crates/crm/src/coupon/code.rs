//! Codes: read aloud across a counter, typed on a telephone, guessed by nobody.

use aws_lc_rs::rand;

/// Without those that are taken for another: no I, L, O, U, no 0 and 1.
const LETTERS: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 12;

/// Twelve of thirty letters: 59 bits, so that whoever tries a million a second meets one of a million in a week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Code(String);

impl Code {
    pub(crate) fn random() -> Self {
        let mut code = String::with_capacity(LENGTH);
        while code.len() < LENGTH {
            let mut bytes = [0; LENGTH];
            rand::fill(&mut bytes).expect("the system has randomness");
            // Of 256 values the last 16 would make some letters likelier than others.
            let fair = bytes.into_iter().filter(|byte| *byte < 240);
            let missing = LENGTH - code.len();
            code.extend(
                fair.take(missing).map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()])),
            );
        }
        Self(code)
    }

    /// However it is typed: in small letters, with hyphens or spaces or without.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let plain: String =
            text.chars().filter(|c| !matches!(c, '-' | ' ')).map(|c| c.to_ascii_uppercase()).collect();
        let is_code = plain.len() == LENGTH && plain.bytes().all(|letter| LETTERS.contains(&letter));
        is_code.then_some(Self(plain))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As people read it: `K7QM-3XWD-9TFH`.
    pub(crate) fn shown(code: &str) -> String {
        let parts = [code.get(..4), code.get(4..8), code.get(8..)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("-")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let code = Code::random();
        let shown = Code::shown(code.as_str());
        assert_eq!(shown.len(), 14);
        for typed in [
            &shown,
            &shown.to_lowercase(),
            &shown.replace('-', ""),
            &format!(" {} ", shown.replace('-', " ")),
        ] {
            assert_eq!(Code::parse(typed), Some(code.clone()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        for text in [
            "",
            "K7QM",
            "K7QM-3XWD-9TF0",
            "K7QM-3XWD-9TFH-2",
            "K7QM_3XWD_9TFH",
            "ＫＫＫＫＫＫＫＫＫＫＫＫ",
            "'; drop table",
        ] {
            assert_eq!(Code::parse(text), None, "{text}");
        }
    }

    #[test]
    fn codes_do_not_come_twice_and_use_every_letter() {
        let codes: HashSet<_> = (0..2_000).map(|_| Code::random().0).collect();
        assert_eq!(codes.len(), 2_000);
        let letters: HashSet<_> = codes.iter().flat_map(|code| code.chars()).collect();
        assert_eq!(letters.len(), LETTERS.len());
    }
}
