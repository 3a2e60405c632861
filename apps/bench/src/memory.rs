//! What processes need.

use std::fs;

/// The most physical memory that this process ever held, in MB. `None` where the system does not tell.
pub(crate) fn peak_megabytes() -> Option<f64> {
    megabytes("VmHWM:")
}

/// The same of another process.
pub(crate) fn peak_megabytes_of(process: Option<u32>) -> Option<f64> {
    megabytes_in(&format!("/proc/{}/status", process?), "VmHWM:")
}

/// The physical memory that this process holds, in MB.
pub(crate) fn resident_megabytes() -> Option<f64> {
    megabytes("VmRSS:")
}

fn megabytes(what: &str) -> Option<f64> {
    megabytes_in("/proc/self/status", what)
}

fn megabytes_in(file: &str, what: &str) -> Option<f64> {
    let status = fs::read_to_string(file).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

/// The physical memory that a process holds now, in bytes. `None` where the system does not tell.
pub(crate) fn of(process: Option<u32>) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", process?)).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The processor time that a process has used. `None` where the system does not tell.
pub(crate) fn cpu_seconds(process: Option<u32>) -> Option<f64> {
    // A hundredth of a second, wherever Linux runs today.
    const TICK: f64 = 0.01;
    let stat = fs::read_to_string(format!("/proc/{}/stat", process?)).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) * TICK)
}
