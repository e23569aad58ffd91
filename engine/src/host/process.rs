//! The process as seen from inside: its end, and the standard streams that need no event loop.

use super::raw;

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
