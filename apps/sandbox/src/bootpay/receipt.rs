//! Receipts: what one payment is to Bootpay, whatever PG took it.

use chrono::{DateTime, Utc};
use kernel::{KoreanTime, Krw};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{card::Card, switches::BootpaySwitches};
use crate::random;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(crate) receipt_id: String,
    pub(crate) order_id: String,
    pub(crate) order_name: String,
    pub(crate) price: Krw,
    pub(crate) card: Card,
    /// `card` in the window, `card_rebill_rest` with a billing key.
    pub(crate) method: String,
    pub(crate) metadata: Value,
    /// Where the webhooks of this payment go, if not where all go.
    pub(crate) feedback_url: Option<String>,
    pub(crate) requested_at: DateTime<Utc>,
    pub(crate) state: PaymentState,
    pub(crate) cancels: Vec<Cancel>,
    #[serde(default)]
    pub(crate) cash_receipt: Option<CashReceipt>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PaymentState {
    /// Authenticated in the window, waiting for the server's confirm.
    Waiting,
    Paid {
        at: DateTime<Utc>,
    },
    Failed,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Cancel {
    /// The merchant's `cancel_id`, good once.
    pub(crate) id: Option<String>,
    pub(crate) amount: Krw,
    pub(crate) at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum CashReceiptType {
    #[serde(rename = "소득공제")]
    IncomeDeduction,
    #[serde(rename = "지출증빙")]
    ExpenseProof,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CashReceipt {
    pub(crate) kind: CashReceiptType,
    pub(crate) number: String,
    pub(crate) tid: String,
}

/// 24 hex digits, as receipts and keys look.
pub(super) fn new_id() -> String {
    random::hex_id()[..24].to_owned()
}

impl Payment {
    pub(super) fn cancelled(&self) -> Krw {
        self.cancels.iter().fold(Krw::ZERO, |sum, cancel| Krw::won(sum.get() + cancel.amount.get()))
    }

    pub(super) fn left(&self) -> Krw {
        Krw::won(self.price.get() - self.cancelled().get())
    }

    pub(super) fn is_paid(&self) -> bool {
        matches!(self.state, PaymentState::Paid { .. })
    }

    fn status(&self) -> (i64, &'static str) {
        match self.state {
            PaymentState::Waiting => (2, "승인대기"),
            PaymentState::Failed => (-2, "승인실패"),
            PaymentState::Paid { .. } if self.cancels.is_empty() => (1, "결제완료"),
            // Of all or of a part: the same.
            PaymentState::Paid { .. } => (20, "취소완료"),
        }
    }

    pub(super) fn body(&self, switches: BootpaySwitches) -> Value {
        let (status, status_locale) = self.status();
        let mut body = json!({
            "receipt_id": self.receipt_id, "order_id": self.order_id,
            "price": number(self.price, switches), "tax_free": 0,
            "cancelled_price": number(self.cancelled(), switches), "cancelled_tax_free": 0,
            "order_name": self.order_name, "company_name": "단골 테스트상점",
            "sandbox": switches.sandbox_project, "pg": "나이스페이", "method": "카드",
            "method_symbol": self.method, "method_origin": "카드", "method_origin_symbol": self.method,
            "metadata": self.metadata, "requested_at": time(self.requested_at),
            "status": status, "status_locale": status_locale, "currency": "KRW",
        });
        if let PaymentState::Paid { at } = self.state {
            body["purchased_at"] = json!(time(at));
            body["receipt_url"] = json!(format!("https://receipt.invalid/{}", self.receipt_id));
            body["card_data"] = self.card.on_receipt(&format!("T{}", self.receipt_id));
        }
        if let Some(last) = self.cancels.last() {
            body["cancelled_at"] = json!(time(last.at));
        }
        if let Some(receipt) = &self.cash_receipt {
            body["cash_receipt_data"] = json!({
                "tid": receipt.tid, "cash_receipt_type": receipt.kind, "cash_receipt_no": receipt.number,
                "receipt_url": format!("https://receipt.invalid/cash/{}", receipt.tid),
            });
        }
        if switches.unknown_fields {
            body["sandbox_new_field"] = json!({"of": ["no", "document"]});
        }
        body
    }
}

fn number(amount: Krw, switches: BootpaySwitches) -> Value {
    let whole = amount.get();
    if !switches.decimal_amounts {
        return json!(whole);
    }
    serde_json::from_str(&format!("{whole}.0")).unwrap_or(json!(whole))
}

pub(super) fn time(at: DateTime<Utc>) -> String {
    KoreanTime(at).to_string()
}
