//! The shop of the KCP stories: a sandbox of its own and the API in plain requests.

use std::{path::Path, sync::LazyLock};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use sandbox::{KcpSwitches, kcp_dev_credentials};
use serde_json::{Value, json};

use crate::merchant::{Answer, CUSTOMER, Merchant, answer};

pub(crate) const GROUP: &str = "A52Q71000489";

pub(crate) struct KcpShop {
    pub(crate) merchant: Merchant,
    pub(crate) site_cd: String,
    pub(crate) certificate: String,
}

/// `0000`, or what went wrong.
pub(crate) fn code(answer: &Answer) -> String {
    answer.json()["res_cd"].as_str().unwrap_or("none").to_owned()
}

pub(crate) fn field(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", answer.text)).to_owned()
}

impl KcpShop {
    pub(crate) async fn opens() -> Self {
        Self::of(Merchant::opens().await)
    }

    pub(crate) async fn opens_in(folder: &Path) -> Self {
        Self::of(Merchant::opens_in(folder).await)
    }

    fn of(merchant: Merchant) -> Self {
        let credentials = kcp_dev_credentials();
        let certificate = credentials.certificate_pem.replace(['\r', '\n'], "");
        Self { merchant, site_cd: credentials.site_cd, certificate }
    }

    pub(crate) fn switch(&self, switches: KcpSwitches) {
        self.merchant.sandbox.set_kcp_switches(switches);
    }

    /// A request with our site and certificate; `body` may overrule both.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        let mut request = json!({"site_cd": self.site_cd, "kcp_cert_info": self.certificate});
        request.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let url = format!("{}{path}", self.merchant.sandbox.kcp_base_url());
        answer(self.merchant.client.post(url).json(&request)).await
    }

    /// Registers a card and returns its batch key.
    pub(crate) async fn batch_key(&self, card: &str) -> String {
        let issued = self.post("/gw/enc/v1/payment", window_fields(&self.card_window(card))).await;
        assert_eq!(code(&issued), "0000", "{}", issued.text);
        field(&issued, "batch_key")
    }

    pub(crate) fn card_window(&self, card: &str) -> String {
        self.merchant.sandbox.kcp_billing_auth(CUSTOMER, card).unwrap()
    }

    pub(crate) async fn charges(&self, key: &str, order: &str, amount: i64) -> Answer {
        self.post("/gw/hub/v1/payment", charge_body(key, order, amount)).await
    }

    /// Charges and returns the transaction number.
    pub(crate) async fn paid(&self, order: &str, amount: i64) -> String {
        let charged = self.charges(&self.batch_key("4300-0000-0000-0001").await, order, amount).await;
        assert_eq!(code(&charged), "0000", "{}", charged.text);
        field(&charged, "tno")
    }

    pub(crate) async fn cancels(&self, tno: &str, mod_type: &str, fields: Value) -> Answer {
        let mut body = json!({"tno": tno, "mod_type": mod_type, "kcp_sign_data": self.sign(tno, mod_type)});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.post("/gw/mod/v1/cancel", body).await
    }

    pub(crate) async fn takes_back(&self, tno: &str, amount: i64, left_before: i64) -> Answer {
        let fields = json!({"mod_mny": amount.to_string(), "rem_mny": left_before.to_string()});
        self.cancels(tno, "STPC", fields).await
    }

    pub(crate) async fn inquires(&self, tno: &str) -> Answer {
        let body = json!({"tno": tno, "pay_type": "PACA", "kcp_sign_data": self.sign(tno, "PACA")});
        self.post("/std/inquery", body).await
    }

    pub(crate) fn sign(&self, tno: &str, third: &str) -> String {
        static KEY: LazyLock<RsaKeyPair> = LazyLock::new(|| {
            let credentials = kcp_dev_credentials();
            let (_, sealed) = SecretDocument::from_pem(&credentials.private_key_pem).unwrap();
            let sealed = EncryptedPrivateKeyInfoRef::try_from(sealed.as_bytes()).unwrap();
            let key = sealed.decrypt(credentials.passphrase).unwrap();
            RsaKeyPair::from_pkcs8(key.as_bytes()).unwrap()
        });
        let text = format!("{}^{tno}^{third}", self.site_cd);
        let mut signature = vec![0; KEY.public_modulus_len()];
        KEY.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        STANDARD.encode(signature)
    }
}

/// `tran_cd`, `enc_data` and `enc_info` out of the form that the window handed over.
pub(crate) fn window_fields(form: &str) -> Value {
    let wanted = ["tran_cd", "enc_data", "enc_info"];
    form_urlencoded::parse(form.as_bytes())
        .filter(|(name, _)| wanted.contains(&name.as_ref()))
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

pub(crate) fn charge_body(key: &str, order: &str, amount: i64) -> Value {
    json!({
        "pay_method": "CARD", "amount": amount.to_string(), "card_mny": amount.to_string(),
        "currency": "410", "quota": "00", "ordr_idxx": order, "card_tx_type": "11511000",
        "bt_batch_key": key, "bt_group_id": GROUP, "good_name": "프로 요금제",
    })
}
