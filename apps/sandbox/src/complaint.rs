//! Why a desk did not do what it was asked.

#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct Complaint {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Complaint {
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into() }
    }

    pub(crate) fn bad_card_number() -> Self {
        Self::new("INVALID_CARD_NUMBER", "카드번호는 13자리에서 19자리의 숫자여야 합니다.")
    }

    pub(crate) fn unwritten(error: &std::io::Error) -> Self {
        Self::new("JOURNAL_FAILED", error.to_string())
    }
}
