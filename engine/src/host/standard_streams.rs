//! What the standard streams are connected to.

use edgepack_format::host_calls::stdio_kind;

/// A `stdio_kind` of standard stream 0, 1 or 2; unknown for any other number.
pub(crate) fn kind(handle: i32) -> i32 {
    if !(0..=2).contains(&handle) {
        return stdio_kind::UNKNOWN;
    }
    // SAFETY: the call takes a number and touches no memory.
    unsafe { super::raw::stdio_kind(handle) }
}
