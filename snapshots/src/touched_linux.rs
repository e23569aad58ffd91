//! Which pages of memory a run touches, by `userfaultfd`: the memory is emptied, and each page is put back, and noted,
//! when somebody waits for it.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{PipeReader, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use edgepack_format::limits::PAGE_BYTES;

/// Runs the work, and says which pages of `memory` it touched, ascending; `None` if the kernel does not tell (an old
/// one, or a container without the call). The memory holds `image` before; after, what the work made of it, but pages
/// it never touched are lost.
///
/// # Safety
/// `memory` must be the start of a private anonymous mapping of at least `image.len()` accessible bytes that stays
/// mapped during the call; nothing may refer to it as Rust memory, and only `work` may touch it, outside of system
/// calls; and after this call nobody may rely on what is in it.
pub(crate) unsafe fn touched<T>(memory: *mut u8, image: &[u8], work: impl FnOnce() -> T) -> (T, Option<Vec<u32>>) {
    let Ok((ended, end)) = std::io::pipe() else { return (work(), None) };
    // SAFETY: passed on to the caller.
    let Some(faults) = (unsafe { Faults::open(memory, image) }) else { return (work(), None) };
    std::thread::scope(|scope| {
        let handler = scope.spawn(move || faults.answer_until(ended));
        let result = work();
        drop(end);
        (result, handler.join().ok())
    })
}

/// A range of memory whose missing pages come from an image.
struct Faults<'i> {
    file: File,
    start: usize,
    image: &'i [u8],
}

impl Faults<'_> {
    /// # Safety
    /// As [`touched`].
    unsafe fn open(memory: *mut u8, image: &[u8]) -> Option<Faults<'_>> {
        // SAFETY: asks for a number.
        let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        if usize::try_from(page_bytes) != Ok(PAGE_BYTES) || !image.len().is_multiple_of(PAGE_BYTES) {
            return None;
        }
        let flags = libc::O_CLOEXEC | libc::O_NONBLOCK | UFFD_USER_MODE_ONLY;
        // SAFETY: makes a file descriptor; touches no memory.
        let number = unsafe { libc::syscall(libc::SYS_userfaultfd, flags) };
        let number = i32::try_from(number).ok().filter(|number| *number >= 0)?;
        // SAFETY: the descriptor was made just now, and is nobody else's.
        let fd = unsafe { OwnedFd::from_raw_fd(number) };
        let faults = Faults { file: File::from(fd), start: memory.expose_provenance(), image };
        faults.control(UFFDIO_API, &mut Api { api: UFFD_API, features: 0, ioctls: 0 })?;
        let range = Range { start: faults.start as u64, bytes: image.len() as u64 };
        faults.control(UFFDIO_REGISTER, &mut Register { range, mode: REGISTER_MODE_MISSING, ioctls: 0 })?;
        // SAFETY: the caller says that this range is mapped, private and anonymous, and that its content is known
        // to be the image, which comes back page by page.
        let emptied = unsafe { libc::madvise(memory.cast(), image.len(), libc::MADV_DONTNEED) };
        (emptied == 0).then_some(faults)
    }

    fn control<T>(&self, request: libc::c_ulong, argument: &mut T) -> Option<()> {
        // SAFETY: each request of this file is called with the structure it is defined for, which the kernel reads
        // and writes during the call; what the copies write to is missing pages of the range.
        let result = unsafe { libc::ioctl(self.file.as_raw_fd(), request as _, std::ptr::from_mut(argument)) };
        (result == 0).then_some(())
    }

    /// The pages somebody waited for until the pipe was closed.
    fn answer_until(&self, ended: PipeReader) -> Vec<u32> {
        let mut pages = BTreeSet::new();
        let poll = |fd: i32| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        loop {
            let mut polled = [poll(self.file.as_raw_fd()), poll(ended.as_raw_fd())];
            // SAFETY: two structures, as the count says.
            let ready = unsafe { libc::poll(polled.as_mut_ptr(), 2, -1) };
            if ready >= 0 && polled[0].revents & libc::POLLIN != 0 {
                let mut message = [0; MESSAGE_BYTES];
                if (&self.file).read(&mut message).ok() == Some(MESSAGE_BYTES)
                    && let Some(page) = self.page_of(&message)
                {
                    self.put(page);
                    pages.insert(page);
                }
            } else if polled[1].revents != 0 {
                return pages.into_iter().collect();
            }
        }
    }

    fn page_of(&self, message: &[u8; MESSAGE_BYTES]) -> Option<u32> {
        let address = message[ADDRESS_AT..].first_chunk().map(|bytes| u64::from_ne_bytes(*bytes));
        let offset = usize::try_from(address?).ok()?.checked_sub(self.start)?;
        let page = u32::try_from(offset / PAGE_BYTES).ok();
        page.filter(|_| message[0] == EVENT_PAGEFAULT && offset < self.image.len())
    }

    /// Puts a page back, which also wakes who waits for it; one that is there already stays as it is.
    fn put(&self, page: u32) {
        let offset = page as usize * PAGE_BYTES;
        let to = (self.start + offset) as u64;
        let from = self.image[offset..][..PAGE_BYTES].as_ptr().expose_provenance() as u64;
        let mut copy = Copy { to, from, bytes: PAGE_BYTES as u64, mode: 0, copied: 0 };
        if self.control(UFFDIO_COPY, &mut copy).is_none() {
            self.control(UFFDIO_WAKE, &mut Range { start: to, bytes: PAGE_BYTES as u64 });
        }
    }
}

