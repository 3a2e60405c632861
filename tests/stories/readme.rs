//! The README's story works when pasted.

use testkit::TestApp;
use tokio::process::Command;

/// The shell lines below a heading.
fn story(heading: &str) -> &'static str {
    let readme = include_str!("../../README.md");
    let chapter = readme.split(heading).nth(1).expect("the chapter");
    let lines = chapter.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    lines.expect("the shell lines")
}

/// What the lines below a heading say when somebody pastes them.
async fn pasted(app: &TestApp, heading: &str) -> String {
    let api = app.listens().await;
    let script = story(heading)
        .replace("http://127.0.0.1:8080", &format!("http://{api}"))
        .replace("http://127.0.0.1:8090", &app.sandbox.base_url());
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .output()
        .await
        .expect("bash and curl are what the README asks for");
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    said.into_owned()
}

#[tokio::test]
async fn the_readmes_story_works_when_pasted() {
    let app = TestApp::start().await;
    let said = pasted(&app, "## The story, with curl").await;
    let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
    let told = [
        r#""message":"정기결제가 등록되었습니다.""#,
        r#""succeeded":12"#,
        r#""reason":"RENEWAL""#,
        r#""changed":1"#,
        r#""failed":1"#,
        r#""status":"PAST_DUE""#,
        r#""changed":1"#,
        r#""succeeded":1"#,
        r#""status":"ACTIVE""#,
        r#""refundedAmount":15000,"remainingAmount":14000,"status":"PARTIAL_REFUNDED""#,
        r#""type":"payment.refunded""#,
        r#""kind":"CANCEL","amount":15000"#,
        r#""message":"정기결제가 등록되었습니다.""#,
        r#""message":"정기결제가 등록되었습니다.""#,
        r#""provider":"KCP""#,
        r#""status":"NON_RENEWING""#,
        r#""now""#,
        r#""message":"정기결제가 등록되었습니다.""#,
        r#""now""#,
        r#""status":"COMPLETED","progress":100,"rowCount":12"#,
        "고객번호,외부번호,고객명,연락처,이메일",
        "C-1001,김민서,010-1234-5678,minseo@misohair.com",
        "C-1002,최우식",
    ];
    assert_eq!(lines.len(), told.len(), "{said}");
    for (line, told) in lines.iter().zip(told) {
        assert!(line.contains(told), "expected {told} in {line}");
    }
}

#[tokio::test]
async fn the_readmes_notifications_come_when_pasted() {
    let app = TestApp::start().await;
    let said = pasted(&app, "## What just happened, on a screen").await;
    let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
    let told =
        [r#""status":"CONFIRMED""#, r#""title":"시스템 점검 안내""#, r#""data":["#, r#""unreadCount":"#];
    assert_eq!(lines.len(), told.len(), "{said}");
    for (line, told) in lines.iter().zip(told) {
        assert!(line.contains(told), "expected {told} in {line}");
    }
    let song = app.customer(1, "customer_1");
    // The shop, its customer and everybody are told something.
    while app.count("notifications.notification").await < 3 {}
    let told = song.get("/api/notifications").await;
    assert_eq!(told.data()[0]["notificationType"], "SYSTEM");
    assert_eq!(told.data()[1]["notificationType"], "RESERVATION_CONFIRM");
}

#[tokio::test]
async fn the_readmes_campaign_reaches_who_agreed_when_pasted() {
    let app = TestApp::start().await;
    app.subscribes("PRO", "MONTHLY").await;
    let said = pasted(&app, "## A campaign").await;
    let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
    let told = [
        r#""excluded":{"NO_CONSENT":"#,
        r#""now""#,
        r#""status":"COMPLETED""#,
        r#""data":[{"customerId":12,"#,
        "설정이 저장되었습니다.",
        r#""now""#,
        r#""type":"BIRTHDAY","enabled":true"#,
    ];
    assert_eq!(lines.len(), told.len(), "{said}");
    for (line, told) in lines.iter().zip(told) {
        assert!(line.contains(told), "expected {told} in {line}");
    }
    assert!(lines[2].contains(r#""totalSent":1,"delivered":1"#), "{}", lines[2]);
    let read = app.sandbox.inbox();
    assert!(read.iter().any(|parcel| parcel.text.contains("김민서님, 다시 뵙고 싶어요.")), "{read:?}");
}
