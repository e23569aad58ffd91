//! Compiles source text into a function of given parameters, as node wraps its modules.

use rquickjs::{Ctx, Function, Result};

use crate::js::{evaluate, internals};

/// Compiles code that is part of the engine: its source text is not kept.
pub(crate) fn compile_own<'js>(ctx: &Ctx<'js>, file: &str, parameters: &[&str], body: &str) -> Result<Function<'js>> {
    let function = compile(ctx, file, parameters, body)?;
    internals::strip_source(function.as_value());
    Ok(function)
}

/// Compiles the app's code; `Function.prototype.toString` shows its source.
pub(crate) fn compile<'js>(ctx: &Ctx<'js>, file: &str, parameters: &[&str], body: &str) -> Result<Function<'js>> {
    // The parameters stand before line 1, so that positions are those of `body`; QuickJS takes line 0 for "not given".
    let source = format!("(function ({}) {{\n\n{body}\n}})", parameters.join(", "));
    Function::from_value(evaluate::evaluate(ctx, file, &source, -1)?)
}

/// Evaluates a sloppy script; the completion value must be a function.
pub(crate) fn evaluate_script<'js>(ctx: &Ctx<'js>, file: &str, source: &str) -> Result<Function<'js>> {
    Function::from_value(evaluate::evaluate(ctx, file, source, 1)?)
}

/// Evaluates the app's bundle; the completion value must be a function.
pub(crate) fn evaluate_bundle<'js>(ctx: &Ctx<'js>, file: &str, source: &str) -> Result<Function<'js>> {
    Function::from_value(evaluate::evaluate_bundle(ctx, file, source)?)
}
