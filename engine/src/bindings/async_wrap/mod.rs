//! Async ids and hooks; promise creation and settlement are told by QuickJS.

use super::{Binding, Exports};
use crate::js::{Call, Result, Value, internals};

pub(crate) const BINDING: Binding = Binding { name: "async_wrap", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("setPromiseHooks", 2, set_promise_hooks)
}

/// `setPromiseHooks(onInit, onSettled)`, each a function or undefined.
fn set_promise_hooks<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    internals::set_promise_hooks(&call.arg(0), &call.arg(1));
    call.undefined()
}
