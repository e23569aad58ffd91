//! The ends that are not the app's: refused containers and traps, each with one sentence and its exit code.

use std::ffi::c_int;

use edgepack_format::container::ContainerError;
use rustix::io::Errno;
use rustix::process::Resource;

/// The app was not started: its container cannot be used.
pub(crate) const REFUSED_EXIT_CODE: c_int = 1;
/// The engine was stopped: what a shell reports for SIGABRT.
pub(crate) const TRAP_EXIT_CODE: c_int = 134;

/// Why nothing was started.
#[derive(Debug)]
pub(crate) enum BootError {
    Container(ContainerError),
    /// No container inside, none named.
    NothingToRun,
    /// A section of this executable is gone.
    NoSection(&'static str),
    Open(String, Errno),
    /// Linear memory could not be laid out: what was tried.
    Memory(&'static str, Errno),
    /// The kernel, or a filter before it, does not do what cannot be done without: the call.
    Refused(&'static str, Errno),
    /// There is no room for linear memory: how much is needed, the limit of the process, what the kernel said.
    AddressSpace {
        bytes: u64,
        limit: Option<u64>,
        errno: Errno,
    },
    /// The engine refused the package.
    Load,
}

impl From<ContainerError> for BootError {
    fn from(error: ContainerError) -> BootError {
        BootError::Container(error)
    }
}

impl std::fmt::Display for BootError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BootError::Container(error @ ContainerError::OtherEngine { .. }) => {
                write!(f, "{error}: install the edgepack-run of the edgepack that made it, or build the app again")
            }
            BootError::Container(error) => error.fmt(f),
            BootError::NothingToRun => {
                f.write_str("there is no app in this executable; name a container: edgepack-run APP.epk")
            }
            BootError::NoSection(name) => {
                write!(f, "this executable is damaged: it has no section {name}, which is a part of the engine")
            }
            BootError::Open(path, errno) => write!(f, "cannot open {path}: {errno}"),
            BootError::Memory(what, errno @ Errno::NOMEM) => {
                write!(f, "cannot {what} the app's memory: {errno}{}", limits())
            }
            BootError::Memory(what, errno) => write!(f, "cannot {what} the app's memory: {errno}"),
            BootError::Refused(call, errno) => {
                write!(f, "the kernel, or a seccomp filter before it, refuses {call}, which is needed: {errno}")
            }
            BootError::AddressSpace { bytes, limit: Some(limit), errno: Errno::NOMEM } => {
                let (needed, limit) = (mebibytes(*bytes), mebibytes(*limit));
                write!(
                    f,
                    "{needed} MiB of address space are needed besides the program's own, and the limit is {limit} MiB (ulimit -v)"
                )
            }
            BootError::AddressSpace { bytes, errno, .. } => {
                write!(f, "{} MiB of address space are needed, and cannot be had: {errno}", mebibytes(*bytes))
            }
            BootError::Load => f.write_str("the engine cannot load the app"),
        }
    }
}

/// The limits that may be why there is no memory.
fn limits() -> String {
    let limit = |name: &str, resource| {
        let limit = rustix::process::getrlimit(resource).current?;
        Some(format!("; the limit is {} MiB ({name})", mebibytes(limit)))
    };
    [limit("ulimit -v", Resource::As), limit("ulimit -d", Resource::Data)].into_iter().flatten().collect()
}

fn mebibytes(bytes: u64) -> u64 {
    bytes >> 20
}

/// Says why and gives the exit code.
pub(crate) fn refuse(error: &BootError) -> c_int {
    say(&error.to_string());
    REFUSED_EXIT_CODE
}

/// Says why the engine was stopped and ends the process.
pub(crate) fn trap(reason: &str) -> ! {
    say(reason);
    super::process::end_now(TRAP_EXIT_CODE)
}

/// A chunk was not what it should be: its first touch is too late to do anything else.
pub(crate) fn damaged(error: &ContainerError) -> ! {
    say(&error.to_string());
    super::process::end_now(REFUSED_EXIT_CODE)
}

/// The engine's code cannot be brought: known when it is called first, which is too late to do anything else.
pub(crate) fn no_executable_memory(errno: Errno) -> ! {
    say(&format!(
        "the kernel, or a filter before it, lets no memory be made executable, into which the engine's code is \
         decompressed: {errno}"
    ));
    super::process::end_now(REFUSED_EXIT_CODE)
}

/// There is no memory for the loader itself, and none to make a sentence of either.
pub(crate) fn out_of_memory() -> ! {
    // If standard error is closed nobody is listening.
    let _ = rustix::io::write(rustix::stdio::stderr(), b"edgepack: there is no memory left for the loader\n");
    super::process::end_now(TRAP_EXIT_CODE)
}

fn say(sentence: &str) {
    // If standard error is closed nobody is listening.
    let _ = rustix::io::write(rustix::stdio::stderr(), format!("edgepack: {sentence}\n").as_bytes());
}
