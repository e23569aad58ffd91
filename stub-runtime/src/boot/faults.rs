//! A touched page, or a called function, that is not there yet → one that is; any other fault → a sentence and the end.

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicUsize, Ordering};

use edgepack_format::limits::{CHUNK_BYTES, NATIVE_STACK_BYTES};

use super::stop::BootError;
use super::{code, memory, pages, stop};

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

/// Catches the faults of this thread. Without the stack for it a handler runs on the thread's own, which serves as well
/// until that one overflows.
pub(crate) fn catch() -> Result<(), BootError> {
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
        let result = unsafe { libc::sigaction(signal, action, std::ptr::null_mut()) };
        if result != 0 {
            return Err(BootError::Refused("rt_sigaction", memory::last_errno()));
        }
    }
    Ok(())
}

/// As the kernel calls it.
type Handler = extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void);

#[expect(clippy::as_conversions, clippy::fn_to_numeric_cast_any, reason = "sigaction takes a handler as a number")]
fn handler_address() -> usize {
    HANDLER as usize
}

#[cfg(not(target_arch = "x86_64"))]
const HANDLER: Handler = handle_fault;
#[cfg(target_arch = "x86_64")]
const HANDLER: Handler = aligned_handler;

/// qemu's user emulation before 9.1 enters handlers with a stack that is 8 bytes off, and compiled code relies on it.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
extern "C" fn aligned_handler(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    core::arch::naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "and rsp, -16",
        "call {handle}",
        "mov rsp, rbp",
        "pop rbp",
        "ret",
        handle = sym handle_fault,
    )
}

extern "C" fn handle_fault(_signal: i32, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid siginfo to SA_SIGINFO handlers.
    let Some(info) = (unsafe { info.as_ref() }) else { stop::trap("the loader met a fault without a place") };
    // SAFETY: for these signals the address is what the kernel filled in.
    let address = unsafe { info.si_addr() }.addr();
    if memory::page_at(address).is_some_and(pages::fault) || code::fault(address) {
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
