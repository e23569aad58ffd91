//! Applies a function to many values on all cores.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use swc_core::common::{GLOBALS, Globals};

/// Syntax trees are walked recursively, and generated sources nest them thousands deep. Only touched pages count.
pub(crate) const STACK_BYTES: usize = 1 << 30;

/// The results are in the order of `items`; which thread makes one is left open, so `work` must not depend on it. Those
/// with most `weight` are begun first, so that no thread is left with one of them when the others are through.
pub(crate) fn map_in_parallel<T: Send, R: Send>(
    items: Vec<T>,
    weight: impl Fn(&T) -> u32,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    if workers < 2 {
        return items.into_iter().map(work).collect();
    }
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|index| std::cmp::Reverse(weight(&items[*index])));
    let open: Vec<Mutex<Option<T>>> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
    let done: Vec<Mutex<Option<R>>> = open.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let run = || {
        while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(item) = take(&open[index]) {
                let result = work(item);
                *done[index].lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(result);
            }
        }
    };
    GLOBALS.with(|globals: &Globals| {
        thread::scope(|scope| {
            // A worker that cannot be started leaves its share to the others.
            for _ in 1..workers {
                let worker = || GLOBALS.set(globals, run);
                let _ = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, worker);
            }
            run();
        });
    });
    done.iter().filter_map(take).collect()
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let doubled = GLOBALS.set(&Globals::new(), || map_in_parallel((0..1000).collect(), |n: &u32| n % 7, |n| n * 2));
        assert_eq!(doubled, (0..1000).map(|n| n * 2).collect::<Vec<_>>());
    }
}
