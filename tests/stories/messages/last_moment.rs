//! What happens between taking a message and handing it over counts as well.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, future::BoxFuture};
use messaging::{
    Channel, Channels, Messaging, NewMessage, Provider,
    channel::{
        Asked, BeforeSending, Capabilities, Found, ListFailed, MessageChannel, Outbound, Refused, Sent,
        Webhook, WebhookRefused,
    },
    solapi::{Solapi, SolapiConfig},
};
use reqwest::header::HeaderMap;
use serde_json::json;
use testkit::TestApp;
use tokio::sync::{Barrier, Notify};

use super::{
    advertising::{PHONE, advert, adverts, agrees},
    batches::cancel,
    fates, received, says, sends, text,
};

/// Solapi, to which something happens each time before the last moment, or right behind it.
struct Hesitates {
    solapi: Solapi,
    before: Mutex<Vec<BoxFuture<'static, ()>>>,
    behind: Mutex<Vec<BoxFuture<'static, ()>>>,
}

#[async_trait]
impl MessageChannel for Hesitates {
    fn provider(&self) -> Provider {
        self.solapi.provider()
    }

    fn capabilities(&self) -> Capabilities {
        self.solapi.capabilities()
    }

    fn requests(&self, messages: Vec<Outbound>) -> Vec<Vec<Outbound>> {
        self.solapi.requests(messages)
    }

    async fn send(&self, request: &[Outbound], before_sending: BeforeSending<'_>) -> Vec<Sent> {
        let happens = self.before.lock().expect("no panic").pop();
        if let Some(happens) = happens {
            happens.await;
        }
        let sent = self.solapi.send(request, before_sending).await;
        let happens = self.behind.lock().expect("no panic").pop();
        if let Some(happens) = happens {
            happens.await;
        }
        sent
    }

    async fn find(&self, messages: &[Asked]) -> Vec<Found> {
        self.solapi.find(messages).await
    }

    async fn refusals_since(&self, since: DateTime<Utc>) -> Result<Vec<Refused>, ListFailed> {
        self.solapi.refusals_since(since).await
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused> {
        self.solapi.read_webhook(headers, body)
    }
}

/// A process to which this happens when it is about to hand its first request over, and that behind it.
fn hesitant(
    app: &TestApp,
    before: Option<BoxFuture<'static, ()>>,
    behind: Option<BoxFuture<'static, ()>>,
) -> Messaging {
    let config = SolapiConfig {
        base_url: app.sandbox.solapi_base_url(),
        api_key: "NCSDANGOLDEVELOP".to_owned(),
        api_secret: "dangol-development-solapi-secret".into(),
        requests_per_second: NonZeroU32::new(1_000).expect("some"),
    };
    let solapi = Solapi::new(&config, Arc::clone(&app.app.clock)).expect("an account");
    let slow = Hesitates {
        solapi,
        before: Mutex::new(before.into_iter().collect()),
        behind: Mutex::new(behind.into_iter().collect()),
    };
    let mut channels = Channels::default();
    channels.add(Arc::new(slow), &[Channel::Sms, Channel::Kakao]);
    Messaging { channels, counting: Arc::default(), ..app.app.messaging.clone() }
}

#[tokio::test]
async fn two_processes_that_are_about_to_send_to_one_customer_do_not_both_find_room() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    let (has_some, both_have_some) = (Arc::new(Notify::new()), Arc::new(Barrier::new(2)));
    let process = || {
        let (has_some, both_have_some) = (Arc::clone(&has_some), Arc::clone(&both_have_some));
        let waits = async move {
            has_some.notify_one();
            both_have_some.wait().await;
        };
        hesitant(&app, Some(waits.boxed()), None)
    };
    let (one, other) = (process(), process());
    says(&app, &[advert("a"), advert("b")]).await;
    let one = tokio::spawn(async move { one.send_due().await.expect("they are sent") });
    has_some.notified().await;
    says(&app, &[advert("c"), advert("d")]).await;
    let other = other.send_due().await.expect("they are sent");
    let one = one.await.expect("no panic");
    assert_eq!((one.sent + other.sent, one.excluded + other.excluded), (3, 1));
    assert_eq!(adverts(&app, PHONE), 3);
}

#[tokio::test]
async fn who_refuses_while_it_is_about_to_go_out_does_not_get_it() {
    let app = Arc::new(TestApp::start().await);
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    says(&app, &[advert("a")]).await;
    let her = Arc::clone(&app);
    let refuses = async move {
        her.sql(
            "insert into messaging.consent
                 (business_id, customer_id, channel, purpose, act, acted_at, recorded_at, method)
             values (1, 1, 'SMS', 'MARKETING', 'WITHDRAWN', now() + interval '1 year', now(), 'DESK')",
        )
        .await;
    };
    let report = hesitant(&app, Some(refuses.boxed()), None).send_due().await.expect("it is sent");
    assert_eq!(report.excluded, 1);
    assert_eq!(adverts(&app, PHONE), 0);
    let fate = app
        .texts("select concat_ws(' ', status, reason) from messaging.delivery where purpose = 'ADVERTISING'")
        .await;
    assert_eq!(fate, ["EXCLUDED CONSENT_WITHDRAWN"]);
}

