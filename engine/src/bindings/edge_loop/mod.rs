//! The event loop: what it asks of the host.

use super::{Binding, Exports};
use crate::host::waiting;
use crate::js::{Call, Result, Value, internals};

pub(crate) const BINDING: Binding = Binding { name: "edge_loop", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("clock", 0, clock)?;
    exports.helper("watch", 2, watch)?;
    exports.helper("watchSignal", 2, watch_signal)?;
    exports.helper("wait", 2, wait)
}

/// Milliseconds on the monotonic clock.
pub(crate) fn clock<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(waiting::monotonic_nanoseconds() / 1e6)
}

fn watch<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(waiting::watch(call.i32(0), call.i32(1)))
}

fn watch_signal<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(waiting::watch_signal(call.i32(0), call.i32(1)))
}

/// `wait(timeout in ns, -1 for ever, Uint32Array of handle and flags pairs)`: how many pairs were written.
fn wait<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let Some(timeout) = call.i64(0) else { return call.type_error("wait takes a timeout") };
    internals::release_kept(&call.ctx);
    call.ret(waiting::wait(timeout, call.bytes(1)?.as_mut_slice()))
}
