//! The translated engine: C functions and tables from `c/engine.c` and from what `cargo xtask` writes beside it.

use std::ffi::c_int;

/// A run of base image chunks in the executable.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct BaseRun {
    /// Its first chunk's number in memory.
    pub(crate) first_chunk: u32,
    /// How many.
    pub(crate) chunks: u32,
    /// Chunks before it in the stored image.
    pub(crate) stored_before: u32,
}

unsafe extern "C" {
    fn edge_engine_prepare(pages: u32, max_pages: u32, stack_pointer: u32);
    fn edge_engine_alloc(bytes: u32) -> u32;
    fn edge_engine_load(pointer: u32, length: u32) -> u32;
    fn edge_engine_run() -> u32;
    safe static edge_engine_hash: [u8; 32];
    safe static edge_initial_stack_pointer: u32;
    safe static edge_base_chunks: u32;
    safe static edge_base_run_count: u32;
    static edge_base_runs: [BaseRun; 0];
    static edge_base_image: [u8; 0];
}

/// The engine's hash: containers say which one they are for.
pub(crate) fn hash() -> [u8; 32] {
    edge_engine_hash
}

/// For a guest that runs from the base image.
pub(crate) fn initial_stack_pointer() -> u32 {
    edge_initial_stack_pointer
}

/// The size of the base image.
pub(crate) fn base_chunks() -> u32 {
    edge_base_chunks
}

/// The parts of the base image that are not zero.
pub(crate) fn base_runs() -> &'static [BaseRun] {
    let count = usize::try_from(edge_base_run_count).unwrap_or(0);
    let first = (&raw const edge_base_runs).cast::<BaseRun>();
    // SAFETY: xtask writes as many runs as the count says, and they never change.
    unsafe { std::slice::from_raw_parts(first, count) }
}

/// The address that the stored base image has in the executable.
pub(crate) fn base_address() -> usize {
    (&raw const edge_base_image).addr()
}

/// Sets tables and globals; memory is laid out already.
pub(crate) fn prepare(chunks: u32, chunks_max: u32, stack_pointer: u32) {
    // SAFETY: only assigns fields of the engine's instance, before any of its code runs.
    unsafe { edge_engine_prepare(chunks, chunks_max, stack_pointer) }
}

/// `edge_alloc`.
pub(crate) fn alloc(bytes: u32) -> u32 {
    // SAFETY: the engine is prepared; whatever it does stays in linear memory or ends the process.
    unsafe { edge_engine_alloc(bytes) }
}

/// `edge_load`.
pub(crate) fn load(pointer: u32, length: u32) -> c_int {
    // SAFETY: as for `alloc`.
    unsafe { edge_engine_load(pointer, length) }.cast_signed()
}

/// `edge_run`.
pub(crate) fn run() -> c_int {
    // SAFETY: as for `alloc`.
    unsafe { edge_engine_run() }.cast_signed()
}