#[tokio::test]
async fn what_night_overtakes_waits_for_the_morning() {
    let app = Arc::new(TestApp::start().await);
    app.it_is("2026-02-14T20:49");
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    says(&app, &[advert("a")]).await;
    let world = Arc::clone(&app);
    let night_falls = async move { world.it_is("2026-02-14T20:50") };
    hesitant(&app, Some(night_falls.boxed()), None).send_due().await.expect("it is sent");
    assert_eq!(fates(&app).await, ["QUEUED"]);
    assert_eq!(adverts(&app, PHONE), 0);
    app.it_is("2026-02-15T08:00");
    sends(&app).await;
    assert_eq!(adverts(&app, PHONE), 1);
}

#[tokio::test]
async fn a_campaign_that_is_cancelled_while_it_is_about_to_go_out_does_not() {
    let app = Arc::new(TestApp::start().await);
    let said = NewMessage { batch: Some("campaign:1".to_owned()), ..text("a", PHONE, "안내") };
    says(&app, &[said]).await;
    let owner = Arc::clone(&app);
    let cancels = async move { assert_eq!(cancel(&owner).await, 0, "it does not wait any more") };
    hesitant(&app, Some(cancels.boxed()), None).send_due().await.expect("nothing is sent");
    assert_eq!(fates(&app).await, ["EXCLUDED CANCELLED"]);
    assert_eq!(received(&app, PHONE).len(), 0);
}

/// One is so slow that its lease ends before it hands anything over: another takes over, and the slow one notices.
#[tokio::test]
async fn who_lost_its_lease_hands_nothing_over() {
    let app = Arc::new(TestApp::start().await);
    says(&app, &[text("a", PHONE, "안내")]).await;
    let other = Arc::clone(&app);
    let takes_over = async move {
        other.pass(TimeDelta::minutes(6));
        sends(&other).await;
    };
    let slow = hesitant(&app, Some(takes_over.boxed()), None);
    let report = slow.send_due().await.expect("nothing goes wrong");
    assert_eq!(report.sent, 0);
    assert_eq!(received(&app, PHONE).len(), 1);
    assert_eq!(fates(&app).await, ["SENT"]);
}

/// One hands over and then is so slow that another asks about it and hears more: what the slow one knows is old.
#[tokio::test]
async fn who_comes_late_with_an_answer_changes_nothing() {
    let app = Arc::new(TestApp::start().await);
    says(&app, &[text("a", PHONE, "안내")]).await;
    let other = Arc::clone(&app);
    let takes_over = async move {
        other.pass(TimeDelta::minutes(6));
        sends(&other).await;
        assert_eq!(fates(&other).await, ["DELIVERED SMS"]);
    };
    hesitant(&app, None, Some(takes_over.boxed())).send_due().await.expect("nothing goes wrong");
    assert_eq!(fates(&app).await, ["DELIVERED SMS"]);
    assert_eq!(received(&app, PHONE).len(), 1);
}

/// A look-up that fails proves nothing, however often.
#[tokio::test]
async fn what_nobody_could_be_asked_about_is_not_sent_again() {
    let app = TestApp::start().await;
    let lost = sandbox::Fault::new(sandbox::FaultKind::DropResponse).on(sandbox::Operation::Send);
    app.sandbox.add_fault(lost);
    says(&app, &[text("a", PHONE, "안내")]).await;
    sends(&app).await;
    let unreadable = sandbox::Fault::new(sandbox::FaultKind::Html502(sandbox::Moment::BeforeProcessing));
    app.sandbox.add_fault(unreadable.on(sandbox::Operation::Lookup).until_cleared());
    for _ in 0..12 {
        app.pass(TimeDelta::minutes(30));
        sends(&app).await;
        assert_eq!(fates(&app).await, ["UNKNOWN"]);
    }
    // The list answers at last, and does not show everything yet: absent for the first time.
    app.sandbox.clear_faults();
    app.sandbox
        .set_solapi_switches(sandbox::SolapiSwitches { list_lag_seconds: 1_000_000, ..Default::default() });
    app.pass(TimeDelta::hours(5));
    sends(&app).await;
    assert_eq!(fates(&app).await, ["UNKNOWN"], "once is not enough");
    app.sandbox.set_solapi_switches(sandbox::SolapiSwitches::default());
    app.pass(TimeDelta::minutes(4));
    sends(&app).await;
    assert_eq!(fates(&app).await, ["DELIVERED SMS"]);
    assert_eq!(received(&app, PHONE).len(), 1);
}
