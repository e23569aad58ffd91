//! Stack traces and fatal exceptions.

use super::{Binding, Exports};
use crate::js::{Call, Result, Value, internals};

pub(crate) const BINDING: Binding = Binding { name: "errors", init, glue: Some(include_str!("errors.js")) };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("setPrepareStack", 1, set_prepare_stack)
}

fn set_prepare_stack<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    internals::set_prepare_stack(&call.arg(0));
    call.undefined()
}
