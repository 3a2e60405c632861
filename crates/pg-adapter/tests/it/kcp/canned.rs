//! KCP as a server that says exactly what a test tells it to.

use std::{sync::Arc, time::Duration};

use kernel::{Krw, MovableClock};
use pg_adapter::{
    Cancel, Charge, Confirm, IssueBillingKey,
    kcp::{KcpConfig, KcpCredentials, KcpGateway},
};
use sandbox::kcp_dev_credentials;
use serde_json::{Value, json};

use crate::canned::{Canned, body, raw};

pub(crate) const ORDER: &str = "SUB202611000123";
pub(crate) const TNO: &str = "26112000000001";
pub(crate) const BATCH_KEY: &str = "1234567890123456";

pub(crate) async fn answering(answers: impl IntoIterator<Item = Vec<u8>>) -> Canned<KcpGateway> {
    Canned::to(gateway, answers).await
}

impl Canned<KcpGateway> {
    /// The path of every request and its body.
    pub(crate) fn sent(&self) -> Vec<(String, Value)> {
        let read = |request: &String| {
            let path = request.strip_prefix("POST ").unwrap().split(' ').next().unwrap();
            (path.to_owned(), body(request))
        };
        self.requests().iter().map(read).collect()
    }
}

pub(crate) fn credentials() -> KcpCredentials {
    let made = kcp_dev_credentials();
    KcpCredentials {
        site_cd: made.site_cd,
        group_id: made.group_id,
        certificate_pem: made.certificate_pem,
        private_key_pem: made.private_key_pem.into(),
        passphrase: made.passphrase.into(),
    }
}

pub(crate) fn gateway(base_url: &str) -> KcpGateway {
    let mut config = KcpConfig::new(base_url, "https://admin8.kcp.co.kr/", credentials());
    config.connect_timeout = Duration::from_millis(500);
    config.read_timeout = Duration::from_millis(500);
    KcpGateway::new(config, Arc::new(MovableClock::default())).unwrap()
}

pub(crate) fn ok(body: &Value) -> Vec<u8> {
    raw("200 OK", "content-type: application/json;charset=UTF-8\r\n", body.to_string().as_bytes())
}

pub(crate) fn refusal(code: &str) -> Vec<u8> {
    ok(&json!({"res_cd": code, "res_msg": "거절"}))
}

pub(crate) fn approval() -> Value {
    json!({
        "res_cd": "0000", "res_msg": "정상처리", "res_en_msg": "processing completed", "tno": TNO,
        "order_no": ORDER, "ca_order_id": ORDER, "trace_no": "A52Q7AAAAAAAAAAA", "pay_method": "PACA",
        "amount": "29000", "card_mny": "29000", "coupon_mny": "0", "card_cd": "CCLG", "card_name": "신한카드",
        "card_no": "123456******1234", "app_no": "00000001", "app_time": "20261120090000", "quota": "00",
        "noinf": "N", "partcanc_yn": "Y", "a_field_of_next_year": "1", "join_cd": "",
    })
}

pub(crate) fn inquiry(state: &str, rest: &str) -> Value {
    json!({
        "res_cd": "0000", "res_msg": "정상처리", "tno": TNO, "order_no": ORDER, "pay_method": "PACA",
        "amount": "29000", "rem_mny": rest, "stat_ca_cd": state, "canc_card_yn": "N", "app_no": "00000001",
        "app_time": "20261120090000", "can_time": "", "card_no": "123456******1234", "card_name": "신한카드",
    })
}

pub(crate) fn charge() -> Charge {
    Charge {
        billing_key: BATCH_KEY.to_owned().into(),
        customer_key: "customer-1".to_owned(),
        order_id: ORDER.to_owned(),
        order_name: "단골, \"프로\" 요금제".to_owned(),
        amount: Krw::won(29_000),
    }
}

pub(crate) fn confirm() -> Confirm {
    let form = format!("tran_cd=00100000&enc_data=a%2Bb%3D%3D&enc_info=c&ordr_idxx={ORDER}&res_cd=0000");
    Confirm { payment_key: form, order_id: ORDER.to_owned(), amount: Krw::won(29_000) }
}

pub(crate) fn issue() -> IssueBillingKey {
    let form = "tran_cd=00300001&enc_data=a%2Bb%3D%3D&enc_info=c&card_mask_no=1234-4567-****-8910";
    IssueBillingKey {
        auth_key: form.to_owned().into(),
        customer_key: "customer-1".to_owned(),
        idempotency_key: "issue-1".to_owned(),
    }
}

/// 9,000 won of 29,000.
pub(crate) fn cancel() -> Cancel {
    Cancel {
        payment_key: TNO.to_owned(),
        amount: Krw::won(9_000),
        reason: "고객 변심".to_owned(),
        reference: "refund-1".to_owned(),
        remaining_before: Krw::won(29_000),
    }
}
