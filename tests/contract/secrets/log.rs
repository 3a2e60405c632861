//! All that this process logs, down to the last library's TRACE.

use std::{
    io::{self, Write},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tracing_subscriber::{filter::LevelFilter, fmt::MakeWriter};

static LISTENING: AtomicBool = AtomicBool::new(false);
static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Listening until it is dropped. Other tests of this process are overheard; that does no harm.
pub(super) struct Log;

/// Begins to listen. The sandbox is the outside world, whose log is its own business.
pub(super) fn begin() -> Log {
    // As JSON, with the fields of every span: nothing that could be logged is left out.
    let subscriber = tracing_subscriber::fmt().json().with_max_level(LevelFilter::TRACE).with_writer(Ear);
    subscriber.try_init().expect("nobody else listens in this process");
    LISTENING.store(true, Ordering::SeqCst);
    Log
}

impl Log {
    /// All that was logged; nothing is heard after.
    pub(super) fn end(self) -> String {
        let text = String::from_utf8_lossy(&lines()).into_owned();
        drop(self);
        text
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        LISTENING.store(false, Ordering::SeqCst);
        lines().clear();
    }
}

fn lines() -> MutexGuard<'static, Vec<u8>> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Ear;

impl<'a> MakeWriter<'a> for Ear {
    type Writer = Box<dyn Write + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Box::new(io::sink())
    }

    fn make_writer_for(&'a self, metadata: &tracing::Metadata<'_>) -> Self::Writer {
        let is_outside = metadata.target().starts_with("sandbox");
        if is_outside || !LISTENING.load(Ordering::SeqCst) { Box::new(io::sink()) } else { Box::new(Line) }
    }
}

struct Line;

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lines().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
