//! JS strings as their units, without a copy, and strings made from units.

use core::ffi::c_int;

use rquickjs::{Ctx, Error, Result, Value, qjs};

unsafe extern "C" {
    fn edge_string_flat(ctx: *mut qjs::JSContext, string: qjs::JSValue) -> qjs::JSValue;
    fn edge_string_units(string: qjs::JSValue, length: *mut u32, is_wide: *mut c_int) -> *const u8;
    fn edge_string_from_latin1(ctx: *mut qjs::JSContext, bytes: *const u8, length: u32) -> qjs::JSValue;
}

/// A flat JS string.
pub(crate) struct Text<'js>(Value<'js>);

/// The units of a string as QuickJS stores them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Units<'a> {
    /// One byte a character, U+0000 to U+00FF.
    Latin1(&'a [u8]),
    /// UTF-16, lone surrogates possible.
    Utf16(&'a [u16]),
}

impl<'js> Text<'js> {
    /// The string `value`, or a type error.
    pub(crate) fn from_value(value: &Value<'js>) -> Result<Text<'js>> {
        if !value.is_string() {
            return Err(Error::new_from_js(value.type_name(), "string"));
        }
        let ctx = value.ctx();
        // SAFETY: the value is a live string.
        let raw = unsafe { edge_string_flat(ctx.as_raw().as_ptr(), value.as_raw()) };
        // SAFETY: the result is a new reference.
        let flat = unsafe { Value::from_raw(ctx.clone(), raw) };
        if flat.is_exception() { Err(Error::Exception) } else { Ok(Text(flat)) }
    }

    /// The units.
    pub(crate) fn units(&self) -> Units<'_> {
        let (mut length, mut is_wide) = (0, 0);
        // SAFETY: the value is a live flat string; both outputs are valid for writes.
        let start = unsafe { edge_string_units(self.0.as_raw(), &raw mut length, &raw mut is_wide) };
        let length = usize::try_from(length).unwrap_or(0);
        if is_wide == 0 {
            // SAFETY: `length` bytes lie at `start` while `self` holds the string; strings never change.
            return Units::Latin1(unsafe { core::slice::from_raw_parts(start, length) });
        }
        // SAFETY: as above with UTF-16 units; QuickJS stores them aligned.
        Units::Utf16(unsafe { core::slice::from_raw_parts(start.cast::<u16>(), length) })
    }

    /// As Rust text; lone surrogates become U+FFFD.
    pub(crate) fn to_string_lossy(&self) -> String {
        match self.units() {
            Units::Latin1(bytes) => bytes.iter().copied().map(char::from).collect(),
            Units::Utf16(units) => String::from_utf16_lossy(units),
        }
    }
}

/// A JS string of Latin-1 bytes.
pub(crate) fn from_latin1<'js>(ctx: &Ctx<'js>, bytes: &[u8]) -> Result<Value<'js>> {
    let length = u32::try_from(bytes.len()).map_err(|_| Error::Unknown)?;
    // SAFETY: `length` bytes lie at the address and are copied.
    let raw = unsafe { edge_string_from_latin1(ctx.as_raw().as_ptr(), bytes.as_ptr(), length) };
    own(ctx, raw)
}

/// A JS string of UTF-16 units, lone surrogates kept.
pub(crate) fn from_utf16<'js>(ctx: &Ctx<'js>, units: &[u16]) -> Result<Value<'js>> {
    // SAFETY: `units.len()` units lie at the address and are copied.
    let raw = unsafe { qjs::JS_NewStringUTF16(ctx.as_raw().as_ptr(), units.as_ptr(), size(units.len())) };
    own(ctx, raw)
}

/// A JS string of UTF-8 text.
pub(crate) fn from_str<'js>(ctx: &Ctx<'js>, text: &str) -> Result<Value<'js>> {
    // SAFETY: `text.len()` bytes lie at the address and are copied.
    let raw = unsafe { qjs::JS_NewStringLen(ctx.as_raw().as_ptr(), text.as_ptr().cast(), size(text.len())) };
    own(ctx, raw)
}

#[expect(clippy::useless_conversion, reason = "size_t is u32 in the guest and u64 natively")]
fn size(length: usize) -> qjs::size_t {
    qjs::size_t::try_from(length).unwrap_or(qjs::size_t::MAX)
}

fn own<'js>(ctx: &Ctx<'js>, raw: qjs::JSValue) -> Result<Value<'js>> {
    // SAFETY: the value is a new reference, or an exception.
    let value = unsafe { Value::from_raw(ctx.clone(), raw) };
    if value.is_exception() { Err(Error::Exception) } else { Ok(value) }
}
