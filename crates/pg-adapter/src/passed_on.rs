//! What a provider says about a payment, heard from somebody in between that passes its codes on.

use crate::Decline;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// A no, in so many words.
    No(Decline),
    /// It does not know either, or cannot be taken at its word: the payment has to be looked up.
    Unclear,
    /// Not in its table.
    Nothing,
}
