//! The app's chunks over the base image: mapped at once if they are stored raw, else verified and decompressed at
//! first touch, so that boot costs what is touched and not what there is.

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use edgepack_format::container::{ContainerError, Encoding, Image, Index, SectionKind, Sections, Stored};
use edgepack_format::limits::{CHUNK_BYTES, MEMORY_CHUNKS_MAX, NATIVE_STACK_BYTES, PAGE_BYTES};
use zstd_safe::DCtx;

use super::memory::{self, Protection};
use super::source::Source;
use super::stop::{self, BootError};
use super::trace;

/// The stored chunk, plus one, that is still to come for each chunk of memory; 0 for none.
static PENDING: [AtomicU32; PENDING_LENGTH] = [const { AtomicU32::new(0) }; PENDING_LENGTH];
const PENDING_LENGTH: usize = 65_536;

/// How many are pending: none is the common case of every host call.
static PENDING_COUNT: AtomicU32 = AtomicU32::new(0);

/// What the fault handler needs.
struct Store {
    index: Index<'static>,
    pages: &'static [u8],
    /// The top of the main stack, roughly.
    stack_top: usize,
    workspace: Mutex<Workspace>,
}

/// Made at the first cold chunk: an app that is all hot needs none.
#[derive(Default)]
struct Workspace {
    decoder: Option<DCtx<'static>>,
    pages: Vec<u8>,
}

static STORE: OnceLock<Store> = OnceLock::new();

/// The handler's stack: decoding needs little, hashing less; in `.bss`, so that it costs nothing until then.
const HANDLER_STACK_BYTES: usize = 128 * 1024;
static HANDLER_STACK: HandlerStack = HandlerStack(UnsafeCell::new(MaybeUninit::uninit()));

struct HandlerStack(UnsafeCell<MaybeUninit<[u8; HANDLER_STACK_BYTES]>>);

// SAFETY: only its address is taken, once, for the kernel to run the handler on.
unsafe impl Sync for HandlerStack {}

/// Maps raw chunks, makes the others inaccessible and remembers them, and catches the faults.
pub(crate) fn install(
    source: &Source,
    sections: &Sections<'static>,
    index: &Index<'static>,
    image: Option<&Image<'static>>,
) -> Result<(), BootError> {
    let pages = sections.get(SectionKind::Pages).unwrap_or_default();
    if let Some(image) = image {
        let pages_offset = source.container_offset.saturating_add(sections.pages_offset);
        place(source, pages_offset, pages, index, image)?;
    }
    let here = Cell::new(0_u8);
    let stack_top = here.as_ptr().addr().saturating_add(CHUNK_BYTES);
    let workspace = Mutex::default();
    // Boot runs once: there is no store yet.
    let _ = STORE.set(Store { index: index.clone(), pages, stack_top, workspace });
    catch_faults();
    Ok(())
}

fn place(
    source: &Source,
    pages_offset: usize,
    pages: &'static [u8],
    index: &Index<'static>,
    image: &Image<'static>,
) -> Result<(), BootError> {
    let mut raw = Runs::default();
    let mut cold = Runs::default();
    let file = source.container_file().fd.as_fd();
    let map = |run: Run| {
        let offset = u64::try_from(pages_offset).unwrap_or(u64::MAX).saturating_add(run.offset);
        memory::map(file, offset, run.first, run.count).map_err(|errno| BootError::Memory("map", errno))
    };
    let hide = |run: Run| {
        memory::protect(run.first, run.count, Protection::None).map_err(|errno| BootError::Memory("protect", errno))
    };
    for (chunk, number) in image.chunks() {
        let stored = index.stored(number).ok_or(ContainerError::BadIndex("a stored chunk"))?;
        match stored.encoding {
            Encoding::Raw => {
                // Every boot touches it, so hashing it now costs no more than later.
                index.chunk(number, pages, super::hash)?;
                raw.push(chunk, u64::try_from(stored.offset).unwrap_or(u64::MAX), map)?;
            }
            Encoding::Zstd => {
                set_pending(chunk, number);
                // Runs are of neighbours in memory only: any offset that grows along will do.
                cold.push(chunk, u64::from(chunk) * CHUNK, hide)?;
            }
        }
    }
    raw.finish(map)?;
    cold.finish(hide)
}

const CHUNK: u64 = 65_536;

/// Neighbouring chunks that are also neighbours in the file.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: u32,
    count: u32,
    offset: u64,
}

#[derive(Debug, Default)]
struct Runs {
    open: Option<Run>,
}

impl Runs {
    fn push(&mut self, chunk: u32, offset: u64, act: impl Fn(Run) -> Result<(), BootError>) -> Result<(), BootError> {
        if let Some(run) = &mut self.open
            && run.first.checked_add(run.count) == Some(chunk)
            && run.offset.checked_add(u64::from(run.count) * CHUNK) == Some(offset)
        {
            run.count += 1;
            return Ok(());
        }
        match self.open.replace(Run { first: chunk, count: 1, offset }) {
            Some(done) => act(done),
            None => Ok(()),
        }
    }

