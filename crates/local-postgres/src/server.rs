use std::{
    env, fmt,
    fs::{self, DirBuilder},
    io,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::{
    Error,
    account::Account,
    binaries::{Binaries, find_binaries, find_binaries_for},
    cluster::{self, SUPERUSER},
    home::{self, Home},
    supervisor::{Plan, Supervised},
};

const READY_WITHIN: Duration = Duration::from_secs(30);
const SCRATCH: &str = "dangol-scratch-";
const SCRATCH_IS_RUBBISH_AFTER: Duration = Duration::from_hours(24);
/// The kernel's limit is 108 bytes on Linux and 104 on macOS.
const LONGEST_SOCKET_PATH: usize = 100;

/// What server to start.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder for the cluster and all that belongs to it; made if it is not there.
    pub data_dir: PathBuf,
    /// `None`: any free one.
    pub port: Option<u16>,
    /// `false` gives up safety against power cuts for speed. Only for data that nobody will miss.
    pub durable: bool,
    pub max_connections: u16,
    /// More settings for `postgresql.conf`; they win over ours.
    pub settings: Vec<(String, String)>,
}

impl Options {
    /// A durable cluster on any free port.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            port: None,
            durable: true,
            max_connections: 100,
            settings: Vec::new(),
        }
    }
}

/// A running server. It stops when this is stopped or dropped, or when the process ends in whatever way.
pub struct LocalPostgres {
    // Dropped in this order: the lock in `home` is freed only after the server has ended.
    server: Supervised,
    _scratch: Option<ScratchFolder>,
    home: Home,
    socket_dir: Option<PathBuf>,
    port: u16,
    password: String,
}

impl LocalPostgres {
    /// Starts the cluster in `options.data_dir`, making it first if need be.
    pub async fn start(options: Options) -> Result<Self, Error> {
        Self::open(&options, Kept::Yes).await
    }

    /// A fresh and fast server for tests. Its files are removed when it stops, or when the process ends.
    pub async fn scratch() -> Result<Self, Error> {
        for parent in [env::temp_dir(), home::SHARED.into()] {
            remove_rubbish(&parent).await;
        }
        // Short, for the socket's sake.
        let random = &Uuid::new_v4().simple().to_string()[..12];
        let data_dir = env::temp_dir().join(format!("{SCRATCH}{random}"));
        let options = Options { durable: false, max_connections: 200, ..Options::new(data_dir) };
        Self::open(&options, Kept::No).await
    }

    /// A connection URL for the superuser.
    pub fn url(&self, database: &str) -> String {
        let Self { password, port, .. } = self;
        format!("postgres://{SUPERUSER}:{password}@127.0.0.1:{port}/{}", percent_encoded(database))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The real folder, which is another one than was asked for where root's server could not reach that.
    pub fn data_dir(&self) -> &Path {
        &self.home.folder
    }

    /// Where the Unix socket is, unless the path is too long for one.
    pub fn socket_dir(&self) -> Option<&Path> {
        self.socket_dir.as_deref()
    }

    /// Ends all connections and waits for the server to finish.
    pub async fn stop(mut self) {
        self.server.stop().await;
    }

    async fn open(options: &Options, kept: Kept) -> Result<Self, Error> {
        let began = Instant::now();
        let home = Home::open(&options.data_dir)?;
        let scratch = match kept {
            Kept::Yes => None,
            Kept::No => Some(ScratchFolder(home.folder.clone())),
        };
        let data = home.cluster();
        cluster::clear_old_server(&data).await?;
        home.begin_log()?;
        let binaries = if let Some(major) = cluster::major(&data) {
            find_binaries_for(&home.folder, major).await?
        } else {
            let binaries = find_binaries().await?;
            cluster::make(&home, &binaries, options.durable).await?;
            binaries
        };
        let password = cluster::password(&home, &binaries)?;
        let socket_dir = make_socket_dir(&home)?;
        let (server, port) =
            launch_with_retries(&home, &binaries, socket_dir.as_deref(), options, kept).await?;
        info!(port, dir = %home.folder.display(), major = binaries.major(), took = ?began.elapsed(), "PostgreSQL is ready");
        Ok(Self { server, _scratch: scratch, home, socket_dir, port, password })
    }
}

/// Without the password.
impl fmt::Debug for LocalPostgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("LocalPostgres");
        debug.field("data_dir", &self.data_dir()).field("port", &self.port).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy)]
enum Kept {
    Yes,
    No,
}

/// Removed when dropped.
#[derive(Debug)]
struct ScratchFolder(PathBuf);

impl Drop for ScratchFolder {
    fn drop(&mut self) {
        // The supervisor has removed all it could; in a folder of ours it cannot remove the last one.
        if let Err(err) = cluster::remove(&self.0) {
            warn!(%err, dir = %self.0.display(), "could not remove a scratch cluster");
        }
    }
}

