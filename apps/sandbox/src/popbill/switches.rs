//! What the Popbill reference leaves open, each with a switch.

use serde::{Deserialize, Serialize};

use crate::{
    house::{House, Switches},
    world::World,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "a board of switches, each on or off by itself")]
pub struct PopbillSwitches {
    /// The code that says that a document id is used. It exists; its number was not found.
    pub duplicate_key_code: i64,
    /// The code that says that the points do not suffice. Likewise.
    pub low_points_code: i64,
    /// Which of the two codes says that there is no such document.
    pub missing_document_code: i64,
    /// An issue that is refused for the certificate or the points leaves a saved document behind.
    pub refused_issues_stay_saved: bool,
    /// `RegistIssue` answers without `ntsConfirmNum`.
    pub no_number_in_answers: bool,
    /// Numbers in answers are JSON numbers where the reference has strings.
    pub plain_numbers: bool,
    /// Answers carry fields that no document names.
    pub unknown_fields: bool,
    /// A list of states leaves out every second document.
    pub partial_lists: bool,
    /// A buyer's business number need only have ten digits, for examples that name nobody.
    pub any_buyer_number: bool,
    /// How long a token lives. The real time is unknown.
    pub session_minutes: u32,
}

impl Default for PopbillSwitches {
    fn default() -> Self {
        Self {
            duplicate_key_code: -11_009_901,
            low_points_code: -99_009_901,
            missing_document_code: -11_000_000,
            refused_issues_stay_saved: false,
            no_number_in_answers: false,
            plain_numbers: false,
            unknown_fields: false,
            partial_lists: false,
            any_buyer_number: false,
            session_minutes: 30,
        }
    }
}

impl Switches for PopbillSwitches {
    fn house(world: &World) -> &House<Self> {
        &world.popbill
    }
}
