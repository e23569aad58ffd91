//! `cargo xtask COMMAND`: everything that is done to the project rather than by it.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command for people")]

mod bench;
mod bless;
mod budget;
mod deny;
mod device;
mod dist;
mod engine;
mod host;
mod node;
mod notice;
mod project;
mod run;
mod setup;
mod stub;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use edgepack_format::targets;

use crate::project::Project;
use crate::test::Lane;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  setup             installs what the builds need, or says what is missing
  engine            builds the guest engine and its base image
  stub              builds the stub of every target
  dist [FOLDER]     builds edgepack with all of these inside, and copies it to FOLDER
  test [FILTER]     sets up, builds, and runs every test and check; on other machines than this one, in qemu, a sample
  test --full       and all of them
  bench boot        compares boot times with node and bun, and writes bench/boot.md
  bench instructions  counts what boots execute, and writes bench/instructions.json
  bench bundle      compares bundles with those of esbuild, rolldown, rollup and rspack, and writes bench/bundle.md
  bench targets     counts bytes and instructions on every target, and writes bench/targets.md
  host-test         builds edgepack for the other machines that it runs on, and runs it in qemu; checks it for macOS
  device-test       runs the Express app as process 1 of whole machines under qemu: arm64, armv7, or the one that is named
  bless             accepts what the tests print now as what they are to print
  notice            writes NOTICE from what is linked
  tidy              checks the rules of the house";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[&str]) -> Result<()> {
    let project = Project::open()?;
    match args {
        ["setup"] => setup::set_up(&project),
        ["engine"] => dist::engine(&project).map(drop),
        ["stub"] => dist::stubs(&project),
        ["stub", wasm, base, heat, entered, triple] => {
            let target = targets::find(triple).with_context(|| format!("there is no target {triple}"))?;
            let mapped = stub::mapped(&project, base.as_ref(), heat.as_ref())?;
            let (wasm, base, heat, entered) = (wasm.into(), base.into(), heat.into(), entered.into());
            let guest = dist::Guest { wasm, base, heat, mapped, entered };
            stub::build(&project, &guest, target).map(|path| println!("{}", path.display()))
        }
        ["dist"] => dist::dist(&project, None),
        ["dist", folder] => dist::dist(&project, Some(folder)),
        ["test", "--full", filter @ ..] => test::test(&project, Lane::Full, filter),
        ["test", filter @ ..] => test::test(&project, Lane::Fast, filter),
        ["bench", "boot", rest @ ..] => bench::boot(&project, rest),
        ["bench", "instructions"] => bench::instructions::bless(&project, &dist::command_itself(&project)?),
        ["bench", "bundle"] => bench::bundle(&project),
        ["bench", "targets"] => bench::targets(&project),
        ["host-test"] => host::test(&project),
        ["device-test", names @ ..] => device::test(&project, names),
        ["bless"] => bless::bless(&project),
        ["notice"] => notice::write(&project),
        ["tidy"] => tidy::tidy(&project),
        _ => bail!("{USAGE}"),
    }
}
