//! What `c/engine.c` adds to QuickJS.

use rquickjs::{Value, qjs};

unsafe extern "C" {
    fn edge_strip_source(ctx: *mut qjs::JSContext, function: qjs::JSValue);
}

/// Frees the source text of a compiled function and of all functions inside it.
pub(crate) fn strip_source(function: &Value<'_>) {
    // SAFETY: the value is alive; anything that is no bytecode function is left alone.
    unsafe { edge_strip_source(function.ctx().as_raw().as_ptr(), function.as_raw()) }
}
