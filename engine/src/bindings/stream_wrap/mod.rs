//! `stream_wrap`: reading and writing streams without waiting. Results below zero are error numbers.

use core::cell::RefCell;

use edgepack_format::host_calls::stdio_kind;

use super::{Binding, Exports};
use crate::host::{Answer, process, sockets};
use crate::js::{Array, ArrayBuffer, Bytes, Call, Result, Text, Units, Value};

pub(crate) const BINDING: Binding = Binding { name: "stream_wrap", init };

/// Bytes read at once: what libuv suggests.
const READ_BYTES: usize = 64 * 1024;
const END_OF_FILE: i32 = -4095;
/// `streamBaseState[kBytesWritten]`.
const BYTES_WRITTEN: usize = 2;

thread_local! {
    /// Where every stream reads into before the exact bytes are handed over.
    static CHUNK: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("read", 1, read)?;
    exports.helper("readInto", 2, read_into)?;
    exports.helper("writeBytes", 3, write_bytes)?;
    exports.helper("writeText", 4, write_text)?;
    exports.helper("writeAll", 4, write_all)?;
    exports.helper("encode", 2, encode)?;
    exports.helper("encodeAll", 2, encode_all)?;
    exports.helper("shutdown", 1, |call| status(call, sockets::shutdown(call.i32(0))))?;
    exports.helper("close", 1, |call| status(call, sockets::close(call.i32(0))))
}

/// 0 or a negative error number.
pub(crate) fn status<'js>(call: &Call<'_, 'js>, answer: Answer<()>) -> Result<Value<'js>> {
    call.ret(answer.map_or_else(|failure| failure.number(), |()| 0))
}

/// A number that is not negative, or a negative error number.
pub(crate) fn number<'js>(call: &Call<'_, 'js>, answer: Answer<i32>) -> Result<Value<'js>> {
    call.ret(answer.unwrap_or_else(|failure| failure.number()))
}

/// (handle): an `ArrayBuffer` of what was there, or an error number, the end of the stream among them.
fn read<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    CHUNK.with_borrow_mut(|chunk| {
        chunk.resize(READ_BYTES, 0);
        match sockets::read(call.i32(0), chunk) {
            Ok(0) => call.ret(END_OF_FILE),
            Ok(count) => call.ret(ArrayBuffer::new_copy(call.ctx.clone(), chunk.get(..count).unwrap_or_default())?),
            Err(failure) => call.ret(failure.number()),
        }
    })
}

/// (handle, view): how many bytes were read into it, or an error number.
fn read_into<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let target = call.bytes(1)?;
    let count = sockets::read(call.i32(0), target.as_mut_slice()).map(|count| match i32::try_from(count) {
        Ok(0) => END_OF_FILE,
        Ok(count) => count,
        Err(_) => i32::MAX,
    });
    number(call, count)
}

/// Writes at once what can be written; standard streams take everything.
fn write_slices(handle: i32, slices: &[&[u8]]) -> Answer<i32> {
    if handle != 1 && handle != 2 {
        return sockets::write(handle, slices).map(|count| i32::try_from(count).unwrap_or(i32::MAX));
    }
    let bytes = slices.concat();
    process::stdio_write(handle, &bytes).map(|count| i32::try_from(count).unwrap_or(i32::MAX))
}

/// Writes unless the stream has a queue, and says in the state array how many bytes there are in all.
fn write_counted<'js>(call: &Call<'_, 'js>, slices: &[&[u8]]) -> Result<Value<'js>> {
    let total: usize = slices.iter().map(|slice| slice.len()).sum();
    if let Some(state) = Bytes::try_from_value(&call.arg(1))
        && let Some(slot) = state.as_mut_slice().as_chunks_mut::<4>().0.get_mut(BYTES_WRITTEN)
    {
        *slot = u32::try_from(total).unwrap_or(u32::MAX).to_le_bytes();
    }
    if total == 0 || call.i32(0) < 0 {
        return call.ret(0);
    }
    number(call, write_slices(call.i32(0), slices))
}

