//! Signals as events: a handler that sets a bit and wakes the loop.

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use rustix::event::EventfdFlags;
use rustix::io::Errno;

/// Arrived and not yet taken, by number.
static PENDING: AtomicU64 = AtomicU64::new(0);
/// The notifier's descriptor, for the handler; -1 before there is one.
static NOTIFIER_FD: AtomicI32 = AtomicI32::new(-1);
static NOTIFIER: OnceLock<OwnedFd> = OnceLock::new();

/// A write to a closed pipe or socket is an error of that write, not the process's end.
pub(crate) fn ignore_broken_pipes() {
    // SIGPIPE is a valid signal, so this cannot fail.
    let _ = set_action(libc::SIGPIPE, libc::SIG_IGN);
}

/// Readable when signals are pending.
pub(crate) fn notifier() -> Result<BorrowedFd<'static>, Errno> {
    use std::os::fd::AsFd;
    if NOTIFIER.get().is_none() {
        let notifier = rustix::event::eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        // Another thread's notifier, if it was faster, is as good.
        let _ = NOTIFIER.set(notifier);
    }
    let notifier = NOTIFIER.get().ok_or(Errno::BADF)?;
    NOTIFIER_FD.store(notifier.as_raw_fd(), Ordering::SeqCst);
    Ok(notifier.as_fd())
}

/// Makes a signal an event.
pub(crate) fn catch(signal: i32) -> Result<(), Errno> {
    if crate::program::is_reserved(signal) || bit(signal).is_none() {
        return Err(Errno::INVAL);
    }
    set_action(signal, handler_address())
}

/// Gives a signal its default action again.
pub(crate) fn restore_default(signal: i32) -> Result<(), Errno> {
    if crate::program::is_reserved(signal) {
        return Err(Errno::INVAL);
    }
    let default = if signal == libc::SIGPIPE { libc::SIG_IGN } else { libc::SIG_DFL };
    set_action(signal, default)
}

/// Empties the notifier.
pub(crate) fn acknowledge() {
    if let Some(notifier) = NOTIFIER.get() {
        // Non-blocking; an empty counter is fine.
        let _ = rustix::io::read(notifier, &mut [0; 8]);
    }
}

/// The lowest pending signal.
pub(crate) fn take() -> Option<u32> {
    let pending = PENDING.load(Ordering::SeqCst);
    if pending == 0 {
        return None;
    }
    let signal = pending.trailing_zeros();
    PENDING.fetch_and(!(1 << signal), Ordering::SeqCst);
    Some(signal)
}

/// For a signal that could not be reported yet.
pub(crate) fn put_back(signal: u32) {
    record(signal);
}

/// Sends a signal; 0 only asks whether the process is there.
pub(crate) fn send(pid: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: no memory is involved.
    let result = unsafe { libc::kill(pid, signal) };
    outcome(result)
}

fn record(signal: u32) {
    PENDING.fetch_or(1 << (signal & 63), Ordering::SeqCst);
    let notifier = NOTIFIER_FD.load(Ordering::SeqCst);
    if notifier >= 0 {
        let one = 1_u64.to_ne_bytes();
        // SAFETY: write is async-signal-safe, the buffer is live. A full counter wakes the loop just as well.
        unsafe { libc::write(notifier, one.as_ptr().cast(), one.len()) };
    }
}

fn bit(signal: i32) -> Option<u32> {
    u32::try_from(signal).ok().filter(|number| (1..64).contains(number))
}

extern "C" fn handle(signal: i32) {
    // SAFETY: the C library's errno is a live thread-local of this thread.
    let errno = unsafe { errno_location() };
    // SAFETY: as above.
    let before = unsafe { errno.read() };
    if let Some(signal) = bit(signal) {
        record(signal);
    }
    // SAFETY: as above; the interrupted code must not see the handler's errno.
    unsafe { errno.write(before) };
}

/// # Safety
/// The pointer is this thread's and lives as long as it does.
unsafe fn errno_location() -> *mut i32 {
    // SAFETY: takes and keeps nothing.
    unsafe { libc::__errno_location() }
}

#[expect(clippy::as_conversions, clippy::fn_to_numeric_cast_any, reason = "sigaction takes a handler as a number")]
fn handler_address() -> usize {
    handle as extern "C" fn(i32) as usize
}

fn set_action(signal: i32, action: usize) -> Result<(), Errno> {
    let mut new = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeros is a valid sigaction: default action, empty mask, no flags.
    let new = unsafe { new.assume_init_mut() };
    new.sa_sigaction = action;
    // ONSTACK because the guest may be deep in its stack; RESTART because file calls must not see EINTR.
    new.sa_flags = libc::SA_RESTART | libc::SA_ONSTACK;
    // SAFETY: the struct is valid, and `handle` only does what a handler may.
    let result = unsafe { libc::sigaction(signal, new, std::ptr::null_mut()) };
    outcome(result)
}

fn outcome(result: i32) -> Result<(), Errno> {
    if result == 0 {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    Err(Errno::from_io_error(&error).unwrap_or(Errno::INVAL))
}
