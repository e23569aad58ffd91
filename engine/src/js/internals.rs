//! What `c/engine.c` adds to QuickJS.

use core::ffi::c_int;

use rquickjs::{Ctx, Error, Result, Value, qjs};

unsafe extern "C" {
    fn edge_init();
    fn edge_strip_wrappers(ctx: *mut qjs::JSContext, main: qjs::JSValue);
    fn edge_strip_source(ctx: *mut qjs::JSContext, function: qjs::JSValue);
    fn edge_private_symbol(ctx: *mut qjs::JSContext, description: *const u8, length: u32) -> qjs::JSValue;
    fn edge_enqueue_microtask(ctx: *mut qjs::JSContext, callback: qjs::JSValue) -> c_int;
    fn edge_set_stack_formatter(ctx: *mut qjs::JSContext, formatter: qjs::JSValue);
    fn edge_set_rejection_hook(ctx: *mut qjs::JSContext, hook: qjs::JSValue);
    fn edge_set_promise_hooks(ctx: *mut qjs::JSContext, on_init: qjs::JSValue, on_settled: qjs::JSValue);
    fn edge_set_context(ctx: *mut qjs::JSContext);
    fn edge_backtrace_text(out: *mut u8, capacity: u32) -> u32;
    fn edge_lists_names(ctx: *mut qjs::JSContext) -> c_int;
    fn edge_relax_collection(ctx: *mut qjs::JSContext);
    fn edge_settle(ctx: *mut qjs::JSContext);
    fn edge_release_kept(ctx: *mut qjs::JSContext);
    fn edge_update_stack(ctx: *mut qjs::JSContext);
    fn edge_get_frame(ctx: *mut qjs::JSContext) -> qjs::JSValue;
    fn edge_set_frame(ctx: *mut qjs::JSContext, frame: qjs::JSValue);
}

/// Sets up the engine's own state. Called once, before the first context is made.
pub(crate) fn init() {
    // SAFETY: writes statics of the C file; the guest has one thread.
    unsafe { edge_init() }
}

/// Frees the source text of a compiled function and of all functions inside it.
pub(crate) fn strip_source(function: &Value<'_>) {
    // SAFETY: the value is alive; anything that is no bytecode function is left alone.
    unsafe { edge_strip_source(function.ctx().as_raw().as_ptr(), function.as_raw()) }
}

/// Frees the source text of a bundle's main generator and of the generators around its modules.
pub(crate) fn strip_wrappers(main: &Value<'_>) {
    // SAFETY: the value is alive; anything that is no bytecode function is left alone.
    unsafe { edge_strip_wrappers(main.ctx().as_raw().as_ptr(), main.as_raw()) }
}

/// A symbol that no reflection shows. The description is ASCII.
pub(crate) fn private_symbol<'js>(ctx: &Ctx<'js>, description: &str) -> Result<Value<'js>> {
    let length = u32::try_from(description.len()).map_err(|_| Error::Unknown)?;
    // SAFETY: `length` bytes lie at the address and are copied.
    let raw = unsafe { edge_private_symbol(ctx.as_raw().as_ptr(), description.as_ptr(), length) };
    // SAFETY: the value is a new reference, or an exception.
    let value = unsafe { Value::from_raw(ctx.clone(), raw) };
    if value.is_exception() { Err(Error::Exception) } else { Ok(value) }
}

/// Puts a call of the function at the end of the microtask queue.
pub(crate) fn enqueue_microtask(callback: &Value<'_>) -> Result<()> {
    // SAFETY: the value is alive and is kept by the queue.
    let status = unsafe { edge_enqueue_microtask(callback.ctx().as_raw().as_ptr(), callback.as_raw()) };
    if status < 0 { Err(Error::Exception) } else { Ok(()) }
}

/// Runs one microtask. `Ok(false)`: there was none. An exception it threw is the context's pending one.
pub(crate) fn run_microtask(ctx: &Ctx<'_>) -> Result<bool> {
    let mut job_ctx = core::mem::MaybeUninit::uninit();
    // SAFETY: asks for the runtime of a live context.
    let runtime = unsafe { qjs::JS_GetRuntime(ctx.as_raw().as_ptr()) };
    // SAFETY: the runtime is alive; the output is only written.
    match unsafe { qjs::JS_ExecutePendingJob(runtime, job_ctx.as_mut_ptr()) } {
        0 => Ok(false),
        1.. => Ok(true),
        _ => Err(Error::Exception),
    }
}

