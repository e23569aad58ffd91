//! What the loader needs of the C library's process: arguments, the stack's limit, the end.

use std::ffi::{CStr, c_char, c_int};

use edgepack_format::limits::NATIVE_STACK_BYTES;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Resource, Rlimit};
use rustix::time::{ClockId, DynamicClockId, clock_gettime_dynamic};

use super::stop::BootError;

/// The command line.
pub(crate) fn arguments(argc: c_int, argv: *const *const c_char) -> Vec<Vec<u8>> {
    let count = usize::try_from(argc).unwrap_or(0);
    let argument = |index: usize| {
        // SAFETY: the C library passes argc valid pointers.
        let pointer = unsafe { argv.add(index) };
        // SAFETY: as above.
        let text = unsafe { pointer.read() };
        // SAFETY: each is a NUL-terminated text that lives as long as the process.
        unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
    };
    (0..count).map(argument).collect()
}

/// A parent may have closed standard streams; the next file opened would take their place, and the app would read and
/// write it. They become /dev/null, as in Node.
pub(crate) fn fill_standard_streams() {
    let streams = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    let mut polled = streams.map(|stream| PollFd::from_borrowed_fd(stream, PollFlags::empty()));
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    if rustix::event::poll(&mut polled, Some(&now)).unwrap_or(0) == 0 {
        return;
    }
    let closed = polled.iter().filter(|stream| stream.revents().contains(PollFlags::NVAL)).count();
    for _ in 0..closed {
        // The lowest free number is the next closed stream's. It stays open: it is nobody's to close.
        let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null");
        if let Ok(null) = null {
            std::mem::forget(null);
        }
    }
}

/// The first process of a machine or a container inherits all orphans. Nothing of the app's has children of its own, so
/// the kernel may take their ends.
pub(crate) fn leave_orphans_to_the_kernel() {
    if rustix::process::getpid().is_init() {
        // SAFETY: sets a disposition, with no handler to be called.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
    }
}

/// Everything that asks for the time relies on an answer; filters of containers that are older than a call refuse it.
pub(crate) fn check_clock() -> Result<(), BootError> {
    let clock = DynamicClockId::Known(ClockId::Monotonic);
    clock_gettime_dynamic(clock).map(drop).map_err(|errno| BootError::Refused("clock_gettime", errno))
}

/// The kernel lets the main stack grow up to the limit of the moment, and keeps 128 MiB free below it whatever the
/// limit was at exec. Where the hard limit is lower, that is the limit: recursion then ends in a trap.
pub(crate) fn raise_stack_limit() {
    let limit = rustix::process::getrlimit(Resource::Stack);
    if limit.current.is_none_or(|current| current >= NATIVE_STACK_BYTES) {
        return;
    }
    let current = limit.maximum.map_or(NATIVE_STACK_BYTES, |maximum| maximum.min(NATIVE_STACK_BYTES));
    // Not allowed means that it stays as it is.
    let _ = rustix::process::setrlimit(Resource::Stack, Rlimit { current: Some(current), maximum: limit.maximum });
}

/// The app's end, with its terminals as they were.
pub(crate) fn leave(code: c_int) -> c_int {
    let restored = crate::global::with_host(|host| {
        crate::stdio::restore_terminals(host);
        Ok(())
    });
    debug_assert!(restored.is_ok());
    code
}

/// Without destructors: also from a signal handler.
pub(crate) fn end_now(code: c_int) -> ! {
    // SAFETY: takes and keeps nothing.
    unsafe { libc::_exit(code) }
}
