//! The `strata` command.

use std::process::ExitCode;

/// Batches come and go in several threads; the system's allocator gives their memory back to the system in
/// between, which costs a tenth of a run.
#[cfg(feature = "allocator")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    strata::cli::main()
}
