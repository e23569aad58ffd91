//! The `edgepack` command: arguments → one command → exit code. Errors are printed here and nowhere else.

mod args;
mod audit;
mod build;
mod commands;
mod embedded;
#[cfg(all(test, target_os = "linux"))]
mod exactness;
mod failure;
mod frozen;
mod grants;
mod kept;
#[cfg_attr(target_os = "linux", path = "launch_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "launch_other.rs")]
mod launch;
mod output;
mod positions;
mod progress;
mod report;
mod secrets;
mod target;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit codes: 0 success, 1 the command failed, 2 wrong usage (as clap has it). `run` and `node` become the app and
/// end with its code.
fn main() -> ExitCode {
    let args = Args::parse();
    let result = match args.command {
        Command::Build(args) => commands::build::build(&args),
        Command::Audit(args) => commands::audit::audit(&args),
        Command::Bundle(args) => commands::bundle::bundle(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Node(args) => commands::node::node(&args),
        Command::Inspect(args) => commands::inspect::inspect(&args),
        Command::Runtime(args) => commands::runtime::runtime(&args),
        Command::Targets => commands::targets::targets(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::print(&error),
    }
}
