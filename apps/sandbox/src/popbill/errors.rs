//! Popbill's refusals: `{"code": -NNNNNNNN, "message": ".."}` with a status other than 200.
//!
//! The codes are those of the Popbill reference, except the ones under "Ours": there the reference has no
//! number, and nobody may rely on the one here. Which status goes with which code is not documented.

use serde_json::json;

#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: i64,
    message: &'static str,
}

impl Refusal {
    pub(super) fn new(code: i64) -> Self {
        let message = CATALOGUE.iter().find(|(known, _)| *known == code).map(|(_, message)| *message);
        Self { status: 400, code, message: message.unwrap_or("요청을 처리할 수 없습니다.") }
    }

    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// One of the codes that a switch chooses.
    pub(super) fn named(code: i64, message: &'static str) -> Self {
        Self { status: 400, code, message }
    }

    pub(super) fn body(&self) -> String {
        json!({"code": self.code, "message": self.message}).to_string()
    }
}

pub(super) const KEY_MISSING: i64 = -11_000_005;
pub(super) const KEY_WRONG: i64 = -11_000_006;
pub(super) const NUMBER_MISMATCH: i64 = -11_001_000;
pub(super) const WRITE_DATE: i64 = -11_001_001;
pub(super) const ISSUE_TYPE: i64 = -11_001_003;
pub(super) const PURPOSE_TYPE: i64 = -11_001_004;
pub(super) const TAX_TYPE: i64 = -11_001_005;
pub(super) const MODIFY_CODE: i64 = -11_001_009;
pub(super) const MUST_BE_NEGATIVE: i64 = -11_001_010;
pub(super) const CHARGE_DIRECTION: i64 = -11_001_012;
pub(super) const SELLER_NUMBER: i64 = -11_001_013;
pub(super) const SELLER_NAME: i64 = -11_001_014;
pub(super) const BUYER_NUMBER: i64 = -11_001_021;
pub(super) const CERTIFICATE_INVALID: i64 = -11_002_031;
pub(super) const CERTIFICATE_MISSING: i64 = -10_002_009;
pub(super) const NOT_A_MEMBER: i64 = -99_003_008;
// Ours.
pub(super) const UNREADABLE: i64 = -11_009_902;
pub(super) const AMOUNTS: i64 = -11_009_903;
pub(super) const TOO_MANY_LINES: i64 = -11_009_904;
pub(super) const TOO_LATE: i64 = -11_009_905;
pub(super) const ORIGINAL_NOT_ACCEPTED: i64 = -11_009_906;
pub(super) const WRONG_STATE: i64 = -11_009_907;
pub(super) const BUYER_TYPE: i64 = -11_009_908;
pub(super) const NO_SESSION: i64 = -99_009_902;
pub(super) const NO_SUCH_ADDRESS: i64 = -99_009_903;
pub(super) const NO_SCOPE: i64 = -99_009_904;
pub(super) const NO_PARTNER: i64 = -99_009_905;
pub(super) const BAD_SIGNATURE: i64 = -99_009_906;
pub(super) const BAD_DATE: i64 = -99_009_907;
pub(super) const INTERNAL: i64 = -99_009_908;
pub(super) const TOO_MANY_REQUESTS: i64 = -99_009_909;

const CATALOGUE: &[(i64, &str)] = &[
    (KEY_MISSING, "문서번호가 입력되지 않았습니다."),
    (KEY_WRONG, "문서번호가 올바르지 않습니다."),
    (NUMBER_MISMATCH, "사업자번호가 일치하지 않습니다."),
    (WRITE_DATE, "작성일자가 입력되지 않았거나 올바르지 않습니다."),
    (ISSUE_TYPE, "발행형태가 올바르지 않습니다."),
    (PURPOSE_TYPE, "영수/청구 구분이 올바르지 않습니다."),
    (TAX_TYPE, "과세형태가 올바르지 않습니다."),
    (MODIFY_CODE, "수정사유코드가 올바르지 않습니다."),
    (MUST_BE_NEGATIVE, "환입 또는 계약의 해제는 금액을 음수로 입력해야 합니다."),
    (CHARGE_DIRECTION, "과금방향이 올바르지 않습니다."),
    (SELLER_NUMBER, "공급자 사업자번호가 올바르지 않습니다."),
    (SELLER_NAME, "공급자 상호가 입력되지 않았습니다."),
    (BUYER_NUMBER, "공급받는자 사업자번호가 유효하지 않습니다."),
    (CERTIFICATE_INVALID, "인증서가 유효하지 않습니다."),
    (CERTIFICATE_MISSING, "등록된 인증서가 없습니다."),
    (NOT_A_MEMBER, "팝빌 회원으로 등록되지 않은 사업자번호입니다."),
    (UNREADABLE, "요청 본문을 읽을 수 없습니다."),
    (AMOUNTS, "금액의 합계가 일치하지 않습니다."),
    (TOO_MANY_LINES, "품목은 99개까지 입력할 수 있습니다."),
    (TOO_LATE, "발행 마감일이 지났습니다."),
    (ORIGINAL_NOT_ACCEPTED, "당초 세금계산서가 국세청에 신고되지 않았습니다."),
    (WRONG_STATE, "현재 상태에서는 처리할 수 없습니다."),
    (BUYER_TYPE, "공급받는자 구분이 올바르지 않습니다."),
    (NO_SESSION, "토큰이 유효하지 않습니다."),
    (NO_SUCH_ADDRESS, "존재하지 않는 API입니다."),
    (NO_SCOPE, "이용 권한이 없습니다."),
    (NO_PARTNER, "등록되지 않은 링크아이디입니다."),
    (BAD_SIGNATURE, "서명이 일치하지 않습니다."),
    (BAD_DATE, "요청 시각이 서버 시각과 다릅니다."),
    (INTERNAL, "처리 중 오류가 발생했습니다."),
    (TOO_MANY_REQUESTS, "요청이 너무 많습니다."),
    (-11_000_000, "존재하지 않는 문서입니다."),
    (-11_000_001, "존재하지 않는 문서입니다."),
];
