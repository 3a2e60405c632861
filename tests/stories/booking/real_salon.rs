//! Five months of a real salon, where its files are beside this workspace: what was imported is what they say.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use booking::ImportKind;
use tempfile::TempDir;
use testkit::TestApp;

use super::{importing::imports, the_two_agree};

/// `../shared/data/salon`, or where `DANGOL_SALON_DATA` says.
fn raw_files() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/salon");
    let folder = std::env::var_os("DANGOL_SALON_DATA").map_or_else(beside, PathBuf::from);
    folder.join("prepare.py").exists().then_some(folder)
}

fn rows(folder: &Path, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(folder.join(name)).expect("the file opens");
    reader.deserialize().map(|row| row.expect("a row")).collect()
}

/// `03/14/2018` as `2018-03-14`.
fn day(text: &str) -> String {
    let parts: Vec<&str> = text.split('/').collect();
    format!("{}-{:0>2}-{:0>2}", parts[2], parts[0], parts[1])
}

/// Reservations and won, by month and status.
type Totals = BTreeMap<(String, &'static str), (i64, i64)>;

/// What happened to the bookings of a client, a service and a day.
#[derive(Default)]
struct Group {
    booked: i64,
    cancelled: i64,
    missed: i64,
}

/// Counts groups of equal bookings instead of following each, and leaves the order of the files alone.
fn expected(folder: &Path) -> Totals {
    let names: BTreeMap<String, String> = rows(folder, "services.csv")
        .into_iter()
        .map(|row| (row["Code"].clone(), row["Desc"].clone()))
        .collect();
    let mut groups: BTreeMap<(String, String, String), Group> = BTreeMap::new();
    for (file, client, service, on) in [
        ("bookings.csv", "Code", "Service", "Date"),
        ("cancellations.csv", "Code", "Service", "Booking Date"),
        ("no_shows.csv", "Code", "Service", "Date"),
    ] {
        for row in rows(folder, file) {
            if row[client].is_empty() || !names.contains_key(&row[service]) {
                continue;
            }
            let group = groups.entry((row[client].clone(), row[service].clone(), day(&row[on]))).or_default();
            match file {
                "bookings.csv" => group.booked += 1,
                "cancellations.csv" => group.cancelled += 1,
                _ => group.missed += 1,
            }
        }
    }
    // A receipt tells what was sold by its name, which two services may share.
    let mut paid: BTreeMap<(String, String, String), Vec<i64>> = BTreeMap::new();
    for row in rows(folder, "receipts.csv") {
        let dollars: f64 = row["Amount"].parse().unwrap_or_default();
        let won = format!("{:.0}", dollars * 1_000.0).parse().expect("won");
        let key = (row["Client"].clone(), row["Description"].clone(), day(&row["Date"]));
        paid.entry(key).or_default().push(won);
    }
    let mut totals = Totals::new();
    for ((client, service, on), group) in groups {
        let mut add = |status: &'static str, count: i64, won: i64| {
            let total = totals.entry((on[..7].to_owned(), status)).or_default();
            *total = (total.0 + count, total.1 + won);
        };
        let missed = group.missed.min((group.booked - group.cancelled).max(0));
        let rest = (group.booked - group.cancelled - missed).max(0);
        let amounts = paid.entry((client, names[&service].clone(), on.clone())).or_default();
        let completed = rest.min(i64::try_from(amounts.len()).expect("a count"));
        let revenue =
            amounts.drain(..usize::try_from(completed).expect("a count")).map(|won| won.max(0)).sum();
        add("COMPLETED", completed, revenue);
        add("NO_SHOW", missed, 0);
        let (to_come, forgotten) =
            if on.as_str() > "2018-07-29" { (rest - completed, 0) } else { (0, rest - completed) };
        add("CONFIRMED", to_come, 0);
        add("CANCELLED", group.cancelled + forgotten, 0);
    }
    totals.retain(|_, (count, _)| *count > 0);
    totals
}

#[tokio::test]
async fn five_months_of_a_real_salon_are_what_its_own_files_say() {
    let Some(raw) = raw_files() else { return };
    let folder = TempDir::new().expect("a folder");
    let prepared = Command::new("python3").arg(raw.join("prepare.py")).arg(folder.path()).output();
    if !prepared.is_ok_and(|output| output.status.success()) {
        return;
    }
    let app = TestApp::start().await;
    for (kind, name) in [
        (ImportKind::Services, "services.csv"),
        (ImportKind::Staffs, "staffs.csv"),
        (ImportKind::Customers, "customers.csv"),
        (ImportKind::Reservations, "reservations.csv"),
    ] {
        let done = imports(&app, kind, &folder.path().join(name)).await.expect("it is imported");
        assert_eq!(done.created + done.failed, done.records, "{name}");
        // One service has no name.
        assert_eq!(done.failed, u64::from(kind == ImportKind::Services), "{name}");
    }
    let found = app
        .texts(
            "select concat_ws(' ', to_char(visit_on, 'YYYY-MM'), status, count(*),
                              sum(price) filter (where status = 'COMPLETED'))
             from booking.reservation where business_id = 2 group by to_char(visit_on, 'YYYY-MM'), status
             order by to_char(visit_on, 'YYYY-MM'), status",
        )
        .await;
    let expected = expected(&raw).into_iter().map(|((month, status), (count, won))| {
        let won = if status == "COMPLETED" { format!(" {won}") } else { String::new() };
        format!("{month} {status} {count}{won}")
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    the_two_agree(&app).await;
}
