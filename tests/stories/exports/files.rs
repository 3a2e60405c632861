//! What is in the files.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx, open_workbook_from_rs};
use serde_json::{Value, json};
use sqlx::Row;
use testkit::TestApp;

use super::{asks, downloaded, feeds, how_is, january, made, rows, shop, visit, visited};

const RESERVATION_TITLES: [&str; 12] = [
    "예약번호",
    "외부번호",
    "예약일시",
    "상태",
    "고객번호",
    "고객명",
    "연락처",
    "담당자",
    "서비스",
    "소요시간(분)",
    "금액",
    "접수일시",
];

#[tokio::test]
async fn reservations_are_listed_in_the_order_in_which_they_begin() {
    let app = shop().await;
    let path = made(&app, january("RESERVATIONS")).await;
    let file = downloaded(&app, &path).await;
    let rows = rows(&file.bytes);
    assert_eq!(rows[0], RESERVATION_TITLES);
    let without_ids: Vec<Vec<&str>> = rows[1..]
        .iter()
        .map(|row| {
            row.iter()
                .enumerate()
                .filter(|(at, _)| ![0, 4].contains(at))
                .map(|(_, cell)| cell.as_str())
                .collect()
        })
        .collect();
    assert_eq!(
        without_ids,
        [
            [
                "r1",
                "2026-01-10 14:00:00",
                "완료",
                "김민서",
                "010-1234-5678",
                "김실장",
                "커트, 펌",
                "150",
                "100000",
                "2026-01-02 09:00:00"
            ],
            [
                "r3",
                "2026-01-20 10:30:00",
                "취소",
                "",
                "",
                "미지정",
                "커트",
                "30",
                "18000",
                "2026-01-02 09:00:00"
            ],
            [
                "r2",
                "2026-01-31 23:59:00",
                "노쇼",
                "박서준",
                "02-312-3456",
                "이실장",
                "커트",
                "30",
                "15000",
                "2026-01-02 09:00:00"
            ],
        ]
    );
    let export = how_is(&app, &path).await;
    assert_eq!((&export["rowCount"], &export["progress"]), (&json!(3), &json!(100)));
    assert_eq!(export["fileSize"], json!(file.bytes.len()));
}

#[tokio::test]
async fn filters_choose_rows_and_what_does_not_fit_is_refused() {
    let app = shop().await;
    let staff = app.owner_of(2).get("/api/businesses/2/staffs").await.data().clone();
    let kim =
        staff.as_array().expect("a list").iter().find(|one| one["name"] == "김실장").expect("Kim")["staffId"]
            .clone();
    for (filters, found) in [
        (json!({"status": "NO_SHOW"}), vec!["r2"]),
        (json!({"staffId": kim}), vec!["r1"]),
        (json!({"status": "CANCELLED", "staffId": kim}), vec![]),
        (json!({}), vec!["r1", "r3", "r2"]),
    ] {
        let mut wanted = january("RESERVATIONS");
        wanted["filters"] = filters.clone();
        let path = made(&app, wanted).await;
        let rows = rows(&downloaded(&app, &path).await.bytes);
        let ids: Vec<_> = rows[1..].iter().map(|row| row[1].as_str()).collect();
        assert_eq!(ids, found, "{filters}");
    }
    for kind in ["CUSTOMERS", "REVENUE", "STAFFS"] {
        let mut wanted = january(kind);
        wanted["filters"] = json!({"staffId": kim});
        asks(&app, wanted).await.invalid("filters.staffId", "NOT_APPLICABLE");
    }
    let mut unknown = january("RESERVATIONS");
    unknown["filters"] = json!({"staffId": 999_999});
    asks(&app, unknown).await.invalid("filters.staffId", "UNKNOWN_STAFF");
    let mut of_the_salon = january("RESERVATIONS");
    of_the_salon["filters"] = json!({"staffId": 1});
    asks(&app, of_the_salon).await.invalid("filters.staffId", "UNKNOWN_STAFF");
    let mut backwards = january("RESERVATIONS");
    backwards["endDate"] = json!("2025-12-31");
    asks(&app, backwards).await.problem(400, "INVALID_RANGE");
    let mut long = january("CUSTOMERS");
    long["startDate"] = json!("2020-01-01");
    asks(&app, long).await.problem(400, "INVALID_RANGE");
}

