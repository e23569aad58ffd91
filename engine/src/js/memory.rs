//! How much memory the JS heap takes.

use rquickjs::{Ctx, qjs};

/// Bytes of the JS heap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeapBytes {
    /// Taken from the allocator.
    pub(crate) allocated: f64,
    /// In use by values.
    pub(crate) used: f64,
    /// In array buffers.
    pub(crate) buffers: f64,
}

/// Counts what the heap holds; takes time in proportion to it.
pub(crate) fn heap_bytes(ctx: &Ctx<'_>) -> HeapBytes {
    let mut usage = core::mem::MaybeUninit::<qjs::JSMemoryUsage>::zeroed();
    // SAFETY: the context is alive, so is its runtime.
    let runtime = unsafe { qjs::JS_GetRuntime(ctx.as_raw().as_ptr()) };
    // SAFETY: the runtime is alive; the structure is valid for writes.
    unsafe { qjs::JS_ComputeMemoryUsage(runtime, usage.as_mut_ptr()) };
    // SAFETY: all its fields are integers, and were zero before the call.
    let usage = unsafe { usage.assume_init() };
    #[expect(clippy::cast_precision_loss, reason = "JS numbers are doubles")]
    let double = |bytes: i64| bytes as f64;
    HeapBytes {
        allocated: double(usage.malloc_size),
        used: double(usage.memory_used_size),
        buffers: double(usage.binary_object_size),
    }
}
