//! Bootpay's rules, in plain requests.

use std::path::Path;

use chrono::TimeDelta;
use reqwest::{Method, RequestBuilder};
use sandbox::{BootpayBillingAuth, BootpayPaymentAuth, BootpaySwitches, RepeatedOrders};
use serde_json::{Value, json};

use crate::merchant::{Answer, EMPTY_CARD, GOOD_CARD, Merchant, answer};

struct Shop {
    merchant: Merchant,
}

impl Shop {
    async fn opens() -> Self {
        Self { merchant: Merchant::opens().await }
    }

    async fn opens_in(folder: &Path) -> Self {
        Self { merchant: Merchant::opens_in(folder).await }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.merchant.client.request(method, format!("{}{path}", self.merchant.sandbox.bootpay_base_url()))
    }

    async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path).basic_auth("client", Some("secret"))).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).basic_auth("client", Some("secret")).json(&body)).await
    }

    async fn billing_key(&self, card: &str) -> String {
        let request =
            BootpayBillingAuth { customer_key: "customer-1".to_owned(), card_number: card.to_owned() };
        let receipt_id = self.merchant.sandbox.bootpay_billing_auth(request).unwrap();
        let issued = self.get(&format!("/subscribe/billing_key/{receipt_id}")).await.json();
        assert_eq!((&issued["status"], &issued["subscription_id"]), (&json!(11), &json!("customer-1")));
        issued["billing_key"].as_str().unwrap().to_owned()
    }

    async fn charges(&self, key: &str, order_id: &str) -> Answer {
        let body = json!({"billing_key": key, "order_name": "요금제", "order_id": order_id, "price": 9_900});
        self.post("/subscribe/payment", body).await
    }

    async fn cancels(&self, receipt_id: &str, cancel_id: &str, price: Option<i64>) -> Answer {
        let mut body = json!({"receipt_id": receipt_id, "cancel_id": cancel_id});
        if let Some(price) = price {
            body["cancel_price"] = json!(price);
        }
        self.post("/cancel", body).await
    }

    async fn token(&self) -> String {
        let body = json!({"application_id": "a", "private_key": "p"});
        let token = answer(self.request(Method::POST, "/request/token").json(&body)).await.json();
        token["access_token"].as_str().unwrap().to_owned()
    }
}

fn refusal(answer: &Answer) -> String {
    let body = answer.json();
    format!("{} {}", answer.status.as_u16(), body["error_code"].as_str().unwrap_or("without a code"))
}

