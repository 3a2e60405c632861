//! Reading text of which nobody is sure whether it is UTF-8 or EUC-KR.

use std::borrow::Cow;

use encoding_rs::{EUC_KR, Encoding, UTF_8};

/// By the declared charset and, where that is none, wrong or unknown, by trial. `None` for bytes that
/// are neither: no answer is guessed out of replacement characters.
pub(super) fn text<'a>(content_type: Option<&str>, bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    let declared = content_type.and_then(charset).and_then(Encoding::for_label);
    let read =
        |encoding: &'static Encoding| encoding.decode_without_bom_handling_and_without_replacement(bytes);
    // UTF-8 first: hardly anything in EUC-KR happens to be UTF-8 as well.
    let mut tried = declared.filter(|encoding| *encoding == EUC_KR).into_iter().chain([UTF_8, EUC_KR]);
    tried.find_map(read)
}

fn charset(content_type: &str) -> Option<&[u8]> {
    let parameter = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    })?;
    Some(parameter.trim().trim_matches('"').as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn korean_is_read_whatever_was_declared() {
        let euc_kr = EUC_KR.encode("잔액 부족").0;
        let declared = [
            None,
            Some("application/json"),
            Some("application/json;charset=EUC-KR"),
            Some("application/json; charset=\"ks_c_5601-1987\""),
            Some("application/json; charset=UTF-8"),
            Some("application/json; charset=no-such"),
        ];
        for content_type in declared {
            assert_eq!(text(content_type, &euc_kr).as_deref(), Some("잔액 부족"), "{content_type:?}");
            assert_eq!(text(content_type, b"0000").as_deref(), Some("0000"));
        }
        for content_type in [None, Some("application/json; charset=UTF-8")] {
            assert_eq!(text(content_type, "잔액 부족".as_bytes()).as_deref(), Some("잔액 부족"));
        }
    }

    #[test]
    fn what_is_neither_is_not_read() {
        for bytes in [&b"\xff\xfe0\x000\x00"[..], b"\xc0", b"{\"a\":\"\xff\"}"] {
            assert_eq!(text(None, bytes), None, "{bytes:?}");
        }
    }
}
