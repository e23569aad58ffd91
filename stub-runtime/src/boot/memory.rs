//! Linear memory: reserved at its fixed address, made accessible page by page.

use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, Ordering};

use edgepack_format::elf::Elf;
use edgepack_format::image::Image;
use edgepack_format::limits::{CHUNK_BYTES, Layout, PAGE_BYTES};
use rustix::io::Errno;

use crate::host::Refusal;
use crate::memory::GuestMemory;

use super::engine;
use super::source::Source;
use super::stop::BootError;
use super::{pages, stop};

/// The size of memory in chunks.
static CHUNKS: AtomicU32 = AtomicU32::new(0);

const CHUNK_PAGES: u32 = 16;
const PAGES_MAX: u32 = LAYOUT.chunks_max * CHUNK_PAGES;

#[cfg(target_pointer_width = "64")]
const LAYOUT: Layout = edgepack_format::limits::WIDE_LAYOUT;
#[cfg(target_pointer_width = "32")]
const LAYOUT: Layout = edgepack_format::limits::NARROW_LAYOUT;

const READ_WRITE: libc::c_int = libc::PROT_READ | libc::PROT_WRITE;

fn base() -> usize {
    usize::try_from(LAYOUT.base).unwrap_or(0)
}

/// A chunk's address. Chunk numbers are checked where they come from: at most those of `LAYOUT`.
fn address(chunk: u32) -> usize {
    base() + to_usize(chunk) * CHUNK_BYTES
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn reserved_bytes() -> usize {
    usize::try_from(LAYOUT.reserved_bytes).unwrap_or(usize::MAX)
}

/// The page at an address, if it is in linear memory.
pub(crate) fn page_at(address: usize) -> Option<u32> {
    let offset = address.checked_sub(base())?;
    u32::try_from(offset / PAGE_BYTES).ok().filter(|page| *page < PAGES_MAX)
}

/// Whether an address is in what is reserved for linear memory and its guard.
pub(crate) fn is_reserved(address: usize) -> bool {
    address.checked_sub(base()).is_some_and(|offset| offset < reserved_bytes())
}

/// Most chunks that the app may have; a limit of 0 is none.
pub(crate) fn chunks_max(bytes_max: u64) -> u32 {
    if bytes_max == 0 {
        return LAYOUT.chunks_max;
    }
    let chunks = bytes_max / u64::try_from(CHUNK_BYTES).unwrap_or(1);
    u32::try_from(chunks).unwrap_or(LAYOUT.chunks_max).min(LAYOUT.chunks_max)
}

/// Reserves everything; nothing is accessible yet. The size in chunks.
///
/// What the image covers is left empty, as a mapping into empty space costs half of one into a reserved one, and an
/// access ends in the same fault. The kernel puts nothing there: it fills from the other end.
pub(crate) fn reserve(image: Option<&Image<'_>>) -> Result<u32, BootError> {
    let chunks = image.map_or(0, |image| image.memory_chunks).max(engine::base_chunks());
    if chunks > LAYOUT.chunks_max {
        return Err(BootError::Memory("hold", Errno::NOMEM));
    }
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: NOREPLACE fails where anything is mapped already; nothing of Rust's lies there.
    let start = unsafe { libc::mmap(at(base()), reserved_bytes(), libc::PROT_NONE, flags, -1, 0) };
    if start.addr() != base() {
        return Err(not_reserved(start));
    }
    // SAFETY: it was mapped just now, and nobody uses it.
    unsafe { libc::munmap(at(base()), to_usize(chunks) * CHUNK_BYTES) };
    CHUNKS.store(chunks, Ordering::Relaxed);
    Ok(chunks)
}

/// Why there is no room: the kernel's reason, and the limit that it may be.
fn not_reserved(start: *mut libc::c_void) -> BootError {
    // A kernel before 4.17 does not know NOREPLACE, and maps elsewhere.
    let errno = if start == libc::MAP_FAILED { last_errno() } else { Errno::EXIST };
    let limit = rustix::process::getrlimit(rustix::process::Resource::As).current;
    BootError::AddressSpace { bytes: LAYOUT.reserved_bytes, limit, errno }
}

/// Where in the executable's file a byte of the loader's own constants lies.
pub(crate) fn file_offset(source: &Source, address: usize) -> Option<u64> {
    Elf::parse(source.executable.bytes)?.file_offset(u64::try_from(address).ok()?)
}

/// Pages that follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageRun {
    pub(crate) first: u32,
    pub(crate) count: u32,
}

impl PageRun {
    /// Chunks that follow one another.
    fn of_chunks(first: u32, count: u32) -> PageRun {
        PageRun { first: first.saturating_mul(CHUNK_PAGES), count: count.saturating_mul(CHUNK_PAGES) }
    }

