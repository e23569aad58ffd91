//! What the process has used of time and memory.

use crate::bindings::Exports;
use crate::host::process;
use crate::js::{Call, Result, Value, heap_bytes};

pub(super) fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("cpuUsage", 1, cpu_usage)?;
    // One thread runs everything.
    exports.function("threadCpuUsage", 1, cpu_usage)?;
    exports.function("resourceUsage", 1, resource_usage)?;
    exports.function("memoryUsage", 1, memory_usage)?;
    exports.function("rss", 0, rss)?;
    exports.function("availableMemory", 0, available_memory)?;
    exports.function("constrainedMemory", 0, constrained_memory)
}

#[expect(clippy::cast_precision_loss, reason = "JS numbers are doubles")]
fn double(number: i64) -> f64 {
    number as f64
}

/// Fills argument 0, a `Float64Array`.
fn put<'js>(call: &Call<'_, 'js>, numbers: impl IntoIterator<Item = f64>) -> Result<Value<'js>> {
    let bytes = call.bytes(0)?;
    for (slot, number) in bytes.as_mut_slice().as_chunks_mut::<8>().0.iter_mut().zip(numbers) {
        *slot = number.to_le_bytes();
    }
    call.undefined()
}

fn cpu_usage<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let usage = process::resource_usage().unwrap_or_default();
    put(call, usage.into_iter().take(2).map(double))
}

fn resource_usage<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    put(call, process::resource_usage().unwrap_or_default().map(double))
}

/// Resident, heap taken, heap used, outside of the heap, array buffers.
fn memory_usage<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let [resident, ..] = process::memory_usage().unwrap_or_default();
    let heap = heap_bytes(&call.ctx);
    put(call, [double(resident), heap.allocated, heap.used, heap.buffers, heap.buffers])
}

fn rss<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let [resident, ..] = process::memory_usage().unwrap_or_default();
    call.ret(double(resident))
}

fn available_memory<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let [_, _, available, _] = process::memory_usage().unwrap_or_default();
    call.ret(double(available))
}

/// The limit, or the machine's memory where there is none: what libuv and Node answer.
fn constrained_memory<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let [_, total, _, limit] = process::memory_usage().unwrap_or_default();
    call.ret(double(if limit > 0 { limit } else { total }))
}
