//! A touched page that is not there yet → one that is; any other fault → a sentence and the end.

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

use edgepack_format::limits::{CHUNK_BYTES, NATIVE_STACK_BYTES};

use super::{memory, pages, stop};

/// The top of the main stack, roughly.
static STACK_TOP: AtomicUsize = AtomicUsize::new(0);

/// A fault that little below the stack's end is the stack's: what was on it before the first frame, and the gap that
/// Linux keeps below it, 256 of its smallest pages.
const STACK_GAP_BYTES: usize = 1 << 20;

/// The handler's stack: decoding needs little, hashing less; in `.bss`, so that it costs nothing until then.
const HANDLER_STACK_BYTES: usize = 128 * 1024;
static HANDLER_STACK: HandlerStack = HandlerStack(UnsafeCell::new(MaybeUninit::uninit()));

struct HandlerStack(UnsafeCell<MaybeUninit<[u8; HANDLER_STACK_BYTES]>>);

// SAFETY: only its address is taken, once, for the kernel to run the handler on.
unsafe impl Sync for HandlerStack {}

/// Catches the faults of this thread.
pub(crate) fn catch() {
    let here = Cell::new(0_u8);
    STACK_TOP.store(here.as_ptr().addr().saturating_add(CHUNK_BYTES), Ordering::Relaxed);
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
    if memory::page_at(address).is_some_and(pages::fault) {
        return;
    }
    if memory::is_reserved(address) {
        stop::trap("the engine stopped: memory access out of bounds");
    }
    let below_top = STACK_TOP.load(Ordering::Relaxed).checked_sub(address);
    let stack_bytes = usize::try_from(NATIVE_STACK_BYTES).unwrap_or(usize::MAX).saturating_add(STACK_GAP_BYTES);
    if below_top.is_some_and(|depth| depth <= stack_bytes) {
        stop::trap("the engine stopped: stack overflow");
    }
    stop::trap("the loader met a memory access of its own that must not be: please report this");
}
