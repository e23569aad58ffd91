//! Stack traces and fatal exceptions.

use super::{Binding, Exports};
use crate::js::{Call, Result, Value, internals};

pub(crate) const BINDING: Binding = Binding { name: "errors", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("setStackFormatter", 1, set_stack_formatter)
}

/// `setStackFormatter((error, callSites) => stack)`.
pub(crate) fn set_stack_formatter<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    internals::set_stack_formatter(&call.arg(0));
    call.undefined()
}
