//! An executable's bytes → the running process: this one becomes it.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::MemfdFlags;

use crate::failure::Failure;

/// Puts the executable into memory and executes it; returns only if that fails.
pub(crate) fn become_app(executable: &[u8], name: &str, args: &[OsString]) -> Result<Infallible, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("{name} cannot be started: {error}"));
    let memory = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    let mut file = File::from(memory);
    file.write_all(executable).map_err(failed)?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    Err(failed(Command::new(path).arg0(name).args(args).exec()))
}