#[tokio::test]
async fn customers_are_those_who_came_to_be_known_in_the_range_or_all_of_them() {
    let app = shop().await;
    let all = made(&app, json!({"type": "CUSTOMERS", "format": "CSV"})).await;
    let listed = rows(&downloaded(&app, &all).await.bytes);
    assert_eq!(
        listed[1][1..],
        [
            "c1",
            "김민서",
            "010-1234-5678",
            "minseo@misohair.com",
            "1994-05-08",
            "여성",
            "단골, VIP",
            "동의",
            "2025-11-03 11:00:00",
            "1",
            "100000",
            "2026-01-10",
            "2026-01-10",
            "0",
        ]
    );
    assert_eq!(listed[2][1..3], ["c2", "박서준"]);
    assert_eq!(listed[2][14], "1", "did not come once");
    let new = made(&app, january("CUSTOMERS")).await;
    let listed = rows(&downloaded(&app, &new).await.bytes);
    assert_eq!(listed[1..].iter().map(|row| row[1].as_str()).collect::<Vec<_>>(), ["c2"]);
    // Erased: of the list, and of what was written down about visits.
    let id = listed[1][0].clone();
    app.owner_of(2)
        .send(axum::http::Method::DELETE, &format!("/api/businesses/2/customers/{id}"), None)
        .await;
    let new = made(&app, january("CUSTOMERS")).await;
    assert_eq!(rows(&downloaded(&app, &new).await.bytes).len(), 1);
    let visits = made(&app, january("RESERVATIONS")).await;
    let visits = rows(&downloaded(&app, &visits).await.bytes);
    assert_eq!(visits[3][5..7], ["삭제된 고객", ""]);
}

#[tokio::test]
async fn staff_are_listed_with_what_they_did_also_when_they_have_left() {
    let app = shop().await;
    let staff = app.owner_of(2).get("/api/businesses/2/staffs?name=김").await.data()[0]["staffId"].clone();
    app.owner_of(2)
        .send(axum::http::Method::DELETE, &format!("/api/businesses/2/staffs/{staff}"), None)
        .await;
    let path = made(&app, january("STAFFS")).await;
    let rows = rows(&downloaded(&app, &path).await.bytes);
    assert_eq!(
        rows.iter().map(|row| row[1..].join(" ")).collect::<Vec<_>>(),
        [
            "직원명 재직 근무일수 예약 완료 취소 노쇼 시술시간(분) 매출 건당 평균 매출 비중(%)",
            "김실장 퇴사 1 1 1 0 0 150 100000 100000 100.0",
            "이실장 재직 0 1 0 0 1 0 0 0 0.0",
            "미지정  0 1 0 1 0 0 0 0 0.0",
        ]
    );
}

/// Every cell that a workbook's sheet has.
fn sheet(file: &[u8], name: &str) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = open_workbook_from_rs(Cursor::new(file.to_vec())).expect("a workbook");
    let range = book.worksheet_range(name).expect("the sheet");
    range.rows().map(<[Data]>::to_vec).collect()
}

fn excel(kind: &str) -> Value {
    let mut wanted = january(kind);
    wanted["format"] = json!("EXCEL");
    wanted
}

