//! The process: its arguments, environment, identity and end.

use std::os::unix::ffi::{OsStrExt, OsStringExt};

use edgepack_format::host_calls::{KILL_COMMAND, system_info};
use edgepack_format::policy::Request;
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use crate::host::{Answer, Host, Refusal};
use crate::memory::{fill, fill_numbers};

/// Texts as the table's lists: each ended by NUL.
pub(crate) fn list<T: AsRef<[u8]>>(texts: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend_from_slice(text.as_ref());
        bytes.push(0);
    }
    bytes
}

pub(crate) fn args(host: &mut Host, buffer: &mut [u8]) -> Answer {
    // A stub run from memory has no path of its own.
    let is_path = |path: &std::path::PathBuf| !path.as_os_str().as_bytes().starts_with(b"/memfd:");
    let link = std::fs::read_link("/proc/self/exe").ok().filter(is_path);
    let executable = link.map_or_else(|| host.launch.name.clone(), |path| path.into_os_string().into_vec());
    let args = std::iter::once(&executable).chain(&host.launch.args);
    fill(buffer, &list(args))
}

/// Ends the process as `exit(3)` would.
#[expect(clippy::exit, reason = "this is the guest's exit")]
pub(crate) fn exit(host: &mut Host, code: i32) {
    crate::stdio::restore_terminals(host);
    std::process::exit(code)
}

/// The exit code of an engine that found a bug of its own: what a shell reports for SIGABRT.
const PANIC_EXIT_CODE: i32 = 134;

#[expect(clippy::exit, reason = "an engine that does not trust its own state must not go on")]
pub(crate) fn panic(host: &mut Host, text: &[u8]) {
    crate::stdio::restore_terminals(host);
    // The process ends: there is nobody to tell if standard error is gone.
    let _ = crate::stdio::write(host, 2, text);
    let _ = crate::stdio::write(host, 2, b"\n");
    std::process::exit(PANIC_EXIT_CODE)
}

pub(crate) fn env_get(host: &mut Host, name: &str, buffer: &mut [u8]) -> Answer {
    let invalid = name.is_empty() || name.contains(['=', '\0']);
    // Not granted is unset: the one refusal that must not show.
    if invalid || host.require(Request::Env(name)).is_err() {
        return Err(Refusal::Errno(Errno::NOENT));
    }
    let value = std::env::var_os(name).ok_or(Errno::NOENT)?;
    fill(buffer, value.as_bytes())
}

pub(crate) fn env_names(host: &mut Host, buffer: &mut [u8]) -> Answer {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let granted = names.filter(|name| host.require(Request::Env(name)).is_ok());
    fill(buffer, &list(granted))
}

fn raw_pid(pid: Option<Pid>) -> i32 {
    Pid::as_raw(pid)
}

pub(crate) fn process_id(_: &mut Host, which: i32) -> Answer {
    Ok(match which {
        0 => raw_pid(Some(rustix::process::getpid())),
        _ => raw_pid(rustix::process::getppid()),
    })
}

pub(crate) fn user_id(host: &mut Host, which: i32) -> Answer {
    let names = system_info::USER_ID_NAMES;
    let name = usize::try_from(which).ok().and_then(|index| names.get(index)).ok_or(Errno::INVAL)?;
    host.require(Request::Sys(name))?;
    let id = match which {
        0 => rustix::process::getuid().as_raw(),
        1 => rustix::process::geteuid().as_raw(),
        2 => rustix::process::getgid().as_raw(),
        _ => rustix::process::getegid().as_raw(),
    };
    i32::try_from(id).map_err(|_| Refusal::Errno(Errno::OVERFLOW))
}

pub(crate) fn umask(host: &mut Host, mask: i32) -> Answer {
    host.require(Request::Sys(system_info::UMASK_NAME))?;
    let wanted = Mode::from_raw_mode(mask.cast_unsigned() & 0o777);
    let old = rustix::process::umask(wanted);
    if mask == -1 {
        rustix::process::umask(old);
    }
    Ok(old.as_raw_mode().cast_signed())
}

/// To oneself it needs no grant; 0 and negative numbers are groups, which are others too.
pub(crate) fn kill(host: &mut Host, pid: i32, signal: i32) -> Answer {
    let own = raw_pid(Some(rustix::process::getpid()));
    if pid != own {
        host.require(Request::Run(KILL_COMMAND))?;
    }
    crate::sys::signals::send(pid, signal)?;
    Ok(0)
}

pub(crate) fn resource_usage(_: &mut Host, answer: &mut [u8]) -> Answer {
    fill_numbers(answer, &crate::sys::usage::resource_usage());
    Ok(0)
}

/// The name of a signal that this process may not catch: the loader needs it.
pub(crate) fn is_reserved(signal: i32) -> bool {
    [Signal::SEGV, Signal::BUS, Signal::ILL, Signal::FPE].iter().any(|reserved| reserved.as_raw() == signal)
}