    /// Its address and bytes, if it lies within so many chunks.
    fn place(self, chunks: u32) -> Result<(usize, usize), Errno> {
        let end = self.first.checked_add(self.count).ok_or(Errno::FAULT)?;
        if end > PageRun::of_chunks(0, chunks).count {
            return Err(Errno::FAULT);
        }
        Ok((base() + to_usize(self.first) * PAGE_BYTES, to_usize(self.count) * PAGE_BYTES))
    }
}

/// Maps pages of a file copy-on-write into linear memory.
pub(crate) fn map(file: BorrowedFd<'_>, offset: u64, run: PageRun) -> Result<(), Errno> {
    use std::os::fd::AsRawFd;
    let (address, bytes) = run.place(CHUNKS.load(Ordering::Relaxed))?;
    let offset = libc::off_t::try_from(offset).map_err(|_| Errno::OVERFLOW)?;
    let flags = libc::MAP_PRIVATE | libc::MAP_FIXED;
    // SAFETY: the range lies in linear memory, which is ours to map over.
    let start = unsafe { libc::mmap(at(address), bytes, READ_WRITE, flags, file.as_raw_fd(), offset) };
    if start.addr() == address { Ok(()) } else { Err(last_errno()) }
}

/// Maps zero pages into linear memory.
pub(crate) fn map_zeros(run: PageRun) -> Result<(), Errno> {
    map_anonymous(run, 0)
}

/// The same for pages that are all written to at once: one call of the kernel instead of a fault for each.
pub(crate) fn map_filled(run: PageRun) -> Result<(), Errno> {
    map_anonymous(run, libc::MAP_POPULATE)
}

fn map_anonymous(run: PageRun, extra: libc::c_int) -> Result<(), Errno> {
    let (address, bytes) = run.place(CHUNKS.load(Ordering::Relaxed))?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | extra;
    // SAFETY: the range lies in linear memory, which is ours to map over.
    let start = unsafe { libc::mmap(at(address), bytes, READ_WRITE, flags, -1, 0) };
    if start.addr() == address { Ok(()) } else { Err(last_errno()) }
}

/// Makes reserved pages accessible; they are zero.
pub(crate) fn open(run: PageRun) -> Result<(), Errno> {
    let (address, bytes) = run.place(LAYOUT.chunks_max)?;
    // SAFETY: the range lies in linear memory; no Rust reference into it is live while this runs.
    let result = unsafe { libc::mprotect(at(address), bytes, READ_WRITE) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// The bytes of a chunk.
///
/// # Safety
/// Only accessible pages of it are used, and nothing else uses those while the slice lives.
pub(crate) unsafe fn chunk_bytes(chunk: u32) -> &'static mut [u8] {
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts_mut(at(address(chunk)).cast(), CHUNK_BYTES) }
}

pub(crate) fn at(address: usize) -> *mut libc::c_void {
    std::ptr::with_exposed_provenance_mut(address)
}

pub(crate) fn last_errno() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::NOMEM)
}

/// A whole file, read-only. A file that is cut while it is mapped ends the process by SIGBUS.
pub(crate) fn map_file(file: impl AsFd) -> Result<&'static [u8], Errno> {
    use std::os::fd::AsRawFd;
    let size = usize::try_from(rustix::fs::fstat(&file)?.st_size).map_err(|_| Errno::OVERFLOW)?;
    if size == 0 {
        return Ok(&[]);
    }
    let fd = file.as_fd().as_raw_fd();
    // SAFETY: a new mapping at a place of the kernel's choice.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), size, libc::PROT_READ, libc::MAP_PRIVATE, fd, 0) };
    if start == libc::MAP_FAILED {
        return Err(last_errno());
    }
    // What is needed of it is asked for: the kernel is not to read what lies around, which may be all of the file.
    // SAFETY: the mapping has that size; its content stays as it is.
    unsafe { libc::madvise(start, size, libc::MADV_RANDOM) };
    // SAFETY: the mapping has that size, is readable and is never unmapped.
    Ok(unsafe { std::slice::from_raw_parts(start.cast(), size) })
}

/// Has the kernel read these bytes of a mapped file at once. Only saves time.
pub(crate) fn will_need(bytes: &'static [u8]) {
    let start = bytes.as_ptr().addr();
    will_need_all(start..start.saturating_add(bytes.len()));
}

/// The same for several, unless the first of them is there already.
pub(crate) fn will_need_each(parts: impl Iterator<Item = &'static [u8]>) {
    let mut parts = parts.peekable();
    if parts.peek().is_some_and(|first| !is_in_memory(first.as_ptr().addr())) {
        parts.for_each(will_need);
    }
}

