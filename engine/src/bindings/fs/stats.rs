//! Stat arrays.

use super::paths::{GivenPath, on_descriptor};
use crate::bindings::Exports;
use crate::bindings::uv::settle;
use crate::file_tree;
use crate::host::files::Links;
use crate::host::{Answer, Failure};
use crate::js::{Call, Result, Value};

pub(super) fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("stat", 4, stat)?;
    exports.helper("lstat", 4, lstat)?;
    exports.helper("fstat", 3, fstat)?;
    exports.helper("statfs", 3, statfs)
}

/// Whether a missing entry is no error. Only where links are followed, a file in a directory's place is missing too.
fn is_tolerated(call: &Call<'_, '_>, failure: Failure, links: Links) -> bool {
    let is_missing = failure == Failure::NOENT || (failure == Failure::NOTDIR && links == Links::Follow);
    call.arg(3).as_bool() == Some(false) && is_missing
}

/// (path, target, is bigint, throw if no entry): whether there is such an entry.
fn stat<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    path_stat(call, "stat", Links::Follow)
}

fn lstat<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    path_stat(call, "lstat", Links::Keep)
}

fn path_stat<'js>(call: &Call<'_, 'js>, syscall: &str, links: Links) -> Result<Value<'js>> {
    let path = GivenPath::of(call, 0)?;
    let answer = path.located().and_then(|located| file_tree::path_stat(&located, links));
    if answer.is_err_and(|failure| is_tolerated(call, failure, links)) {
        return call.ret(false);
    }
    put(call, &settle(&call.ctx, answer, path.failed(syscall))?)
}

/// (fd, target, is bigint)
fn fstat<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    put(call, &settle(&call.ctx, file_tree::stat(call.i32(0)), on_descriptor("fstat"))?)
}

/// (path, target, is bigint)
fn statfs<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let path = GivenPath::of(call, 0)?;
    let answer: Answer<[i64; 7]> = path.located().and_then(|located| file_tree::statfs(&located));
    let [kind, block, blocks, free, available, files, free_files] = settle(&call.ctx, answer, path.failed("statfs"))?;
    put(call, &[kind, block, block, blocks, free, available, files, free_files])
}

/// Fills argument 1, a `Float64Array` or `BigInt64Array` as argument 2 says.
fn put<'js>(call: &Call<'_, 'js>, numbers: &[i64]) -> Result<Value<'js>> {
    let is_bigint = call.bool(2);
    let bytes = call.bytes(1)?;
    let (slots, _) = bytes.as_mut_slice().as_chunks_mut::<8>();
    for (slot, &number) in slots.iter_mut().zip(numbers) {
        #[expect(clippy::cast_precision_loss, reason = "Node's own arrays have the same precision")]
        let float = number as f64;
        *slot = if is_bigint { number.to_le_bytes() } else { float.to_le_bytes() };
    }
    call.ret(true)
}
