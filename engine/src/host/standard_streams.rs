//! What the standard streams are connected to.

use std::cell::Cell;

use edgepack_format::host_calls::stdio_kind;

thread_local! {
    /// The output whose stream is being made as a pipe's.
    static ASSUMED: Cell<Option<i32>> = const { Cell::new(None) };
}

/// Whether `handle` is an output of the usual kind. It then passes for a pipe until this is called with -1.
pub(crate) fn assume_output(handle: i32) -> bool {
    // SAFETY: the call takes a number and touches no memory.
    let is_output = handle >= 0 && unsafe { super::raw::stdio_is_output(handle) } == 1;
    ASSUMED.set(is_output.then_some(handle));
    is_output
}

/// A `stdio_kind` of standard stream 0, 1 or 2; unknown for any other number.
pub(crate) fn kind(handle: i32) -> i32 {
    if ASSUMED.get() == Some(handle) {
        return stdio_kind::PIPE;
    }
    if !(0..=2).contains(&handle) {
        return stdio_kind::UNKNOWN;
    }
    // SAFETY: the call takes a number and touches no memory.
    unsafe { super::raw::stdio_kind(handle) }
}
