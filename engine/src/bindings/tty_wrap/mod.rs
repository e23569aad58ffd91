//! `tty_wrap`: the terminal behind a standard stream.

use edgepack_format::host_calls::stdio_kind;

use super::stream_wrap::{kind_of, status};
use super::{Binding, Exports};
use crate::host::sockets::{self, TtyMode};
use crate::js::{Array, Call, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "tty_wrap", init };

const UV_TTY_MODE_NORMAL: i32 = 0;

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.function("isTTY", 1, |call| call.ret(kind_of(call.i32(0)) == stdio_kind::TTY))?;
    exports.helper("size", 2, size)?;
    exports.helper("setMode", 2, set_mode)
}

/// (handle, target): columns and rows into the target; 0 or an error number.
fn size<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let target: Array<'js> = call.get(1)?;
    match sockets::tty_size(call.i32(0)) {
        Ok([columns, rows]) => {
            target.set(0, columns)?;
            target.set(1, rows)?;
            call.ret(0)
        }
        Err(failure) => call.ret(failure.number()),
    }
}

/// (handle, mode)
fn set_mode<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let mode = if call.i32(1) == UV_TTY_MODE_NORMAL { TtyMode::Normal } else { TtyMode::Raw };
    status(call, sockets::tty_mode(call.i32(0), mode))
}
