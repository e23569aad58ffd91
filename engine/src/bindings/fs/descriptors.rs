//! What is done with an open file.

use super::paths::{GivenPath, on_descriptor};
use crate::bindings::Exports;
use crate::bindings::uv::settle;
use crate::file_tree;
use crate::host::files::Sync;
use crate::host::{Answer, Failure};
use crate::js::{Bytes, Call, ErrorClass, Object, Result, Units, Value, throw_coded};

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

/// Argument 0 as a descriptor; throws what Node's library throws for anything else.
pub(super) fn descriptor(call: &Call<'_, '_>) -> Result<i32> {
    let value = call.arg(0);
    let Some(number) = value.as_number() else {
        let text = format!("The \"fd\" argument must be of type number. Received {}", received(&value));
        return Err(throw_coded(&call.ctx, ErrorClass::Type, "ERR_INVALID_ARG_TYPE", &text));
    };
    if number.fract() == 0.0 && (0.0..=f64::from(i32::MAX)).contains(&number) {
        return Ok(call.i32(0));
    }
    let wanted = if number.fract() == 0.0 { ">= 0 && <= 2147483647" } else { "an integer" };
    let text = format!("The value of \"fd\" is out of range. It must be {wanted}. Received {number}");
    Err(throw_coded(&call.ctx, ErrorClass::Range, "ERR_OUT_OF_RANGE", &text))
}

/// A value as messages about wrong arguments show it.
fn received(value: &Value<'_>) -> String {
    if let Some(text) = value.as_string().and_then(|text| text.to_string().ok()) {
        return format!("type string ('{text}')");
    }
    match value.as_bool() {
        Some(flag) => format!("type boolean ({flag})"),
        None if value.is_undefined() => "undefined".to_owned(),
        None if value.is_null() => "null".to_owned(),
        None => format!("an instance of {}", constructor_name(value)),
    }
}

fn constructor_name(value: &Value<'_>) -> String {
    let constructor = value.as_object().and_then(|object| object.get::<_, Object<'_>>("constructor").ok());
    constructor.and_then(|constructor| constructor.get("name").ok()).unwrap_or_else(|| "Object".to_owned())
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
    finish(call, file_tree::close(descriptor(call)?), "close")
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
    count(call, file_tree::read(descriptor(call)?, target, position(call, 4)), "read")
}

/// (fd, buffer, offset, length, position)
fn write_buffer<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let bytes = call.bytes(1)?;
    let (start, length) = (call.usize(2), call.usize(3));
    let Some(source) = bytes.as_slice().get(start..).and_then(|rest| rest.get(..length)) else {
        return call.range_error("The write leaves the buffer");
    };
    count(call, file_tree::write(descriptor(call)?, source, position(call, 4)), "write")
}

fn buffers<'js>(call: &Call<'_, 'js>) -> Result<Vec<Bytes<'js>>> {
    let list: Object<'js> = call.object(1)?;
    let length: usize = list.get("length")?;
    (0..length)
        .map(|index| Bytes::from_value(&list.get::<_, Value<'js>>(u32::try_from(index).unwrap_or(u32::MAX))?))
        .collect()
}

/// (fd, buffers, position)
fn read_buffers<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let file = descriptor(call)?;
    let transfer = |bytes: &Bytes<'js>, position| file_tree::read(file, bytes.as_mut_slice(), position);
    let total = each_buffer(&buffers(call)?, position(call, 2), transfer);
    count(call, total, "read")
}

/// (fd, buffers, position)
fn write_buffers<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let file = descriptor(call)?;
    let transfer = |bytes: &Bytes<'js>, position| file_tree::write(file, bytes.as_slice(), position);
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
        Units::Latin1(bytes) if bytes.is_ascii() => file_tree::write(descriptor(call)?, bytes, position),
        _ => file_tree::write(descriptor(call)?, text.to_string_lossy().as_bytes(), position),
    };
    count(call, written, "write")
}

fn fdatasync<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    finish(call, file_tree::sync(descriptor(call)?, Sync::Data), "fdatasync")
}

fn fsync<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    finish(call, file_tree::sync(descriptor(call)?, Sync::All), "fsync")
}

fn ftruncate<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    finish(call, file_tree::truncate(descriptor(call)?, call.i64(1).unwrap_or(0)), "ftruncate")
}

fn fchmod<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    finish(call, file_tree::chmod_file(descriptor(call)?, call.i32(1)), "fchmod")
}

fn fchown<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    finish(call, file_tree::chown_file(descriptor(call)?, call.i32(1), call.i32(2)), "fchown")
}

fn futimes<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let answer = file_tree::times_file(descriptor(call)?, nanoseconds(call.f64(1)), nanoseconds(call.f64(2)));
    finish(call, answer, "futime")
}

/// Seconds as JS has them, split as libuv does: the fraction is cut, not rounded.
pub(super) fn nanoseconds(seconds: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "saturating is meant")]
    let whole = seconds as i64;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "below a second it is exact enough"
    )]
    let rest = ((seconds - whole as f64) * 1e9) as i64;
    whole.saturating_mul(1_000_000_000).saturating_add(rest)
}
