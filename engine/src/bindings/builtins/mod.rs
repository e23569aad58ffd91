//! Node's own modules by id.

use super::{Binding, Exports};
use crate::js::{Call, Result, Value};
use crate::library;

pub(crate) const BINDING: Binding = Binding { name: "builtins", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("compile", 2, compile)
}

/// `compile(id, parameters)`: the module's function.
pub(crate) fn compile<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let parameters: Vec<String> = call.get(1)?;
    let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
    Ok(library::compile(&call.ctx, &call.string(0)?, &parameters)?.into_value())
}
