//! Moments of a boot that is traced (`EDGEPACK_TRACE=boot`): when the program first does what people wait for. Printed when
//! it happens, as a server may never end.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use rustix::time::{ClockId, clock_gettime};

/// What a program does first.
#[derive(Debug)]
pub(crate) struct Moment {
    name: &'static str,
    was: AtomicBool,
}

impl Moment {
    const fn new(name: &'static str) -> Moment {
        Moment { name, was: AtomicBool::new(false) }
    }
}

/// The guest asks for something.
#[cfg(any(feature = "boot", feature = "native"))]
pub(crate) static HOST_CALL: Moment = Moment::new("host call");
/// Something is written to a standard stream, by the guest or in its name.
pub(crate) static OUTPUT: Moment = Moment::new("output");
/// A server listens.
pub(crate) static LISTEN: Moment = Moment::new("listen");

/// When `main` began, in microseconds of the monotonic clock; 0 while nothing is traced.
static START: AtomicI64 = AtomicI64::new(0);

/// Now, in microseconds.
pub(crate) fn microseconds(clock: ClockId) -> i64 {
    let now = clock_gettime(clock);
    now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1000)
}

/// Moments are told from now on.
#[cfg(feature = "boot")]
pub(crate) fn trace() {
    START.store(microseconds(ClockId::Monotonic), Ordering::Relaxed);
}

/// This happens now.
pub(crate) fn note(moment: &Moment) {
    let start = START.load(Ordering::Relaxed);
    if start == 0 || moment.was.swap(true, Ordering::Relaxed) {
        return;
    }
    let after = microseconds(ClockId::Monotonic).saturating_sub(start);
    let line = format!("edgepack: first {} {after} us after main\n", moment.name);
    // Only a trace.
    let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
}
