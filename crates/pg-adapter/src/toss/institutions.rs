//! Card issuers.

/// The Korean name of a card issuer; the code itself where it is unknown, because Toss adds codes
/// without notice and an unknown one must not fail anything.
///
/// Source: the institution codes of the Toss Payments reference. Since API version 2022-11-16 an
/// answer always carries the two-character code.
pub(super) fn issuer(code: &str) -> &str {
    match code {
        "11" => "KB국민카드",
        "15" => "카카오뱅크",
        "21" => "하나카드",
        "24" => "토스뱅크",
        "30" => "KDB산업은행",
        "31" => "BC카드",
        // Issued by Woori and acquired by BC; to its holder both are the same card company.
        "33" | "W1" => "우리카드",
        "34" => "Sh수협은행",
        "35" => "전북은행",
        "36" => "씨티카드",
        "37" => "우체국예금보험",
        "38" => "새마을금고",
        "39" => "저축은행중앙회",
        "3A" => "케이뱅크",
        "3C" => "유니온페이",
        "3K" => "기업비씨",
        "41" => "신한카드",
        "42" => "제주은행",
        "46" => "광주은행",
        "4J" => "JCB",
        "4M" => "마스터카드",
        "4V" => "VISA",
        "51" => "삼성카드",
        "61" => "현대카드",
        "62" => "신협",
        "6D" => "다이너스클럽",
        "6I" => "디스커버",
        "71" => "롯데카드",
        "7A" => "아메리칸 익스프레스",
        "91" => "NH농협카드",
        unknown => unknown,
    }
}