    fn finish(self, act: impl Fn(Run) -> Result<(), BootError>) -> Result<(), BootError> {
        self.open.map_or(Ok(()), act)
    }
}

fn slot(chunk: u32) -> Option<&'static AtomicU32> {
    PENDING.get(usize::try_from(chunk).ok()?)
}

fn set_pending(chunk: u32, number: u32) {
    if let Some(slot) = slot(chunk) {
        slot.store(number.saturating_add(1), Ordering::Relaxed);
        PENDING_COUNT.fetch_add(1, Ordering::Relaxed);
    }
}

/// Fetches what is pending among these chunks, for code that must not fault.
pub(crate) fn fetch(first: usize, last: usize) {
    if PENDING_COUNT.load(Ordering::Relaxed) == 0 {
        return;
    }
    for chunk in first..=last {
        if let Ok(chunk) = u32::try_from(chunk) {
            fetch_one(chunk);
        }
    }
}

/// Whether the chunk was pending; then it is there now.
fn fetch_one(chunk: u32) -> bool {
    let number = slot(chunk).map_or(0, |slot| slot.swap(0, Ordering::Relaxed));
    let (Some(number), Some(store)) = (number.checked_sub(1), STORE.get()) else { return false };
    PENDING_COUNT.fetch_sub(1, Ordering::Relaxed);
    trace::fetched(chunk);
    if let Err(error) = store.bring(chunk, number) {
        stop::damaged(&error);
    }
    true
}

impl Store {
    /// Verified and decompressed before the chunk becomes accessible.
    fn bring(&self, chunk: u32, number: u32) -> Result<(), ContainerError> {
        let (stored, frame) = self.index.chunk(number, self.pages, super::hash)?;
        let Ok(mut workspace) = self.workspace.try_lock() else {
            return Err(ContainerError::BadIndex("a chunk inside another"));
        };
        let Workspace { decoder, pages } = &mut *workspace;
        pages.resize(CHUNK_BYTES, 0);
        let decoder = decoder.get_or_insert_with(DCtx::create);
        let length = decoder.decompress(pages.as_mut_slice(), frame).ok();
        if length != Some(stored.memory_bytes()) {
            return Err(ContainerError::BadIndex("a chunk's length"));
        }
        if memory::protect(chunk, 1, Protection::ReadWrite).is_err() {
            return Err(ContainerError::BadIndex("a chunk's place"));
        }
        // SAFETY: accessible since the line above; whoever touched it waits for us.
        let target = unsafe { memory::chunk_bytes(chunk) };
        lay_pages(target, &stored, pages);
        Ok(())
    }
}

fn lay_pages(target: &mut [u8], stored: &Stored, pages: &[u8]) {
    let places = target.chunks_exact_mut(PAGE_BYTES).enumerate();
    let places = places.filter(|(page, _)| stored.page_mask & (1 << page) != 0);
    for ((_, place), page) in places.zip(pages.chunks_exact(PAGE_BYTES)) {
        place.copy_from_slice(page);
    }
}

fn catch_faults() {
    let stack = libc::stack_t { ss_sp: HANDLER_STACK.0.get().cast(), ss_flags: 0, ss_size: HANDLER_STACK_BYTES };
    // SAFETY: the stack is a static that nothing else uses.
    unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) };
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all zeros is a valid sigaction.
    let action = unsafe { action.assume_init_mut() };
    action.sa_sigaction = handler_address();
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        // SAFETY: the handler is as SA_SIGINFO wants it; it returns only after it has mended the fault.
        unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) };
    }
}

#[expect(clippy::as_conversions, clippy::fn_to_numeric_cast_any, reason = "sigaction takes a handler as a number")]
fn handler_address() -> usize {
    handle_fault as extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) as usize
}

extern "C" fn handle_fault(_signal: i32, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo to SA_SIGINFO handlers.
    let Some(info) = (unsafe { info.as_ref() }) else { stop::trap("the loader met a fault without a place") };
    // SAFETY: for these signals the address is what the kernel filled in.
    let address = unsafe { info.si_addr() }.addr();
    if memory::chunk_at(address).is_some_and(fetch_one) {
        return;
    }
    if memory::is_reserved(address) {
        stop::trap("the engine stopped: memory access out of bounds");
    }
    let below_top = STORE.get().and_then(|store| store.stack_top.checked_sub(address));
    if below_top.is_some_and(|depth| u64::try_from(depth).is_ok_and(|depth| depth <= NATIVE_STACK_BYTES + CHUNK)) {
        stop::trap("the engine stopped: stack overflow");
    }
    stop::trap("the loader met a memory access of its own that must not be: please report this");
}

const _: () = assert!(MEMORY_CHUNKS_MAX == 65_536 && CHUNK_BYTES == 65_536);
