//! How files are made.

use serde_json::json;

use super::{asked, asks, how_is, january, shop, work};

#[tokio::test]
async fn an_export_is_asked_for_and_named_by_day_and_number() {
    let app = shop().await;
    let first = asks(&app, january("RESERVATIONS")).await;
    assert_eq!(first.status, 202);
    assert_eq!(
        first.data(),
        &json!({"exportId": "exp_20260201_001", "status": "PROCESSING", "estimatedTime": 2, "message": "내보내기를 준비 중입니다."})
    );
    asked(&app, january("STAFFS")).await;
    // At the same time: each has a number of its own.
    let (app_ref, wanted) = (&app, january("CUSTOMERS"));
    let all = futures::future::join_all((0..6).map(|_| asked(app_ref, wanted.clone()))).await;
    let mut ids: Vec<_> = all.iter().map(|path| path[path.len() - 3..].to_owned()).collect();
    ids.sort();
    assert_eq!(ids, ["003", "004", "005", "006", "007", "008"]);
    let listed = app.owner_of(2).get("/api/businesses/2/exports?limit=3").await;
    let ids: Vec<_> =
        listed.data().as_array().expect("a list").iter().map(|one| one["exportId"].clone()).collect();
    assert_eq!(ids, ["exp_20260201_008", "exp_20260201_007", "exp_20260201_006"]);
    let cursor = listed.body["page"]["nextCursor"].as_str().expect("a cursor");
    let next = app.owner_of(2).get(&format!("/api/businesses/2/exports?limit=3&cursor={cursor}")).await;
    assert_eq!(next.data()[0]["exportId"], "exp_20260201_005");
    app.it_is("2026-02-02T09:00");
    assert!(asked(&app, january("STAFFS")).await.ends_with("exp_20260202_001"));
    work(&app).await;
    for export in app.owner_of(2).get("/api/businesses/2/exports").await.data().as_array().expect("a list") {
        assert_eq!(export["status"], "COMPLETED", "{export}");
    }
}

#[tokio::test]
async fn what_came_of_an_export_is_an_event() {
    let app = shop().await;
    let path = asked(&app, january("RESERVATIONS")).await;
    work(&app).await;
    let told =
        app.texts("select kind || ' ' || data::text from platform.event where kind like 'export.%'").await;
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("export.completed ") && told[0].contains("\"rowCount\": 3"), "{told:?}");
    assert_eq!(how_is(&app, &path).await["error"], json!(null));
}
