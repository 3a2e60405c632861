//! Rules lead a business to a provider.

use sandbox::Provider::{Kcp, PortOne, Toss};
use serde_json::json;
use testkit::{Card, TestApp, card_in_the_window};

use super::toss_goes_down;

#[tokio::test]
async fn without_rules_the_configured_provider_is_meant() {
    let app = TestApp::start().await;
    let route = app.owner().get("/api/payments/route").await.data().clone();
    assert_eq!(route["provider"], "TOSS");
    assert_eq!(route["providers"], json!(["TOSS", "PORTONE", "KCP", "BOOTPAY"]));
}

#[tokio::test]
async fn the_lowest_rank_decides_and_a_businesss_own_rules_come_before_the_platforms() {
    let app = TestApp::start().await;
    app.rules_are(None, &[(Toss, 2, 1000), (Kcp, 1, 1)]).await;
    app.rules_are(Some(2), &[(PortOne, 1, 1)]).await;
    assert_eq!(app.led_to(1).await, "KCP");
    assert_eq!(app.led_to(2).await, "PORTONE");
    app.rules_are(Some(2), &[]).await;
    assert_eq!(app.led_to(2).await, "KCP");
}

#[tokio::test]
async fn weights_share_the_businesses_and_each_stays_where_it_is() {
    let app = TestApp::start().await;
    app.rules_are(None, &[(Toss, 1, 3), (PortOne, 1, 1)]).await;
    let mut at_portone = 0;
    for business in 1..=80 {
        let led_to = app.led_to(business).await;
        assert_eq!(app.led_to(business).await, led_to);
        at_portone += usize::from(led_to == "PORTONE");
    }
    assert!((10..=30).contains(&at_portone), "{at_portone} of 80, and a quarter is wanted");
}

#[tokio::test]
async fn a_registration_that_names_no_provider_goes_where_the_rules_lead() {
    let app = TestApp::start().await;
    app.rules_are(None, &[(Kcp, 1, 1)]).await;
    let auth_key = card_in_the_window(&app.sandbox, Kcp, "user_1", Card::Good).await;
    let registration = json!({"plan": "BASIC", "authKey": auth_key, "customerKey": "user_1"});
    app.owner().post("/api/payments/billing-key", registration).await.data();
    assert_eq!(app.charged_at(), ["KCP"]);
    assert_eq!(app.current().await["paymentMethod"]["provider"], "KCP");
}

#[tokio::test]
async fn a_provider_that_is_down_is_passed_over() {
    let app = TestApp::start().await;
    app.rules_are(None, &[(Toss, 1, 1), (PortOne, 2, 1)]).await;
    assert_eq!(app.led_to(1).await, "TOSS");
    toss_goes_down(&app).await;
    assert_eq!(app.led_to(1).await, "PORTONE");
    app.rules_are(None, &[(Toss, 1, 1)]).await;
    assert_eq!(app.led_to(1).await, "TOSS", "there is no other");
}
