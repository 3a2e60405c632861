//! What the PGs behind PortOne say, passed through in their own codes.
//!
//! There is no common list. Where we speak to a PG ourselves, its own table (`toss/errors.rs`,
//! `kcp/errors.rs`) tells. Of NICE, Inicis and the others nothing is certain enough.

use crate::{kcp, passed_on::Heard, toss};

/// What a code means for a payment. Where the PG is not known, only codes count that no other has:
/// Toss's are words, like nobody else's, and those of KCP that begin with CC.
pub(super) fn hear(pg_provider: Option<&str>, code: &str) -> Heard {
    match pg_provider {
        Some("TOSSPAYMENTS") => toss::passed_on(code),
        Some(provider) if provider.starts_with("KCP") => kcp::passed_on(code),
        Some(_) => Heard::Nothing,
        None => match toss::passed_on(code) {
            Heard::Nothing if code.starts_with("CC") => kcp::passed_on(code),
            heard => heard,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_only_understood_from_the_pg_whose_they_are() {
        assert!(matches!(hear(Some("KCP_V2"), "8186"), Heard::No(_)));
        assert_eq!(hear(Some("NICE_V2"), "8186"), Heard::Nothing);
        assert_eq!(hear(None, "8186"), Heard::Nothing);
        assert!(matches!(hear(None, "CC10"), Heard::No(_)));
        assert_eq!(hear(Some("TOSSPAYMENTS"), "CC10"), Heard::Nothing);
    }

    #[test]
    fn what_leaves_the_pg_itself_in_doubt_is_unclear() {
        assert_eq!(hear(Some("TOSSPAYMENTS"), "PROVIDER_ERROR"), Heard::Unclear);
        for code in ["CC99", "8338", "9048"] {
            assert_eq!(hear(Some("KCP_V2"), code), Heard::Unclear, "{code}");
        }
    }
}
