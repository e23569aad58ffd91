//! Source text → completion value.

use std::ffi::CString;

use rquickjs::{Ctx, Error, Result, Value, qjs};

/// Evaluates a sloppy global script; `file` is what stack traces call it, `first_line` the number of its first line.
pub(crate) fn evaluate<'js>(ctx: &Ctx<'js>, file: &str, source: &str, first_line: i32) -> Result<Value<'js>> {
    evaluate_terminated(ctx, file, &terminated(source), first_line)
}

/// Evaluates the app's bundle. Its text stays in memory for ever, and every function in it points into that one copy.
pub(crate) fn evaluate_bundle<'js>(ctx: &Ctx<'js>, file: &str, source: &str) -> Result<Value<'js>> {
    unsafe extern "C" {
        fn edge_set_shared_text(text: *const u8, length: u32);
    }
    let text: &'static [u8] = terminated(source).leak();
    let length = u32::try_from(text.len()).map_err(|_| Error::Unknown)?;
    // SAFETY: the text is never freed.
    unsafe { edge_set_shared_text(text.as_ptr(), length) };
    evaluate_terminated(ctx, file, text, 1)
}

/// QuickJS reads one byte past the end and wants it to be NUL.
fn terminated(source: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(source.len() + 1);
    text.extend_from_slice(source.as_bytes());
    text.push(0);
    text
}

fn evaluate_terminated<'js>(ctx: &Ctx<'js>, file: &str, source: &[u8], first_line: i32) -> Result<Value<'js>> {
    let file = CString::new(file).map_err(|_| Error::Unknown)?;
    let length = qjs::size_t::try_from(source.len() - 1).map_err(|_| Error::Unknown)?;
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
