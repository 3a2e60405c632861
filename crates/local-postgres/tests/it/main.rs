//! A real server every time. Passes as root and as an ordinary user.

use std::{
    env, fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use local_postgres::{Error, LocalPostgres, Options};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

#[tokio::test]
async fn a_scratch_server_answers_and_leaves_nothing() {
    let began = Instant::now();
    let postgres = LocalPostgres::scratch().await.unwrap();
    eprintln!("scratch server ready after {:?}", began.elapsed());
    let dir = postgres.data_dir().to_path_buf();
    assert_eq!(ask(&postgres, "select 'hello'").await, "hello");
    assert_eq!(ask(&postgres, "show server_encoding").await, "UTF8");
    assert_eq!(ask(&postgres, "show fsync").await, "off");
    assert_eq!(ask(&postgres, "show max_connections").await, "200");

    let began = Instant::now();
    postgres.stop().await;
    eprintln!("scratch server stopped after {:?}", began.elapsed());
    assert!(!dir.exists());
}

#[tokio::test]
async fn dropping_a_server_stops_it() {
    let postgres = LocalPostgres::scratch().await.unwrap();
    let (dir, port) = (postgres.data_dir().to_path_buf(), postgres.port());
    drop(postgres);
    assert!(!accepts(port));
    assert!(!dir.exists());
}

#[tokio::test]
async fn data_outlives_a_restart() {
    let folder = folder();
    let began = Instant::now();
    let postgres = start(&folder).await.unwrap();
    eprintln!("first start took {:?}", began.elapsed());
    write_note(&postgres, "kept").await;
    let began = Instant::now();
    postgres.stop().await;
    eprintln!("stop took {:?}", began.elapsed());

    let began = Instant::now();
    let postgres = start(&folder).await.unwrap();
    eprintln!("second start took {:?}", began.elapsed());
    assert_eq!(ask(&postgres, "select text from note").await, "kept");
    assert_eq!(ask(&postgres, "show fsync").await, "on");
    postgres.stop().await;
}

#[tokio::test]
async fn settings_and_port_are_taken_over() {
    let folder = folder();
    let port = free_port();
    let options = || Options {
        port: Some(port),
        settings: vec![("work_mem".into(), "7MB".into()), ("application_name".into(), "two words".into())],
        ..Options::new(folder.path().join("postgres"))
    };
    let postgres = LocalPostgres::start(options()).await.unwrap();
    assert_eq!(postgres.port(), port);
    assert_eq!(ask(&postgres, "show work_mem").await, "7MB");
    assert_eq!(ask(&postgres, "show application_name").await, "two words");

    let other = Options { data_dir: folder.path().join("other"), ..options() };
    let refused = LocalPostgres::start(other).await.unwrap_err();
    assert!(matches!(refused, Error::PortTaken(taken) if taken == port), "{refused}");
    postgres.stop().await;
}

#[tokio::test]
async fn only_the_password_opens_it() {
    let folder = folder();
    let postgres = start(&folder).await.unwrap();
    let file = postgres.data_dir().join("password");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let password = fs::read_to_string(file).unwrap();
    let wrong = postgres.url("postgres").replace(password.trim(), "guessed");
    let refused = PgConnection::connect(&wrong).await.unwrap_err();
    assert_eq!(refused.as_database_error().unwrap().code().unwrap(), "28P01");

    if let Some(socket) = postgres.socket_dir() {
        let url = |password: &str| {
            let socket = socket.display().to_string().replace('/', "%2F");
            format!("postgres://postgres:{password}@{socket}:{}/postgres", postgres.port())
        };
        PgConnection::connect(&url(password.trim())).await.unwrap();
        PgConnection::connect(&url("guessed")).await.unwrap_err();
    }
    postgres.stop().await;
}

#[tokio::test]
async fn a_lost_password_is_replaced() {
    let folder = folder();
    let postgres = start(&folder).await.unwrap();
    write_note(&postgres, "kept").await;
    let password = postgres.data_dir().join("password");
    postgres.stop().await;
    fs::remove_file(password).unwrap();

    let postgres = start(&folder).await.unwrap();
    assert_eq!(ask(&postgres, "select text from note").await, "kept");
    postgres.stop().await;
}

/// Below `/root`, for example.
#[tokio::test]
async fn root_moves_the_cluster_where_its_server_can_reach_it() {
    if !nix::unistd::Uid::effective().is_root() {
        return;
    }
    let closed = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o700)).tempdir().unwrap();
    let postgres = start(&closed).await.unwrap();
    let dir = postgres.data_dir().to_path_buf();
    assert!(dir.starts_with("/var/lib/dangol"), "{dir:?}");
    postgres.stop().await;

    let again = start(&closed).await.unwrap();
    assert_eq!(again.data_dir(), dir);
    again.stop().await;
    fs::remove_dir_all(dir).unwrap();
}

