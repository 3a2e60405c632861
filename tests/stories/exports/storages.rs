//! Where files lie: the same holds for a folder and for S3, and for neither when it fails.

use axum::http::Method;
use chrono::TimeDelta;
use exports::Storage;
use serde_json::json;
use testkit::TestApp;

use super::{
    asked, downloaded, how_is, january, made, rows, shop,
    stores::{Disturbed, S3},
    work,
};

/// As many reservations again, in January, as a file of several parts takes.
pub(super) const MANY: i64 = 60_000;

/// Written by the database itself: a feed of so many would be another test.
pub(super) async fn has_many_reservations(app: &TestApp) {
    app.sql(&format!(
        "insert into booking.reservation (business_id, customer_id, staff_id, external_id, start_at, status, price, created_at, changed_at)
         select 2, (select min(customer_id) from booking.customer where business_id = 2),
                (select min(staff_id) from booking.staff where business_id = 2), 'many-' || n,
                timestamptz '2026-01-02T00:00+09' + n * interval '30 seconds', 'COMPLETED', 20000, now(), now()
         from generate_series(1, {MANY}) n"
    ))
    .await;
    app.sql(
        "insert into booking.reservation_service
             (business_id, reservation_id, line, service_id, price, duration_minutes, visit_on, hour, status, staff_id)
         select 2, reservation_id, 1, (select min(service_id) from booking.service where business_id = 2), 20000, 30,
                visit_on, extract(hour from start_at at time zone 'Asia/Seoul'), status, staff_id
         from booking.reservation where external_id like 'many-%'",
    )
    .await;
    let superuser = app.superuser().await;
    let analyzed =
        sqlx::query("analyze booking.reservation, booking.reservation_service").execute(&superuser);
    analyzed.await.expect("the tables are analyzed");
    superuser.close().await;
}

/// What holds wherever files lie.
async fn files_are_kept(app: &TestApp, how_many: impl Fn() -> usize) {
    has_many_reservations(app).await;
    for format in ["CSV", "EXCEL"] {
        let mut wanted = january("RESERVATIONS");
        wanted["format"] = json!(format);
        let path = made(app, wanted).await;
        assert_eq!(how_is(app, &path).await["rowCount"], json!(MANY + 3));
        let whole = downloaded(app, &path).await.bytes;
        assert!(format == "EXCEL" || whole.len() > 6 * 1024 * 1024, "{} is one part", whole.len());
        let part = app.owner_of(2).with_header("range", "bytes=1000000-1000999");
        let part = part.download(Method::GET, &format!("{path}/download")).await;
        assert_eq!((part.status.as_u16(), part.bytes.as_slice()), (206, &whole[1_000_000..1_001_000]));
        if format == "CSV" {
            assert_eq!(rows(&whole).len(), usize::try_from(MANY).expect("a length") + 4);
        }
    }
    let removed = made(app, january("STAFFS")).await;
    assert_eq!(how_many(), 3);
    app.owner_of(2).send(Method::DELETE, &removed, None).await;
    work(app).await;
    assert_eq!(how_many(), 2);
    app.pass(TimeDelta::hours(25));
    work(app).await;
    assert_eq!((how_many(), app.count("exports.file").await), (0, 0));
}

#[tokio::test]
async fn files_are_kept_in_a_folder() {
    let app = shop().await;
    files_are_kept(&app, || app.files_there()).await;
}

#[tokio::test]
async fn files_are_kept_in_s3() {
    let mut app = shop().await;
    let s3 = S3::start().await;
    let storage = s3.storage();
    app.restarts(|app| app.exports.storage = storage);
    files_are_kept(&app, || s3.objects()).await;
    assert_eq!(app.files_there(), 0);
}

async fn shop_that_keeps_files_in(storage: Storage) -> TestApp {
    let mut app = shop().await;
    app.restarts(|app| app.exports.storage = storage);
    app
}

#[tokio::test]
async fn a_storage_that_fails_is_tried_again() {
    let store = Disturbed::failing(3);
    let app = shop_that_keeps_files_in(Storage::of(store.clone())).await;
    let path = asked(&app, january("RESERVATIONS")).await;
    for pause in [12, 60, 300] {
        work(&app).await;
        assert_eq!(how_is(&app, &path).await["status"], "PROCESSING");
        // Not before its time.
        app.pass(TimeDelta::seconds(pause - 2));
        work(&app).await;
        assert_eq!(how_is(&app, &path).await["status"], "PROCESSING");
        app.pass(TimeDelta::seconds(4));
    }
    work(&app).await;
    assert_eq!(how_is(&app, &path).await["status"], "COMPLETED");
    assert_eq!(rows(&downloaded(&app, &path).await.bytes).len(), 4);
    assert_eq!(store.objects().await, 1);
}

#[tokio::test]
async fn a_storage_that_goes_on_failing_is_told_in_words() {
    let store = Disturbed::failing(99);
    let app = shop_that_keeps_files_in(Storage::of(store.clone())).await;
    let path = asked(&app, january("RESERVATIONS")).await;
    app.time_passes_until("2026-02-01T12:00").await;
    let export = how_is(&app, &path).await;
    assert_eq!((&export["status"], &export["fileSize"]), (&json!("FAILED"), &json!(null)));
    assert_eq!(
        export["error"],
        json!({"code": "STORAGE_UNAVAILABLE", "message": "파일 저장소에 저장하지 못했습니다. 잠시 후 다시 요청해 주세요."})
    );
    app.owner_of(2).get(&format!("{path}/download")).await.problem(409, "EXPORT_FAILED");
    let told = app.texts("select data->>'error' from platform.event where kind = 'export.failed'").await;
    assert_eq!(told, ["STORAGE_UNAVAILABLE"]);
    assert_eq!(
        (store.objects().await, app.count("exports.file").await),
        (0, 0),
        "nothing is left lying about"
    );
}

#[tokio::test]
async fn a_file_that_somebody_took_away_is_no_error_of_the_caller() {
    let app = shop().await;
    let path = made(&app, january("RESERVATIONS")).await;
    std::fs::remove_dir_all(app.files.path().join("exports/2")).expect("it was there");
    app.owner_of(2).get(&format!("{path}/download")).await.problem(503, "STORAGE_UNAVAILABLE");
    assert_eq!(app.count("platform.audit where action = 'export.downloaded'").await, 0);
}
