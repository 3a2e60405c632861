//! What KCP is sent. Amounts are decimal strings.

use serde::Serialize;

#[derive(Serialize)]
pub(super) struct IssueRequest<'a> {
    pub(super) tran_cd: &'a str,
    pub(super) site_cd: &'a str,
    pub(super) kcp_cert_info: &'a str,
    pub(super) enc_data: &'a str,
    pub(super) enc_info: &'a str,
}

/// Approves what the payer authenticated in the window.
#[derive(Serialize)]
pub(super) struct ConfirmRequest<'a> {
    pub(super) tran_cd: &'a str,
    pub(super) site_cd: &'a str,
    pub(super) kcp_cert_info: &'a str,
    pub(super) enc_data: &'a str,
    pub(super) enc_info: &'a str,
    /// Our amount. Without it KCP compares nothing.
    pub(super) ordr_mony: String,
    pub(super) ordr_no: &'a str,
    pub(super) pay_type: &'a str,
}

#[derive(Serialize)]
pub(super) struct ChargeRequest<'a> {
    pub(super) site_cd: &'a str,
    pub(super) kcp_cert_info: &'a str,
    pub(super) pay_method: &'a str,
    pub(super) amount: &'a str,
    pub(super) card_mny: &'a str,
    pub(super) currency: &'a str,
    pub(super) quota: &'a str,
    pub(super) ordr_idxx: &'a str,
    pub(super) good_name: &'a str,
    pub(super) card_tx_type: &'a str,
    pub(super) bt_batch_key: &'a str,
    pub(super) bt_group_id: &'a str,
}

#[derive(Serialize)]
pub(super) struct DeleteRequest<'a> {
    pub(super) site_cd: &'a str,
    pub(super) kcp_cert_info: &'a str,
    pub(super) pay_method: &'a str,
    pub(super) batch_key: &'a str,
    pub(super) group_id: &'a str,
    pub(super) tx_type: &'a str,
}

#[derive(Serialize)]
pub(super) struct CancelRequest<'a> {
    pub(super) site_cd: &'a str,
    pub(super) kcp_cert_info: &'a str,
    pub(super) kcp_sign_data: &'a str,
    pub(super) mod_type: &'a str,
    pub(super) tno: &'a str,
    /// Of a partial cancel alone: what to cancel now, and what is left before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mod_mny: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rem_mny: Option<String>,
    pub(super) mod_desc: &'a str,
}

#[derive(Serialize)]
pub(super) struct InquiryRequest<'a> {
    pub(super) site_cd: &'a str,
    pub(super) kcp_cert_info: &'a str,
    pub(super) kcp_sign_data: &'a str,
    pub(super) tno: &'a str,
    pub(super) pay_type: &'a str,
}