#[tokio::test]
async fn a_half_made_cluster_is_made_again() {
    let folder = folder();
    let home = folder.path().join("postgres");
    for name in ["cluster", "cluster.new-killed"] {
        fs::create_dir_all(home.join(name).join("base/1")).unwrap();
        fs::write(home.join(name).join("PG_VERSION"), "15\n").unwrap();
    }

    let postgres = start(&folder).await.unwrap();
    assert_eq!(ask(&postgres, "select 'whole'").await, "whole");
    assert!(!postgres.data_dir().join("cluster.new-killed").exists());
    postgres.stop().await;
}

#[tokio::test]
async fn a_stale_pid_file_is_removed() {
    let folder = folder();
    start(&folder).await.unwrap().stop().await;
    let pid_file = folder.path().join("postgres/cluster/postmaster.pid");
    // One whose process is gone, one whose number now belongs to somebody else (us), and one cut short.
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    for content in
        [format!("{}\n", gone.id()), format!("{}\n/elsewhere\n", std::process::id()), String::new()]
    {
        fs::write(&pid_file, &content).unwrap();
        let began = Instant::now();
        let postgres = start(&folder).await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(3), "waited for a stranger: {content}");
        assert_eq!(ask(&postgres, "select 'up'").await, "up");
        postgres.stop().await;
    }
}

#[tokio::test]
async fn a_second_owner_is_refused() {
    let folder = folder();
    let first = start(&folder).await.unwrap();
    let refused = start(&folder).await.unwrap_err();
    let dir = first.data_dir().display();
    let pid = std::process::id();
    assert_eq!(
        refused.to_string(),
        format!("another dangol uses {dir} (pid {pid}). Stop it first, or choose another folder")
    );
    assert_eq!(ask(&first, "select 'undisturbed'").await, "undisturbed");
    first.stop().await;
}

#[tokio::test]
async fn a_cluster_of_another_major_version_is_left_alone() {
    let folder = folder();
    start(&folder).await.unwrap().stop().await;
    let version = folder.path().join("postgres/cluster/PG_VERSION");
    fs::write(&version, "9\n").unwrap();
    let refused = start(&folder).await.unwrap_err();
    assert!(matches!(refused, Error::OtherMajor { cluster: 9, .. }), "{refused}");
    assert!(version.exists());
}

#[tokio::test]
async fn a_server_that_cannot_start_shows_its_log() {
    let folder = folder();
    let settings = vec![("no_such_setting".to_owned(), "1".to_owned())];
    let options = Options { settings, ..Options::new(folder.path().join("postgres")) };
    let refused = LocalPostgres::start(options).await.unwrap_err();
    assert!(refused.to_string().contains("unrecognized configuration parameter"), "{refused}");
}

