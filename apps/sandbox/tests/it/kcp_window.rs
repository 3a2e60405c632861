use chrono::TimeDelta;
use reqwest::Method;
use sandbox::{BookStatus, KcpPaymentAuth, KcpSwitches, UsedWindowData};
use serde_json::{Value, json};

use crate::{
    kcp_shop::{KcpShop, code, field, window_fields},
    merchant::{EMPTY_CARD, GOOD_CARD, answer},
};

const ENC: &str = "/gw/enc/v1/payment";

impl KcpShop {
    fn payment_window(&self, order: &str, card: &str) -> String {
        let payment = KcpPaymentAuth {
            order_id: order.into(),
            amount: kernel::Krw::won(1_004),
            card_number: card.into(),
            order_name: Some("주문".into()),
        };
        self.merchant.sandbox.kcp_payment_auth(payment).unwrap()
    }

    async fn approves(&self, window: &str, more: Value) -> crate::merchant::Answer {
        let mut body = window_fields(window);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.post(ENC, body).await
    }
}

fn ours(order: &str) -> Value {
    json!({"ordr_mony": "1004", "ordr_no": order, "pay_type": "PACA"})
}

#[tokio::test]
async fn an_authentication_is_no_payment_until_it_is_approved() {
    let shop = KcpShop::opens().await;
    let window = shop.payment_window("ORDER1", GOOD_CARD);
    assert_eq!(shop.merchant.sandbox.book(), []);
    let approved = shop.approves(&window, ours("ORDER1")).await;
    assert_eq!((code(&approved).as_str(), field(&approved, "amount").as_str()), ("0000", "1004"));
    assert_eq!(shop.merchant.sandbox.book().len(), 1);

    assert_eq!(code(&shop.approves(&window, ours("ORDER1")).await), "8094");
    shop.switch(KcpSwitches { used_window_data: UsedWindowData::Invalid, ..KcpSwitches::default() });
    assert_eq!(code(&shop.approves(&window, ours("ORDER1")).await), "8343");
    assert_eq!(shop.merchant.sandbox.book().len(), 1);
}

#[tokio::test]
async fn the_server_s_own_amount_and_number_are_checked() {
    let shop = KcpShop::opens().await;
    let window = shop.payment_window("ORDER1", GOOD_CARD);
    let with = |name: &str, value: &str| {
        let mut body = ours("ORDER1");
        body[name] = json!(value);
        body
    };
    assert_eq!(code(&shop.approves(&window, with("ordr_mony", "100")).await), "8059");
    assert_eq!(code(&shop.approves(&window, with("ordr_no", "ORDER2")).await), "8101");
    assert_eq!(code(&shop.approves(&window, with("pay_type", "PABK")).await), "8024");
    assert_eq!(code(&shop.approves(&window, with("enc_info", "other")).await), "8005");
    assert_eq!(code(&shop.approves(&window, with("tran_cd", "00300001")).await), "8005");
    assert_eq!(code(&shop.approves(&window, with("enc_data", "invented")).await), "8005");
    // Without them KCP checks nothing.
    assert_eq!(code(&shop.approves(&window, json!({})).await), "0000");
}

#[tokio::test]
async fn a_window_for_a_card_pays_nothing_and_one_for_a_payment_gives_no_key() {
    let shop = KcpShop::opens().await;
    let card = shop.approves(&shop.card_window(GOOD_CARD), ours("ORDER1")).await.json();
    assert!(card["batch_key"].is_string() && card.get("tno").is_none(), "{card}");
    let paid = shop.approves(&shop.payment_window("ORDER1", GOOD_CARD), json!({})).await.json();
    assert!(paid["tno"].is_string() && paid.get("batch_key").is_none(), "{paid}");
}

#[tokio::test]
async fn an_authentication_grows_old() {
    let shop = KcpShop::opens().await;
    let window = shop.payment_window("ORDER1", GOOD_CARD);
    shop.merchant.clock.advance(TimeDelta::minutes(61));
    assert_eq!(code(&shop.approves(&window, ours("ORDER1")).await), "8310");
}

#[tokio::test]
async fn a_card_may_decline_what_its_holder_authenticated() {
    let shop = KcpShop::opens().await;
    let window = shop.payment_window("ORDER1", EMPTY_CARD);
    assert_eq!(code(&shop.approves(&window, ours("ORDER1")).await), "CC10");
    assert_eq!(shop.merchant.sandbox.book()[0].status, BookStatus::Declined);
}

#[tokio::test]
async fn data_that_names_a_card_is_good_any_number_of_times() {
    let shop = KcpShop::opens().await;
    let mut keys = Vec::new();
    for _ in 0..2 {
        let issued = shop.post(ENC, json!({"enc_data": "test_auth_4300000000000001"})).await;
        keys.push(field(&issued, "batch_key"));
    }
    assert_ne!(keys[0], keys[1]);
    for order in ["ORDER1", "ORDER2"] {
        let body = json!({"enc_data": "test_pay_4300000000000001", "ordr_no": order, "ordr_mony": "1004"});
        assert_eq!(field(&shop.post(ENC, body.clone()).await, "order_no"), order);
        assert_eq!(code(&shop.post(ENC, body).await), "8338");
    }
    for odd in ["test_auth_4300-0000-0000-0001", "test_auth_43", "test_pay_x"] {
        let body = json!({"enc_data": odd, "ordr_no": "ORDER3", "ordr_mony": "1004"});
        assert_eq!(code(&shop.post(ENC, body).await), "8005", "{odd}");
    }
}

