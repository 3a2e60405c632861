use chrono::TimeDelta;
use reqwest::Method;
use sandbox::{
    AnswerCharset, BookStatus, DeletedKeyAnswer, DuplicateOrders, Fault, FaultKind, KcpSwitches, Operation,
    Provider, UnknownKeyAnswer,
};
use serde_json::{Value, json};

use crate::{
    kcp_shop::{GROUP, KcpShop, charge_body, code, field},
    merchant::{CUSTOMER, EMPTY_CARD, GOOD_CARD, SUSPENDED_CARD},
};

const HUB: &str = "/gw/hub/v1/payment";

#[tokio::test]
async fn a_charge_answers_strings_alone_and_stands_in_the_book() {
    let shop = KcpShop::opens().await;
    let charged = shop.charges(&shop.batch_key(GOOD_CARD).await, "SUB42C3A1", 1_100).await;
    let answer = charged.json();
    assert!(answer.as_object().unwrap().values().all(Value::is_string), "{answer}");
    for (name, expected) in [
        ("res_cd", "0000"),
        ("order_no", "SUB42C3A1"),
        ("amount", "1100"),
        ("res_tax_mny", "1000"),
        ("res_vat_mny", "100"),
        ("card_cd", "CCSS"),
        ("card_no", "430000******0001"),
        ("pay_method", "PACA"),
        ("partcanc_yn", "Y"),
        ("quota", "00"),
    ] {
        assert_eq!(answer[name], expected, "{name}");
    }
    let tno = field(&charged, "tno");
    assert!(tno.len() == 14 && tno.bytes().all(|byte| byte.is_ascii_digit()), "{tno}");
    assert_eq!(field(&charged, "app_time").len(), 14);
    let [line] = shop.merchant.sandbox.book().try_into().unwrap();
    assert_eq!((line.provider, line.payment_key, line.status), (Provider::Kcp, tno, BookStatus::Approved));
}

#[tokio::test]
async fn a_batch_key_has_sixteen_digits_and_no_transaction_number() {
    let shop = KcpShop::opens().await;
    let window = shop.card_window(GOOD_CARD);
    let issued = shop.post("/gw/enc/v1/payment", crate::kcp_shop::window_fields(&window)).await.json();
    assert_eq!(issued["batch_key"].as_str().unwrap().len(), 16);
    assert_eq!((issued["card_name"].as_str(), issued["join_cd"].as_str()), (Some("삼성카드"), Some("")));
    assert_eq!(issued.get("tno"), None);
    assert!(window.contains("card_mask_no=4300-0000-****-0001"), "{window}");
}

#[tokio::test]
async fn a_charge_that_breaks_a_rule_is_refused_with_http_200_and_leaves_no_trace() {
    let shop = KcpShop::opens().await;
    let key = shop.batch_key(GOOD_CARD).await;
    for (name, value, expected) in [
        ("amount", json!("99"), "8059"),
        ("amount", json!("1,000"), "8106"),
        ("amount", json!(1_000), "8005"),
        ("ordr_idxx", json!("with-hyphen"), "8101"),
        ("ordr_idxx", json!("주문"), "8101"),
        ("ordr_idxx", json!("x".repeat(41)), "8101"),
        ("ordr_idxx", json!(""), "8101"),
        ("good_name", json!("가".repeat(34)), "8104"),
        ("quota", json!("03"), "CC16"),
        ("pay_method", json!("BANK"), "8024"),
        ("currency", json!("WON"), "8005"),
        ("card_tx_type", json!("11121000"), "8004"),
        ("bt_batch_key", json!("1234567890123456"), "8108"),
        ("bt_group_id", json!(""), "8108"),
        ("site_cd", json!("T0000"), "8108"),
        ("site_cd", json!("T"), "8001"),
        ("kcp_cert_info", json!("-----BEGINCERTIFICATE-----"), "8001"),
        ("kcp_cert_info", json!(sandbox::kcp_dev_credentials().certificate_pem), "8001"),
    ] {
        let mut body = charge_body(&key, "ORDER1", 1_000);
        body[name] = value.clone();
        let refused = shop.post(HUB, body).await;
        assert_eq!((refused.status.as_u16(), code(&refused).as_str()), (200, expected), "{name} {value}");
    }
    assert_eq!(code(&shop.charges(&key, "ORDER1", 99).await), "8063");
    assert_eq!(shop.merchant.sandbox.book(), []);
}

