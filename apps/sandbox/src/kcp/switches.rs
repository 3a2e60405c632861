//! Switches for what the KCP guides leave open, and for what a client has to survive.

use serde::{Deserialize, Serialize};

use crate::{
    house::{House, Switches},
    world::World,
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "a board of switches, each on or off by itself")]
pub struct KcpSwitches {
    /// What a second charge under one `ordr_idxx` gets. KCP's codes name the case; its scope is nowhere.
    pub duplicate_orders: DuplicateOrders,
    /// What approving or exchanging the same window data again gets.
    pub used_window_data: UsedWindowData,
    /// What deleting a batch key gets that does not exist (any more). No code is listed.
    pub deleted_key: DeletedKeyAnswer,
    /// What charging a batch key gets that does not exist (any more). No code is listed.
    pub unknown_key: UnknownKeyAnswer,
    /// Take certificates outside their dates. In life approvals and cancels stop at once.
    pub ignore_certificate_dates: bool,
    /// Our address was not registered in the admin: every cancel answers 8012.
    pub cancel_ip_unregistered: bool,
    /// New payments cannot be cancelled in part (`partcanc_yn` is `N`, such a cancel answers 8141).
    pub no_partial_cancels: bool,
    /// The charset of answers.
    pub answer_charset: AnswerCharset,
    /// Notifications are written in EUC-KR, the default of old set-ups.
    pub euc_kr_notifications: bool,
    /// Business errors come with HTTP 400. What status they have is documented nowhere.
    pub errors_with_status_400: bool,
    /// Answers carry fields that no guide names.
    pub unknown_fields: bool,
    /// `card_no` is the whole number, as one integrator saw it.
    pub unmasked_card_numbers: bool,
    /// Partial cancels are answered with the older names (`panc_rem_mny` and so on).
    pub old_cancel_names: bool,
    /// The inquiry sees everything so many seconds late.
    pub inquiry_lag_seconds: u32,
    /// Cancels are notified (TX06, TX08). Whether KCP does that for cards was found nowhere.
    pub cancel_notices: bool,
    /// A `decline` fault answers its code, and the money moves all the same: what codes such as CC98
    /// (issuer fault) leave open.
    pub moves_behind_declines: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DuplicateOrders {
    /// 8338 once a charge under this number was approved.
    #[default]
    RefusedOncePaid,
    /// 8338 once this number was used at all, even for a charge that the card refused.
    RefusedOnceUsed,
    /// The same number charges again!
    Charged,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UsedWindowData {
    /// 8094, duplicate request.
    #[default]
    Duplicate,
    /// 8343, not valid.
    Invalid,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeletedKeyAnswer {
    /// 8132, original not found.
    #[default]
    NotFound,
    /// A code that is in no list.
    Unlisted,
    /// 0000.
    Ok,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UnknownKeyAnswer {
    /// 8108, card number format.
    #[default]
    Format,
    /// CC14, wrong card number.
    WrongCardNumber,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AnswerCharset {
    #[default]
    Utf8,
    EucKr,
    /// EUC-KR, and the content type does not say so.
    EucKrUndeclared,
}

impl Switches for KcpSwitches {
    fn house(world: &World) -> &House<Self> {
        &world.kcp
    }
}
