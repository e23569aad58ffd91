//! Waiting for events, and the clock that timers go by.

use super::raw;

/// Nanoseconds on the monotonic clock, as the nearest double.
pub(crate) fn monotonic_nanoseconds() -> f64 {
    // SAFETY: no memory is passed.
    let nanoseconds = unsafe { raw::clock_monotonic() };
    #[expect(clippy::cast_precision_loss, reason = "JS numbers are doubles")]
    let double = nanoseconds as f64;
    double
}

/// Microseconds since 1970, as the nearest double.
pub(crate) fn timestamp_microseconds() -> f64 {
    // SAFETY: no memory is passed.
    let nanoseconds = unsafe { raw::clock_realtime() };
    #[expect(clippy::cast_precision_loss, reason = "JS numbers are doubles")]
    let double = nanoseconds as f64;
    double / 1e3
}

/// Which readiness of a handle `wait` reports; 0 stops.
pub(crate) fn watch(handle: i32, interest: i32) -> i32 {
    // SAFETY: no memory is passed.
    unsafe { raw::watch(handle, interest) }
}

/// Whether `wait` reports a signal.
pub(crate) fn watch_signal(signal: i32, on: i32) -> i32 {
    // SAFETY: no memory is passed.
    unsafe { raw::signal_watch(signal, on) }
}

/// Waits for events and writes them to `events`; how many.
pub(crate) fn wait(timeout_nanoseconds: i64, events: &mut [u8]) -> i32 {
    let capacity = events.len() / edgepack_format::host_calls::EVENT_BYTES;
    // SAFETY: `capacity` events fit into `events`.
    unsafe { raw::wait(timeout_nanoseconds, events.as_mut_ptr(), capacity) }
}