#[tokio::test]
async fn an_excel_file_read_by_somebody_else_says_what_the_database_says() {
    let app = shop().await;
    let hostile = [
        "=HYPERLINK(\"http://evil\")",
        "\u{202e}손님\u{202c}",
        "👩‍👩‍👧 가족",
        "_x0041_ & <b>\"따옴표\"</b>",
        "'앞따옴표",
        "０１２",
    ];
    let customers: Vec<_> = hostile
        .iter()
        .enumerate()
        .map(|(n, name)| json!({"externalId": format!("h{n}"), "name": name, "phone": format!("010-9999-{n:04}")}))
        .collect();
    feeds(&app, "customers", json!(customers)).await;
    let visits: Vec<_> = (0..hostile.len())
        .map(|n| {
            visit(
                &format!("v{n}"),
                &format!("2026-01-15T{:02}:07:30", 9 + n),
                Some(&format!("h{n}")),
                Some("lee"),
                &[("perm", 1_000_000_000)],
                "CONFIRMED",
            )
        })
        .collect();
    visited(&app, json!(visits)).await;
    let path = made(&app, excel("RESERVATIONS")).await;
    let cells = sheet(&downloaded(&app, &path).await.bytes, "예약내역");
    assert_eq!(cells[0].iter().map(ToString::to_string).collect::<Vec<_>>(), RESERVATION_TITLES);
    let superuser = app.superuser().await;
    let known = sqlx::query(
        "select r.reservation_id::float8, r.external_id, extract(epoch from r.start_at at time zone 'Asia/Seoul')::float8 / 86400 + 25569,
                customer_id::float8, coalesce(c.name, ''), coalesce(s.name, '미지정'), r.price::float8,
                (select string_agg(service.name, ', ' order by line) from booking.reservation_service
                 join booking.service using (business_id, service_id)
                 where reservation_service.business_id = 2 and reservation_service.reservation_id = r.reservation_id)
         from booking.reservation r left join booking.customer c using (business_id, customer_id)
         left join booking.staff s using (business_id, staff_id)
         where business_id = 2 and visit_on between '2026-01-01' and '2026-01-31' order by r.start_at, r.reservation_id",
    )
    .fetch_all(&superuser)
    .await
    .expect("the rows");
    superuser.close().await;
    assert_eq!(known.len(), 3 + hostile.len());
    assert_eq!(cells.len(), known.len() + 1);
    for (cells, known) in cells[1..].iter().zip(&known) {
        assert_eq!(cells[0], Data::Float(known.get(0)));
        assert_eq!(cells[1], Data::String(known.get(1)));
        let Data::DateTime(start) = &cells[2] else { panic!("no date: {:?}", cells[2]) };
        assert!((start.as_f64() - known.get::<f64, _>(2)).abs() < 1e-6);
        assert_eq!(cells[4], known.get::<Option<f64>, _>(3).map_or(Data::Empty, Data::Float));
        assert_eq!(cells[5].to_string(), known.get::<String, _>(4));
        assert_eq!(cells[7].to_string(), known.get::<String, _>(5));
        assert_eq!(cells[8].to_string(), known.get::<String, _>(7));
        assert_eq!(cells[10], Data::Float(known.get(6)));
    }
}

