//! What the process has used so far.

use std::mem::MaybeUninit;

/// The sixteen numbers of the `resource_usage` call, in its order.
pub(crate) fn resource_usage() -> [i64; 16] {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a live struct of that type.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) };
    // SAFETY: zeroed before, so initialised whatever the call did.
    let usage = unsafe { usage.assume_init() };
    let microseconds = |time: libc::timeval| wide(time.tv_sec) * 1_000_000 + wide(time.tv_usec);
    [
        microseconds(usage.ru_utime),
        microseconds(usage.ru_stime),
        wide(usage.ru_maxrss),
        wide(usage.ru_ixrss),
        wide(usage.ru_idrss),
        wide(usage.ru_isrss),
        wide(usage.ru_minflt),
        wide(usage.ru_majflt),
        wide(usage.ru_nswap),
        wide(usage.ru_inblock),
        wide(usage.ru_oublock),
        wide(usage.ru_msgsnd),
        wide(usage.ru_msgrcv),
        wide(usage.ru_nsignals),
        wide(usage.ru_nvcsw),
        wide(usage.ru_nivcsw),
    ]
}

/// Machine words have 32 bits on some targets.
fn wide(number: impl Into<i64>) -> i64 {
    number.into()
}
