//! Source text → completion value.

use std::ffi::CString;

use rquickjs::{Ctx, Error, Result, Value, qjs};

/// Evaluates a sloppy global script; `file` is what stack traces call it.
pub(crate) fn evaluate<'js>(ctx: &Ctx<'js>, file: &str, source: &str) -> Result<Value<'js>> {
    let file = CString::new(file).map_err(|_| Error::Unknown)?;
    // QuickJS reads one byte past the end and wants it to be NUL.
    let length = source.len();
    let mut source = source.as_bytes().to_vec();
    source.push(0);
    let flags = i32::try_from(qjs::JS_EVAL_TYPE_GLOBAL).unwrap_or(0);
    // SAFETY: `length` bytes and a NUL lie at the address; file and text are alive during the call.
    let raw = unsafe {
        qjs::JS_Eval(ctx.as_raw().as_ptr(), source.as_ptr().cast(), length as qjs::size_t, file.as_ptr(), flags)
    };
    // SAFETY: the value is a new reference, or an exception.
    let value = unsafe { Value::from_raw(ctx.clone(), raw) };
    if value.is_exception() { Err(Error::Exception) } else { Ok(value) }
}
