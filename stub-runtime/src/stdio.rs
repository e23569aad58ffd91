//! The standard streams. They may be shared with other processes, so they are never made non-blocking.

use std::os::fd::{AsFd, BorrowedFd};

use edgepack_format::host_calls::stdio_kind;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::termios::{ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, SpecialCodeIndex};

use crate::host::{Answer, Host, Refusal};
use crate::moments;

/// What POSIX lets a pipe take without blocking once it is writable.
pub(crate) const PIPE_BYTES: usize = 4096;

pub(crate) fn kind(host: &mut Host, handle: i32) -> Answer {
    let Ok(stream) = host.handles.get(handle) else { return Ok(stdio_kind::UNKNOWN) };
    if rustix::termios::isatty(stream) {
        return Ok(stdio_kind::TTY);
    }
    let Ok(stat) = rustix::fs::fstat(stream) else { return Ok(stdio_kind::UNKNOWN) };
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        // An output that is a file passes for a pipe: both take writes at once and in order, and one snapshot serves
        // both (docs/decisions/standard-output.md).
        FileType::RegularFile | FileType::CharacterDevice if handle != 0 => stdio_kind::PIPE,
        FileType::RegularFile | FileType::CharacterDevice => stdio_kind::FILE,
        FileType::Fifo => stdio_kind::PIPE,
        FileType::Socket => socket_kind(stream.as_fd()),
        _ => stdio_kind::UNKNOWN,
    })
}

pub(crate) fn is_output(host: &mut Host, handle: i32) -> Answer {
    Ok(matches!(kind(host, handle)?, stdio_kind::PIPE | stdio_kind::TTY).into())
}

fn socket_kind(stream: BorrowedFd<'_>) -> i32 {
    use rustix::net::AddressFamily;
    match rustix::net::getsockname(stream).map(|name| name.address_family()) {
        Ok(AddressFamily::UNIX) => stdio_kind::PIPE,
        Ok(AddressFamily::INET | AddressFamily::INET6) => stdio_kind::TCP,
        _ => stdio_kind::UNKNOWN,
    }
}

/// Writes everything, waiting where the stream is non-blocking and full.
pub(crate) fn write(host: &mut Host, handle: i32, bytes: &[u8]) -> Answer {
    if handle != 1 && handle != 2 {
        return Err(Refusal::Errno(Errno::BADF));
    }
    let stream = host.handles.get(handle)?;
    moments::note(&moments::OUTPUT);
    let mut left = bytes;
    while !left.is_empty() {
        match rustix::io::write(stream, left) {
            Ok(count) => left = left.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                wait(stream.as_fd(), PollFlags::OUT, None)?;
            }
            Err(errno) => return Err(Refusal::Errno(errno)),
        }
    }
    crate::memory::length(bytes.len())
}

/// Whether the stream is ready now.
pub(crate) fn is_ready(stream: BorrowedFd<'_>, interest: PollFlags) -> Result<bool, Errno> {
    wait(stream, interest, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))
}

fn wait(stream: BorrowedFd<'_>, interest: PollFlags, timeout: Option<&Timespec>) -> Result<bool, Errno> {
    let mut polled = [PollFd::from_borrowed_fd(stream, interest)];
    match rustix::event::poll(&mut polled, timeout) {
        Err(Errno::INTR) => Ok(false),
        result => Ok(result? > 0),
    }
}

pub(crate) fn tty_size(host: &mut Host, handle: i32, answer: &mut [u8]) -> Answer {
    let size = rustix::termios::tcgetwinsize(host.handles.get(handle)?)?;
    for (slot, number) in answer.chunks_exact_mut(4).zip([size.ws_col, size.ws_row]) {
        slot.copy_from_slice(&u32::from(number).to_le_bytes());
    }
    Ok(0)
}

/// Raw mode is libuv's; the first mode seen is restored by mode 0 and at exit.
pub(crate) fn tty_mode(host: &mut Host, handle: i32, mode: i32) -> Answer {
    let stream = host.handles.get(handle)?;
    let now = rustix::termios::tcgetattr(stream)?;
    let original = host.terminal_modes.entry(handle).or_insert(now).clone();
    let mut wanted = original;
    if mode == 1 {
        wanted.input_modes &=
            !(InputModes::BRKINT | InputModes::ICRNL | InputModes::INPCK | InputModes::ISTRIP | InputModes::IXON);
        wanted.output_modes |= OutputModes::ONLCR;
        wanted.control_modes |= ControlModes::CS8;
        wanted.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::IEXTEN | LocalModes::ISIG);
        wanted.special_codes[SpecialCodeIndex::VMIN] = 1;
        wanted.special_codes[SpecialCodeIndex::VTIME] = 0;
    }
    rustix::termios::tcsetattr(stream, OptionalActions::Drain, &wanted)?;
    Ok(0)
}

/// Leaves terminals as they were found.
pub(crate) fn restore_terminals(host: &mut Host) {
    for (handle, mode) in &host.terminal_modes {
        if let Ok(stream) = host.handles.get(*handle) {
            // The process ends: there is nobody to tell.
            let _ = rustix::termios::tcsetattr(stream, OptionalActions::Now, mode);
        }
    }
}
