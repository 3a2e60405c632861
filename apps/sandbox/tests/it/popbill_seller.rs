//! A seller at Popbill: signs for tokens and speaks the API in plain requests.

use aws_lc_rs::{digest, hmac};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use kernel::Clock as _;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::merchant::{Answer, Merchant, answer};

pub(crate) const SELLER: &str = "1234567891";
pub(crate) const BUYER: &str = "2222222227";
const SECRET_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

pub(crate) struct Seller {
    pub(crate) shop: Merchant,
    pub(crate) token: String,
}

/// What goes into a signature, so that a test can get one of them wrong.
pub(crate) struct Signed {
    pub(crate) link_id: &'static str,
    pub(crate) secret_key: &'static str,
    pub(crate) date: DateTime<Utc>,
    pub(crate) forwarded: Option<&'static str>,
    pub(crate) body: String,
}

impl Signed {
    pub(crate) fn rightly(shop: &Merchant) -> Self {
        let body = json!({"access_id": SELLER, "scope": ["member", "110"]}).to_string();
        Self { link_id: "DANGOL", secret_key: SECRET_KEY, date: shop.clock.now(), forwarded: None, body }
    }

    pub(crate) fn request(&self, shop: &Merchant) -> RequestBuilder {
        let path = "/POPBILL_TEST/Token";
        let date = self.date.format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let digest = STANDARD.encode(digest::digest(&digest::SHA256, self.body.as_bytes()));
        let forwarded = self.forwarded.map(|it| format!("{it}\n")).unwrap_or_default();
        let text = format!("POST\n{digest}\n{date}\n{forwarded}2.0\n{path}");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(self.secret_key).unwrap());
        let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
        let mut request = shop
            .client
            .post(format!("{}{path}", shop.sandbox.linkhub_base_url()))
            .header("x-lh-date", date)
            .header("x-lh-version", "2.0")
            .header("authorization", format!("LINKHUB {} {signature}", self.link_id))
            .body(self.body.clone());
        if let Some(forwarded) = self.forwarded {
            request = request.header("x-lh-forwarded", forwarded);
        }
        request
    }
}

impl Seller {
    pub(crate) async fn opens() -> Self {
        Self::at(Merchant::opens().await).await
    }

    pub(crate) async fn at(shop: Merchant) -> Self {
        let answer = answer(Signed::rightly(&shop).request(&shop)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let token = answer.json()["session_token"].as_str().unwrap().to_owned();
        Self { shop, token }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.shop.sandbox.popbill_base_url());
        self.shop.client.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn post(&self, path: &str, verb: Option<&str>, body: Value) -> Answer {
        let mut request = self.request(Method::POST, path).json(&body);
        if let Some(verb) = verb {
            request = request.header("x-http-method-override", verb);
        }
        answer(request).await
    }

    pub(crate) async fn issues(&self, invoice: Value) -> Answer {
        self.post("/Taxinvoice", Some("ISSUE"), invoice).await
    }

    pub(crate) async fn looks(&self, key: &str) -> Answer {
        answer(self.request(Method::GET, &format!("/Taxinvoice/SELL/{key}"))).await
    }

    pub(crate) async fn state(&self, key: &str) -> i64 {
        self.looks(key).await.json()["stateCode"].as_i64().unwrap()
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        self.shop.control(method, &format!("/popbill{path}"), body).await
    }

    pub(crate) fn now_is(&self, time: &str) {
        self.shop.clock.set(time.parse().unwrap());
    }
}

/// `"400 -11001009"`
pub(crate) fn refusal(answer: &Answer) -> String {
    format!("{} {}", answer.status.as_u16(), answer.json()["code"])
}

/// An invoice over 33,000 won, dated today.
pub(crate) fn invoice(seller: &Seller, key: &str) -> Value {
    let day = seller.shop.clock.today().format("%Y%m%d").to_string();
    json!({
        "issueType": "정발행", "taxType": "과세", "chargeDirection": "정과금", "writeDate": day,
        "purposeType": "영수", "supplyCostTotal": "30000", "taxTotal": "3000", "totalAmount": "33000",
        "invoicerMgtKey": key, "invoicerCorpNum": SELLER, "invoicerCorpName": "주식회사 단골",
        "invoicerCEOName": "김단골", "invoiceeType": "사업자", "invoiceeCorpNum": BUYER,
        "invoiceeCorpName": "헤어살롱", "invoiceeCEOName": "이살롱", "forceIssue": false,
        "detailList": [{"serialNum": 1, "purchaseDT": day, "itemName": "프로 요금제", "qty": "1",
            "unitCost": "30000", "supplyCost": "30000", "tax": "3000"}],
    })
}

/// The same, taken back.
pub(crate) fn taken_back(seller: &Seller, key: &str, original: &str) -> Value {
    let mut invoice = invoice(seller, key);
    for (name, value) in [("supplyCostTotal", "-30000"), ("taxTotal", "-3000"), ("totalAmount", "-33000")] {
        invoice[name] = value.into();
    }
    invoice["detailList"] = json!([{"serialNum": 1, "supplyCost": "-30000", "tax": "-3000"}]);
    invoice["modifyCode"] = 4.into();
    invoice["orgNTSConfirmNum"] = original.into();
    invoice
}
