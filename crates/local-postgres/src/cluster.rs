//! PostgreSQL's own data directory: made whole or not at all, and freed from what a crash left behind.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tracing::{info, warn};
use uuid::Uuid;

use crate::{
    Error,
    binaries::Binaries,
    home::Home,
    supervisor::{Plan, Supervised},
};

pub(crate) const SUPERUSER: &str = "postgres";
const UNFINISHED: &str = "cluster.new-";

/// How long a server that outlived its owner may take to notice that, and then to obey each signal.
const GRACE: Duration = Duration::from_secs(3);
const SIGNALS: [(Duration, Signal); 3] = [
    (GRACE, Signal::SIGINT),
    (Duration::from_secs(20), Signal::SIGQUIT),
    (Duration::from_secs(30), Signal::SIGKILL),
];
const GIVE_UP: Duration = Duration::from_secs(35);

/// The major version of the cluster in there, or `None` if there is no whole one.
pub(crate) fn major(cluster: &Path) -> Option<u32> {
    // initdb writes PG_VERSION early and pg_control late; without pg_control there is no data to save.
    if !cluster.join("global/pg_control").is_file() {
        return None;
    }
    fs::read_to_string(cluster.join("PG_VERSION")).ok()?.trim().parse().ok()
}

/// Makes the cluster, replacing a half-made one. `durable` waits until the disk has it.
pub(crate) async fn make(home: &Home, binaries: &Binaries, durable: bool) -> Result<(), Error> {
    let cluster = home.cluster();
    if cluster.exists() {
        warn!(dir = %cluster.display(), "this cluster is only half made; making it again");
        remove(&cluster)?;
    }
    for entry in fs::read_dir(&home.folder).map_err(Error::folder(&home.folder))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            remove(&entry.path())?;
        }
    }
    if read_password(home).is_none() {
        write_password(home, &new_password())?;
    }

    let began = Instant::now();
    // The text functions and searches must know Korean letters, which the plain C locale does not.
    let locales: &[&[&str]] = if binaries.major() >= 17 {
        &[&["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
    } else {
        &[&["--locale=C.UTF-8"], &["--locale=C"]]
    };
    for locale in locales {
        let unfinished = home.folder.join(format!("{UNFINISHED}{}", Uuid::new_v4().simple()));
        if initdb(home, binaries, &unfinished, locale, durable).await? {
            fs::rename(&unfinished, &cluster).map_err(Error::folder(&cluster))?;
            if durable {
                fs::File::open(&home.folder)
                    .and_then(|dir| dir.sync_all())
                    .map_err(Error::folder(&home.folder))?;
            }
            info!(dir = %cluster.display(), took = ?began.elapsed(), "made a PostgreSQL cluster");
            return Ok(());
        }
        remove(&unfinished)?;
    }
    Err(Error::Initdb { dir: home.folder.clone(), log: home.log_tail() })
}

async fn initdb(
    home: &Home,
    binaries: &Binaries,
    target: &Path,
    locale: &[&str],
    durable: bool,
) -> Result<bool, Error> {
    // SCRAM costs a client 20 ms per connection in a debug build, which tests would pay thousands of
    // times; the plain password only travels over the loopback, and guards nothing of value there.
    let auth = if durable { "scram-sha-256" } else { "password" };
    let plan = Plan { account: home.account, stop_signal: "INT", remove: None, log: home.log()? };
    let mut args = vec![format!("--auth={auth}"), "--encoding=UTF8".into()];
    args.push(format!("--username={SUPERUSER}"));
    args.push(format!("--pgdata={}", target.display()));
    args.push(format!("--pwfile={}", home.password_file().display()));
    args.extend(locale.iter().map(|&arg| arg.to_owned()));
    if !durable {
        args.push("--no-sync".into());
    }
    let mut initdb = Supervised::spawn(plan, &binaries.initdb(), args)?;
    Ok(initdb.wait().await.success())
}

/// Removes what an earlier server of this cluster left; if it still runs, waits for its end or ends it.
pub(crate) async fn clear_old_server(cluster: &Path) -> Result<(), Error> {
    let pid_file = cluster.join("postmaster.pid");
    let Some(pid) = first_line(&pid_file).and_then(|line| line.trim().parse().ok()) else {
        return remove(&pid_file);
    };
    let began = Instant::now();
    let mut signals = SIGNALS.iter().peekable();
    while runs(pid, cluster) {
        if began.elapsed() > GIVE_UP {
            return Err(Error::OldServer { dir: cluster.to_path_buf(), pid });
        }
        if let Some((_, signal)) = signals.next_if(|(after, _)| began.elapsed() > *after) {
            warn!(pid, %signal, "the server of an earlier run is still there; stopping it");
            // An error means that it has ended just now.
            kill(Pid::from_raw(pid), *signal).ok();
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    remove(&pid_file)
}

/// Whether the process is the server of this very cluster. The pid alone says little: after a restart of
/// the machine or the container it belongs to somebody else, perhaps to another PostgreSQL.
fn runs(pid: i32, cluster: &Path) -> bool {
    if pid <= 1 || kill(Pid::from_raw(pid), None) == Err(Errno::ESRCH) {
        return false;
    }
    let cluster = cluster.as_os_str().as_encoded_bytes();
    // The command line is the one thing that every user may read, and we always name the folder there.
    if Path::new("/proc/self/cmdline").exists() {
        fs::read(format!("/proc/{pid}/cmdline"))
            .is_ok_and(|line| line.split(|byte| *byte == 0).any(|arg| arg == cluster))
    } else {
        let ps = Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output();
        ps.is_ok_and(|ps| ps.stdout.windows(cluster.len()).any(|window| window == cluster))
    }
}

/// The superuser's password. One that got lost is replaced while the server is down.
pub(crate) fn password(home: &Home, binaries: &Binaries) -> Result<String, Error> {
    if let Some(password) = read_password(home) {
        return Ok(password);
    }
    warn!(dir = %home.folder.display(), "the password file is gone; setting a new password");
    let password = new_password();
    let sql = format!("alter role {SUPERUSER} password '{password}';\n");
    let program = binaries.postgres();
    let mut single = home
        .account
        .command(&program)
        .args(["--single", "-D"])
        .arg(home.cluster())
        .arg("postgres")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::run(&program))?;
    if let Some(mut stdin) = single.stdin.take() {
        stdin.write_all(sql.as_bytes()).map_err(Error::run(&program))?;
    }
    let output = single.wait_with_output().map_err(Error::run(&program))?;
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    // A failed statement does not fail the program.
    if !output.status.success() || log.contains("ERROR:") {
        return Err(Error::Password { dir: home.folder.clone(), log });
    }
    write_password(home, &password)?;
    Ok(password)
}

fn new_password() -> String {
    Uuid::new_v4().simple().to_string()
}

fn read_password(home: &Home) -> Option<String> {
    first_line(&home.password_file())
        .map(|line| line.trim().to_owned())
        .filter(|password| !password.is_empty())
}

/// Through a rename, so that it is never there in part.
fn write_password(home: &Home, password: &str) -> Result<(), Error> {
    let path = home.password_file();
    let unfinished: PathBuf = path.with_extension("new");
    let write = || -> io::Result<()> {
        match fs::remove_file(&unfinished) {
            Err(err) if err.kind() != io::ErrorKind::NotFound => return Err(err),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        writeln!(file, "{password}")?;
        file.sync_all()?;
        // initdb reads it, as the other user.
        home.account.own(&unfinished)?;
        fs::rename(&unfinished, &path)
    };
    write().map_err(Error::folder(&path))
}

pub(crate) fn first_line(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()?.lines().next().map(ToOwned::to_owned)
}

/// Removes a file or folder, if it is there. Tries again: a process that is just ending may still write into it.
pub(crate) fn remove(path: &Path) -> Result<(), Error> {
    let attempt = || match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(err) => Err(err),
    };
    let mut left = 20;
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(err) if err.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(err) if err.kind() == io::ErrorKind::DirectoryNotEmpty && left > 0 => {
                left -= 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            Err(source) => return Err(Error::Folder { path: path.to_path_buf(), source }),
        }
    }
}
