//! The translated engine: C functions and tables from `c/engine.c` and from what `cargo xtask` writes beside it.

use std::ffi::c_int;
use std::ops::Range;

use edgepack_format::limits::{BASE_FRAME_PAGES, CHUNK_BYTES, PAGE_BYTES};
use rustix::io::Errno;

/// The pages of one chunk that are stored as they are.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct HotPages {
    /// Pages before them in the stored image.
    pub(crate) stored_before: u32,
    /// Which of the chunk's pages; bit 0 is the first.
    pub(crate) mask: u16,
}

/// Compressed pages of the base image.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    offset: u32,
    length: u16,
    /// Which of the chunk's pages, one after the other.
    pub(crate) mask: u16,
}

unsafe extern "C" {
    fn edge_engine_prepare(pages: u32, max_pages: u32, stack_pointer: u32);
    fn edge_engine_alloc(bytes: u32) -> u32;
    fn edge_engine_load(pointer: u32, length: u32) -> u32;
    fn edge_engine_run() -> u32;
    safe static edge_engine_hash: [u8; 32];
    safe static edge_initial_stack_pointer: u32;
    safe static edge_base_chunks: u32;
    static edge_base_hot_masks: [HotPages; 0];
    static edge_base_hot: [u8; 0];
    safe static edge_base_hot_bytes: u32;
    static edge_base_frames: [Frame; 0];
    static edge_loaded_end: [u8; 0];
    static edge_code_start: [u8; 0];
    static edge_code_end: [u8; 0];
    static edge_cold_code_start: [u8; 0];
    static edge_cold_code_bytes: [u8; 0];
    safe static edge_cold_code_at: usize;
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

/// The hot pages of each chunk of the base image.
pub(crate) fn base_hot_masks() -> &'static [HotPages] {
    let first = (&raw const edge_base_hot_masks).cast::<HotPages>();
    // SAFETY: xtask writes one per chunk, and they never change.
    unsafe { std::slice::from_raw_parts(first, to_usize(edge_base_chunks)) }
}

/// The hot pages, in order.
pub(crate) fn base_hot() -> &'static [u8] {
    let first = (&raw const edge_base_hot).cast::<u8>();
    // SAFETY: xtask writes that many bytes there, and they never change.
    unsafe { std::slice::from_raw_parts(first, to_usize(edge_base_hot_bytes)) }
}

/// The addresses of what not every boot needs: the hot pages, most of which the first instructions did not ask for.
pub(crate) fn not_first() -> Range<usize> {
    (&raw const edge_base_hot).addr()..(&raw const edge_loaded_end).addr()
}

/// The code that is loaded.
pub(crate) fn code() -> &'static [u8] {
    let (start, end) = (&raw const edge_code_start, (&raw const edge_code_end).addr());
    // SAFETY: the linker's symbols for where it starts and ends; it is readable and never changes.
    unsafe { std::slice::from_raw_parts(start.cast(), end.saturating_sub(start.addr())) }
}

/// The addresses of the engine's functions that few programs of `xtask` enter.
pub(crate) fn cold_code() -> Range<usize> {
    // The linker's symbol for how many bytes they are is that number as an address.
    let (start, bytes) = ((&raw const edge_cold_code_start).addr(), (&raw const edge_cold_code_bytes).addr());
    start..start.saturating_add(bytes)
}

/// Whether the first instructions could take those addresses: the kernel's answer, which is an address or why not.
pub(crate) fn cold_code_place() -> Result<(), Errno> {
    if edge_cold_code_at == cold_code().start {
        return Ok(());
    }
    let errno = i32::try_from(edge_cold_code_at.wrapping_neg()).ok().filter(|errno| *errno < ERRNO_END);
    // A kernel that does not know NOREPLACE maps elsewhere.
    Err(errno.map_or(Errno::EXIST, Errno::from_raw_os_error))
}

/// Linux's error numbers are below this.
const ERRNO_END: i32 = 4096;

/// The frames of a chunk of the base image.
pub(crate) fn base_frames(chunk: u32) -> &'static [Frame] {
    let first = (&raw const edge_base_frames).cast::<Frame>();
    let per_chunk = CHUNK_BYTES / PAGE_BYTES / BASE_FRAME_PAGES;
    // SAFETY: xtask writes as many for each chunk, and they never change.
    let frames = unsafe { std::slice::from_raw_parts(first, to_usize(edge_base_chunks) * per_chunk) };
    frames.chunks_exact(per_chunk).nth(to_usize(chunk)).unwrap_or_default()
}

impl Frame {
    /// Its content, which is a part of all frames.
    pub(crate) fn bytes<'f>(&self, frames: &'f [u8]) -> Option<&'f [u8]> {
        let start = to_usize(self.offset);
        frames.get(start..start.checked_add(usize::from(self.length))?)
    }
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
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
