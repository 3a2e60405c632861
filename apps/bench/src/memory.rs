//! The memory of this process.

use std::fs;

/// The most physical memory that this process ever held, in MB. `None` where the system does not tell.
pub(crate) fn peak_megabytes() -> Option<f64> {
    megabytes("VmHWM:")
}

/// The physical memory that this process holds, in MB.
pub(crate) fn resident_megabytes() -> Option<f64> {
    megabytes("VmRSS:")
}

fn megabytes(what: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}