#[tokio::test]
async fn test_cards_decline_in_the_words_of_kcp() {
    let shop = KcpShop::opens().await;
    for (card, expected) in [(EMPTY_CARD, "CC10"), ("4300-0000-0000-0003", "CC61"), (SUSPENDED_CARD, "CC45")]
    {
        let key = shop.batch_key(card).await;
        let declined = shop.charges(&key, &format!("ORDER{}", &card[18..]), 1_000).await;
        let answer = declined.json();
        assert_eq!(answer["res_cd"], expected);
        assert_eq!(answer.as_object().unwrap().len(), 2, "res_cd and res_msg alone: {answer}");
    }
    let book = shop.merchant.sandbox.book();
    assert!(book.iter().all(|line| line.status == BookStatus::Declined && line.transaction_key.is_none()));
}

#[tokio::test]
async fn a_number_is_charged_once_unless_a_switch_makes_it_twice() {
    let shop = KcpShop::opens().await;
    let (good, empty) = (shop.batch_key(GOOD_CARD).await, shop.batch_key(EMPTY_CARD).await);
    let charge = |key: &str, order: &str| {
        let (shop, key, order) = (&shop, key.to_owned(), order.to_owned());
        async move { code(&shop.charges(&key, &order, 1_000).await) }
    };
    assert_eq!(charge(&good, "ORDERONE").await, "0000");
    assert_eq!(charge(&good, "ORDERONE").await, "8338");
    assert_eq!(charge(&empty, "ORDERTWO").await, "CC10");
    assert_eq!(charge(&good, "ORDERTWO").await, "0000");

    let duplicates = |duplicate_orders| KcpSwitches { duplicate_orders, ..KcpSwitches::default() };
    shop.switch(duplicates(DuplicateOrders::RefusedOnceUsed));
    assert_eq!(charge(&empty, "ORDERTHREE").await, "CC10");
    assert_eq!(charge(&good, "ORDERTHREE").await, "8338");

    shop.switch(duplicates(DuplicateOrders::Charged));
    assert_eq!(charge(&good, "ORDERONE").await, "0000");
    let taken = shop.merchant.sandbox.book();
    let taken =
        taken.iter().filter(|line| line.order_id == "ORDERONE" && line.status == BookStatus::Approved);
    assert_eq!(taken.count(), 2, "the money moved twice");
}

#[tokio::test]
async fn a_deleted_key_is_gone_for_good() {
    let shop = KcpShop::opens().await;
    let key = shop.batch_key(GOOD_CARD).await;
    let delete = || {
        let body = json!({"pay_method": "BATCH", "batch_key": key, "group_id": GROUP, "tx_type": "10005010"});
        shop.post(HUB, body)
    };
    let deleted = delete().await.json();
    assert_eq!((deleted["res_cd"].as_str(), deleted.get("tno")), (Some("0000"), None));
    assert_eq!(code(&shop.charges(&key, "ORDER1", 1_000).await), "8108");
    for (deleted_key, expected) in [
        (DeletedKeyAnswer::NotFound, "8132"),
        (DeletedKeyAnswer::Unlisted, "S099"),
        (DeletedKeyAnswer::Ok, "0000"),
    ] {
        shop.switch(KcpSwitches { deleted_key, ..KcpSwitches::default() });
        assert_eq!(code(&delete().await), expected);
    }
    let unknown_key = UnknownKeyAnswer::WrongCardNumber;
    shop.switch(KcpSwitches { unknown_key, ..KcpSwitches::default() });
    assert_eq!(code(&shop.charges(&key, "ORDER1", 1_000).await), "CC14");
}

#[tokio::test]
async fn a_good_card_goes_bad() {
    let shop = KcpShop::opens().await;
    let key = shop.batch_key(GOOD_CARD).await;
    let change = json!({"batchKey": key, "cardNumber": SUSPENDED_CARD});
    let changed = shop.merchant.control(Method::POST, "/kcp/cards", change).await;
    assert_eq!(changed.json()["changed"], 1);
    assert_eq!(code(&shop.charges(&key, "ORDER1", 1_000).await), "CC45");
    shop.merchant.sandbox.change_card_of_kcp_customer(CUSTOMER, GOOD_CARD).unwrap();
    assert_eq!(code(&shop.charges(&key, "ORDER1", 1_000).await), "0000");
    let unknown = json!({"batchKey": "0", "cardNumber": GOOD_CARD});
    let refused = shop.merchant.control(Method::POST, "/kcp/cards", unknown).await;
    assert_eq!(refused.refusal(), "404 NOT_FOUND_BATCH_KEY");
}

