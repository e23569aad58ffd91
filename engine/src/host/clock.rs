//! The clocks.

use super::raw;

/// Nanoseconds since 1970.
pub(crate) fn realtime() -> i64 {
    // SAFETY: takes nothing.
    unsafe { raw::clock_realtime() }
}

/// Nanoseconds since an arbitrary start.
pub(crate) fn monotonic() -> i64 {
    // SAFETY: takes nothing.
    unsafe { raw::clock_monotonic() }
}
