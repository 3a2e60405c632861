//! A campaign to those whom an earlier one reached, or did not.

use serde_json::{Value, json};

use super::{Shop, but, number, shop};

impl Shop {
    /// A segment of these conditions; its id.
    async fn segment_of(&self, conditions: Value) -> Value {
        let made =
            self.owner.post("/api/businesses/2/segments", json!({"name": "다음", "conditions": conditions}));
        made.await.data()["segmentId"].clone()
    }

    /// The names of those of whom these conditions are true, in the order of the alphabet.
    async fn are(&self, conditions: Value) -> Vec<String> {
        let segment = self.segment_of(conditions).await;
        let listed = self.owner.get(&format!("/api/businesses/2/segments/{segment}/customers")).await;
        let members = listed.data().as_array().expect("a list").iter();
        let mut names: Vec<_> =
            members.map(|member| member["name"].as_str().expect("a name").to_owned()).collect();
        names.sort();
        names
    }
}

fn id(path: &str) -> i64 {
    path.rsplit('/').next().and_then(|id| id.parse().ok()).expect("an id")
}

#[tokio::test]
async fn who_received_a_campaign_and_did_not_click_hears_of_it_again() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나", "다", "라"]).await;
    shop.agrees(ids[2], "WITHDRAWN").await;
    shop.sends().await;
    shop.app.sandbox.set_fate(&number(3), sandbox::Fate::NoSuchNumber).expect("a number");
    let linked = but(&shop.body("보세요 {{link}}"), "link", json!("https://misohair.example/spring"));
    let first = shop.campaign(linked).await;
    let received =
        |operator: &str| json!({"field": "receivedCampaign", "operator": operator, "value": [id(&first)]});
    let clicked =
        |operator: &str| json!({"field": "clickedCampaign", "operator": operator, "value": [id(&first)]});
    assert_eq!(shop.are(json!([received("HAS_ANY")])).await, [""; 0], "it was not sent yet");

    shop.sends().await;
    assert_eq!(shop.are(json!([received("HAS_ALL")])).await, ["가", "나", "라"]);
    shop.app.time_passes_until("2026-02-14T18:00").await;
    // One refused before, and with one it did not arrive.
    assert_eq!(shop.are(json!([received("HAS_ANY")])).await, ["가", "나"]);
    assert_eq!(shop.are(json!([received("HAS_NONE")])).await, ["다", "라"]);
    shop.follows(&shop.link(0)).await;
    assert_eq!(shop.are(json!([clicked("HAS_ANY")])).await, ["가"]);
    assert_eq!(shop.are(json!([{"not": clicked("HAS_ANY")}])).await, ["나", "다", "라"]);

    let silent = shop.segment_of(json!([received("HAS_ANY"), clicked("HAS_NONE")])).await;
    let second = shop.campaign(but(&shop.body("한 번 더 알려요"), "segmentId", silent)).await;
    shop.sends().await;
    // What did not arrive lies in the carrier's book all the same.
    let texts: Vec<_> = (0..4).map(|customer| shop.received(customer).len()).collect();
    assert_eq!(texts, [1, 2, 0, 1]);
    assert_eq!(shop.stands(&second).await["recipientCount"], 1);
    let both =
        json!([{"field": "receivedCampaign", "operator": "HAS_ALL", "value": [id(&first), id(&second)]}]);
    assert_eq!(shop.are(both).await, ["나"]);
    assert_eq!(
        shop.are(json!([{"field": "receivedCampaign", "operator": "IS_NOT_SET"}])).await,
        ["다", "라"]
    );
}

#[tokio::test]
async fn who_got_nothing_for_a_month_can_be_asked_for() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나"]).await;
    shop.agrees(ids[1], "WITHDRAWN").await;
    shop.sends().await;
    shop.campaign(shop.body("새봄 할인")).await;
    shop.sends().await;
    let lately = json!({"field": "lastCampaignDate", "operator": "ON_OR_AFTER", "value": {"daysAgo": 30}});
    let nothing_lately = json!([{"not": lately}]);
    let had_before = json!([{"field": "lastCampaignDate", "operator": "BEFORE", "value": {"daysAgo": 30}}]);
    shop.app.it_is("2026-03-16T23:59");
    assert_eq!(shop.are(nothing_lately.clone()).await, ["나"]);
    assert_eq!(shop.are(had_before.clone()).await, [""; 0]);
    shop.app.it_is("2026-03-17T00:00");
    assert_eq!(shop.are(nothing_lately).await, ["가", "나"]);
    // Who never had any did not have the last one before some day.
    assert_eq!(shop.are(had_before).await, ["가"]);
}
