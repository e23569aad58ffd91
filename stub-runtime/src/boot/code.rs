//! The engine's functions that few boots call: compressed in this executable, and brought when one of them is called
//! first, as pages of memory are when they are touched. Why: docs/decisions/small-stubs.md.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use edgepack_format::code::{CODE_FRAME_BYTES, CODE_FRAMES_MAX, CodeFrames};
use edgepack_format::container::ContainerError;
use rustix::fs::MemfdFlags;
use rustix::io::Errno;

use super::memory::{self, last_errno};
use super::stop::{self, BootError};
use super::{engine, pages};

static FRAMES: OnceLock<CodeFrames<'static>> = OnceLock::new();

/// Which frames are there.
static PRESENT: [AtomicBool; CODE_FRAMES_MAX] = [const { AtomicBool::new(false) }; CODE_FRAMES_MAX];

/// Remembers where the code is, of which nothing is there yet but its addresses.
pub(crate) fn install(frames: &'static [u8]) -> Result<(), BootError> {
    engine::cold_code_place().map_err(|errno| BootError::Refused("mmap", errno))?;
    // Boot runs once: there are no frames yet.
    let _ = FRAMES.set(CodeFrames::new(frames, engine::cold_code().len()));
    Ok(())
}

/// Whether this is code that was to come; then it is there now, and what shares a page of the kernel's with it.
pub(crate) fn fault(address: usize) -> bool {
    let code = engine::cold_code();
    if !code.contains(&address) {
        return false;
    }
    let step = rustix::param::page_size().max(CODE_FRAME_BYTES);
    let first = (address - code.start) / step * step;
    let is_there = PRESENT.get(first / CODE_FRAME_BYTES).is_none_or(|there| there.swap(true, Ordering::Relaxed));
    if is_there {
        return false;
    }
    let start = code.start + first;
    match bring(start..code.end.min(start + step), first / CODE_FRAME_BYTES) {
        Ok(()) => true,
        Err(Failure::Damaged) => stop::damaged(&ContainerError::BadIndex("a frame of the engine's code")),
        Err(Failure::NoMemory) => stop::out_of_memory(),
        Err(Failure::Refused(errno)) => stop::no_executable_memory(errno),
    }
}

enum Failure {
    Damaged,
    NoMemory,
    Refused(Errno),
}

/// Decompresses into memory of its own, which is then made executable. Kernels keep what processors know of their
/// instructions right when they do that.
fn bring(code: Range<usize>, first_frame: usize) -> Result<(), Failure> {
    let (place, bytes) = (memory::at(code.start), code.len());
    let (access, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED);
    // SAFETY: these addresses are reserved for this code, and none of it runs before it is there.
    if unsafe { libc::mmap(place, bytes, access, flags, -1, 0) } != place {
        return Err(Failure::NoMemory);
    }
    // SAFETY: as many bytes were mapped, for us alone.
    let target = unsafe { std::slice::from_raw_parts_mut(place.cast::<u8>(), bytes) };
    for (part, number) in target.chunks_mut(CODE_FRAME_BYTES).zip(first_frame..) {
        let frame = FRAMES.get().and_then(|frames| frames.frame(number)).ok_or(Failure::Damaged)?;
        memory::will_need(frame);
        let length = pages::expand(part, frame, engine::code()).map_err(|_| Failure::Damaged)?;
        if length != part.len() {
            return Err(Failure::Damaged);
        }
    }
    // SAFETY: nobody writes to it any more.
    if unsafe { libc::mprotect(place, bytes, libc::PROT_READ | libc::PROT_EXEC) } == 0 {
        return Ok(());
    }
    // Where memory that was written to may not be executed, a file may.
    map_copy(target).map_err(Failure::Refused)
}

/// Maps a file in memory with the same content in the place of these bytes.
fn map_copy(code: &mut [u8]) -> Result<(), Errno> {
    use std::os::fd::AsRawFd;
    let file = rustix::fs::memfd_create("edgepack code", MemfdFlags::CLOEXEC)?;
    let mut written = 0;
    while let Some(rest) = code.get(written..).filter(|rest| !rest.is_empty()) {
        written = written.saturating_add(rustix::io::write(&file, rest)?);
    }
    let (place, bytes) = (code.as_mut_ptr().cast::<libc::c_void>(), code.len());
    let (access, flags) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_FIXED);
    // SAFETY: the bytes at these addresses stay what they are.
    let start = unsafe { libc::mmap(place, bytes, access, flags, file.as_raw_fd(), 0) };
    if start == place { Ok(()) } else { Err(last_errno()) }
}
