//! Source text → completion value.

use std::ffi::CString;

use rquickjs::{Ctx, Error, Result, Value, qjs};

/// Evaluates a sloppy global script; `file` is what stack traces call it, `first_line` the number of its first line.
pub(crate) fn evaluate<'js>(ctx: &Ctx<'js>, file: &str, source: &str, first_line: i32) -> Result<Value<'js>> {
    let file = CString::new(file).map_err(|_| Error::Unknown)?;
    // QuickJS reads one byte past the end and wants it to be NUL.
    let length = qjs::size_t::try_from(source.len()).map_err(|_| Error::Unknown)?;
    let mut source = source.as_bytes().to_vec();
    source.push(0);
    let mut options = qjs::JSEvalOptions {
        version: i32::try_from(qjs::JS_EVAL_OPTIONS_VERSION).unwrap_or(1),
        eval_flags: i32::try_from(qjs::JS_EVAL_TYPE_GLOBAL).unwrap_or(0),
        filename: file.as_ptr(),
        line_num: first_line,
    };
    // SAFETY: `length` bytes and a NUL lie at the address; text, file and options are alive during the call.
    let raw = unsafe { qjs::JS_Eval2(ctx.as_raw().as_ptr(), source.as_ptr().cast(), length, &raw mut options) };
    // SAFETY: the value is a new reference, or an exception.
    let value = unsafe { Value::from_raw(ctx.clone(), raw) };
    if value.is_exception() { Err(Error::Exception) } else { Ok(value) }
}
