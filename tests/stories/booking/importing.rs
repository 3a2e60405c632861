//! A shop's history, from the files of its former system.

use std::{fs, path::Path};

use booking::{ImportError, ImportKind, ImportProgress};
use kernel::BusinessId;
use tempfile::TempDir;
use testkit::TestApp;

use super::{salon, the_two_agree, told};

const SHOP: BusinessId = BusinessId(2);

pub(super) async fn imports(
    app: &TestApp,
    kind: ImportKind,
    path: &Path,
) -> Result<ImportProgress, ImportError> {
    app.app.booking.import(SHOP, kind, path, |_| {}).await
}

/// Imports what is written into a file: created, updated, unchanged, failed.
async fn imported(app: &TestApp, folder: &TempDir, kind: ImportKind, bytes: &[u8]) -> [u64; 4] {
    let path = folder.path().join("history.csv");
    fs::write(&path, bytes).expect("the file is written");
    let done = imports(app, kind, &path).await.expect("the file is imported");
    [done.created, done.updated, done.unchanged, done.failed]
}

/// Line, field and code of each reject.
fn rejects(folder: &TempDir) -> Vec<[String; 3]> {
    let mut reader = csv::Reader::from_path(folder.path().join("history.rejects.csv")).expect("the rejects");
    let records = reader.records().map(|record| record.expect("a record"));
    records.map(|record| [0, 2, 3].map(|column| record[column].to_owned())).collect()
}

fn reject(line: u32, field: &str, code: &str) -> [String; 3] {
    [line.to_string(), field.to_owned(), code.to_owned()]
}

const PEOPLE: &str = "external_id,name,phone,email,birthday,gender,tags,marketing_consent,created_at\r\n\
    C1,김민서,010-1234-5678,Minseo@MisoHair.com,1994-05-08,여,단골;염색,Y,2018-03-14\r\n\
    C2,\"박\"\"뽀미\"\", 보검\",,,,,,false,2018-03-14 10:00:00\r\n";

#[tokio::test]
async fn korean_is_korean_in_whichever_letters_it_is_written() {
    let (windows, _, lossy) = encoding_rs::EUC_KR.encode(PEOPLE);
    assert!(!lossy);
    let marked = [b"\xef\xbb\xbf", PEOPLE.as_bytes()].concat();
    for bytes in [PEOPLE.as_bytes(), &windows, &marked] {
        let (app, folder) = (TestApp::start().await, TempDir::new().expect("a folder"));
        assert_eq!(imported(&app, &folder, ImportKind::Customers, bytes).await, [2, 0, 0, 0]);
        let people = app.texts(
            "select concat_ws('|', name, birthday, gender, tags, marketing_consent, created_at at time zone 'Asia/Seoul')
             from booking.customer where business_id = 2 order by external_id",
        );
        assert_eq!(
            people.await,
            [
                "김민서|1994-05-08|FEMALE|{단골,염색}|t|2018-03-14 00:00:00",
                "박\"뽀미\", 보검|{}|f|2018-03-14 10:00:00"
            ]
        );
        // History is no news, and the same file again says nothing new.
        assert_eq!(told(&app).await, [""; 0]);
        assert_eq!(imported(&app, &folder, ImportKind::Customers, bytes).await, [0, 0, 2, 0]);
    }
}

#[tokio::test]
async fn the_rows_of_a_reservation_are_one_reservation() {
    let (app, folder) = (salon().await, TempDir::new().expect("a folder"));
    let file = "external_id,customer_external_id,staff_external_id,service_external_id,start_at,status,price\n\
        R1,KIM,LEE,CUT,2018-03-14T15:50:00,COMPLETED,\"30,000\"\n\
        R1,KIM,LEE,PERM,2018-03-14T15:50:00,COMPLETED,110000\n\
        R2,,,CUT,2018-03-15 10:00,no_show,0\n\
        R3,KIM,LEE,CUT,2018-03-16T10:00,COMPLETED,30000\n\
        R3,CHOI,LEE,PERM,2018-03-16T10:00,COMPLETED,110000\n\
        R4,KIM,LEE,CUT,2018-03-17T10:00,COMPLETED,30000\n\
        R4,KIM,LEE,CUT,2018-03-17T10:00,COMPLETED,many\n\
        R5,NOBODY,LEE,CUT,2018-03-18T10:00,COMPLETED,30000\n\
        R1,KIM,LEE,CUT,2018-03-14T15:50:00,COMPLETED,1\n\
        =R6,KIM,LEE,CUT,2018-03-19T10:00,DONE,30000\n\
        R7,KIM,LEE,CUT\n";
    let outcome = imported(&app, &folder, ImportKind::Reservations, file.as_bytes()).await;
    assert_eq!(outcome, [2, 0, 0, 6]);
    assert_eq!(
        rejects(&folder),
        [
            reject(5, "external_id", "ROWS_DISAGREE"),
            reject(7, "price", "INVALID"),
            reject(9, "customerExternalId", "UNKNOWN_CUSTOMER"),
            reject(10, "external_id", "ROWS_APART"),
            reject(11, "status", "INVALID"),
            reject(12, "", "COLUMN_COUNT"),
        ]
    );
    // Who opens the rejects in a spreadsheet runs nobody's formula.
    let text = fs::read_to_string(folder.path().join("history.rejects.csv")).expect("the rejects");
    assert!(text.contains(",'=R6,"), "{text}");
    let visits =
        "select external_id || ' ' || price from booking.reservation where business_id = 2 order by 1";
    assert_eq!(app.texts(visits).await, ["R1 140000", "R2 0"]);
    the_two_agree(&app).await;
}

