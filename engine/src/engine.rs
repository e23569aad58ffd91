//! The one engine of the guest: runtime, context and the JavaScript objects that drive the program.

use std::cell::{Cell, OnceCell, RefCell};
use std::mem::ManuallyDrop;

use rquickjs::{CatchResultExt, Context, Ctx, Function, Object, Persistent, Result, Runtime};

use crate::js::internals;

/// Bytes of native stack that JavaScript may use before it gets a RangeError. Shadow stack in the guest is 1 MiB
/// (set at the link); what is left over is for native functions under the deepest call.
const STACK_BYTES_MAX: usize = 768 * 1024;

// Nothing here is ever dropped: the process ends with the engine alive.
struct Engine {
    context: Context,
    runtime: Runtime,
    program: RefCell<Option<Persistent<Object<'static>>>>,
}

thread_local! {
    static ENGINE: ManuallyDrop<OnceCell<Engine>> = const { ManuallyDrop::new(OnceCell::new()) };
    static ENTRY: ManuallyDrop<RefCell<Option<Persistent<Function<'static>>>>> = const { ManuallyDrop::new(RefCell::new(None)) };
    static STEPS: Cell<Steps> = const { Cell::new(Steps { passed: 0, stop_at: -1, stopped: false, left: false }) };
    static THROWN: RefCell<String> = const { RefCell::new(String::new()) };
}

#[derive(Clone, Copy)]
struct Steps {
    passed: i64,
    stop_at: i64,
    stopped: bool,
    left: bool,
}

/// Makes the runtime. Called once, before anything else.
pub(crate) fn create() -> Result<()> {
    internals::init();
    let runtime = Runtime::new()?;
    runtime.set_max_stack_size(STACK_BYTES_MAX);
    let context = Context::full(&runtime)?;
    context.with(|ctx| internals::set_context(&ctx));
    let engine = Engine { context, runtime, program: RefCell::new(None) };
    ENGINE.with(|cell| assert!(cell.set(engine).is_ok(), "the engine is made once"));
    Ok(())
}

/// Runs `work` in the context; a pending exception becomes the text of the error.
pub(crate) fn with<R>(work: impl for<'js> FnOnce(&Ctx<'js>) -> Result<R>) -> core::result::Result<R, String> {
    ENGINE.with(|cell| {
        let engine = cell.get().ok_or_else(|| "the engine has not been started".to_owned())?;
        engine.context.with(|ctx| {
            internals::update_stack_top(&ctx);
            work(&ctx).catch(&ctx).map_err(|error| error.to_string())
        })
    })
}

/// Keeps the object whose methods drive the program.
pub(crate) fn set_program<'js>(ctx: &Ctx<'js>, program: Object<'js>) {
    ENGINE.with(|cell| {
        if let Some(engine) = cell.get() {
            *engine.program.borrow_mut() = Some(Persistent::save(ctx, program));
        }
    });
}

/// The object whose methods drive the program.
pub(crate) fn program<'js>(ctx: &Ctx<'js>) -> Result<Object<'js>> {
    let saved = ENGINE.with(|cell| cell.get().and_then(|engine| engine.program.borrow().clone()));
    saved.ok_or(rquickjs::Error::Unknown)?.restore(ctx)
}

/// Keeps the compiled main program.
pub(crate) fn set_entry<'js>(ctx: &Ctx<'js>, entry: Function<'js>) {
    ENTRY.with(|cell| cell.replace(Some(Persistent::save(ctx, entry))));
}

/// The compiled main program.
pub(crate) fn entry<'js>(ctx: &Ctx<'js>) -> Result<Function<'js>> {
    ENTRY.with(|cell| cell.borrow().clone()).ok_or(rquickjs::Error::Unknown)?.restore(ctx)
}

/// Asks for a stop before step `stop_at` (-1: never).
pub(crate) fn set_stop(stop_at: i64) {
    let steps = STEPS.get();
    STEPS.set(Steps { stop_at, stopped: false, left: false, ..steps });
}

/// Counts a step boundary; `true` if the program has to stop here.
pub(crate) fn step() -> bool {
    let steps = STEPS.get();
    let stopped = steps.passed == steps.stop_at;
    STEPS.set(Steps { passed: if stopped { steps.passed } else { steps.passed + 1 }, stopped, ..steps });
    stopped
}

/// Whether the last boundary was the one to stop at.
pub(crate) fn is_stopped() -> bool {
    STEPS.get().stopped
}

/// What runs from now on belongs to no step, and cannot be left out.
pub(crate) fn leave_steps() {
    STEPS.set(Steps { left: true, ..STEPS.get() });
}

/// The number of the step that is running; below zero outside of steps.
pub(crate) fn running_step() -> i64 {
    let steps = STEPS.get();
    if steps.left { -1 } else { steps.passed - 1 }
}

/// Keeps the text of an exception that start-up did not catch.
pub(crate) fn set_thrown(text: String) {
    THROWN.set(text);
}

/// Writes the text of an exception that start-up did not catch, as far as it fits; the length.
pub(crate) fn thrown_text(out: &mut [u8]) -> usize {
    THROWN.with_borrow(|text| {
        let length = text.len().min(out.len());
        out[..length].copy_from_slice(&text.as_bytes()[..length]);
        length
    })
}
