//! The body of a document as a client sends it: every number is a string.

use serde::Deserialize;
use serde_json::Value;

/// What of a `Taxinvoice` is looked at. The rest is kept as it came.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
pub(super) struct Form {
    pub(super) issue_type: String,
    pub(super) tax_type: String,
    pub(super) charge_direction: String,
    pub(super) write_date: String,
    pub(super) purpose_type: String,
    pub(super) supply_cost_total: String,
    pub(super) tax_total: String,
    pub(super) total_amount: String,
    pub(super) invoicer_mgt_key: String,
    pub(super) invoicer_corp_num: String,
    pub(super) invoicer_corp_name: String,
    pub(super) invoicee_type: String,
    pub(super) invoicee_corp_num: String,
    /// A digit, as number or as text; absent or empty for an ordinary invoice.
    pub(super) modify_code: Value,
    #[serde(rename = "orgNTSConfirmNum")]
    pub(super) org_nts_confirm_num: Option<String>,
    pub(super) detail_list: Vec<Line>,
    pub(super) force_issue: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Line {
    pub(super) supply_cost: String,
    pub(super) tax: String,
}

/// What comes along with issuing a saved document.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct IssueForm {
    pub(super) force_issue: bool,
}
