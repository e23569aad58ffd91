//! The targets that tests run executables of: this machine's by themselves, the others by qemu.
#![allow(dead_code, reason = "each test program uses its part")]

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use edgepack_format::targets::{TARGETS, Target};

/// Every target but this machine's.
pub(crate) fn foreign() -> impl Iterator<Item = &'static Target> {
    TARGETS.iter().filter(|target| !is_own(target))
}

/// Whether everything is to be run on every target, not only a sample: `cargo xtask test --full`.
pub(crate) fn is_full() -> bool {
    std::env::var_os("EDGEPACK_TEST_FULL").is_some()
}

/// Runs an executable of that target.
pub(crate) fn command(target: &Target, executable: impl AsRef<OsStr>) -> Result<Command, String> {
    if is_own(target) {
        return Ok(Command::new(executable));
    }
    let name = format!("qemu-{}-static", target.host_arch);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let programs = std::env::split_paths(&path).map(|folder: PathBuf| folder.join(&name));
    let program = programs.into_iter().find(|program| program.is_file());
    let mut command = Command::new(program.ok_or_else(|| format!("there is no {name}: run `cargo xtask setup`"))?);
    command.arg(executable);
    Ok(command)
}

fn is_own(target: &Target) -> bool {
    target.host_arch == std::env::consts::ARCH
}
