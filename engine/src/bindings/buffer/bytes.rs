//! The functions on bytes alone: copy, compare, fill, swap, search.

use std::cmp::Ordering;

use super::arguments::{buffer, index_or, out_of_range};
use super::encoding::{self, Encoding};
use super::search::{self, From, Unit};
use super::text::number;
use crate::bindings::Exports;
use crate::js::values::{Kind, kind, unsafe_array_buffer};
use crate::js::{Bytes, Call, ErrorClass, Result, Text, Value, throw_coded};

pub(super) fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("copy", 0, copy)?;
    exports.function("copyArrayBuffer", 0, copy_array_buffer)?;
    exports.function("createUnsafeArrayBuffer", 0, create_unsafe_array_buffer)?;
    exports.function("compare", 0, compare)?;
    exports.function("compareOffset", 0, compare_offset)?;
    exports.function("fill", 0, fill)?;
    exports.function("indexOfString", 0, index_of_string)?;
    exports.function("indexOfBuffer", 0, index_of_buffer)?;
    exports.function("indexOfNumber", 0, index_of_number)?;
    exports.function("swap16", 0, swap::<2>)?;
    exports.function("swap32", 0, swap::<4>)?;
    exports.function("swap64", 0, swap::<8>)?;
    exports.function("isUtf8", 0, is_utf8)?;
    exports.function("isAscii", 0, is_ascii)?;
    exports.function("setDetachKey", 0, set_detach_key)
}

/// `(source, target, target start, source start, count)`
fn copy<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (source, target) = (buffer(call, 0)?, buffer(call, 1)?);
    let count = call.usize(4);
    source.copy_within(call.usize(3), &target, call.usize(2), count);
    call.ret(number(count))
}

/// `(target, target start, source, source start, count)`
fn copy_array_buffer<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (target, source) = (buffer(call, 0)?, buffer(call, 2)?);
    source.copy_within(call.usize(3), &target, call.usize(1), call.usize(4));
    call.undefined()
}

fn create_unsafe_array_buffer<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let buffer = unsafe_array_buffer(&call.ctx, call.usize(0))?;
    if buffer.is_null() {
        let message = "Failed to allocate memory";
        return Err(throw_coded(&call.ctx, ErrorClass::Range, "ERR_MEMORY_ALLOCATION_FAILED", message));
    }
    Ok(buffer)
}

fn ordering<'js>(call: &Call<'_, 'js>, ordering: Ordering) -> Result<Value<'js>> {
    call.ret(ordering as i32)
}

fn compare<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (left, right) = (buffer(call, 0)?, buffer(call, 1)?);
    ordering(call, left.as_slice().cmp(right.as_slice()))
}

/// `(source, target, target start, source start, target end, source end)`
fn compare_offset<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (source, target) = (buffer(call, 0)?, buffer(call, 1)?);
    let (target_start, source_start) = (index_or(call, 2, 0)?, index_or(call, 3, 0)?);
    if source_start > source.len() {
        return Err(out_of_range(call, "The value of \"sourceStart\" is out of range."));
    }
    if target_start > target.len() {
        return Err(out_of_range(call, "The value of \"targetStart\" is out of range."));
    }
    let source_end = index_or(call, 5, source.len())?.clamp(source_start, source.len());
    let target_end = index_or(call, 4, target.len())?.clamp(target_start, target.len());
    let source = source.as_slice().get(source_start..source_end).unwrap_or_default();
    let target = target.as_slice().get(target_start..target_end).unwrap_or_default();
    ordering(call, source.cmp(target))
}

/// `(buffer, value, start, end, encoding)`: -1 if the value has no bytes, -2 if the range lies outside.
fn fill<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    const EMPTY_VALUE: i32 = -1;
    const OUT_OF_RANGE: i32 = -2;
    let buffer = buffer(call, 0)?;
    let (start, end) = (index_or(call, 2, 0)?, index_or(call, 3, buffer.len())?);
    let pattern = fill_pattern(call)?;
    let range = start..end;
    if start > end || end > buffer.len() {
        return call.ret(OUT_OF_RANGE);
    }
    let Some(out) = buffer.as_mut_slice().get_mut(range) else { return call.undefined() };
    match pattern.as_slice() {
        [] => return call.ret(EMPTY_VALUE),
        [byte] => out.fill(*byte),
        _ => repeat(&pattern, out),
    }
    call.undefined()
}

