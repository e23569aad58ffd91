//! Random bytes from the kernel.

use super::raw;

/// Fills `bytes`; `false` if the host refuses.
pub(crate) fn fill(bytes: &mut [u8]) -> bool {
    // SAFETY: the range is valid for writes.
    unsafe { raw::random_fill(bytes.as_mut_ptr(), bytes.len()) >= 0 }
}
