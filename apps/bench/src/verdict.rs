//! Figures against their targets.

use std::process::ExitCode;

/// A figure that has to reach a target, or stay below one.
pub(crate) fn at_least(ratio: f64, target: f64) -> bool {
    let reached = ratio >= target;
    println!("  ratio                {ratio:>10.2}              target: {target} or more, {}", word(reached));
    reached
}

/// A figure that must not be larger.
pub(crate) fn at_most(name: &str, figure: f64, unit: &str, target: f64) -> bool {
    let reached = figure <= target;
    println!(
        "  {name:<20} {figure:>10.2} {unit:<2}           target: {target} {unit} or less, {}",
        word(reached)
    );
    reached
}

pub(crate) fn below(megabytes: Option<f64>, target: f64) -> bool {
    let Some(megabytes) = megabytes else {
        println!("  peak memory          not told by this system");
        return true;
    };
    let reached = megabytes < target;
    println!(
        "  peak memory          {megabytes:>10.1} MB           target: below {target} MB, {}",
        word(reached)
    );
    reached
}

pub(crate) fn rate(name: &str, per_second: f64, unit: &str) {
    println!("  {name:<20} {per_second:>10.1} {unit}");
}

pub(crate) fn word(reached: bool) -> &'static str {
    if reached { "reached" } else { "MISSED" }
}

pub(crate) fn exit_code(reached: bool) -> ExitCode {
    if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
