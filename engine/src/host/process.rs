//! The process: its command line, environment, directory, ids and standard streams.

use super::answer::{Answer, count, done, filled, list, number, numbers};
use super::raw;

/// The command line; the first is the executable's path.
pub(crate) fn args() -> Answer<Vec<String>> {
    // SAFETY: the buffer is valid for writes of its length.
    let bytes = filled(|buffer, capacity| unsafe { raw::program_args(buffer, capacity) })?;
    Ok(list(&bytes))
}

/// Ends the process.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: no memory is passed; the call does not return.
    unsafe { raw::program_exit(code) };
    unreachable!("program_exit does not return")
}

/// Writes text to standard error.
pub(crate) fn write_error(text: &str) {
    // SAFETY: the bytes lie at the address during the call.
    unsafe { raw::stdio_write(2, text.as_ptr(), text.len()) };
}

/// Reports a bug of the engine and aborts.
pub(crate) fn panic(text: &str) {
    // SAFETY: the bytes lie at the address during the call.
    unsafe { raw::program_panic(text.as_ptr(), text.len()) };
}

/// A variable of the environment, if it is set and granted.
pub(crate) fn env(name: &str) -> Answer<String> {
    // SAFETY: name and buffer are valid for their lengths.
    let bytes = filled(|buffer, capacity| unsafe { raw::env_get(name.as_ptr(), name.len(), buffer, capacity) })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The names of the granted variables that are set.
pub(crate) fn env_names() -> Answer<Vec<String>> {
    // SAFETY: the buffer is valid for writes of its length.
    let bytes = filled(|buffer, capacity| unsafe { raw::env_names(buffer, capacity) })?;
    Ok(list(&bytes))
}

/// The working directory.
pub(crate) fn cwd() -> Answer<String> {
    // SAFETY: the buffer is valid for writes of its length.
    let bytes = filled(|buffer, capacity| unsafe { raw::cwd_get(buffer, capacity) })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Changes the working directory.
pub(crate) fn set_cwd(path: &str) -> Answer<()> {
    // SAFETY: the path's bytes are valid for reads.
    done(unsafe { raw::cwd_set(path.as_ptr(), path.len()) })
}

pub(crate) fn pid() -> Answer<i32> {
    // SAFETY: takes a number only.
    number(unsafe { raw::process_id(0) })
}

pub(crate) fn parent_pid() -> Answer<i32> {
    // SAFETY: takes a number only.
    number(unsafe { raw::process_id(1) })
}

/// Which id of the user or group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Id {
    User = 0,
    EffectiveUser = 1,
    Group = 2,
    EffectiveGroup = 3,
}

pub(crate) fn id(which: Id) -> Answer<i32> {
    // SAFETY: takes a number only.
    number(unsafe { raw::user_id(which as i32) })
}

/// The file mode mask, after setting it if there is a new one.
pub(crate) fn umask(new: Option<i32>) -> Answer<i32> {
    // SAFETY: takes a number only.
    number(unsafe { raw::umask(new.unwrap_or(-1)) })
}

pub(crate) fn kill(pid: i32, signal: i32) -> Answer<()> {
    // SAFETY: takes numbers only.
    done(unsafe { raw::kill(pid, signal) })
}

/// User and system time in microseconds, then the other numbers of getrusage(2).
pub(crate) fn resource_usage() -> Answer<[i64; 16]> {
    // SAFETY: the buffer holds sixteen numbers.
    numbers(|buffer| unsafe { raw::resource_usage(buffer) })
}

/// Bytes: resident, total of the machine, available, limit (0 none).
pub(crate) fn memory_usage() -> Answer<[i64; 4]> {
    // SAFETY: the buffer holds four numbers.
    numbers(|buffer| unsafe { raw::memory_usage(buffer) })
}

/// A `stdio_kind` of handle 0, 1 or 2.
pub(crate) fn stdio_kind(handle: i32) -> Answer<i32> {
    // SAFETY: takes a number only.
    number(unsafe { raw::stdio_kind(handle) })
}

/// Writes everything to handle 1 or 2.
pub(crate) fn stdio_write(handle: i32, bytes: &[u8]) -> Answer<usize> {
    // SAFETY: the bytes are valid for reads.
    count(unsafe { raw::stdio_write(handle, bytes.as_ptr(), bytes.len()) })
}
