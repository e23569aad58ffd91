//! The time zone's offset, from the C library's reading of `TZ` and /etc/localtime.

use std::mem::MaybeUninit;

unsafe extern "C" {
    /// Where machine words have 32 bits so have the times of the plain function, which end in 2038; musl has another.
    #[cfg_attr(target_pointer_width = "32", link_name = "__localtime64_r")]
    fn localtime_r(seconds: *const i64, local: *mut libc::tm) -> *mut libc::tm;
}

/// Seconds east of UTC at that time; 0 if the time is beyond what the C library computes.
pub(crate) fn offset_seconds(seconds: i64) -> i32 {
    let mut local = MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are to live values of the right types, and localtime_r keeps neither.
    let result = unsafe { localtime_r(&raw const seconds, local.as_mut_ptr()) };
    if result.is_null() {
        return 0;
    }
    // SAFETY: localtime_r succeeded; the struct was zeroed before, so every field is initialised anyway.
    let local = unsafe { local.assume_init() };
    i32::try_from(local.tm_gmtoff).unwrap_or(0)
}
