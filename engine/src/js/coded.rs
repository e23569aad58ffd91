//! Errors as Node's own native code throws them: made with their message, their stack without our own frames.

use std::ffi::CString;

use rquickjs::{Ctx, Error, Object, Result, Value, qjs};

unsafe extern "C" {
    fn edge_new_error(
        ctx: *mut qjs::JSContext,
        kind: core::ffi::c_int,
        message: *const core::ffi::c_char,
    ) -> qjs::JSValue;
}

/// The constructor of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// `Error`.
    Plain = 0,
    /// `TypeError`.
    Type = 1,
    /// `RangeError`.
    Range = 2,
}

/// A new error of that class.
pub(crate) fn new_error<'js>(ctx: &Ctx<'js>, class: ErrorClass, message: &str) -> Result<Object<'js>> {
    // A C string ends at the first NUL, wherever that is.
    let text: Vec<u8> = message.bytes().take_while(|&byte| byte != 0).collect();
    let text = CString::new(text).map_err(|_| Error::Unknown)?;
    // SAFETY: the context is alive; the text ends with NUL and is copied.
    let raw = unsafe { edge_new_error(ctx.as_raw().as_ptr(), class as core::ffi::c_int, text.as_ptr()) };
    // SAFETY: the value is a new reference, or an exception.
    let value = unsafe { Value::from_raw(ctx.clone(), raw) };
    if value.is_exception() {
        return Err(Error::Exception);
    }
    value.into_object().ok_or(Error::Unknown)
}

/// Throws an error of that class with a `code` property.
pub(crate) fn throw_coded(ctx: &Ctx<'_>, class: ErrorClass, code: &str, message: &str) -> Error {
    let made = new_error(ctx, class, message).and_then(|error| error.set("code", code).map(|()| error));
    match made {
        Ok(error) => ctx.throw(error.into_value()),
        Err(error) => error,
    }
}
