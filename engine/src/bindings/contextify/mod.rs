//! Compiling an app's own source text.

use super::{Binding, Exports};
use crate::js::{Call, Result, Value};
use crate::script;

pub(crate) const BINDING: Binding = Binding { name: "contextify", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("compileUser", 3, compile_user)
}

fn compile_user<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let parameters: Vec<String> = call.get(2)?;
    let parameters: Vec<&str> = parameters.iter().map(String::as_str).collect();
    Ok(script::compile(&call.ctx, &call.string(1)?, &parameters, &call.string(0)?)?.into_value())
}
