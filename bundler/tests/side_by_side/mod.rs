//! Work on many cases, by as many threads as there are cores; and which random cases are meant.

use std::sync::{Mutex, PoisonError};

/// What the work gives for the items, in no order.
pub(crate) fn side_by_side<T, R: Send>(
    items: impl IntoIterator<Item = T, IntoIter: Send>,
    work: impl Fn(T) -> Vec<R> + Sync,
) -> Vec<R> {
    let items = Mutex::new(items.into_iter());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        let count = std::thread::available_parallelism().map_or(1, usize::from);
        let run = || std::iter::from_fn(next).flat_map(&work).collect::<Vec<R>>();
        let workers: Vec<_> = (0..count).map(|_| scope.spawn(run)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a worker panicked")).collect()
    })
}

/// The seeds that a variable of the environment names as `FROM..TO`, or else the first hundred.
#[allow(dead_code, reason = "not every test that includes this has random cases")]
pub(crate) fn seeds(variable: &str) -> std::ops::Range<u64> {
    let Ok(range) = std::env::var(variable) else { return 1..101 };
    let (from, to) = range.split_once("..").expect("seeds are FROM..TO");
    from.parse().expect("a number")..to.parse().expect("a number")
}