/// The same for what is mapped in a range of addresses of this program, if its last page is not there already.
pub(crate) fn will_need_soon(addresses: Range<usize>) {
    if !is_in_memory(addresses.end.saturating_sub(1)) {
        will_need_all(addresses);
    }
}

/// Whether a page of a mapped file is in memory, as far as the kernel tells.
fn is_in_memory(address: usize) -> bool {
    let mut is_there = 0_u8;
    // SAFETY: one page is asked for, whose answer is one byte.
    let result = unsafe { libc::mincore(at(address & !(PAGE_BYTES - 1)), 1, &raw mut is_there) };
    result == 0 && is_there & 1 != 0
}

fn will_need_all(addresses: Range<usize>) {
    let start = addresses.start & !(PAGE_BYTES - 1);
    // SAFETY: advice, which changes the content of no page. On kernels with larger pages the start may not be one, and
    // nothing is read ahead.
    unsafe { libc::madvise(at(start), addresses.end.saturating_sub(start), libc::MADV_WILLNEED) };
}

/// Linear memory as host calls see it.
#[derive(Debug)]
pub(crate) struct LinearMemory;

impl LinearMemory {
    /// Checks the bounds and fetches what was never touched: the kernel would not take our fault for an answer.
    fn check(pointer: usize, length: usize) -> Result<usize, Refusal> {
        let size = to_usize(CHUNKS.load(Ordering::Relaxed)) * CHUNK_BYTES;
        let end = pointer.checked_add(length).filter(|end| *end <= size).ok_or(Refusal::OutOfBounds)?;
        if length > 0 {
            let page = |offset| u32::try_from(offset / PAGE_BYTES).unwrap_or(PAGES_MAX);
            pages::fetch(page(pointer), page(end - 1));
        }
        Ok(base() + pointer)
    }
}

impl GuestMemory for LinearMemory {
    const WORD_BYTES: usize = 4;

    fn input(&self, pointer: usize, length: usize) -> Result<&[u8], Refusal> {
        let address = LinearMemory::check(pointer, length)?;
        // SAFETY: inside accessible linear memory. The guest is the only writer and waits for the call's end.
        Ok(unsafe { std::slice::from_raw_parts(at(address).cast_const().cast(), length) })
    }

    fn output(&mut self, pointer: usize, length: usize) -> Result<&mut [u8], Refusal> {
        let address = LinearMemory::check(pointer, length)?;
        // SAFETY: as for `input`; `&mut self` makes it the only slice into linear memory.
        Ok(unsafe { std::slice::from_raw_parts_mut(at(address).cast(), length) })
    }
}

/// Copies bytes into linear memory.
pub(crate) fn write(pointer: u32, bytes: &[u8]) -> Result<(), Refusal> {
    LinearMemory.output(to_usize(pointer), bytes.len())?.copy_from_slice(bytes);
    Ok(())
}

/// Makes the pages of a buffer that will be written be there. Only saves time: kernels before 5.14 do not do it.
pub(crate) fn populate(buffer: &mut [MaybeUninit<u8>]) {
    const POPULATE_WRITE: libc::c_int = 23;
    let start = buffer.as_mut_ptr().map_addr(|address| address.next_multiple_of(PAGE_BYTES));
    let bytes = (buffer.as_ptr().addr() + buffer.len()).saturating_sub(start.addr()) / PAGE_BYTES * PAGE_BYTES;
    // SAFETY: whole pages of the buffer, whose content stays as it is.
    unsafe { libc::madvise(start.cast(), bytes, POPULATE_WRITE) };
}

/// `memory.grow`: the new chunks are zero; `u32::MAX` if they may not be had.
#[unsafe(no_mangle)]
extern "C" fn edge_memory_grow(chunks: u32, delta: u32, chunks_max: u32) -> u32 {
    let grown = chunks.checked_add(delta).filter(|grown| *grown <= chunks_max.min(LAYOUT.chunks_max));
    let Some(grown) = grown else { return u32::MAX };
    if delta > 0 && open(PageRun::of_chunks(chunks, delta)).is_err() {
        return u32::MAX;
    }
    CHUNKS.store(grown, Ordering::Relaxed);
    chunks
}

/// What wasm2c's code calls when it must not go on; the numbers are `wasm_rt_trap_t`'s.
#[unsafe(no_mangle)]
extern "C" fn wasm_rt_trap(reason: u32) -> ! {
    stop::trap(match reason {
        1 => "the engine stopped: memory access out of bounds",
        2 => "the engine stopped: integer overflow",
        3 => "the engine stopped: division by zero",
        4 => "the engine stopped: invalid conversion to an integer",
        5 => "the engine stopped: unreachable code",
        6 => "the engine stopped: wrong indirect call",
        8 => "the engine stopped: stack overflow",
        _ => "the engine stopped",
    })
}
