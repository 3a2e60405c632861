//! Which of KCP's operations a path and a body name.

use super::{
    answer::Fields,
    state::State,
    window::{Purpose, WindowAuth},
};
use crate::faults::Operation;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `/trade/register.do`, without a certificate.
    Register,
    /// `/std/tradeReg/register`, with one.
    RegisterWithCertificate,
    Issue,
    Confirm,
    Charge,
    Delete,
    /// `/gw/hub/v1/payment` with contents that no guide describes, or that are not played.
    UnknownTransaction,
    Cancel,
    Inquire,
}

impl Target {
    /// `None` for a path that KCP does not have.
    pub(super) fn of(path: &str, fields: &Fields, state: &State) -> Option<Self> {
        Some(match path {
            "/trade/register.do" => Self::Register,
            "/std/tradeReg/register" => Self::RegisterWithCertificate,
            "/gw/enc/v1/payment" => Self::of_window_data(fields.get("enc_data"), state),
            "/gw/hub/v1/payment" => match (fields.get("tx_type"), fields.get("card_tx_type")) {
                ("10005010", _) => Self::Delete,
                (_, "11511000") => Self::Charge,
                _ => Self::UnknownTransaction,
            },
            "/gw/mod/v1/cancel" => Self::Cancel,
            // Spelled that way.
            "/std/inquery" => Self::Inquire,
            _ => return None,
        })
    }

    /// The data itself says what the window was opened for.
    fn of_window_data(enc_data: &str, state: &State) -> Self {
        let issues = enc_data.starts_with("test_auth_")
            || matches!(state.window(enc_data), Some(WindowAuth { purpose: Purpose::BatchKey, .. }));
        if issues { Self::Issue } else { Self::Confirm }
    }

    pub(super) fn operation(self) -> Option<Operation> {
        match self {
            Self::Issue => Some(Operation::Issue),
            Self::Confirm => Some(Operation::Confirm),
            Self::Charge | Self::UnknownTransaction => Some(Operation::Charge),
            Self::Delete => Some(Operation::Delete),
            Self::Cancel => Some(Operation::Cancel),
            Self::Inquire => Some(Operation::Lookup),
            Self::Register | Self::RegisterWithCertificate => None,
        }
    }
}
