//! Cards as KCP writes them.

use crate::Card;

/// Korean names of the issuers by `card_cd`, from KCP's card code page.
const ISSUERS: &[(&str, &str)] = &[
    ("CCKM", "KB국민카드"),
    ("CCNH", "NH농협카드"),
    ("CCSG", "신세계한미카드"),
    ("CCCT", "씨티카드"),
    ("CCHM", "한미카드"),
    ("CVSF", "해외 비자카드"),
    ("CMCF", "해외 마스터카드"),
    ("CJCF", "해외 JCB카드"),
    ("CCAM", "롯데아멕스카드"),
    ("CCLO", "롯데카드"),
    ("CCBC", "BC카드"),
    ("CCWR", "우리카드"),
    ("CCHN", "하나카드"),
    ("CCSS", "삼성카드"),
    ("CCKJ", "광주카드"),
    ("CCSU", "수협카드"),
    ("CCJB", "전북카드"),
    ("CCCJ", "제주카드"),
    ("CCLG", "신한카드"),
    ("CCKE", "하나카드"),
    ("CCDI", "현대카드"),
    ("CCUF", "은련카드"),
    ("CCPT", "페이코포인트"),
    ("KM90", "카카오뱅크카드"),
];

/// `isp_issuer_cd` goes first: 카카오뱅크's cards come back as Kookmin's and only it tells them apart.
pub(super) fn card(isp_issuer: Option<&str>, code: Option<&str>, name: Option<String>, number: &str) -> Card {
    let known = |code: &str| ISSUERS.iter().find(|(key, _)| *key == code).map(|(_, name)| (*name).to_owned());
    let company = isp_issuer
        .filter(|code| *code == "KM90")
        .and_then(known)
        .or_else(|| code.and_then(known))
        .or(name)
        .or_else(|| code.map(str::to_owned));
    Card { company: company.unwrap_or_default(), masked_number: masked(number) }
}

/// First six, stars, last four, whatever came: one integrator was answered with the whole number.
pub(super) fn masked(number: &str) -> String {
    let shown: Vec<char> = number.chars().filter(|c| c.is_ascii_digit() || *c == '*').take(19).collect();
    let readable = if shown.len() >= 13 { 6 } else { 0 };
    let last = shown.len().saturating_sub(4);
    let hidden = |(index, c): (usize, &char)| if index < readable || index >= last { *c } else { '*' };
    let masked: String = shown.iter().enumerate().map(hidden).collect();
    // A window that returns the last four digits alone, or nothing at all.
    format!("{masked:*>16}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_is_shown_whole() {
        for (number, expected) in [
            ("430000******0001", "430000******0001"),
            ("4300000000000001", "430000******0001"),
            ("4300-0000-****-0001", "430000******0001"),
            ("4300-0000-0000-0001", "430000******0001"),
            ("0001", "************0001"),
            ("", "****************"),
            ("card", "****************"),
            ("430000000001", "************0001"),
            ("12345678901234567890123", "123456*********6789"),
        ] {
            assert_eq!(masked(number), expected, "{number}");
        }
    }

    #[test]
    fn issuers_have_korean_names_and_kakaobank_is_told_apart() {
        let name = |isp, code, name: Option<&str>| card(isp, code, name.map(str::to_owned), "").company;
        assert_eq!(name(None, Some("CCLG"), None), "신한카드");
        assert_eq!(name(Some("KM90"), Some("CCKM"), None), "카카오뱅크카드");
        assert_eq!(name(None, Some("CCXX"), Some("새 카드")), "새 카드");
        assert_eq!(name(None, Some("CCXX"), None), "CCXX");
    }
}
