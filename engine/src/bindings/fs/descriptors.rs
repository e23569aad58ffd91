//! What is done with an open file.

use super::paths::{GivenPath, on_descriptor};
use crate::bindings::Exports;
use crate::bindings::uv::settle;
use crate::file_tree;
use crate::host::files::Sync;
use crate::host::{Answer, Failure};
use crate::js::{Bytes, Call, Object, Result, Units, Value};

pub(super) fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("open", 3, open)?;
    exports.helper("close", 1, close)?;
    exports.helper("read", 5, read)?;
    exports.helper("readBuffers", 3, read_buffers)?;
    exports.helper("writeBuffer", 5, write_buffer)?;
    exports.helper("writeBuffers", 3, write_buffers)?;
    exports.helper("writeUtf8", 3, write_utf8)?;
    exports.helper("fdatasync", 1, fdatasync)?;
    exports.helper("fsync", 1, fsync)?;
    exports.helper("ftruncate", 2, ftruncate)?;
    exports.helper("fchmod", 2, fchmod)?;
    exports.helper("fchown", 3, fchown)?;
    exports.helper("futimes", 3, futimes)
}

fn open<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    const CREATE: i32 = 0o100;
    let path = GivenPath::of(call, 0)?;
    let flags = call.i32(1);
    let located = if file_tree::names_directory(&path.text) && flags & CREATE != 0 {
        Err(Failure::ISDIR)
    } else {
        path.located()
    };
    let file = located.and_then(|located| file_tree::open(&located, flags, call.i32(2)));
    call.ret(settle(&call.ctx, file, path.failed("open"))?)
}

fn finish<'js>(call: &Call<'_, 'js>, answer: Answer<()>, syscall: &str) -> Result<Value<'js>> {
    settle(&call.ctx, answer, on_descriptor(syscall))?;
    call.undefined()
}

fn count<'js>(call: &Call<'_, 'js>, answer: Answer<usize>, syscall: &str) -> Result<Value<'js>> {
    let count = settle(&call.ctx, answer, on_descriptor(syscall))?;
    call.ret(u32::try_from(count).unwrap_or(u32::MAX))
}

fn close<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    finish(call, file_tree::close(call.i32(0)), "close")
}

/// A position argument: a number or BigInt at or above 0, else -1 for "where the file stands".
fn position(call: &Call<'_, '_>, index: usize) -> i64 {
    call.i64(index).filter(|&position| position >= 0).unwrap_or(-1)
}

/// (fd, buffer, offset, length, position)
fn read<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let bytes = call.bytes(1)?;
    let (start, length) = (call.usize(2), call.usize(3));
    let Some(target) = bytes.as_mut_slice().get_mut(start..).and_then(|rest| rest.get_mut(..length)) else {
        return call.range_error("The read leaves the buffer");
    };
    count(call, file_tree::read(call.i32(0), target, position(call, 4)), "read")
}

/// (fd, buffer, offset, length, position)
fn write_buffer<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let bytes = call.bytes(1)?;
    let (start, length) = (call.usize(2), call.usize(3));
    let Some(source) = bytes.as_slice().get(start..).and_then(|rest| rest.get(..length)) else {
        return call.range_error("The write leaves the buffer");
    };
    count(call, file_tree::write(call.i32(0), source, position(call, 4)), "write")
}

fn buffers<'js>(call: &Call<'_, 'js>) -> Result<Vec<Bytes<'js>>> {
    let list: Object<'js> = call.object(1)?;
    let length: usize = list.get("length")?;
    (0..length).map(|index| Bytes::from_value(&list.get::<_, Value<'js>>(u32::try_from(index).unwrap_or(u32::MAX))?)).collect()
}

/// (fd, buffers, position)
fn read_buffers<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let transfer = |bytes: &Bytes<'js>, position| file_tree::read(call.i32(0), bytes.as_mut_slice(), position);
    let total = each_buffer(&buffers(call)?, position(call, 2), transfer);
    count(call, total, "read")
}

/// (fd, buffers, position)
fn write_buffers<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let transfer = |bytes: &Bytes<'js>, position| file_tree::write(call.i32(0), bytes.as_slice(), position);
    let total = each_buffer(&buffers(call)?, position(call, 2), transfer);
    count(call, total, "write")
}

/// Scatters or gathers buffer by buffer, ending with the first that was not transferred whole.
fn each_buffer<'js>(
    buffers: &[Bytes<'js>],
    position: i64,
    transfer: impl Fn(&Bytes<'js>, i64) -> Answer<usize>,
) -> Answer<usize> {
    let mut total = 0;
    for bytes in buffers {
        let at = if position < 0 { -1 } else { position + i64::try_from(total).unwrap_or(0) };
        match transfer(bytes, at) {
            Ok(count) => {
                total += count;
                if count < bytes.len() {
                    break;
                }
            }
            Err(failure) if total == 0 => return Err(failure),
            Err(_) => break,
        }
    }
    Ok(total)
}

/// (fd, string, position)
fn write_utf8<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let text = call.text(1)?;
    let position = position(call, 2);
    let written = match text.units() {
        Units::Latin1(bytes) if bytes.is_ascii() => file_tree::write(call.i32(0), bytes, position),
        _ => file_tree::write(call.i32(0), text.to_string_lossy().as_bytes(), position),
    };
    count(call, written, "write")
}

fn fdatasync<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    finish(call, file_tree::sync(call.i32(0), Sync::Data), "fdatasync")
}

fn fsync<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    finish(call, file_tree::sync(call.i32(0), Sync::All), "fsync")
}

fn ftruncate<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    finish(call, file_tree::truncate(call.i32(0), call.i64(1).unwrap_or(0)), "ftruncate")
}

fn fchmod<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    finish(call, file_tree::chmod_file(call.i32(0), call.i32(1)), "fchmod")
}

fn fchown<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    finish(call, file_tree::chown_file(call.i32(0), call.i32(1), call.i32(2)), "fchown")
}

fn futimes<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let answer = file_tree::times_file(call.i32(0), nanoseconds(call.f64(1)), nanoseconds(call.f64(2)));
    finish(call, answer, "futime")
}

/// Seconds as JS has them, with the precision of microseconds that libuv keeps.
pub(super) fn nanoseconds(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturating is meant")]
    let microseconds = (seconds * 1e6).round() as i64;
    microseconds.saturating_mul(1000)
}
