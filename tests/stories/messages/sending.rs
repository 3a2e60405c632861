//! Said once.

use sandbox::{Fault, FaultKind, Moment, Operation, ParcelKind, Provider};
use testkit::TestApp;

use super::{fates, mail, received, says, sends, text};

const KIM: &str = "01012345678";
const OWNER: &str = "owner@misohair.com";

fn once(provider: Provider, kind: FaultKind) -> Fault {
    Fault { provider: Some(provider), ..Fault::new(kind).on(Operation::Send) }
}

#[tokio::test]
async fn a_mail_lies_in_the_inbox_and_was_sent_once() {
    let app = TestApp::start().await;
    says(&app, &[mail("receipt-1", OWNER, "결제가 완료되었습니다")]).await;
    says(&app, &[mail("receipt-1", OWNER, "결제가 완료되었습니다")]).await;
    sends(&app).await;
    sends(&app).await;
    let inbox = received(&app, OWNER);
    assert_eq!(inbox.len(), 1);
    assert_eq!(inbox[0].subject.as_deref(), Some("결제가 완료되었습니다"));
    assert!(
        inbox[0].text.contains("안녕하세요")
            && inbox[0].html.as_ref().is_some_and(|html| html.contains("<p>"))
    );
    assert_eq!(fates(&app).await, ["SENT"]);
}

#[tokio::test]
async fn a_short_text_is_an_sms_and_a_long_one_an_lms() {
    let app = TestApp::start().await;
    let long = "예약이 확정되었습니다. ".repeat(10);
    says(&app, &[text("a", KIM, "예약이 확정되었습니다."), text("b", KIM, &long)]).await;
    sends(&app).await;
    let kinds: Vec<_> = received(&app, KIM).iter().map(|parcel| parcel.kind).collect();
    assert_eq!(kinds, [ParcelKind::Sms, ParcelKind::Lms]);
    app.pass(chrono::TimeDelta::seconds(11));
    sends(&app).await;
    assert_eq!(fates(&app).await, ["DELIVERED SMS", "DELIVERED LMS"]);
}

#[tokio::test]
async fn a_text_whose_answer_was_lost_is_found_and_not_sent_again() {
    let app = TestApp::start().await;
    for (n, kind) in [
        FaultKind::DropResponse,
        FaultKind::Truncated,
        FaultKind::Error500(Moment::AfterProcessing),
        FaultKind::Html502(Moment::AfterProcessing),
    ]
    .into_iter()
    .enumerate()
    {
        app.sandbox.add_fault(once(Provider::Solapi, kind.clone()));
        says(&app, &[text(&format!("lost-{n}"), KIM, "예약이 확정되었습니다.")]).await;
        sends(&app).await;
        assert_eq!(fates(&app).await.pop().as_deref(), Some("UNKNOWN"), "{kind:?}");
        app.pass(chrono::TimeDelta::seconds(11));
        sends(&app).await;
        assert_eq!(fates(&app).await.pop().as_deref(), Some("DELIVERED SMS"), "{kind:?}");
        assert_eq!(received(&app, KIM).len(), n + 1, "{kind:?}");
    }
}

#[tokio::test]
async fn a_text_that_never_arrived_at_the_provider_is_sent_again_once_that_is_proven() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(once(Provider::Solapi, FaultKind::Html502(Moment::BeforeProcessing)));
    says(&app, &[text("lost", KIM, "예약이 확정되었습니다.")]).await;
    sends(&app).await;
    // It is looked for, and not there; that proves nothing yet.
    app.pass(chrono::TimeDelta::minutes(10));
    sends(&app).await;
    assert_eq!(fates(&app).await, ["UNKNOWN"]);
    assert_eq!(received(&app, KIM).len(), 0);
    app.pass(chrono::TimeDelta::minutes(15));
    sends(&app).await;
    assert_eq!(received(&app, KIM).len(), 0, "looked for once in vain");
    app.pass(chrono::TimeDelta::minutes(4));
    sends(&app).await;
    assert_eq!(received(&app, KIM).len(), 1);
}

