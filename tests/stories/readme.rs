//! The README's story works when pasted.

use testkit::TestApp;
use tokio::process::Command;

/// The shell lines below the heading.
fn story() -> &'static str {
    let readme = include_str!("../../README.md");
    let chapter = readme.split("## The story, with curl").nth(1).expect("the chapter");
    let lines = chapter.split("```sh\n").nth(1).and_then(|rest| rest.split("```").next());
    lines.expect("the shell lines")
}

#[tokio::test]
async fn the_readmes_story_works_when_pasted() {
    let app = TestApp::start().await;
    let api = app.listens().await;
    let script = story()
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
