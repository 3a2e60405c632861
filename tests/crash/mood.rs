//! What the provider does with the request at which the process dies, or with the one that is sent in its place.

use sandbox::{Fault, FaultKind, Moment, Operation, Sandbox};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Answers,
    DropsTheAnswer,
    BreaksBeforeProcessing,
    BreaksAfterProcessing,
}

impl Mood {
    pub(crate) const ALL: [Self; 4] =
        [Self::Answers, Self::DropsTheAnswer, Self::BreaksBeforeProcessing, Self::BreaksAfterProcessing];

    /// The provider's mood at the next request of this kind, and at that one alone.
    pub(crate) fn strikes_once(self, sandbox: &Sandbox, operation: Operation) {
        let kind = match self {
            Self::Answers => return sandbox.clear_faults(),
            Self::DropsTheAnswer => FaultKind::DropResponse,
            Self::BreaksBeforeProcessing => FaultKind::Error500(Moment::BeforeProcessing),
            Self::BreaksAfterProcessing => FaultKind::Error500(Moment::AfterProcessing),
        };
        sandbox.set_faults([Fault::new(kind).on(operation)]);
    }
}