#[tokio::test]
async fn a_mail_whose_answer_was_lost_is_never_sent_again() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(once(Provider::Smtp, FaultKind::DropResponse));
    says(&app, &[mail("receipt", OWNER, "결제가 완료되었습니다")]).await;
    sends(&app).await;
    app.pass(chrono::TimeDelta::days(3));
    sends(&app).await;
    assert_eq!(fates(&app).await, ["UNKNOWN"]);
    assert_eq!(received(&app, OWNER).len(), 1);
}

#[tokio::test]
async fn an_operator_decides_about_a_mail_that_got_lost_from_sight() {
    let app = TestApp::start().await;
    for key in ["receipt", "notice"] {
        app.sandbox.add_fault(once(Provider::Smtp, FaultKind::DropResponse));
        says(&app, &[mail(key, OWNER, key)]).await;
        sends(&app).await;
    }
    let operator = app.platform_admin();
    let lost = operator.get("/api/admin/messages/lost").await;
    let ids: Vec<&str> =
        lost.data().as_array().expect("a list").iter().filter_map(|it| it["messageId"].as_str()).collect();
    let [notice, receipt] = ids[..] else { panic!("both are lost: {ids:?}") };
    let decides = |id: &str, resolution: &str| {
        let body = serde_json::json!({"businessId": 1, "messageId": id, "resolution": resolution});
        let operator = operator.clone();
        async move { operator.post("/api/admin/messages/lost/resolve", body).await }
    };
    assert_eq!(decides(receipt, "RESEND").await.data(), "QUEUED");
    assert_eq!(decides(notice, "CLOSE").await.data(), "FAILED");
    decides(notice, "RESEND").await.problem(404, "NOT_FOUND");
    sends(&app).await;
    assert_eq!(fates(&app).await, ["SENT", "FAILED UNEXPLAINED"]);
    let receipts: Vec<_> = received(&app, OWNER)
        .into_iter()
        .filter(|parcel| parcel.subject.as_deref() == Some("receipt"))
        .map(|parcel| parcel.id)
        .collect();
    assert_eq!(receipts.len(), 2);
    assert_eq!(receipts[0], receipts[1], "a mail program that sees both knows them for one");
}

#[tokio::test]
async fn what_a_provider_will_not_take_now_is_tried_again() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(once(Provider::Smtp, FaultKind::Error500(Moment::BeforeProcessing)));
    app.sandbox.add_fault(once(Provider::Solapi, FaultKind::RateLimited));
    says(&app, &[mail("receipt", OWNER, "영수증"), text("booked", KIM, "예약이 확정되었습니다.")]).await;
    sends(&app).await;
    assert_eq!(fates(&app).await, ["QUEUED", "QUEUED"]);
    app.pass(chrono::TimeDelta::seconds(6));
    sends(&app).await;
    assert_eq!(fates(&app).await, ["SENT", "SENT"]);
}

#[tokio::test]
async fn each_number_of_the_sandbox_has_its_fate() {
    let app = TestApp::start().await;
    let to = |n: u32| format!("010-0000-000{n}");
    let messages: Vec<_> =
        (1..=7).map(|n| text(&format!("n-{n}"), &to(n), "예약이 확정되었습니다.")).collect();
    says(&app, &messages).await;
    says(&app, &[text("emoji", KIM, "축하해요🎉"), text("landline", "02-312-3456", "안녕하세요")]).await;
    says(&app, &[mail("bounced", "bounce@misohair.com", "영수증")]).await;
    sends(&app).await;
    app.pass(chrono::TimeDelta::seconds(11));
    sends(&app).await;
    assert_eq!(
        fates(&app).await,
        [
            "DELIVERED SMS",
            "FAILED BAD_NUMBER",
            "FAILED BLOCKED",
            "DELIVERED SMS",
            "FAILED BAD_NUMBER",
            "FAILED UNREACHABLE",
            "SENT",
            "FAILED CHARSET",
            "FAILED BAD_NUMBER",
            "FAILED BAD_NUMBER",
        ]
    );
    // Nobody writes to a mailbox that does not exist a second time.
    says(&app, &[mail("again", "bounce@misohair.com", "영수증")]).await;
    sends(&app).await;
    assert_eq!(fates(&app).await.pop().as_deref(), Some("EXCLUDED DEAD_CONTACT"));
}
