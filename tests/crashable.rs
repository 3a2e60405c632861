//! The real `dangol`, with the failpoints of `billing` compiled in. `FAILPOINTS=charge::written=1*return`
//! makes the process abort at that step, once.

use std::process::ExitCode;

fn main() -> ExitCode {
    let _failpoints = fail::FailScenario::setup();
    gateway::cli::main()
}