fn receipt_id(answer: &Answer) -> String {
    answer.json()["receipt_id"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
}

#[tokio::test]
async fn a_token_is_the_same_for_25_minutes_and_ends_after_30() {
    let shop = Shop::opens().await;
    let first = shop.token().await;
    let with = async |token: &str| {
        let looked = answer(shop.request(Method::GET, "/lookup/order/NONE").bearer_auth(token)).await;
        looked.status.as_u16()
    };
    shop.merchant.clock.advance(TimeDelta::minutes(24));
    assert_eq!(shop.token().await, first);
    shop.merchant.clock.advance(TimeDelta::minutes(2));
    let second = shop.token().await;
    assert_ne!(second, first);
    assert_eq!((with(&first).await, with(&second).await), (200, 200));
    shop.merchant.clock.advance(TimeDelta::minutes(5));
    assert_eq!((with(&first).await, with(&second).await, with("made up").await), (401, 200, 401));
    let unnamed = answer(shop.request(Method::GET, "/lookup/order/NONE")).await;
    assert_eq!(refusal(&unnamed), "401 SIM_UNAUTHORIZED");
}

#[tokio::test]
async fn an_order_is_paid_once_unless_the_switch_says_otherwise() {
    for (repeated_orders, after_success, after_failure) in [
        (RepeatedOrders::RefusedOncePaid, "400 SIM_ORDER_ID_USED", "400 SIM_PG_DECLINED"),
        (RepeatedOrders::RefusedOnceUsed, "400 SIM_ORDER_ID_USED", "400 SIM_ORDER_ID_USED"),
        (RepeatedOrders::Charged, "200 without a code", "400 SIM_PG_DECLINED"),
    ] {
        let shop = Shop::opens().await;
        shop.merchant
            .sandbox
            .set_bootpay_switches(BootpaySwitches { repeated_orders, ..BootpaySwitches::default() });
        let (good, empty) = (shop.billing_key(GOOD_CARD).await, shop.billing_key(EMPTY_CARD).await);
        assert_eq!(shop.charges(&good, "PAID").await.json()["status"], 1);
        assert_eq!(refusal(&shop.charges(&good, "PAID").await), after_success);
        assert_eq!(refusal(&shop.charges(&empty, "FAILED").await), "400 SIM_PG_DECLINED");
        assert_eq!(refusal(&shop.charges(&empty, "FAILED").await), after_failure);
        assert_eq!(shop.get("/lookup/order/FAILED").await.json()[0]["status"], -2);
    }
}

#[tokio::test]
async fn a_receipt_is_confirmed_once_whatever_its_amount() {
    let shop = Shop::opens().await;
    let request = BootpayPaymentAuth {
        order_id: "ORDER1".to_owned(),
        amount: kernel::Krw::won(100),
        card_number: GOOD_CARD.to_owned(),
        order_name: None,
    };
    let receipt_id = shop.merchant.sandbox.bootpay_payment_auth(request).unwrap();
    let confirm = async || shop.post("/confirm", json!({"receipt_id": receipt_id})).await;
    assert_eq!(shop.get(&format!("/receipt/{receipt_id}")).await.json()["status"], 2);
    let confirmed = confirm().await.json();
    assert_eq!((&confirmed["status"], &confirmed["price"]), (&json!(1), &json!(100)));
    assert_eq!(refusal(&confirm().await), "400 SIM_NOT_CONFIRMABLE");
    assert_eq!(shop.merchant.sandbox.book().len(), 1);
}

#[tokio::test]
async fn cancels_add_up_and_their_ids_are_good_once() {
    let shop = Shop::opens().await;
    let paid = receipt_id(&shop.charges(&shop.billing_key(GOOD_CARD).await, "ORDER1").await);
    let part = shop.cancels(&paid, "refund-1", Some(900)).await.json();
    assert_eq!((&part["status"], &part["cancelled_price"]), (&json!(20), &json!(900)));
    assert_eq!(refusal(&shop.cancels(&paid, "refund-1", Some(900)).await), "400 SIM_CANCEL_ID_USED");
    assert_eq!(refusal(&shop.cancels(&paid, "refund-2", Some(9_001)).await), "400 SIM_CANCEL_PRICE");
    assert_eq!(shop.cancels(&paid, "refund-2", None).await.json()["cancelled_price"], 9_900);
    assert_eq!(refusal(&shop.cancels(&paid, "refund-3", None).await), "400 SIM_CANCELLED_ALREADY");
    assert_eq!(refusal(&shop.cancels("65f0", "refund-1", None).await), "404 SIM_RECEIPT_NOT_FOUND");
    let kinds: Vec<_> =
        shop.merchant.sandbox.bootpay_notices().iter().map(|notice| kind(&notice.body)).collect();
    assert_eq!(kinds, ["PAYMENT_COMPLETED", "PAYMENT_PARTIAL_CANCELLED", "PAYMENT_CANCELLED"]);
}

fn kind(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["webhook_type"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn everything_survives_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut shop = Shop::opens_in(folder.path()).await;
    let key = shop.billing_key(GOOD_CARD).await;
    let deleted = shop.billing_key(GOOD_CARD).await;
    let deletion = shop.request(Method::DELETE, &format!("/subscribe/billing_key/{deleted}"));
    assert_eq!(answer(deletion.basic_auth("c", Some("s"))).await.json()["billing_key"], deleted);
    let paid = receipt_id(&shop.charges(&key, "ORDER1").await);
    shop.cancels(&paid, "refund-1", Some(900)).await;
    let (book, seen) = (shop.merchant.sandbox.book(), shop.get(&format!("/receipt/{paid}")).await.json());
    let token = shop.token().await;

    // Twice, since what was read back has to be written back as well.
    for _ in 0..2 {
        shop.merchant.sandbox.shutdown().await;
        shop = Shop::opens_in(folder.path()).await;
        assert_eq!(shop.merchant.sandbox.book(), book);
        assert_eq!(shop.get(&format!("/receipt/{paid}")).await.json(), seen);
        assert_eq!(shop.merchant.sandbox.bootpay_notices().len(), 2);
        assert_eq!(refusal(&shop.charges(&key, "ORDER1").await), "400 SIM_ORDER_ID_USED");
        assert_eq!(refusal(&shop.charges(&deleted, "ORDER2").await), "400 SIM_BILLING_KEY_DELETED");
        assert_eq!(refusal(&shop.cancels(&paid, "refund-1", Some(900)).await), "400 SIM_CANCEL_ID_USED");
        let looked = answer(shop.request(Method::GET, "/lookup/order/ORDER1").bearer_auth(&token)).await;
        assert_eq!(looked.json()[0]["receipt_id"], paid.as_str());
    }
}
