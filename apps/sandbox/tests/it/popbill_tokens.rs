use chrono::TimeDelta;
use kernel::Clock as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    merchant::{Merchant, answer},
    popbill_seller::{Seller, Signed, refusal},
};

async fn token(shop: &Merchant, change: impl FnOnce(&mut Signed)) -> crate::merchant::Answer {
    let mut signed = Signed::rightly(shop);
    change(&mut signed);
    answer(signed.request(shop)).await
}

#[tokio::test]
async fn a_signed_request_is_answered_with_a_token() {
    let shop = Merchant::opens().await;
    let answer = token(&shop, |_| ()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let token = answer.json();
    assert_eq!((&token["serviceID"], &token["linkID"]), (&json!("POPBILL_TEST"), &json!("DANGOL")));
    assert!(token["session_token"].as_str().unwrap().len() > 20);
    let expires: chrono::DateTime<chrono::Utc> = token["expiration"].as_str().unwrap().parse().unwrap();
    assert!((expires - shop.clock.now() - TimeDelta::minutes(30)).abs() < TimeDelta::seconds(10));
}

#[tokio::test]
async fn the_forwarded_line_is_signed_if_its_header_is_sent() {
    let shop = Merchant::opens().await;
    assert_eq!(token(&shop, |signed| signed.forwarded = Some("*")).await.status, 200);
    let unsigned = Signed::rightly(&shop).request(&shop).header("x-lh-forwarded", "*");
    assert_eq!(refusal(&answer(unsigned).await), "401 -99009906");
}

#[tokio::test]
async fn what_is_not_rightly_signed_gets_no_token() {
    let shop = Merchant::opens().await;
    let other_key = "b3RoZXItc2VjcmV0LWtleS1vZi1zb21lYm9keS1lbHM=";
    assert_eq!(refusal(&token(&shop, |it| it.secret_key = other_key).await), "401 -99009906");
    assert_eq!(refusal(&token(&shop, |it| it.link_id = "STRANGER").await), "401 -99009905");
    for minutes in [-6, 6] {
        let answer = token(&shop, |it| it.date += TimeDelta::minutes(minutes)).await;
        assert_eq!(refusal(&answer), "401 -99009907", "{minutes}");
    }
    let changed = Signed::rightly(&shop).request(&shop).body("{}");
    assert_eq!(refusal(&answer(changed).await), "401 -99009906");
    let not_a_member = json!({"access_id": "1234567890", "scope": ["110"]}).to_string();
    assert_eq!(refusal(&token(&shop, |it| it.body = not_a_member).await), "400 -99003008");
}

#[tokio::test]
async fn the_time_is_the_sandboxs() {
    let shop = Merchant::opens().await;
    shop.clock.advance(TimeDelta::days(400));
    let time = answer(shop.client.get(format!("{}/Time", shop.sandbox.linkhub_base_url()))).await.text;
    let time: chrono::DateTime<chrono::Utc> = time.parse().unwrap();
    assert!((time - shop.clock.now()).abs() < TimeDelta::seconds(10));
}

#[tokio::test]
async fn a_token_is_good_until_it_expires_or_is_ended_and_for_its_scope_alone() {
    let mut seller = Seller::opens().await;
    assert_eq!(refusal(&seller.looks("INV-1").await), "400 -11000000");
    seller.shop.clock.advance(TimeDelta::minutes(31));
    assert_eq!(refusal(&seller.looks("INV-1").await), "401 -99009902");

    seller = Seller::at(seller.shop).await;
    assert_eq!(seller.control(Method::POST, "/sessions/end", Value::Null).await.status, 204);
    assert_eq!(refusal(&seller.looks("INV-1").await), "401 -99009902");

    let body = json!({"access_id": crate::popbill_seller::SELLER, "scope": ["member"]}).to_string();
    let scoped = token(&seller.shop, |it| it.body = body).await.json();
    seller.token = scoped["session_token"].as_str().unwrap().to_owned();
    assert_eq!(refusal(&seller.looks("INV-1").await), "403 -99009904");
}

#[tokio::test]
async fn another_partner_is_known_once_it_is_told() {
    let shop = Merchant::opens().await;
    let secret_key = "b3RoZXItc2VjcmV0LWtleS1vZi1zb21lYm9keS1lbHM=";
    let partner = json!({"linkId": "OTHER", "secretKey": secret_key});
    assert_eq!(shop.control(Method::PUT, "/popbill/partners", partner).await.status, 204);
    let answer = token(&shop, |it| (it.link_id, it.secret_key) = ("OTHER", secret_key)).await;
    assert_eq!(answer.status, 200);
}
