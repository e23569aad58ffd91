//! The loader's heap: the C library's, and when it is at its end a sentence instead of an abort.

use std::alloc::{GlobalAlloc, Layout, System};

use super::stop;

#[global_allocator]
static HEAP: Heap = Heap;

struct Heap;

fn had(pointer: *mut u8) -> *mut u8 {
    if pointer.is_null() { stop::out_of_memory() } else { pointer }
}

// SAFETY: everything is the system's own allocator's.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        had(unsafe { System.alloc(layout) })
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        had(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: as above.
        had(unsafe { System.realloc(pointer, layout, bytes) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) };
    }
}