/// The bytes of the value. Owned, because it may share memory with the buffer that is filled.
fn fill_pattern(call: &Call<'_, '_>) -> Result<Vec<u8>> {
    let value = call.arg(1);
    if value.is_string() {
        let name = if call.arg(4).is_string() { call.string(4)? } else { String::new() };
        return Ok(encoding::encode(Text::from_value(&value)?.units(), Encoding::from_name(&name)));
    }
    if let Some(bytes) = Bytes::try_from_value(&value) {
        return Ok(bytes.as_slice().to_vec());
    }
    Ok(vec![call.u32(1).to_le_bytes()[0]])
}

fn repeat(pattern: &[u8], out: &mut [u8]) {
    let first = pattern.len().min(out.len());
    out[..first].copy_from_slice(&pattern[..first]);
    let mut done = first;
    while done < out.len() {
        let count = done.min(out.len() - done);
        out.copy_within(..count, done);
        done += count;
    }
}

/// The haystack up to the `end` argument, of which below zero means zero.
fn haystack<'a>(call: &Call<'_, '_>, buffer: &'a Bytes<'_>, end: usize) -> Result<&'a [u8]> {
    let end = if call.f64(end) < 0.0 { 0 } else { index_or(call, end, buffer.len())?.min(buffer.len()) };
    Ok(buffer.as_slice().get(..end).unwrap_or_default())
}

fn from(call: &Call<'_, '_>, offset: usize, is_forward: usize) -> From {
    From { offset: call.i64(offset).unwrap_or(0), is_forward: call.bool(is_forward) }
}

fn found<'js>(call: &Call<'_, 'js>, index: Option<usize>) -> Result<Value<'js>> {
    call.ret(index.map_or(-1.0, number))
}

fn unit(encoding: Encoding) -> Unit {
    if encoding == Encoding::Utf16Le { Unit::Pair } else { Unit::Byte }
}

/// `(buffer, string, offset, encoding, is forward, end)`
fn index_of_string<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (buffer, text) = (buffer(call, 0)?, call.text(1)?);
    let encoding = Encoding::from_number(call.u32(3));
    let needle = encoding::encode(text.units(), encoding);
    let mut haystack = haystack(call, &buffer, 5)?;
    if encoding == Encoding::Utf16Le {
        haystack = &haystack[..haystack.len() & !1];
    }
    found(call, search::find(haystack, &needle, from(call, 2, 4), unit(encoding)))
}

/// `(buffer, needle, offset, encoding, is forward, end)`
fn index_of_buffer<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (buffer, needle) = (buffer(call, 0)?, self::buffer(call, 1)?);
    let unit = unit(Encoding::from_number(call.u32(3)));
    found(call, search::find(haystack(call, &buffer, 5)?, needle.as_slice(), from(call, 2, 4), unit))
}

/// `(buffer, byte, offset, is forward, end)`
fn index_of_number<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let buffer = buffer(call, 0)?;
    let byte = call.u32(1).to_le_bytes()[0];
    found(call, search::find_byte(haystack(call, &buffer, 4)?, byte, from(call, 2, 3)))
}

fn swap<'js, const SIZE: usize>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let buffer = buffer(call, 0)?;
    for element in buffer.as_mut_slice().chunks_exact_mut(SIZE) {
        element.reverse();
    }
    call.undefined()
}

/// Whether what is asked holds of the bytes; of a detached buffer, which has none, everything does.
fn holds_of_bytes<'js>(call: &Call<'_, 'js>, holds: impl Fn(&[u8]) -> bool) -> Result<Value<'js>> {
    if kind(&call.arg(0)) == Kind::ArrayBuffer && Bytes::try_from_value(&call.arg(0)).is_none() {
        return call.ret(true);
    }
    call.ret(holds(buffer(call, 0)?.as_slice()))
}

fn is_utf8<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    holds_of_bytes(call, |bytes| std::str::from_utf8(bytes).is_ok())
}

fn is_ascii<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    holds_of_bytes(call, <[u8]>::is_ascii)
}

/// V8 locks buffers against detaching with a key. Here the mark that `markAsUntransferable` sets is all there is.
fn set_detach_key<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.undefined()
}
