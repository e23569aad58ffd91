//! The microtask queue and unhandled rejections.

use super::{Binding, Exports};
use crate::js::{Call, Result, Value, internals};

pub(crate) const BINDING: Binding = Binding { name: "task_queue", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("enqueueMicrotask", 1, enqueue_microtask)?;
    exports.helper("runMicrotasks", 0, run_microtasks)?;
    exports.helper("runMicrotask", 0, run_microtask)?;
    exports.helper("setRejectionTracker", 1, set_rejection_tracker)
}

fn enqueue_microtask<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    internals::enqueue_microtask(call.function(0)?.as_value())?;
    call.undefined()
}

fn run_microtasks<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    while internals::run_microtask(&call.ctx)? {}
    call.undefined()
}

fn run_microtask<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(internals::run_microtask(&call.ctx)?)
}

fn set_rejection_tracker<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    internals::set_rejection_hook(call.function(0)?.as_value());
    call.undefined()
}