/// (handle or -1 to count only, state, view): bytes written or an error number.
fn write_bytes<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let bytes = call.bytes(2)?;
    write_counted(call, &[bytes.as_slice()])
}

/// (handle or -1, state, string, encoding)
fn write_text<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let text = call.text(2)?;
    let encoding = call.string(3)?;
    match text.units() {
        Units::Latin1(bytes) if is_verbatim(bytes, &encoding) => write_counted(call, &[bytes]),
        _ => write_counted(call, &[&encoded(&text, &encoding)]),
    }
}

/// Whether the units are the bytes.
fn is_verbatim(units: &[u8], encoding: &str) -> bool {
    match encoding {
        "latin1" | "binary" | "ascii" => true,
        "utf8" | "utf-8" => units.is_ascii(),
        _ => false,
    }
}

/// The bytes of a text in one of the encodings that streams take.
fn encoded(text: &Text<'_>, encoding: &str) -> Vec<u8> {
    let low_byte = |unit: u16| unit.to_le_bytes()[0];
    match (encoding, text.units()) {
        ("latin1" | "binary" | "ascii", Units::Latin1(bytes)) => bytes.to_vec(),
        ("latin1" | "binary" | "ascii", Units::Utf16(units)) => units.iter().copied().map(low_byte).collect(),
        ("ucs2" | "ucs-2" | "utf16le" | "utf-16le", Units::Latin1(bytes)) => {
            bytes.iter().flat_map(|&byte| [byte, 0]).collect()
        }
        ("ucs2" | "ucs-2" | "utf16le" | "utf-16le", Units::Utf16(units)) => {
            units.iter().flat_map(|unit| unit.to_le_bytes()).collect()
        }
        _ => text.to_string_lossy().into_bytes(),
    }
}

/// One chunk of a `writev`.
enum Chunk<'js> {
    View(Bytes<'js>),
    Encoded(Vec<u8>),
}

impl Chunk<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Chunk::View(view) => view.as_slice(),
            Chunk::Encoded(bytes) => bytes,
        }
    }
}

/// The chunks of an array of views, or of an array of chunk, encoding, chunk, encoding, …
fn chunks<'js>(list: &Array<'js>, all_views: bool) -> Result<Vec<Chunk<'js>>> {
    let step = if all_views { 1 } else { 2 };
    let mut chunks = Vec::with_capacity(list.len() / step);
    for index in (0..list.len()).step_by(step) {
        let chunk: Value<'js> = list.get(index)?;
        chunks.push(match Bytes::try_from_value(&chunk) {
            Some(view) => Chunk::View(view),
            None => {
                let encoding: String = list.get(index + 1)?;
                Chunk::Encoded(encoded(&Text::from_value(&chunk)?, &encoding))
            }
        });
    }
    Ok(chunks)
}

/// (handle or -1, state, chunks, whether all are views)
fn write_all<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let chunks = chunks(&call.get(2)?, call.bool(3))?;
    let slices: Vec<&[u8]> = chunks.iter().map(Chunk::bytes).filter(|slice| !slice.is_empty()).collect();
    write_counted(call, &slices)
}

/// (string, encoding): its bytes as an `ArrayBuffer`.
fn encode<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let bytes = encoded(&call.text(0)?, &call.string(1)?);
    call.ret(ArrayBuffer::new_copy(call.ctx.clone(), bytes)?)
}

/// (chunks, whether all are views): their bytes as one `ArrayBuffer`.
fn encode_all<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let chunks = chunks(&call.get(0)?, call.bool(1))?;
    let bytes: Vec<u8> = chunks.iter().flat_map(Chunk::bytes).copied().collect();
    call.ret(ArrayBuffer::new_copy(call.ctx.clone(), bytes)?)
}

/// What a standard stream is; anything else is unknown.
pub(crate) fn kind_of(handle: i32) -> i32 {
    if (0..=2).contains(&handle) {
        process::stdio_kind(handle).unwrap_or(stdio_kind::UNKNOWN)
    } else {
        stdio_kind::UNKNOWN
    }
}
