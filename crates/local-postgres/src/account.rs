//! Whom the server runs as: PostgreSQL refuses to run as root.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::{
        fs::{MetadataExt, lchown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use nix::unistd::{Uid, User};

use crate::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    Ourselves,
    /// We are root and step down to this one.
    Other {
        uid: u32,
        gid: u32,
    },
}

impl Account {
    /// Root steps down to the folder's owner where that is a known user, so that a developer who once
    /// typed `sudo` does not find his files given away.
    pub(crate) fn for_folder(folder: &Path) -> Result<Self, Error> {
        if !Uid::effective().is_root() {
            return Ok(Self::Ourselves);
        }
        let owner = fs::metadata(folder).ok().filter(|meta| meta.uid() != 0).and_then(|meta| {
            let user = User::from_uid(Uid::from_raw(meta.uid())).ok().flatten()?;
            Some(Self::from(&user))
        });
        owner.map_or_else(Self::unprivileged, Ok)
    }

    pub(crate) fn unprivileged() -> Result<Self, Error> {
        if !Uid::effective().is_root() {
            return Ok(Self::Ourselves);
        }
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self::from(&user))
            .ok_or(Error::NoServerUser)
    }

    /// A command in its own process group, so that Ctrl-C in the terminal does not reach it.
    pub(crate) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .process_group(0)
            // Our own folder may be closed to the other user, and initdb wants to know where it is.
            .current_dir("/")
            // macOS: without it the postmaster becomes multithreaded and gives up.
            .env("LC_ALL", "C");
        for name in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE", "PGOPTIONS"] {
            command.env_remove(name);
        }
        if let Self::Other { uid, gid } = self {
            // std also drops root's supplementary groups when it changes the user.
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Whether every folder down to this one lets the account pass.
    pub(crate) fn reaches(self, folder: &Path) -> bool {
        match self {
            Self::Ourselves => true,
            Self::Other { uid, gid } => folder
                .ancestors()
                .all(|ancestor| fs::metadata(ancestor).is_ok_and(|meta| may_pass(&meta, uid, gid))),
        }
    }

    /// Gives the account a file, or a folder with all that is in it.
    pub(crate) fn own(self, path: &Path) -> io::Result<()> {
        match self {
            Self::Ourselves => Ok(()),
            Self::Other { uid, gid } => match give(path, uid, gid) {
                // A server that outlived its owner may still be removing files.
                Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(()),
                given => given,
            },
        }
    }
}

impl From<&User> for Account {
    fn from(user: &User) -> Self {
        Self::Other { uid: user.uid.as_raw(), gid: user.gid.as_raw() }
    }
}

fn give(path: &Path, uid: u32, gid: u32) -> io::Result<()> {
    let meta = fs::symlink_metadata(path)?;
    if meta.uid() != uid {
        lchown(path, Some(uid), Some(gid))?;
    }
    if meta.is_dir() {
        for entry in fs::read_dir(path)? {
            Account::Other { uid, gid }.own(&entry?.path())?;
        }
    }
    Ok(())
}

fn may_pass(meta: &Metadata, uid: u32, gid: u32) -> bool {
    let execute = if meta.uid() == uid {
        0o100
    } else if meta.gid() == gid {
        0o010
    } else {
        0o001
    };
    meta.mode() & execute != 0
}
