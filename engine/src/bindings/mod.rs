//! `internalBinding(name)`: what Node's library finds beneath itself. One folder per binding.
//!
//! A binding is its skeleton (every property that node@24 has there: constants by value, functions that throw
//! `not supported yet`), then the native functions put over it, then the optional JavaScript glue, which is called
//! as `(binding, native, internalBinding, primordials, shared)` and puts classes and callbacks on `binding`. The glue comes
//! with Node's library, and is compiled when that is started: none of its text is left in the engine.

mod async_context_frame;
mod async_wrap;
mod block_list;
mod buffer;
pub(crate) mod builtins;
mod cares_wrap;
mod contextify;
mod credentials;
mod crypto;
mod edge_loop;
mod encoding_binding;
pub(crate) mod errors;
mod fs;
mod http_parser;
mod icu;
mod messaging;
mod os;
mod performance;
mod permission;
mod pipe_wrap;
mod process_env;
mod process_methods;
mod stream_wrap;
mod string_decoder;
mod task_queue;
mod tcp_wrap;
mod tty_wrap;
mod types;
mod url;
mod util;
mod uv;
mod zlib;

use crate::js::{Ctx, Function, IntoJs, Native, Object, Result, Value, function};
use crate::{library, script};

/// One binding.
pub(crate) struct Binding {
    /// The name given to `internalBinding`.
    pub(crate) name: &'static str,
    /// Adds the native functions and values.
    pub(crate) init: for<'js> fn(&Exports<'js>) -> Result<()>,
}

/// Every binding with native code of ours. One without is its skeleton, and its glue.
const BINDINGS: &[Binding] = &[
    async_context_frame::BINDING,
    async_wrap::BINDING,
    block_list::BINDING,
    buffer::BINDING,
    builtins::BINDING,
    cares_wrap::BINDING,
    contextify::BINDING,
    credentials::BINDING,
    crypto::BINDING,
    edge_loop::BINDING,
    encoding_binding::BINDING,
    errors::BINDING,
    fs::BINDING,
    http_parser::BINDING,
    icu::BINDING,
    messaging::BINDING,
    os::BINDING,
    performance::BINDING,
    permission::BINDING,
    pipe_wrap::BINDING,
    process_env::BINDING,
    process_methods::BINDING,
    stream_wrap::BINDING,
    string_decoder::BINDING,
    task_queue::BINDING,
    tcp_wrap::BINDING,
    tty_wrap::BINDING,
    types::BINDING,
    url::BINDING,
    util::BINDING,
    uv::BINDING,
    zlib::BINDING,
];

/// Where a binding puts what it exports.
pub(crate) struct Exports<'js> {
    /// The context.
    pub(crate) ctx: Ctx<'js>,
    /// What `internalBinding(name)` returns.
    pub(crate) binding: Object<'js>,
    /// What only the glue sees.
    pub(crate) native: Object<'js>,
}

impl<'js> Exports<'js> {
    /// A function on the binding.
    pub(crate) fn function<F: Native>(&self, name: &str, length: i32, native: F) -> Result<()> {
        self.binding.set(name, function(&self.ctx, name, length, native)?)
    }

    /// A value on the binding.
    pub(crate) fn value<T: IntoJs<'js>>(&self, name: &str, value: T) -> Result<()> {
        self.binding.set(name, value)
    }

    /// A function that only the binding's glue sees.
    pub(crate) fn helper<F: Native>(&self, name: &str, length: i32, native: F) -> Result<()> {
        self.native.set(name, function(&self.ctx, name, length, native)?)
    }
}

/// Puts the native functions of binding `name` on the two objects; its glue as a function, or `undefined`.
pub(crate) fn init<'js>(ctx: &Ctx<'js>, name: &str, binding: Object<'js>, native: Object<'js>) -> Result<Value<'js>> {
    if let Some(known) = BINDINGS.iter().find(|known| known.name == name) {
        (known.init)(&Exports { ctx: ctx.clone(), binding, native })?;
    }
    match library::take_own(&format!("bindings/{name}")) {
        Some(source) => Ok(compile_glue(ctx, name, &source)?.into_value()),
        None => Ok(Value::new_undefined(ctx.clone())),
    }
}

fn compile_glue<'js>(ctx: &Ctx<'js>, name: &str, source: &str) -> Result<Function<'js>> {
    let parameters = ["binding", "native", "internalBinding", "primordials", "shared"];
    script::compile_own(ctx, &format!("edgepack:{name}"), &parameters, source)
}
