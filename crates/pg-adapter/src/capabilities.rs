//! What a provider can and cannot do, declared instead of found out at run time.

use chrono::TimeDelta;

#[expect(clippy::struct_excessive_bools, reason = "each is a separate fact about a provider")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// A payment can be asked for by our order id. Without it nothing but an operator can tell what
    /// became of a charge whose answer was lost.
    pub finds_by_order: bool,
    /// A day's transactions can be listed.
    pub lists_transactions: bool,
    /// The cancels of a payment are listed one by one; otherwise only what is left is known.
    pub lists_cancels: bool,
    /// Webhooks about payments carry a signature.
    pub signs_webhooks: bool,
    /// Asking for a billing key again returns the key whose answer was lost.
    pub repeats_issue: bool,
    /// How long the same charge, or confirm, sent again is certainly the same.
    pub repeats_charge: Repeats,
    /// How long the same cancel sent again is certainly the same.
    pub repeats_cancel: Repeats,
    /// A refusal is kept under the idempotency key and comes again, whatever changed since.
    pub replays_refusals: bool,
    /// What is left after a partial cancel can be cancelled like a whole payment.
    pub full_cancel_after_partial: bool,
    /// The cancels of one payment have to follow one another: each names what is left before it.
    pub cancels_in_turn: bool,
    pub order_ids: OrderIds,
    /// Cash receipts (현금영수증) can be issued on request, and asked for. None: not at all.
    pub cash_receipts: Option<CashReceipts>,
}

/// How a provider issues cash receipts on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CashReceipts {
    /// How long the same request sent again is certainly the same.
    pub repeats: Repeats,
    /// One can be about less than the whole payment, after some of it went back.
    pub issues_for_the_rest: bool,
    /// A part of one can be taken back; otherwise all of it or nothing.
    pub cancels_parts: bool,
}

/// How long a request may be sent again without being another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    Always,
    /// From the first sending on.
    For(TimeDelta),
    /// The second sending may move money a second time.
    Never,
}

impl Repeats {
    /// Whether it may be sent once more, this long after it was sent first.
    pub fn allow(self, since_first: TimeDelta) -> bool {
        match self {
            Self::Always => true,
            Self::For(limit) => since_first < limit,
            Self::Never => false,
        }
    }
}

/// Which order ids a provider takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderIds {
    pub longest: usize,
    /// `-` and `_` beside letters and digits.
    pub symbols: bool,
}

impl OrderIds {
    pub fn allow(self, order_id: &str) -> bool {
        let allowed =
            |byte: u8| byte.is_ascii_alphanumeric() || (self.symbols && matches!(byte, b'-' | b'_'));
        (6..=self.longest).contains(&order_id.len()) && order_id.bytes().all(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_id_has_the_length_and_the_characters_that_the_provider_takes() {
        let strict = OrderIds { longest: 40, symbols: false };
        let lenient = OrderIds { longest: 64, symbols: true };
        for (order_id, is_strict, is_lenient) in [
            ("dg5f0c7a1e9b3d4c2f8a6e0d1b2c3f4a5e", true, true),
            ("order-1", false, true),
            ("12345", false, false),
            ("주문번호입니다", false, false),
            (&"a".repeat(41), false, true),
            (&"a".repeat(65), false, false),
        ] {
            assert_eq!(strict.allow(order_id), is_strict, "{order_id}");
            assert_eq!(lenient.allow(order_id), is_lenient, "{order_id}");
        }
    }

    #[test]
    fn what_a_provider_forgets_is_not_sent_again() {
        let two_weeks = Repeats::For(TimeDelta::days(14));
        assert!(two_weeks.allow(TimeDelta::days(13)));
        assert!(!two_weeks.allow(TimeDelta::days(14)));
        assert!(Repeats::Always.allow(TimeDelta::days(9999)));
        assert!(!Repeats::Never.allow(TimeDelta::zero()));
    }
}