/// The function `(error, callSites) => stack` that makes an error's stack when it is first read.
pub(crate) fn set_stack_formatter(formatter: &Value<'_>) {
    // SAFETY: the value is alive and is kept by the engine.
    unsafe { edge_set_stack_formatter(formatter.ctx().as_raw().as_ptr(), formatter.as_raw()) }
}

/// The current async context frame.
pub(crate) fn frame<'js>(ctx: &Ctx<'js>) -> Value<'js> {
    // SAFETY: the context is alive.
    let raw = unsafe { edge_get_frame(ctx.as_raw().as_ptr()) };
    // SAFETY: the value is a new reference.
    unsafe { Value::from_raw(ctx.clone(), raw) }
}

/// Makes `frame` the current async context frame.
pub(crate) fn set_frame(frame: &Value<'_>) {
    // SAFETY: the value is alive and is kept by the engine.
    unsafe { edge_set_frame(frame.ctx().as_raw().as_ptr(), frame.as_raw()) }
}

/// Tells QuickJS where the native stack is now: after a snapshot was restored it is elsewhere.
pub(crate) fn update_stack_top(ctx: &Ctx<'_>) {
    // SAFETY: sets numbers of a live runtime.
    unsafe { edge_update_stack(ctx.as_raw().as_ptr()) }
}

/// Has `hook(promise, reason, isHandled)` called for promises rejected without a handler, and handled later.
pub(crate) fn set_rejection_hook(hook: &Value<'_>) {
    // SAFETY: the value is alive and is kept by the engine.
    unsafe { edge_set_rejection_hook(hook.ctx().as_raw().as_ptr(), hook.as_raw()) }
}

/// Has the functions called when a promise is made and settled; `undefined` for none.
pub(crate) fn set_promise_hooks(on_init: &Value<'_>, on_settled: &Value<'_>) {
    // SAFETY: the values are alive and are kept by the engine.
    unsafe { edge_set_promise_hooks(on_init.ctx().as_raw().as_ptr(), on_init.as_raw(), on_settled.as_raw()) }
}

/// Names the context whose stack `backtrace` shows.
pub(crate) fn set_context(ctx: &Ctx<'_>) {
    // SAFETY: the context lives as long as the engine.
    unsafe { edge_set_context(ctx.as_raw().as_ptr()) }
}

/// No snapshot will be taken of this process: memory is managed for speed from now on.
#[cfg(target_arch = "wasm32")]
pub(crate) fn end_start_up() {
    unsafe extern "C" {
        fn edge_end_start_up();
    }
    // SAFETY: writes a static of the C file; the guest has one thread.
    unsafe { edge_end_start_up() }
}

/// Natively it always is.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn end_start_up() {}

/// The JavaScript stack as text, cut to what fits; may be asked for in the middle of a host call. The length.
pub(crate) fn backtrace(out: &mut [u8]) -> usize {
    let capacity = u32::try_from(out.len()).unwrap_or(u32::MAX);
    // SAFETY: at most `capacity` bytes are written at the address.
    let length = unsafe { edge_backtrace_text(out.as_mut_ptr(), capacity) };
    usize::try_from(length).unwrap_or(0)
}

/// Whether the proxy trap that calls the running native function is asked only which properties are enumerable.
pub(crate) fn lists_names(ctx: &Ctx<'_>) -> bool {
    // SAFETY: looks at the stack frames of a live context.
    unsafe { edge_lists_names(ctx.as_raw().as_ptr()) != 0 }
}

/// Lets the heap grow by half before the next collection.
pub(crate) fn relax_collection(ctx: &Ctx<'_>) {
    // SAFETY: sets a number of a live runtime.
    unsafe { edge_relax_collection(ctx.as_raw().as_ptr()) }
}

/// A turn of the event loop has ended: what weak references were seen to hold may go.
pub(crate) fn release_kept(ctx: &Ctx<'_>) {
    // SAFETY: gives back references that the C file has counted; no JavaScript runs in between.
    unsafe { edge_release_kept(ctx.as_raw().as_ptr()) }
}

/// Makes what is alive a snapshot's: no collection walks it again, and what is allocated from now on lies apart from it.
pub(crate) fn settle(ctx: &Ctx<'_>) {
    // SAFETY: moves the objects of a live runtime from one list to another; no collection is running.
    unsafe { edge_settle(ctx.as_raw().as_ptr()) }
}