#[tokio::test]
async fn a_revenue_file_shows_the_figures_of_the_report() {
    let app = shop().await;
    let report = |period: &str| {
        format!("/api/businesses/2/reports/revenue?period={period}&startDate=2026-01-01&endDate=2026-01-31")
    };
    let daily = app.owner_of(2).get(&report("DAILY")).await.data().clone();
    let path = made(&app, january("REVENUE")).await;
    let csv = rows(&downloaded(&app, &path).await.bytes);
    assert_eq!(csv[0], ["날짜", "요일", "매출", "예약", "완료율(%)"]);
    let breakdown = daily["breakdown"].as_array().expect("a list");
    assert_eq!(csv.len(), 1 + breakdown.len());
    for (row, day) in csv[1..].iter().zip(breakdown) {
        assert_eq!(row[0], day["period"].as_str().expect("a day"));
        let rate = format!("{:.1}", day["completedRate"].as_f64().expect("a rate"));
        assert_eq!(
            [&row[2], &row[3], &row[4]],
            [&day["revenue"].to_string(), &day["reservations"].to_string(), &rate]
        );
    }
    assert_eq!(csv[10][..3], ["2026-01-10", "토", "100000"]);

    let path = made(&app, excel("REVENUE")).await;
    let book = downloaded(&app, &path).await.bytes;
    let summary = sheet(&book, "요약");
    assert_eq!(summary[2][1], Data::Float(daily["summary"]["totalRevenue"].as_f64().expect("won")));
    let figure = |cell: &Data| cell.get_float_or_zero();
    for (name, list, key) in [("서비스별", "byService", "serviceName"), ("직원별", "byStaff", "staffName")]
    {
        let cells = sheet(&book, name);
        let listed = daily[list].as_array().expect("a list");
        assert_eq!(cells.len(), 1 + listed.len());
        for (row, one) in cells[1..].iter().zip(listed) {
            assert_eq!(row[0].to_string(), one[key].as_str().expect("a name"));
            assert!((figure(&row[1]) - one["revenue"].as_f64().expect("won")).abs() < 1e-9);
            assert!((figure(&row[3]) * 100.0 - one["share"].as_f64().expect("a share")).abs() < 1e-9);
        }
    }
    let monthly = app.owner_of(2).get(&report("MONTHLY")).await.data()["breakdown"][0].clone();
    let cells = sheet(&book, "월별");
    assert_eq!(cells[1][0].to_string(), "2026-01");
    assert!((figure(&cells[1][1]) - monthly["revenue"].as_f64().expect("won")).abs() < 1e-9);
    let weekdays = sheet(&book, "요일별");
    assert_eq!(weekdays.len(), 8);
    assert_eq!((weekdays[6][0].to_string(), figure(&weekdays[6][1])), ("토".to_owned(), 100_000.0));
    assert_eq!(sheet(&book, "시간대별")[1][0].to_string(), "14시");
    // Charts of Excel's own, and not pictures.
    assert!(has_file(&book, b"xl/charts/chart1.xml") && has_file(&book, b"xl/charts/chart3.xml"));
}

fn has_file(archive: &[u8], name: &[u8]) -> bool {
    archive.windows(name.len()).any(|bytes| bytes == name)
}

trait Figure {
    fn get_float_or_zero(&self) -> f64;
}

impl Figure for Data {
    fn get_float_or_zero(&self) -> f64 {
        match self {
            Data::Float(figure) => *figure,
            _ => 0.0,
        }
    }
}

#[tokio::test]
async fn telephone_numbers_are_masked_for_who_need_not_call() {
    let app: TestApp = shop().await;
    for (kind, masked) in
        [("RESERVATIONS", vec!["010-****-5678"]), ("CUSTOMERS", vec!["010-****-5678", "m***@misohair.com"])]
    {
        let path = made(
            &app,
            json!({"type": kind, "format": "CSV", "startDate": "2025-01-01", "endDate": "2026-01-31"}),
        )
        .await;
        assert_eq!(how_is(&app, &path).await["contactsInFull"], true);
        let text = String::from_utf8(downloaded(&app, &path).await.bytes).expect("text");
        assert!(text.contains("010-1234-5678"), "{text}");
        // What is decided when a file is asked for holds for the file.
        app.sql("update exports.export set whole_contacts = false").await;
        app.sql("update exports.export set status = 'PROCESSING', running = false, finished_at = null, file_size = null").await;
        work_again(&app).await;
        let text = String::from_utf8(downloaded(&app, &path).await.bytes).expect("text");
        assert!(masked.iter().all(|masked| text.contains(masked)) && !text.contains("1234-5678"), "{text}");
    }
}

async fn work_again(app: &TestApp) {
    app.pass(chrono::TimeDelta::days(2));
    super::work(app).await;
}
