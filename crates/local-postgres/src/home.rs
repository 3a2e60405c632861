//! The folder that holds everything of one cluster: where it is, whose it is, who uses it now.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use nix::fcntl::OFlag;
use tracing::info;

use crate::{Error, account::Account};

/// Where root puts what the server's user must be able to reach.
pub(crate) const SHARED: &str = "/var/lib/dangol";

/// An opened home is ours alone until it is dropped.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) folder: PathBuf,
    pub(crate) account: Account,
    _lock: File,
}

impl Home {
    pub(crate) fn open(wanted: &Path) -> Result<Self, Error> {
        let (folder, account) = place(wanted)?;
        let lock = lock(&folder)?;
        account.own(&folder).map_err(Error::folder(&folder))?;
        Ok(Self { folder, account, _lock: lock })
    }

    pub(crate) fn cluster(&self) -> PathBuf {
        self.folder.join("cluster")
    }

    pub(crate) fn password_file(&self) -> PathBuf {
        self.folder.join("password")
    }

    /// Begins a new log and keeps the one before.
    pub(crate) fn begin_log(&self) -> Result<(), Error> {
        let log = self.log_file();
        if log.exists() {
            fs::rename(&log, log.with_extension("log.old")).map_err(Error::folder(log))?;
        }
        Ok(())
    }

    pub(crate) fn log(&self) -> Result<File, Error> {
        let path = self.log_file();
        OpenOptions::new().create(true).append(true).open(&path).map_err(Error::folder(path))
    }

    /// The end of the log, for error messages.
    pub(crate) fn log_tail(&self) -> String {
        let bytes = fs::read(self.log_file()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join("server.log")
    }
}

/// The real folder, made if need be, and the account that owns it.
fn place(wanted: &Path) -> Result<(PathBuf, Account), Error> {
    let wanted = std::path::absolute(wanted).map_err(Error::folder(wanted))?;
    let parent = wanted.parent().unwrap_or(&wanted);
    fs::create_dir_all(parent).map_err(Error::folder(parent))?;

    let mut folder = wanted.clone();
    let mut account = Account::for_folder(&folder)?;
    // The folder itself may be a link to another disk.
    let real =
        fs::canonicalize(&wanted).or_else(|_| fs::canonicalize(parent)).map_err(Error::folder(parent))?;
    let above = if wanted.exists() { real.parent().unwrap_or(&real) } else { &real };
    if !account.reaches(above) {
        folder = Path::new(SHARED).join(shared_name(&wanted));
        info!(
            wanted = %wanted.display(), folder = %folder.display(),
            "PostgreSQL must not run as root, and its user cannot reach this folder; using another",
        );
        fs::create_dir_all(SHARED).map_err(Error::folder(SHARED))?;
        account = Account::for_folder(&folder)?;
    }
    if !folder.exists() {
        DirBuilder::new().mode(0o700).create(&folder).map_err(Error::folder(&folder))?;
    }
    let folder = fs::canonicalize(&folder).map_err(Error::folder(folder))?;
    Ok((folder, account))
}

/// The folder's own name, and a hash of its whole path so that two projects do not meet.
fn shared_name(wanted: &Path) -> String {
    let name = wanted.file_name().unwrap_or_default().to_string_lossy();
    // FNV-1a, because std's hasher may change with the compiler, and the data would seem to be gone.
    let hash = wanted.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{name}-{hash:016x}")
}

/// The kernel frees it when the owner dies, so it is never stale.
pub(crate) fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join("lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        // The folder may belong to the server's user; root must not follow where that one points.
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(&path)
        .map_err(Error::folder(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            file.read_to_string(&mut pid).map_err(Error::folder(&path))?;
            return Err(Error::InUse { dir: folder.to_path_buf(), pid: pid.trim().to_owned() });
        }
        Err(TryLockError::Error(source)) => return Err(Error::Folder { path, source }),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(Error::folder(path))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_name_stays_the_same_over_compilers() {
        assert_eq!(shared_name(Path::new("/root/shop/.dangol/postgres")), "postgres-6a35d4426d4682dd");
    }
}