// What follows is `linux/userfaultfd.h`, as far as it is used. The numbers are the same on every architecture that
// this crate runs on: direction, size, type 0xAA and number of the request.

const UFFD_USER_MODE_ONLY: libc::c_int = 1;
const UFFD_API: u64 = 0xAA;
const UFFDIO_API: libc::c_ulong = 0xC018_AA3F;
const UFFDIO_REGISTER: libc::c_ulong = 0xC020_AA00;
const UFFDIO_WAKE: libc::c_ulong = 0x8010_AA02;
const UFFDIO_COPY: libc::c_ulong = 0xC028_AA03;
const REGISTER_MODE_MISSING: u64 = 1;

/// `struct uffd_msg`: the event in the first byte, and of a page fault the flags at 8 and the address at 16.
const MESSAGE_BYTES: usize = 32;
const EVENT_PAGEFAULT: u8 = 0x12;
const ADDRESS_AT: usize = 16;

#[repr(C)]
struct Api {
    api: u64,
    features: u64,
    ioctls: u64,
}

#[repr(C)]
struct Range {
    start: u64,
    bytes: u64,
}

#[repr(C)]
struct Register {
    range: Range,
    mode: u64,
    ioctls: u64,
}

#[repr(C)]
struct Copy {
    to: u64,
    from: u64,
    bytes: u64,
    mode: u64,
    copied: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn touched_pages_are_told_in_order_and_hold_the_image() {
        let image: Vec<u8> = (0..8_u8).flat_map(|page| [page + 1; PAGE_BYTES]).collect();
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice.
        let memory = unsafe { libc::mmap(std::ptr::null_mut(), image.len(), access, flags, -1, 0) };
        assert_ne!(memory, libc::MAP_FAILED);
        let memory: *mut u8 = memory.cast();
        let work = || {
            // SAFETY: the sixth page of the mapping above.
            let page = unsafe { memory.add(5 * PAGE_BYTES) };
            // SAFETY: the third page of it.
            let other = unsafe { memory.add(2 * PAGE_BYTES + 7) };
            // SAFETY: inside the mapping.
            let read = unsafe { page.read_volatile() };
            // SAFETY: inside the mapping.
            unsafe { other.write_volatile(1) };
            read
        };
        // SAFETY: the mapping is this test's own.
        let (read, pages) = unsafe { touched(memory, &image, work) };
        // A machine may forbid the call; then nothing was emptied.
        if let Some(pages) = pages {
            assert_eq!((read, pages), (6, vec![2, 5]));
        }
    }
}
