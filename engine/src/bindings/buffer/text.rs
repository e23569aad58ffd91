//! The functions that turn text into bytes and back: `utf8Slice`, `hexWrite`, `atob`…

use super::arguments::{buffer, index_or, out_of_range, text};
use super::encoding::{self, Encoding};
use super::{base64, utf8};
use crate::bindings::Exports;
use crate::js::{Call, ErrorClass, Result, Units, Value, from_latin1, throw_coded};

macro_rules! per_encoding {
    ($exports:ident, $body:ident: $($name:literal $encoding:ident;)*) => {
        $({
            fn native<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
                $body(call, Encoding::$encoding)
            }
            $exports.function($name, 0, native)?;
        })*
    };
}

pub(super) fn init(exports: &Exports<'_>) -> Result<()> {
    per_encoding! { exports, slice:
        "asciiSlice" Ascii;
        "base64Slice" Base64;
        "base64urlSlice" Base64Url;
        "latin1Slice" Latin1;
        "hexSlice" Hex;
        "ucs2Slice" Utf16Le;
        "utf8Slice" Utf8;
    }
    per_encoding! { exports, write:
        "base64Write" Base64;
        "base64urlWrite" Base64Url;
        "hexWrite" Hex;
        "ucs2Write" Utf16Le;
        "asciiWriteStatic" Ascii;
        "latin1WriteStatic" Latin1;
        "utf8WriteStatic" Utf8;
    }
    exports.function("byteLengthUtf8", 0, byte_length_utf8)?;
    exports.function("atob", 0, atob)?;
    exports.function("btoa", 0, btoa)
}

/// `(buffer, start, end)`
fn slice<'js>(call: &Call<'_, 'js>, encoding: Encoding) -> Result<Value<'js>> {
    let buffer = buffer(call, 0)?;
    let start = index_or(call, 1, 0)?;
    let end = index_or(call, 2, buffer.len())?;
    if end <= start {
        return from_latin1(&call.ctx, b"");
    }
    match buffer.as_slice().get(start..end) {
        Some(bytes) => encoding::decode(&call.ctx, bytes, encoding),
        None => Err(out_of_range(call, "Index out of range")),
    }
}

/// `(buffer, string, offset, length)`
fn write<'js>(call: &Call<'_, 'js>, encoding: Encoding) -> Result<Value<'js>> {
    let buffer = buffer(call, 0)?;
    let text = text(call, 1)?;
    let offset = index_or(call, 2, 0)?;
    let Some(space) = buffer.len().checked_sub(offset) else {
        let message = "\"offset\" is outside of buffer bounds";
        return Err(throw_coded(&call.ctx, ErrorClass::Range, "ERR_BUFFER_OUT_OF_BOUNDS", message));
    };
    let length = index_or(call, 3, space)?.min(space);
    let written = match buffer.as_mut_slice().get_mut(offset..offset + length) {
        Some(out) => encoding::write(text.units(), encoding, out),
        None => 0,
    };
    call.ret(number(written))
}

/// A length as a JS number.
#[expect(clippy::cast_precision_loss, reason = "no buffer is as long as 2^53")]
pub(super) fn number(length: usize) -> f64 {
    length as f64
}

fn byte_length_utf8<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(number(utf8::length(text(call, 0)?.units())))
}

/// The decoded text, or the number of a fault that `lib/buffer.js` knows.
fn atob<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    const REMAINDER: i32 = -1;
    const CHARACTER: i32 = -2;
    let text = text(call, 0)?;
    let narrow = match text.units() {
        Units::Latin1(bytes) => bytes.to_vec(),
        Units::Utf16(wide) => match wide.iter().map(|unit| u8::try_from(*unit)).collect() {
            Ok(bytes) => bytes,
            Err(_) => return call.ret(CHARACTER),
        },
    };
    match base64::decode_strict(&narrow) {
        Ok(bytes) => from_latin1(&call.ctx, &bytes),
        Err(base64::Malformed::Remainder) => call.ret(REMAINDER),
        Err(base64::Malformed::Character) => call.ret(CHARACTER),
    }
}

/// The encoded text, or -1 if a character is above U+00FF.
fn btoa<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let text = text(call, 0)?;
    let encoded = match text.units() {
        Units::Latin1(bytes) => base64::encode(bytes, base64::Alphabet::Standard),
        Units::Utf16(wide) => {
            let narrow: std::result::Result<Vec<u8>, _> = wide.iter().map(|unit| u8::try_from(*unit)).collect();
            let Ok(narrow) = narrow else { return call.ret(-1) };
            base64::encode(&narrow, base64::Alphabet::Standard)
        }
    };
    from_latin1(&call.ctx, &encoded)
}