#[tokio::test]
async fn a_row_a_line_is_imported_as_well() {
    let (app, folder) = (salon().await, TempDir::new().expect("a folder"));
    let lines = format!(
        "{}\n\n{}\n{{\"externalId\": \"R3\"\n{{\"externalId\": \"{}\"}}\n",
        super::reservation("R1"),
        super::reservation("R2"),
        "가".repeat(30_000)
    );
    let outcome = imported(&app, &folder, ImportKind::Reservations, lines.as_bytes()).await;
    assert_eq!(outcome, [2, 0, 0, 2]);
    assert_eq!(rejects(&folder), [reject(4, "", "MALFORMED_JSON"), reject(5, "", "LINE_TOO_LONG")]);
}

#[tokio::test]
async fn a_file_of_another_kind_is_refused_before_anything_is_done() {
    let (app, folder) = (TestApp::start().await, TempDir::new().expect("a folder"));
    let path = folder.path().join("history.csv");
    for (text, complaint) in [
        ("external_id\nS1\n", "no column `name`"),
        ("external_id,name,nmae\nS1,이지은,\n", "a column `nmae`"),
        ("", "no column `external_id`"),
    ] {
        fs::write(&path, text).expect("the file is written");
        let refused = imports(&app, ImportKind::Staffs, &path).await.expect_err("it is refused");
        assert!(refused.to_string().contains(complaint), "{refused}");
    }
    let missing = imports(&app, ImportKind::Staffs, &folder.path().join("none.csv")).await;
    assert!(matches!(missing, Err(ImportError::File(_))));
    assert_eq!(app.count("booking.staff where business_id = 2").await, 0);
}

#[tokio::test]
async fn an_import_that_was_cut_off_goes_on_where_it_was() {
    let (app, folder) = (salon().await, TempDir::new().expect("a folder"));
    let path = folder.path().join("history.csv");
    let mut file = "external_id,customer_external_id,service_external_id,start_at,status,price\n".to_owned();
    for n in 0..17_000 {
        // The second row of a reservation stands where a batch would end.
        file.extend(["R", &((n + 1) / 2).to_string(), ",KIM,CUT,2018-03-14T15:50:00,COMPLETED,1000\n"]);
        if n == 1_000 {
            file.push_str("BAD,NOBODY,CUT,2018-03-14T15:50:00,COMPLETED,1\n");
        }
    }
    fs::write(&path, file).expect("the file is written");

    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let tell = move |progress: ImportProgress| _ = heard.send(progress.records);
    tokio::select! {
        done = app.app.booking.import(SHOP, ImportKind::Reservations, &path, tell) => panic!("{done:?}"),
        first = hears.recv() => assert!(first.is_some_and(|records| records < 9_000)),
    }
    let before = app.count("booking.reservation where business_id = 2").await;
    assert!((3_000..8_000).contains(&before), "{before}");
    assert_eq!(app.count("booking.import_run where business_id = 2").await, 1);
    assert_eq!(rejects(&folder).len(), 1);

    let done = imports(&app, ImportKind::Reservations, &path).await.expect("the rest is imported");
    assert_eq!((done.records, done.created, done.unchanged, done.failed), (17_001, 8_501, 0, 1));
    assert_eq!(app.count("booking.reservation where business_id = 2").await, 8_501);
    assert_eq!(app.count("booking.import_run where business_id = 2").await, 0);
    assert_eq!(rejects(&folder), [reject(1_003, "customerExternalId", "UNKNOWN_CUSTOMER")]);
    the_two_agree(&app).await;
    // To the end once more, it says nothing new.
    let again = imports(&app, ImportKind::Reservations, &path).await.expect("it is imported");
    assert_eq!((again.created, again.updated, again.unchanged), (0, 0, 8_501));
}
