//! The binary: closes what a process leaves open by default, then reads the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    strongroom::process::harden();
    strongroom::cli::run()
}
