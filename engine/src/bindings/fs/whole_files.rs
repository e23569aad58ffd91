//! Whole files read and written as text.

use super::paths::{GivenPath, on_descriptor};
use crate::bindings::Exports;
use crate::bindings::uv::settle;
use crate::file_tree;
use crate::host::Answer;
use crate::js::{Call, Result, Units, Value, from_str};

pub(super) fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("readFileUtf8", 2, read_file)?;
    exports.function("writeFileUtf8", 4, write_file)
}

/// The file at a path, opened, or the descriptor given.
struct Target {
    file: i32,
    is_ours: bool,
}

impl Target {
    fn of(call: &Call<'_, '_>, flags: i32, mode: i32) -> Result<Target> {
        let argument = call.arg(0);
        if argument.is_number() {
            return Ok(Target { file: call.i32(0), is_ours: false });
        }
        let path = GivenPath::of(call, 0)?;
        let opened = path.located().and_then(|located| file_tree::open(&located, flags, mode));
        Ok(Target { file: settle(&call.ctx, opened, path.failed("open"))?, is_ours: true })
    }

    fn close(&self) -> Answer<()> {
        if self.is_ours { file_tree::close(self.file) } else { Ok(()) }
    }
}

/// (path or fd, flags)
fn read_file<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let target = Target::of(call, call.i32(1), 0o666)?;
    let content = file_tree::read_to_end(target.file);
    let closed = target.close();
    let content = settle(&call.ctx, content, on_descriptor("read"))?;
    settle(&call.ctx, closed, on_descriptor("close"))?;
    match std::str::from_utf8(&content) {
        Ok(text) => from_str(&call.ctx, text),
        Err(_) => from_str(&call.ctx, &String::from_utf8_lossy(&content)),
    }
}

/// (path or fd, text, flags, mode)
fn write_file<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let text = call.text(1)?;
    let target = Target::of(call, call.i32(2), call.i32(3))?;
    let written = match text.units() {
        Units::Latin1(bytes) if bytes.is_ascii() => file_tree::write_all(target.file, bytes),
        _ => file_tree::write_all(target.file, text.to_string_lossy().as_bytes()),
    };
    let closed = target.close();
    settle(&call.ctx, written, on_descriptor("write"))?;
    settle(&call.ctx, closed, on_descriptor("close"))?;
    call.undefined()
}
