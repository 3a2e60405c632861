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

#[tokio::test]
async fn who_opens_a_mail_is_counted_once() {
    let shop = shop().await;
    shop.has_customers(&["가", "나", "다", "라"]).await;
    let mail = but(&but(&shop.body("새봄 {{link}}"), "channel", json!("EMAIL")), "subject", json!("새봄"));
    let path = shop.campaign(but(&mail, "link", json!(PAGE))).await;
    shop.sends().await;
    let picture = |customer: usize| {
        let html = shop.received(customer)[0].html.clone().expect("a page");
        let (_, rest) = html.split_once("<img src=\"").expect("a picture");
        let url = rest.split_once('"').expect("an end").0;
        url.split_once("/l/").map(|(_, path)| format!("/l/{path}")).expect("ours")
    };
    assert_eq!(shop.stands(&path).await["stats"]["opened"], 0);
    for _ in 0..2 {
        let seen = shop.app.anonymous().download(Method::GET, &picture(0)).await;
        assert_eq!((seen.status.as_u16(), seen.header("content-type")), (200, "image/gif"));
        assert_eq!(seen.header("cache-control"), "no-store");
    }
    // Whoever followed the link has opened it, also where pictures are not loaded.
    assert_eq!(shop.follows(&shop.link(1)).await.status, 302);
    assert_eq!(shop.app.anonymous().send(Method::HEAD, &picture(2), None).await.status, 200);
    let ahead = shop.app.anonymous().with_header("sec-purpose", "prefetch");
    assert_eq!(ahead.download(Method::GET, &picture(3)).await.status, 200);
    let stats = shop.stands(&path).await["stats"].clone();
    assert_eq!((&stats["opened"], &stats["openRate"]), (&json!(2), &json!(50.0)), "{stats}");
    assert_eq!((&stats["clicked"], &stats["clickRate"]), (&json!(1), &json!(25.0)));
    let recipients = shop.owner.get(&format!("{path}/recipients")).await;
    let opened = recipients.data().as_array().expect("a list").iter();
    let opened: Vec<_> = opened.map(|one| !one["openedAt"].is_null()).collect();
    assert_eq!(opened, [false, false, false, true], "the newest customers come first");
}

#[tokio::test]
async fn a_mail_without_a_link_tells_who_opened_it_and_a_text_does_not() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let mail = but(&but(&shop.body("새봄"), "channel", json!("EMAIL")), "subject", json!("새봄"));
    let mail = shop.campaign(mail).await;
    let text = shop.campaign(but(&shop.body("보세요 {{link}}"), "link", json!(PAGE))).await;
    shop.sends().await;
    let stats = shop.stands(&mail).await["stats"].clone();
    assert_eq!((&stats["opened"], &stats["clicked"]), (&json!(0), &json!(null)));
    let texts = shop.received(0);
    let code = texts.iter().find_map(|parcel| parcel.text.split_once("/l/")).expect("a link").1;
    let code: String = code.chars().take_while(char::is_ascii_alphanumeric).collect();
    for path in
        [format!("/l/{code}/seen.gif"), "/l/AAAAAAAAAAAA/seen.gif".to_owned(), "/l/1/seen.gif".to_owned()]
    {
        shop.app.anonymous().get(&path).await.problem(404, "NOT_FOUND");
    }
    let stats = shop.stands(&text).await["stats"].clone();
    assert_eq!((&stats["opened"], &stats["openRate"]), (&json!(null), &json!(null)));
}