#[tokio::test]
async fn a_killed_owner_takes_the_server_along() {
    let folder = folder();
    let mut owner = Owner::hold(folder.path(), "postgres");
    let mut conn = PgConnection::connect(&owner.url).await.unwrap();
    sqlx::raw_sql("create table note (text text); insert into note values ('committed')")
        .execute(&mut conn)
        .await
        .unwrap();
    owner.kill();
    // At once, so that the new owner meets the old server while that shuts down.
    let began = Instant::now();
    let postgres = start(&folder).await.unwrap();
    eprintln!("start after a kill took {:?}", began.elapsed());
    assert!(!accepts(owner.port));
    assert_eq!(ask(&postgres, "select text from note").await, "committed");
    postgres.stop().await;
}

#[tokio::test]
async fn a_killed_test_run_leaves_no_scratch_server() {
    let folder = folder();
    let mut owner = Owner::hold(folder.path(), "scratch");
    let conn = PgConnection::connect(&owner.url).await.unwrap();
    assert!(owner.dir.exists());
    let began = Instant::now();
    owner.kill();
    eventually("the scratch server is gone", || !accepts(owner.port) && !owner.dir.exists());
    eprintln!("the scratch server was gone {:?} after the kill", began.elapsed());
    drop(conn);
}

#[tokio::test]
async fn a_server_without_its_supervisor_is_stopped_by_the_next_owner() {
    let folder = folder();
    let mut owner = Owner::hold(folder.path(), "postgres");
    // The supervisor and the server are one process group; two of it are the supervisor's shells.
    let server = fs::read_to_string(owner.dir.join("cluster/postmaster.pid")).unwrap();
    let server = server.lines().next().unwrap();
    let shells = Command::new("ps").args(["-eo", "pid=,pgid=,comm="]).output();
    let Ok(shells) = shells else { return owner.kill() };
    let shells = String::from_utf8(shells.stdout).unwrap();
    let rows: Vec<Vec<&str>> = shells.lines().map(|line| line.split_whitespace().collect()).collect();
    let group = rows.iter().find(|row| row[0] == server).unwrap()[1];
    let group: Vec<_> =
        rows.iter().filter(|row| row[1] == group && row[2] == "sh").map(|row| row[0]).collect();
    assert_eq!(group.len(), 2);
    assert!(Command::new("kill").arg("-KILL").args(group).status().unwrap().success());
    owner.kill();
    assert!(accepts(owner.port));

    let postgres = start(&folder).await.unwrap();
    assert!(!accepts(owner.port));
    assert_eq!(ask(&postgres, "select 'up'").await, "up");
    postgres.stop().await;
}

/// Another process that owns a server.
struct Owner {
    process: Child,
    port: u16,
    url: String,
    dir: PathBuf,
}

impl Owner {
    fn hold(folder: &Path, kind: &str) -> Self {
        let process = Command::new(env!("CARGO_BIN_EXE_hold-local-postgres"))
            .args([folder.as_os_str(), kind.as_ref()])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let facts = folder.join("facts");
        eventually("the other process has a server", || facts.exists());
        let facts = fs::read_to_string(facts).unwrap();
        let [port, url, dir] = facts.lines().collect::<Vec<_>>().try_into().unwrap();
        Self { process, port: port.parse().unwrap(), url: url.to_owned(), dir: dir.into() }
    }

    /// SIGKILL: it cannot clean up.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One that root's server can reach as well.
fn folder() -> TempDir {
    tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap()
}

async fn start(folder: &TempDir) -> Result<LocalPostgres, Error> {
    LocalPostgres::start(Options::new(folder.path().join("postgres"))).await
}

async fn ask(postgres: &LocalPostgres, question: &'static str) -> String {
    let mut conn = PgConnection::connect(&postgres.url("postgres")).await.unwrap();
    sqlx::query_scalar(question).fetch_one(&mut conn).await.unwrap()
}

async fn write_note(postgres: &LocalPostgres, text: &str) {
    let mut conn = PgConnection::connect(&postgres.url("postgres")).await.unwrap();
    sqlx::raw_sql("create table note (text text)").execute(&mut conn).await.unwrap();
    sqlx::query("insert into note values ($1)").bind(text).execute(&mut conn).await.unwrap();
}

fn accepts(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "waited too long until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}
