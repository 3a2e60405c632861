//! Card issuers and wallets.

/// The Korean name of a card issuer; the word itself where it is unknown.
///
/// Which words the server API uses is not documented. These are those of the browser SDK for the same
/// thing; contracts that pass a Korean name on are shown as they are.
pub(super) fn issuer(word: &str) -> &str {
    match word {
        "BC_CARD" => "BC카드",
        "CITI_CARD" => "씨티카드",
        "GWANGJU_CARD" => "광주카드",
        "HANA_CARD" => "하나카드",
        "HYUNDAI_CARD" => "현대카드",
        "JEJU_CARD" => "제주카드",
        "JEONBUK_CARD" => "전북카드",
        "K_BANK" => "케이뱅크",
        "KAKAO_BANK" => "카카오뱅크",
        "KOOKMIN_CARD" => "KB국민카드",
        "LOTTE_CARD" => "롯데카드",
        "NH_CARD" => "NH농협카드",
        "SAMSUNG_CARD" => "삼성카드",
        "SHINHAN_CARD" => "신한카드",
        "SUHYUP_CARD" => "Sh수협카드",
        "TOSS_BANK" => "토스뱅크",
        "WOORI_CARD" => "우리카드",
        unknown => unknown,
    }
}

/// The Korean name of a wallet (간편결제).
pub(super) fn wallet(word: &str) -> &str {
    match word {
        "KAKAOPAY" => "카카오페이",
        "NAVERPAY" => "네이버페이",
        "PAYCO" => "페이코",
        "SAMSUNGPAY" => "삼성페이",
        "TOSSPAY" => "토스페이",
        unknown => unknown,
    }
}