#[tokio::test]
async fn answers_come_in_the_charset_of_the_switch() {
    let shop = KcpShop::opens().await;
    let key = shop.batch_key(EMPTY_CARD).await;
    for (answer_charset, content_type) in [
        (AnswerCharset::EucKr, "application/json;charset=EUC-KR"),
        (AnswerCharset::EucKrUndeclared, "application/json"),
    ] {
        shop.switch(KcpSwitches { answer_charset, ..KcpSwitches::default() });
        let url = format!("{}{HUB}", shop.merchant.sandbox.kcp_base_url());
        let mut body = charge_body(&key, "ORDER1", 1_000);
        body["site_cd"] = json!(shop.site_cd);
        body["kcp_cert_info"] = json!(shop.certificate);
        let response = shop.merchant.client.post(url).json(&body).send().await.unwrap();
        assert_eq!(response.headers()["content-type"], content_type);
        let bytes = response.bytes().await.unwrap();
        // 잔액 부족
        let text = b"\xc0\xdc\xbe\xd7 \xba\xce\xc1\xb7";
        assert!(bytes.windows(text.len()).any(|window| window == text), "{bytes:?}");
    }
}

#[tokio::test]
async fn surprises_come_on_demand() {
    let shop = KcpShop::opens().await;
    let key = shop.batch_key(GOOD_CARD).await;
    shop.switch(KcpSwitches {
        unknown_fields: true,
        unmasked_card_numbers: true,
        errors_with_status_400: true,
        ..KcpSwitches::default()
    });
    let charged = shop.charges(&key, "ORDER1", 1_000).await.json();
    assert_eq!(charged["card_no"], "4300000000000001");
    assert_eq!(charged["sandbox_empty_field"], "");
    let twice = shop.charges(&key, "ORDER1", 1_000).await;
    assert_eq!((twice.status.as_u16(), code(&twice).as_str()), (400, "8338"));
}

#[tokio::test]
async fn a_certificate_past_its_date_stops_everything() {
    let shop = KcpShop::opens().await;
    let key = shop.batch_key(GOOD_CARD).await;
    shop.merchant.clock.advance(TimeDelta::days(365 * 40));
    assert_eq!(code(&shop.charges(&key, "ORDER1", 1_000).await), "8370");
    shop.switch(KcpSwitches { ignore_certificate_dates: true, ..KcpSwitches::default() });
    assert_eq!(code(&shop.charges(&key, "ORDER1", 1_000).await), "0000");
}

#[tokio::test]
async fn faults_strike_kcp_and_only_kcp_where_they_name_it() {
    let shop = KcpShop::opens().await;
    let key = shop.batch_key(GOOD_CARD).await;
    let fault = json!({"fault": "decline", "provider": "KCP", "operation": "charge"});
    assert_eq!(shop.merchant.control(Method::POST, "/faults", fault).await.status, 201);
    let toss = shop.merchant.paid(1_000).await;
    assert!(!toss.is_empty());
    assert_eq!(code(&shop.charges(&key, "ORDER1", 1_000).await), "CC10");

    shop.merchant.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
    let body = charge_body(&key, "ORDER2", 1_000);
    let url = format!("{}{HUB}", shop.merchant.sandbox.kcp_base_url());
    let mut request = body.clone();
    request["site_cd"] = json!(shop.site_cd);
    request["kcp_cert_info"] = json!(shop.certificate);
    assert!(shop.merchant.client.post(url).json(&request).send().await.is_err());
    assert_eq!(code(&shop.post(HUB, body).await), "8338", "it was charged, and nobody heard");

    for (kind, status) in [
        (FaultKind::Error500(sandbox::Moment::BeforeProcessing), 500),
        (FaultKind::Html502(sandbox::Moment::AfterProcessing), 502),
        (FaultKind::RateLimited, 429),
    ] {
        shop.merchant.sandbox.add_fault(Fault::new(kind));
        assert_eq!(shop.charges(&key, "ORDER3", 1_000).await.status, status);
    }
    assert_eq!(code(&shop.charges(&key, "ORDER3", 1_000).await), "8338", "the 502 came after charging");
}

#[tokio::test]
async fn a_code_can_lie() {
    let shop = KcpShop::opens().await;
    let key = shop.batch_key(GOOD_CARD).await;
    shop.switch(KcpSwitches { moves_behind_declines: true, ..KcpSwitches::default() });
    shop.merchant.sandbox.add_fault(Fault::new(FaultKind::Decline { code: "CC98".into() }));
    assert_eq!(code(&shop.charges(&key, "ORDER1", 1_000).await), "CC98");
    assert_eq!(shop.merchant.sandbox.book()[0].status, BookStatus::Approved);
}
