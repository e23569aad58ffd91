//! An executable's bytes → the running process: this one becomes it, or the emulator that runs it.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use edgepack_format::targets::Target;
use rustix::fs::MemfdFlags;

use crate::failure::Failure;
use crate::target::is_own;

/// Puts the executable into memory and executes it; returns only if that fails.
pub(crate) fn become_app(
    target: &Target,
    executable: &[u8],
    name: &str,
    args: &[OsString],
) -> Result<Infallible, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("{name} cannot be started: {error}"));
    // The emulator has to find it open; what it runs finds one more file open than it would on the device.
    let flags = if is_own(target) { MemfdFlags::CLOEXEC } else { MemfdFlags::empty() };
    let memory = rustix::fs::memfd_create(name, flags).map_err(|error| failed(error.into()))?;
    let mut file = File::from(memory);
    file.write_all(executable).map_err(failed)?;
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    // What is in memory has no path of its own: `process.execPath` is this command's.
    let own_path = std::env::current_exe().unwrap_or_else(|_| name.into());
    let mut command = if is_own(target) {
        let mut own = Command::new(path);
        own.arg0(own_path);
        own
    } else {
        let mut foreign = Command::new(emulator(target)?);
        foreign.arg("-0").arg(own_path).arg(path);
        foreign
    };
    Err(failed(command.args(args).exec()))
}

/// qemu's emulator of a user's processes, static or not.
fn emulator(target: &Target) -> Result<PathBuf, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let named = |folder: PathBuf| {
        let name = format!("qemu-{}", target.host_arch);
        [folder.join(format!("{name}-static")), folder.join(name)]
    };
    std::env::split_paths(&path).flat_map(named).find(|program| program.is_file()).ok_or_else(|| {
        Failure::new(format!("this machine cannot run {} executables", target.triple))
            .hint("install qemu's user emulation (Debian: qemu-user-static), or build and run it on the device")
    })
}
