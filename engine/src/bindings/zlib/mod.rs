//! `internalBinding('zlib')`: deflate, gzip and brotli streams, and CRC-32.

mod brotli;
mod stream;

use core::cell::RefCell;
use std::rc::Rc;

use super::{Binding, Exports};
use crate::js::{Array, Bytes, Call, IntoJs, Result, Value, own, owned};
use brotli::Brotli;
use stream::{Failure, Left, Members, Mode, Settings, Stream};

/// The binding.
pub(crate) const BINDING: Binding = Binding { name: "zlib", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("crc32", 2, crc32)?;
    exports.helper("create", 7, create)?;
    exports.helper("createBrotli", 1, create_brotli)?;
    exports.helper("write", 9, write)?;
    exports.helper("params", 2, params)?;
    exports.helper("reset", 1, reset)
}

/// Either kind of stream.
enum Coder {
    Zlib(Stream),
    Brotli(Box<Brotli>),
}

type Held = RefCell<Coder>;

fn held(call: &Call<'_, '_>) -> Result<Rc<Held>> {
    match owned(&call.arg(0)) {
        Some(coder) => Ok(coder),
        None => call.type_error("Illegal invocation"),
    }
}

/// `[message, errno, code]`, or undefined.
fn explain<'js>(call: &Call<'_, 'js>, failure: Option<Failure>) -> Result<Value<'js>> {
    let Some(failure) = failure else { return call.undefined() };
    let array = Array::new(call.ctx.clone())?;
    array.set(0, failure.message)?;
    array.set(1, failure.number)?;
    array.set(2, failure.code)?;
    array.into_js(&call.ctx)
}

/// `(mode, windowBits, level, memLevel, strategy, dictionary, isOneMember)`: `[stream, failure]`
fn create<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let mode = match call.i32(0) {
        1 => Mode::Deflate,
        2 => Mode::Inflate,
        3 => Mode::Gzip,
        4 => Mode::Gunzip,
        5 => Mode::DeflateRaw,
        6 => Mode::InflateRaw,
        7 => Mode::Unzip,
        _ => return call.type_error("Bad argument"),
    };
    let settings =
        Settings { window_bits: call.i32(1), level: call.i32(2), mem_level: call.i32(3), strategy: call.i32(4) };
    let dictionary = if call.arg(5).is_object() { Some(call.bytes(5)?.as_slice().to_vec()) } else { None };
    let members = if call.bool(6) { Members::One } else { Members::Many };
    let (stream, failure) = Stream::new(mode, settings, members, dictionary);
    let pair = Array::new(call.ctx.clone())?;
    pair.set(0, own(&call.ctx, Held::new(Coder::Zlib(stream)))?)?;
    pair.set(1, explain(call, failure)?)?;
    pair.into_js(&call.ctx)
}

/// `(takesLargeWindows)`
fn create_brotli<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    own(&call.ctx, Held::new(Coder::Brotli(Box::new(Brotli::new(call.bool(0))))))
}

/// `(stream, state, flush, in, inOffset, inLength, out, outOffset, outLength)`: writes what is left over to `state`;
/// a failure or undefined.
fn write<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let coder = held(call)?;
    let flush = call.i32(2);
    let input = if call.arg(3).is_object() { Some(call.bytes(3)?) } else { None };
    let input = part(input.as_ref().map_or(&[], Bytes::as_slice), call.usize(4), call.usize(5));
    let output = call.bytes(6)?;
    let start = call.usize(7);
    let range = start..start.saturating_add(call.usize(8));
    // Nobody reads and writes the same bytes, except to find out what happens.
    let copy = overlap(input, output.as_slice()).then(|| input.to_vec());
    let input = copy.as_deref().unwrap_or(input);
    let Some(output) = output.as_mut_slice().get_mut(range) else { return call.range_error("Out of bounds") };
    let (left, failure) = match &mut *coder.borrow_mut() {
        Coder::Zlib(stream) => stream.write(flush, input, output),
        Coder::Brotli(brotli) => brotli.write(flush, input, output),
    };
    leave(call, left)?;
    explain(call, failure)
}

fn part(bytes: &[u8], start: usize, length: usize) -> &[u8] {
    bytes.get(start..start.saturating_add(length)).unwrap_or_default()
}

fn overlap(left: &[u8], right: &[u8]) -> bool {
    let (left, right) = (left.as_ptr_range(), right.as_ptr_range());
    left.start < right.end && right.start < left.end
}

fn leave(call: &Call<'_, '_>, left: Left) -> Result<()> {
    let state = call.object(1)?;
    state.set(0_u32, u32::try_from(left.output).unwrap_or(u32::MAX))?;
    state.set(1_u32, u32::try_from(left.input).unwrap_or(u32::MAX))
}

/// `(stream, level)`
fn params<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    if let Coder::Zlib(stream) = &mut *held(call)?.borrow_mut() {
        stream.set_parameters(call.i32(1));
    }
    call.undefined()
}

fn reset<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let failure = match &mut *held(call)?.borrow_mut() {
        Coder::Zlib(stream) => stream.reset(),
        Coder::Brotli(brotli) => {
            brotli.reset();
            None
        }
    };
    explain(call, failure)
}

/// `(data, value)`
fn crc32<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let sum = if call.arg(0).is_string() {
        zlib_rs::crc32::crc32(call.u32(1), call.string(0)?.as_bytes())
    } else {
        zlib_rs::crc32::crc32(call.u32(1), call.bytes(0)?.as_slice())
    };
    call.ret(f64::from(sum))
}