/// Two failures pass by themselves: another program took the free port before we did, or the last
/// processes of a killed server still hold its shared memory.
async fn launch_with_retries(
    home: &Home,
    binaries: &Binaries,
    socket_dir: Option<&Path>,
    options: &Options,
    kept: Kept,
) -> Result<(Supervised, u16), Error> {
    let mut left = 5;
    loop {
        let port = match options.port {
            Some(port) if port_is_free(port) => port,
            Some(port) => return Err(Error::PortTaken(port)),
            None => free_port()?,
        };
        let launch = Launch { home, binaries, socket_dir, options, kept, port };
        match launch.run().await {
            Ok(server) => return Ok((server, port)),
            Err(Error::NotReady { log, .. })
                if left > 0
                    && (log.contains("Address already in use") || log.contains("shared memory block")) =>
            {
                debug!(log, "PostgreSQL did not start; trying again");
                left -= 1;
                home.begin_log()?;
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Err(err) => return Err(err),
        }
    }
}

struct Launch<'a> {
    home: &'a Home,
    binaries: &'a Binaries,
    socket_dir: Option<&'a Path>,
    options: &'a Options,
    kept: Kept,
    port: u16,
}

impl Launch<'_> {
    async fn run(&self) -> Result<Supervised, Error> {
        let (stop_signal, remove) = match self.kept {
            // "Fast shutdown": ends the connections, then writes everything down.
            Kept::Yes => ("INT", None),
            // "Immediate shutdown": nobody will miss what was not written.
            Kept::No => ("QUIT", Some(self.home.folder.as_path())),
        };
        let plan = Plan { account: self.home.account, stop_signal, remove, log: self.home.log()? };
        let mut server = Supervised::spawn(plan, &self.binaries.postgres(), self.arguments())?;

        let began = Instant::now();
        while !self.ready() {
            let ended = server.ended().is_some();
            if ended || began.elapsed() > READY_WITHIN {
                return Err(Error::NotReady { dir: self.home.folder.clone(), log: self.home.log_tail() });
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(server)
    }

    fn arguments(&self) -> Vec<String> {
        // The folder is its own argument, because that is how `cluster::runs` recognizes our server.
        let mut arguments = vec!["-D".to_owned(), self.home.cluster().display().to_string()];
        for (name, value) in self.settings() {
            arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
        }
        arguments
    }

    fn settings(&self) -> Vec<(String, String)> {
        let sockets = self.socket_dir.map(|dir| dir.display().to_string()).unwrap_or_default();
        let mut settings = vec![
            ("listen_addresses", "127.0.0.1".to_owned()),
            ("port", self.port.to_string()),
            ("unix_socket_directories", sockets),
            ("max_connections", self.options.max_connections.to_string()),
            ("shared_buffers", "64MB".into()),
            // Whose machine it is must not show in any result.
            ("timezone", "UTC".into()),
            ("log_timezone", "UTC".into()),
        ];
        if !self.options.durable {
            for name in ["fsync", "synchronous_commit", "full_page_writes"] {
                settings.push((name, "off".into()));
            }
        }
        let ours = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        ours.chain(self.options.settings.iter().cloned()).collect()
    }

    /// The server writes its port on line 4 of its pid file and its state on line 8.
    fn ready(&self) -> bool {
        let text = fs::read_to_string(self.home.cluster().join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines();
        lines.nth(3) == Some(&self.port.to_string())
            && lines.nth(3).is_some_and(|state| state.trim() == "ready")
    }
}

/// Made anew each time, because a lock file of a dead server may lie in it.
fn make_socket_dir(home: &Home) -> Result<Option<PathBuf>, Error> {
    let dir = home.folder.join("socket");
    cluster::remove(&dir)?;
    // A comma would separate two folders in the setting.
    if dir.join(".s.PGSQL.65535").as_os_str().len() > LONGEST_SOCKET_PATH
        || dir.to_string_lossy().contains([',', '"'])
    {
        return Ok(None);
    }
    DirBuilder::new()
        .mode(0o700)
        .create(&dir)
        .and_then(|()| home.account.own(&dir))
        .map_err(Error::folder(&dir))?;
    Ok(Some(dir))
}

fn free_port() -> Result<u16, Error> {
    let local = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    local.map(|address| address.port()).map_err(|_| Error::PortTaken(0))
}

fn port_is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Scratch clusters whose owner and supervisor were both killed.
async fn remove_rubbish(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let folder = entry.path();
        if !entry.file_name().to_string_lossy().starts_with(SCRATCH)
            || !is_old_and_ours(&folder).unwrap_or(false)
        {
            continue;
        }
        let Ok(_lock) = home::lock(&folder) else { continue };
        if cluster::clear_old_server(&folder.join("cluster")).await.is_ok() {
            drop(ScratchFolder(folder));
        }
    }
}

fn is_old_and_ours(folder: &Path) -> io::Result<bool> {
    let meta = fs::symlink_metadata(folder)?;
    let ours = match Account::unprivileged() {
        Ok(Account::Other { uid, .. }) => meta.uid() == uid,
        Ok(Account::Ourselves) => meta.uid() == nix::unistd::Uid::effective().as_raw(),
        Err(_) => false,
    };
    // A modification in the future is not old either.
    let old = meta.modified()?.elapsed().is_ok_and(|age| age > SCRATCH_IS_RUBBISH_AFTER);
    Ok(meta.is_dir() && ours && old)
}

fn percent_encoded(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn any_database_name_fits_into_the_url() {
        assert_eq!(percent_encoded("test_1"), "test_1");
        assert_eq!(percent_encoded("단골/a?b"), "%EB%8B%A8%EA%B3%A8%2Fa%3Fb");
    }
}
