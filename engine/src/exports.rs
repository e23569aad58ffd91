//! The guest's exports: pointers from the host become slices here and nowhere else.

use edgepack_format::guest::Package;

use crate::host::process;
use crate::js::internals;
use crate::{bootstrap, engine, program};

const FAILED: i32 = -1;

/// Memory of `bytes` bytes for an input; the export that takes the input frees it.
#[unsafe(no_mangle)]
pub extern "C" fn edge_alloc(bytes: usize) -> *mut u8 {
    Box::leak(vec![0; bytes].into_boxed_slice()).as_mut_ptr()
}

/// Starts Node's library from an encoded package of its sources; 0, or -1 after a report.
///
/// # Safety
/// `input` and `bytes` are what `edge_alloc` returned and was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edge_bootstrap(input: *mut u8, bytes: usize) -> i32 {
    // SAFETY: by the caller's contract.
    let input = unsafe { take(input, bytes) };
    finish(decode(&input).and_then(|package| bootstrap::run(&package)).map(|()| 0))
}

/// Takes an encoded package of an app; 0, or -1 after a report.
///
/// # Safety
/// `input` and `bytes` are what `edge_alloc` returned and was given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edge_load(input: *mut u8, bytes: usize) -> i32 {
    // SAFETY: by the caller's contract.
    let input = unsafe { take(input, bytes) };
    finish(decode(&input).and_then(|package| program::load(&package)).map(|()| 0))
}

/// Runs start-up sealed up to step `stop_at` (-1: as far as it goes); a status.
#[unsafe(no_mangle)]
pub extern "C" fn edge_start(stop_at: i64) -> i32 {
    finish(program::start(stop_at))
}

/// Runs the program to its end; the exit code.
#[unsafe(no_mangle)]
pub extern "C" fn edge_run() -> i32 {
    finish(program::run())
}

/// The number of the step that is running.
#[unsafe(no_mangle)]
pub extern "C" fn edge_steps() -> i64 {
    engine::running_step()
}

/// Writes the JavaScript stack as text to `out`, as far as it fits; the length. With no JavaScript on the stack it is
/// the stack of the exception that ended start-up, if one did.
///
/// # Safety
/// `capacity` bytes at `out` belong to the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edge_backtrace(out: *mut u8, capacity: usize) -> usize {
    // SAFETY: by the caller's contract.
    let out = unsafe { core::slice::from_raw_parts_mut(out, capacity) };
    match internals::backtrace(out) {
        0 => engine::thrown_text(out),
        length => length,
    }
}

/// Writes the kinds of what the program has open to `out`, a line each, as far as it fits; the length.
///
/// # Safety
/// `capacity` bytes at `out` belong to the caller.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn edge_audit_resources(out: *mut u8, capacity: usize) -> usize {
    // SAFETY: by the caller's contract.
    let out = unsafe { core::slice::from_raw_parts_mut(out, capacity) };
    let text = program::resources().unwrap_or_default();
    let length = text.len().min(out.len());
    out[..length].copy_from_slice(&text.as_bytes()[..length]);
    length
}

fn decode(input: &[u8]) -> Result<Package<'_>, String> {
    Package::decode(input).ok_or_else(|| "the package given to the engine is not one".to_owned())
}

/// # Safety
/// `input` and `bytes` are what `edge_alloc` returned and was given.
unsafe fn take(input: *mut u8, bytes: usize) -> Box<[u8]> {
    // SAFETY: `edge_alloc` leaked a boxed slice of just that address and length.
    unsafe { Box::from_raw(core::ptr::slice_from_raw_parts_mut(input, bytes)) }
}

fn finish(outcome: Result<i32, String>) -> i32 {
    outcome.unwrap_or_else(|message| {
        process::write_error(&format!("edgepack: {message}\n"));
        FAILED
    })
}
