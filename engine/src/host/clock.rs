//! The clock that `process.hrtime` reads.

use super::raw;

/// Nanoseconds since an arbitrary start.
pub(crate) fn monotonic() -> i64 {
    // SAFETY: takes nothing.
    unsafe { raw::clock_monotonic() }
}
