//! Links that tell who followed them, and lead nowhere else.

use axum::http::Method;
use serde_json::json;
use testkit::Download;

use super::{Shop, but, shop};

const PAGE: &str = "https://misohair.example/spring?from=text";

impl Shop {
    /// The path of the link in a customer's message.
    pub(super) fn link(&self, customer: usize) -> String {
        let text = self.received(customer).pop().expect("a message").text;
        let (_, code) = text.split_once("/l/").expect("a link");
        let code: String = code.chars().take_while(char::is_ascii_alphanumeric).collect();
        assert_eq!(code.len(), 12, "{text}");
        format!("/l/{code}")
    }

    pub(super) async fn follows(&self, link: &str) -> Download {
        self.app.anonymous().download(Method::GET, link).await
    }
}

#[tokio::test]
async fn who_follows_a_link_is_led_to_the_page_and_counted_once() {
    let shop = shop().await;
    shop.has_customers(&["가", "나"]).await;
    let path = shop.campaign(but(&shop.body("보세요 {{link}}"), "link", json!(PAGE))).await;
    shop.sends().await;
    let (one, other) = (shop.link(0), shop.link(1));
    assert_ne!(one, other);
    assert_eq!(shop.stands(&path).await["stats"]["clicked"], 0);
    for _ in 0..2 {
        let answer = shop.follows(&one).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, PAGE));
    }
    // Nobody looked at it.
    let head = shop.app.anonymous().send(Method::HEAD, &other, None).await;
    assert_eq!(head.status, 302);
    let robot = shop.app.anonymous().with_header("user-agent", "kakaotalk-scrap/1.0");
    assert_eq!(robot.get(&other).await.status, 302);
    let stands = shop.stands(&path).await;
    assert_eq!(stands["stats"]["clicked"], 1);
    let recipients = shop.owner.get(&format!("{path}/recipients")).await;
    let clicks: Vec<_> =
        recipients.data().as_array().expect("a list").iter().map(|one| one["clicks"].clone()).collect();
    assert_eq!(clicks, [0, 2]);
}

#[tokio::test]
async fn a_guessed_code_leads_nowhere() {
    let shop = shop().await;
    for link in [
        "/l/AAAAAAAAAAAA",
        "/l/1",
        "/l/..%2f..",
        "/l/AAAAAAAAAAAA%0d%0alocation:",
        "/l/https:%2f%2fevil.example",
    ] {
        shop.app.anonymous().get(link).await.problem(404, "NOT_FOUND");
    }
    let browser = shop.app.anonymous().with_header("accept", "text/html,application/xhtml+xml");
    let page = browser.get("/l/AAAAAAAAAAAA").await;
    assert_eq!((page.status.as_u16(), page.content_type.as_str()), (404, "text/html; charset=utf-8"));
}

#[tokio::test]
async fn a_link_goes_where_the_campaign_says_whatever_comes_with_the_click() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    shop.campaign(but(&shop.body("보세요 {{link}}"), "link", json!(PAGE))).await;
    shop.sends().await;
    let link = shop.link(0);
    for hostile in
        ["?url=https://evil.example", "?next=//evil.example", "?%0d%0alocation:%20https://evil.example"]
    {
        let answer = shop.follows(&format!("{link}{hostile}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (302, PAGE), "{hostile}");
    }
}
