//! The binary: closes what a process leaves open by default, then reads the command line.

use std::process::ExitCode;

/// What a request allocates on its thread is let go on the writer's, and back: the system's allocator pays for that twice.
/// (Without transparent huge pages: they would double the memory of an idle server.)
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    strongroom::process::harden();
    strongroom::cli::run()
}
