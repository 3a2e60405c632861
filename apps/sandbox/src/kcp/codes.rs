//! KCP's response codes: what each says in Korean and in English.
//!
//! The meanings are those of KCP's own sheet; the wording there is longer and changes.

use super::answer::{Answer, Answering as _};

/// An answer that is a no: `res_cd` and `res_msg` alone, with HTTP 200.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) message: &'static str,
}

impl Refusal {
    pub(crate) fn new(code: &str) -> Self {
        let known = CATALOGUE.iter().find(|(name, _)| *name == code);
        Self { code: code.to_owned(), message: known.map_or("기타 오류", |(_, message)| message) }
    }

    pub(super) fn answer(&self) -> Answer {
        let mut answer = Answer::new();
        answer.put("res_cd", &self.code).put("res_msg", self.message);
        answer
    }

    /// Trade registration alone writes its names otherwise.
    pub(super) fn registration(&self) -> Answer {
        let mut answer = Answer::new();
        answer.put("Code", &self.code).put("Message", self.message);
        answer
    }
}

/// Invented: which code a signature gets that does not verify. KCP's sheet has none for it.
pub(super) const BAD_SIGNATURE: &str = "8642";
/// Invented: which code a certificate gets that cannot be read, or that is not one line.
pub(super) const BAD_CERTIFICATE: &str = "8001";
/// Invented: which code an expired certificate gets.
pub(super) const EXPIRED_CERTIFICATE: &str = "8370";

const CATALOGUE: &[(&str, &str)] = &[
    ("3001", "사용자가 취소하였습니다"),
    ("5593", "사이트 설정 오류"),
    ("8001", "사이트 정보 확인 오류"),
    ("8004", "정의되지 않은 거래코드"),
    ("8005", "결제정보가 없습니다"),
    ("8012", "취소 가능 IP가 아닙니다"),
    ("8024", "지원하지 않는 결제수단"),
    ("8035", "부분취소 최소금액 미만"),
    ("8059", "결제금액 불일치"),
    ("8063", "최소 결제금액 미만"),
    ("8094", "중복 요청"),
    ("8101", "주문번호 형식 오류"),
    ("8104", "상품명 형식 오류"),
    ("8106", "금액 형식 오류"),
    ("8108", "카드번호 형식 오류"),
    ("8132", "원거래 없음"),
    ("8133", "기취소 거래"),
    ("8141", "부분취소 불가 카드"),
    ("8310", "인증 유효시간 초과"),
    ("8338", "중복 주문번호"),
    ("8343", "유효하지 않은 인증"),
    ("8370", "유효기간이 만료된 상점"),
    ("8381", "부분취소 잔액 불일치"),
    ("8382", "부분취소 가능금액 초과"),
    ("8642", "취소 권한 없음"),
    ("CC01", "카드사 문의 요망"),
    ("CC10", "잔액 부족"),
    ("CC14", "카드번호 오류"),
    ("CC16", "할부개월 오류"),
    ("CC45", "거래정지 카드"),
    ("CC54", "유효기간 경과 카드"),
    ("CC61", "이용한도 초과"),
    ("CC75", "은행 업무 처리 중"),
    ("CC98", "카드사 장애"),
    ("CC99", "KCP 장애"),
    ("CCA9", "부분취소 거래 전체취소 불가"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_stands_once_and_has_four_characters() {
        for (index, (code, _)) in CATALOGUE.iter().enumerate() {
            assert_eq!(code.len(), 4, "{code}");
            assert!(CATALOGUE[index + 1..].iter().all(|(other, _)| other != code), "{code}");
        }
    }
}
