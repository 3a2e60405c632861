//! What a channel can and cannot do, declared instead of found out at run time.

use chrono::TimeDelta;

#[expect(clippy::struct_excessive_bools, reason = "each is a separate fact about a provider")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// How many messages are taken to be sent together. A request takes all of them, or fewer ([`MessageChannel::requests`]).
    ///
    /// [`MessageChannel::requests`]: super::MessageChannel::requests
    pub largest_batch: usize,
    /// A message can be asked about, by our reference as well. Without it a message whose answer was lost stays unknown,
    /// and is not sent again.
    pub finds: bool,
    /// How long after a message was handed over its absence proves that it was not taken.
    pub absence_is_proof_after: TimeDelta,
    /// How long it remembers messages. Later nothing can be asked, and absence proves nothing.
    pub remembers_for: TimeDelta,
    /// It is told whether a message arrived. Without it, that it was taken is the last word.
    pub reports_delivery: bool,
    /// How long a report may take; after that none is waited for.
    pub reports_within: TimeDelta,
    /// Where Kakao cannot deliver, the provider sends a text by itself.
    pub falls_back: bool,
    /// It hears whom a message is for before the step that cannot be taken back. Whoever must not be written to is sorted out
    /// before that as well.
    pub hears_recipient_first: bool,
    /// There is a list of those who refused.
    pub lists_refusals: bool,
}
