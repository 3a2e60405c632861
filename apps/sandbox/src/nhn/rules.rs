//! What is looked at before a text is taken: the code of the first thing that is wrong.

use encoding_rs::EUC_KR;

/// In bytes of EUC-KR; `None` where it holds what EUC-KR does not.
pub(super) fn bytes(text: &str) -> Option<usize> {
    let (encoded, _, has_unmappable) = EUC_KR.encode(text);
    (!has_unmappable).then_some(encoded.len())
}

pub(super) fn number_is_wrong(number: &str) -> bool {
    !(8..=15).contains(&number.len())
        || !number.starts_with('0')
        || !number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Begins with "(광고)" and ends with the line to refuse at.
pub(super) fn is_advertisement(text: &str) -> bool {
    let tail: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '\n' | '\r')).collect();
    let line =
        ["무료수신거부080", "무료거부080"].iter().find_map(|words| tail.rfind(words).map(|at| (at, words)));
    let ends_with_line = line.is_some_and(|(at, words)| {
        let rest = &tail[at + words.len()..];
        (7..=8).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_digit())
    });
    text.starts_with("(광고)") && ends_with_line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_advertisement_has_its_label_and_its_line() {
        assert!(is_advertisement("(광고)미소헤어\n할인\n무료수신거부 0801234567"));
        assert!(is_advertisement("(광고)미소헤어 할인 무료거부 080-123-4567"));
        for other in [
            "할인",
            "(광고)할인",
            "[광고]할인 무료거부 0801234567",
            "(광고)할인 무료거부 0801234567 감사합니다",
        ] {
            assert!(!is_advertisement(other), "{other}");
        }
    }
}
