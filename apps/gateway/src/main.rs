//! The `dangol` binary. `dangol --help` tells what it can do.

use std::process::ExitCode;

fn main() -> ExitCode {
    gateway::cli::main()
}
