//! `internalBinding(name)`: what Node's library finds beneath itself. One folder per binding.
//!
//! A binding is its skeleton (every property that node@24 has there: constants by value, functions that throw
//! `not supported yet`), then the native functions put over it, then the optional JavaScript glue, which is called
//! as `(binding, native, internalBinding, primordials)` and puts classes and callbacks on `binding`.

mod fs;
mod uv;

use crate::js::{Ctx, IntoJs, Native, Object, Result, function};

/// One binding.
pub(crate) struct Binding {
    /// The name given to `internalBinding`.
    pub(crate) name: &'static str,
    /// Adds the native functions and values.
    pub(crate) init: for<'js> fn(&Exports<'js>) -> Result<()>,
    /// JavaScript glue: the body of a function of `(binding, native, internalBinding, primordials)`.
    pub(crate) glue: Option<&'static str>,
}

/// Every binding with code of ours. One without is its skeleton.
pub(crate) const BINDINGS: &[Binding] = &[
    fs::BINDING,
    uv::BINDING,
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
