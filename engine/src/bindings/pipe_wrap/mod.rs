//! `pipe_wrap`: unix sockets, and the standard streams that are pipes.

use super::stream_wrap::{number, status};
use super::uv::note_refusal;
use super::{Binding, Exports};
use crate::file_tree;
use crate::host::{Failure, sockets};
use crate::js::{Call, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "pipe_wrap", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("open", 0, |call| number(call, sockets::unix_open()))?;
    exports.helper("bind", 2, bind)?;
    exports.helper("connect", 2, connect)?;
    exports.helper("error", 1, |call| status(call, sockets::error(call.i32(0))))?;
    exports.helper("listen", 2, |call| status(call, sockets::listen(call.i32(0), call.i32(1))))?;
    exports.helper("accept", 1, |call| number(call, sockets::accept(call.i32(0))))?;
    exports.helper("chmod", 2, chmod)?;
    exports.helper("unlink", 1, unlink)
}

/// (handle, path)
fn bind<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let path = call.string(1)?;
    let bound = file_tree::absolute(&path).and_then(|path| sockets::unix_bind(call.i32(0), &path));
    // As libuv, for likeness with Windows.
    let bound = bound.map_err(|failure| if failure == Failure::NOENT { Failure::ACCES } else { failure });
    status(call, note_refusal(bound, || path))
}

/// (handle, path)
fn connect<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let path = call.string(1)?;
    let connected = file_tree::absolute(&path).and_then(|path| sockets::unix_connect(call.i32(0), &path));
    status(call, note_refusal(connected, || path))
}

/// (path, mode)
fn chmod<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let path = call.string(0)?;
    status(call, file_tree::absolute(&path).and_then(|path| file_tree::chmod(&path, call.i32(1))))
}

/// (path)
fn unlink<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let path = call.string(0)?;
    status(call, file_tree::absolute(&path).and_then(|path| file_tree::unlink(&path)))
}
