//! Downloading, while the file is there.

use axum::http::Method;
use chrono::TimeDelta;
use platform::Role;
use serde_json::json;

use super::{asked, downloaded, how_is, january, made, shop, work};

#[tokio::test]
async fn a_file_has_a_korean_name_and_the_right_type() {
    let app = shop().await;
    let path = made(&app, january("RESERVATIONS")).await;
    let file = downloaded(&app, &path).await;
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    let (ascii, korean) =
        file.header("content-disposition").split_once("; filename*=UTF-8''").expect("both names");
    assert_eq!(ascii, "attachment; filename=\"2_exp_20260201_001.csv\"");
    let name = percent_decoded(korean);
    assert_eq!(name, "바른피부과의원_예약내역_20260101-20260131.csv");
    assert_eq!(file.header("content-length"), file.bytes.len().to_string());
    assert_eq!(file.header("x-content-type-options"), "nosniff");
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (byte, length) = match first {
            '%' => (u8::from_str_radix(&rest[1..3], 16).expect("hexadecimal"), 3),
            other => (u8::try_from(other).expect("ASCII"), 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    String::from_utf8(bytes).expect("UTF-8")
}

#[tokio::test]
async fn a_download_that_was_cut_off_goes_on_where_it_was() {
    let app = shop().await;
    let path = format!("{}/download", made(&app, january("RESERVATIONS")).await);
    let owner = app.owner_of(2);
    let whole = owner.download(Method::GET, &path).await;
    let size = whole.bytes.len();
    let part = |range: &str| owner.clone().with_header("range", range);
    let first = part("bytes=0-99").download(Method::GET, &path).await;
    assert_eq!(
        (first.status.as_u16(), first.header("content-range")),
        (206, format!("bytes 0-99/{size}").as_str())
    );
    let rest =
        part("bytes=100-").with_header("if-range", whole.header("etag")).download(Method::GET, &path).await;
    assert_eq!(rest.status, 206);
    assert_eq!([first.bytes, rest.bytes].concat(), whole.bytes);
    let last = part("bytes=-10").download(Method::GET, &path).await;
    assert_eq!(last.bytes, whole.bytes[size - 10..]);
    // Of another file than the one that was begun: all of it.
    let other = part("bytes=100-").with_header("if-range", "\"another\"").download(Method::GET, &path).await;
    assert_eq!((other.status.as_u16(), other.bytes.len()), (200, size));
    let beyond = part(&format!("bytes={size}-")).download(Method::GET, &path).await;
    assert_eq!(
        (beyond.status.as_u16(), beyond.header("content-range")),
        (416, format!("bytes */{size}").as_str())
    );
    let head = owner.download(Method::HEAD, &path).await;
    assert_eq!(
        (head.status.as_u16(), head.header("content-length"), head.bytes.len()),
        (200, size.to_string().as_str(), 0)
    );
    assert_eq!(head.header("accept-ranges"), "bytes");
}

#[tokio::test]
async fn a_file_that_is_not_there_yet_is_a_conflict_and_one_that_has_expired_is_gone() {
    let app = shop().await;
    let path = asked(&app, january("RESERVATIONS")).await;
    let download = format!("{path}/download");
    app.owner_of(2).get(&download).await.problem(409, "EXPORT_NOT_READY");
    work(&app).await;
    let export = how_is(&app, &path).await;
    assert_eq!(export["downloadUrl"], download.as_str());
    assert_eq!(export["expiresAt"].as_str().map(|at| &at[..16]), Some("2026-02-02T08:30"));
    assert_eq!(app.files_there(), 1);
    // Also in the moment before anybody deletes it.
    app.pass(TimeDelta::hours(24));
    app.owner_of(2).get(&download).await.problem(410, "EXPORT_EXPIRED");
    work(&app).await;
    app.owner_of(2).get(&download).await.problem(410, "EXPORT_EXPIRED");
    let export = how_is(&app, &path).await;
    assert_eq!((&export["status"], &export["downloadUrl"]), (&json!("EXPIRED"), &json!(null)));
    assert_eq!((app.files_there(), app.count("exports.file").await), (0, 0), "really gone");
}

#[tokio::test]
async fn moving_the_clock_makes_and_deletes_what_is_due() {
    let app = shop().await;
    let path = asked(&app, january("RESERVATIONS")).await;
    app.time_passes_until("2026-02-01T10:00").await;
    assert_eq!(how_is(&app, &path).await["status"], "COMPLETED");
    app.time_passes_until("2026-02-03T00:00").await;
    assert_eq!(how_is(&app, &path).await["status"], "EXPIRED");
    assert_eq!(app.files_there(), 0);
}

#[tokio::test]
async fn numbers_in_full_are_not_for_who_may_not_see_them() {
    let app = shop().await;
    let path = format!("{}/download", made(&app, january("CUSTOMERS")).await);
    app.platform_admin().get(&path).await.problem(403, "PERMISSION_REQUIRED");
    let path = format!("{}/download", made(&app, january("STAFFS")).await);
    assert_eq!(app.platform_admin().get(&path).await.status, 200, "nobody's number is in it");
    assert_eq!(app.member(2, Role::Manager).get(&path).await.status, 200);
}

#[tokio::test]
async fn what_is_removed_is_gone() {
    let app = shop().await;
    let path = made(&app, january("RESERVATIONS")).await;
    assert_eq!(app.owner_of(2).send(Method::DELETE, &path, None).await.status, 204);
    app.owner_of(2).get(&path).await.problem(404, "NOT_FOUND");
    work(&app).await;
    assert_eq!(app.files_there(), 0);
    app.owner_of(2).send(Method::DELETE, &path, None).await.problem(404, "NOT_FOUND");
    let again = asked(&app, january("RESERVATIONS")).await;
    assert!(again.ends_with("exp_20260201_002"), "a number is not given twice: {again}");
    // One that has not been made yet is not made any more.
    app.owner_of(2).send(Method::DELETE, &again, None).await;
    work(&app).await;
    assert_eq!(app.files_there(), 0);
}