#[tokio::test]
async fn the_control_surface_hands_over_the_form_and_its_fields() {
    let shop = KcpShop::opens().await;
    let body = json!({"customerKey": "customer-1", "cardNumber": GOOD_CARD});
    let card = shop.merchant.control(Method::POST, "/kcp/billing-auth", body).await.json();
    let form = card["authKey"].as_str().unwrap();
    assert_eq!(window_fields(form)["enc_data"], card["fields"]["enc_data"]);
    assert_eq!(card["fields"]["card_mask_no"], "4300-0000-****-0001");

    let body = json!({"orderId": "ORDER1", "amount": 1_004, "cardNumber": GOOD_CARD});
    let paid = shop.merchant.control(Method::POST, "/kcp/payment-auth", body).await.json();
    assert!(paid["paymentKey"].as_str().unwrap().contains("ordr_idxx=ORDER1"));
    for (path, body, expected) in [
        ("/kcp/billing-auth", json!({"cardNumber": "12"}), "400 INVALID_CARD_NUMBER"),
        (
            "/kcp/payment-auth",
            json!({"orderId": "a-b", "amount": 1_004, "cardNumber": GOOD_CARD}),
            "400 8101",
        ),
    ] {
        assert_eq!(shop.merchant.control(Method::POST, path, body).await.refusal(), expected);
    }
}

#[tokio::test]
async fn a_registered_trade_opens_the_window_which_posts_back_to_the_shop() {
    let shop = KcpShop::opens().await;
    let trade = json!({"ordr_idxx": "ORDER1", "good_mny": "1004", "good_name": "<b>주문</b>", "pay_method": "CARD",
        "Ret_URL": "https://shop.example/kcp/return", "user_agent": ""});
    let registered = shop.post("/trade/register.do", trade.clone()).await.json();
    assert_eq!(registered["Code"], "0000");
    assert_eq!(shop.post("/std/tradeReg/register", trade.clone()).await.json()["Code"], "0000");
    let mut uncertified = trade;
    uncertified["kcp_cert_info"] = json!("");
    assert_eq!(shop.post("/std/tradeReg/register", uncertified).await.json()["Code"], "8001");

    let client = &shop.merchant.client;
    let approval_key = registered["approvalKey"].as_str().unwrap();
    let form = [("approval_key", approval_key), ("param_opt_1", "a\"b")];
    let window = answer(client.post(registered["PayUrl"].as_str().unwrap()).form(&form)).await;
    assert!(window.text.contains("&lt;b&gt;주문") && window.text.contains(approval_key), "{}", window.text);

    let done = format!("{}/window/done", shop.merchant.sandbox.kcp_base_url());
    let pressed = [("approvalKey", approval_key), ("cardNumber", GOOD_CARD), ("paramOpt1", "a\"b")];
    let page = answer(client.post(&done).form(&pressed)).await.text;
    assert!(page.contains(r#"action="https://shop.example/kcp/return""#), "{page}");
    assert!(page.contains(r#"name="param_opt_1" value="a&quot;b""#), "{page}");
    let value = |name: &str| {
        let after = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap().1;
        after.split_once('"').unwrap().0.to_owned()
    };
    let mut body = ours("ORDER1");
    for name in ["tran_cd", "enc_data", "enc_info"] {
        body[name] = json!(value(name));
    }
    assert_eq!(code(&shop.post(ENC, body).await), "0000");

    let closed = [("approvalKey", approval_key), ("closed", "1")];
    let page = answer(client.post(&done).form(&closed)).await.text;
    assert!(page.contains(r#"name="res_cd" value="3001""#) && !page.contains("enc_data"), "{page}");
}

#[tokio::test]
async fn the_receipt_needs_all_three_values() {
    let shop = KcpShop::opens().await;
    let tno = shop.paid("ORDER1", 1_100).await;
    let receipt = |order: &str, amount: &str| {
        let url = format!(
            "{}/assist/bill.BillActionNew.do?cmd=card_bill&tno={tno}&order_no={order}&trade_mony={amount}",
            shop.merchant.sandbox.kcp_base_url()
        );
        answer(shop.merchant.client.get(url))
    };
    let page = receipt("ORDER1", "1100").await.text;
    assert!(page.contains(&tno) && page.contains("1,100원") && page.contains("430000******0001"), "{page}");
    assert_eq!(receipt("ORDER2", "1100").await.status, 404);
    assert_eq!(receipt("ORDER1", "1101").await.status, 404);
}
