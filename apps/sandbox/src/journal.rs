//! The journal: one JSON line per change, written before the change is answered.
//!
//! A line holds everything that one request changed, so that a killed process leaves a request either
//! wholly done or not done at all. It survives the death of the process, not of the machine: there is
//! no `fsync`, which would cost more than the rest of a charge.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde::{Serialize, de::DeserializeOwned};

const JOURNAL: &str = "journal.jsonl";

pub(crate) struct Journal {
    file: File,
    /// One write per change: a line that is written in pieces could be torn in the middle of the file.
    line: Vec<u8>,
    /// Held as long as the journal lives: two sandboxes in one folder would ruin it.
    _lock: File,
}

/// A folder that this process alone works in.
pub(crate) struct JournalFolder {
    folder: PathBuf,
    lock: File,
}

impl JournalFolder {
    pub(crate) fn claim(folder: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)
            .with_context(|| format!("the sandbox cannot create its data folder {}", folder.display()))?;
        let lock = File::create(folder.join("lock"))?;
        lock.try_lock().map_err(|_| {
            anyhow::anyhow!(
                "another sandbox is working in {}: stop it or choose another data folder",
                folder.display()
            )
        })?;
        Ok(Self { folder: folder.to_owned(), lock })
    }

    /// Every change that was written, oldest first.
    ///
    /// Only a last line can be torn (the process died while writing it), and its request was never
    /// answered: it is dropped. Any other unreadable line is damage that nobody should build upon.
    pub(crate) fn replay<T: DeserializeOwned>(&self, mut apply: impl FnMut(T)) -> anyhow::Result<()> {
        let path = self.folder.join(JOURNAL);
        let mut reader = match File::open(&path) {
            Ok(file) => BufReader::new(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            reader.read_until(b'\n', &mut line)?;
            if !line.ends_with(b"\n") {
                break;
            }
            apply(
                serde_json::from_slice(&line)
                    .with_context(|| format!("line {number} of {} is damaged", path.display()))?,
            );
        }
        Ok(())
    }

    /// Starts a journal that begins with `snapshot` in place of the old one.
    pub(crate) fn compact<T: Serialize>(
        self,
        snapshot: impl IntoIterator<Item = T>,
    ) -> anyhow::Result<Journal> {
        let path = self.folder.join(JOURNAL);
        let fresh = self.folder.join("journal.jsonl.new");
        let mut writer = BufWriter::new(File::create(&fresh)?);
        for change in snapshot {
            serde_json::to_writer(&mut writer, &change)?;
            writer.write_all(b"\n")?;
        }
        writer.flush()?;
        drop(writer);
        fs::rename(&fresh, &path)?;
        let file = OpenOptions::new().append(true).open(&path)?;
        Ok(Journal { file, line: Vec::with_capacity(4096), _lock: self.lock })
    }
}

impl Journal {
    pub(crate) fn append(&mut self, change: &impl Serialize) -> io::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, change)?;
        self.line.push(b'\n');
        self.file.write_all(&self.line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(folder: &Path) -> Vec<u32> {
        let mut seen = Vec::new();
        JournalFolder::claim(folder).unwrap().replay(|number: u32| seen.push(number)).unwrap();
        seen
    }

    #[test]
    fn a_torn_last_line_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(JOURNAL), b"1\n2\n3").unwrap();
        assert_eq!(read(folder.path()), [1, 2]);
    }

    #[test]
    fn a_damaged_line_in_the_middle_stops_the_start() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(JOURNAL), b"1\n{\n3\n").unwrap();
        let outcome = JournalFolder::claim(folder.path()).unwrap().replay(|_: u32| ());
        assert!(outcome.unwrap_err().to_string().contains("line 2"));
    }

    #[test]
    fn a_compacted_journal_takes_new_lines() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = JournalFolder::claim(folder.path()).unwrap().compact([7]).unwrap();
        journal.append(&8).unwrap();
        drop(journal);
        assert_eq!(read(folder.path()), [7, 8]);
    }

    #[test]
    fn two_sandboxes_cannot_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let _first = JournalFolder::claim(folder.path()).unwrap();
        assert!(JournalFolder::claim(folder.path()).is_err());
    }
}
