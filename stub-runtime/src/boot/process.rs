//! What the loader needs of the C library's process: arguments, the stack's limit, the end.

use std::ffi::{CStr, c_char, c_int};

use edgepack_format::limits::NATIVE_STACK_BYTES;
use rustix::process::{Resource, Rlimit};

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
