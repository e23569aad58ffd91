//! What is done with a directory entry by its path.

use super::descriptors::nanoseconds;
use super::paths::{GivenPath, name, with_path};
use crate::bindings::Exports;
use crate::bindings::uv::settle;
use crate::file_tree;
use crate::host::Answer;
use crate::host::files::Links;
use crate::js::{Call, Result, Value};

pub(super) fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("access", 2, access)?;
    exports.function("existsSync", 1, exists)?;
    exports.helper("rename", 2, rename)?;
    exports.helper("link", 2, link)?;
    exports.helper("symlink", 2, symlink)?;
    exports.helper("readlink", 2, readlink)?;
    exports.helper("realpath", 2, realpath)?;
    exports.helper("unlink", 1, unlink)?;
    exports.helper("chmod", 2, chmod)?;
    exports.helper("chown", 3, chown)?;
    exports.helper("lchown", 3, lchown)?;
    exports.helper("utimes", 3, utimes)?;
    exports.helper("lutimes", 3, lutimes)
}

fn access<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    with_path(call, "access", |path| file_tree::access(path, call.i32(1)))?;
    call.undefined()
}

fn exists<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let path = GivenPath::of(call, 0)?;
    call.ret(path.located().and_then(|located| file_tree::access(&located, 0)).is_ok())
}

/// Does something with arguments 0 and 1 as paths; throws what goes wrong.
fn with_two_paths<'js>(
    call: &Call<'_, 'js>,
    syscall: &str,
    work: impl FnOnce(&str, &str) -> Answer<()>,
) -> Result<Value<'js>> {
    let (path, dest) = (GivenPath::of(call, 0)?, GivenPath::of(call, 1)?);
    let answer = path.located().and_then(|from| work(&from, &dest.located()?));
    settle(&call.ctx, answer, path.failed_with(syscall, &dest))?;
    call.undefined()
}

fn rename<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    with_two_paths(call, "rename", file_tree::rename)
}

fn link<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    with_two_paths(call, "link", file_tree::link)
}

/// The target is a text, whatever it leads to.
fn symlink<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (target, path) = (GivenPath::of(call, 0)?, GivenPath::of(call, 1)?);
    let answer = path.located().and_then(|new| file_tree::symlink(&target.text, &new));
    settle(&call.ctx, answer, target.failed_with("symlink", &path))?;
    call.undefined()
}

/// (path, raw)
fn readlink<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let target = with_path(call, "readlink", file_tree::readlink)?;
    name(call, &target, call.bool(1))
}

/// (path, raw)
fn realpath<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let resolved = with_path(call, "realpath", file_tree::realpath)?;
    name(call, &resolved, call.bool(1))
}

fn unlink<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    with_path(call, "unlink", file_tree::unlink)?;
    call.undefined()
}

fn chmod<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    with_path(call, "chmod", |path| file_tree::chmod(path, call.i32(1)))?;
    call.undefined()
}

fn chown<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    with_path(call, "chown", |path| file_tree::chown(path, call.i32(1), call.i32(2), Links::Follow))?;
    call.undefined()
}

fn lchown<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    with_path(call, "lchown", |path| file_tree::chown(path, call.i32(1), call.i32(2), Links::Keep))?;
    call.undefined()
}

fn utimes<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    set_times(call, "utime", Links::Follow)
}

fn lutimes<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    set_times(call, "lutime", Links::Keep)
}

fn set_times<'js>(call: &Call<'_, 'js>, syscall: &str, links: Links) -> Result<Value<'js>> {
    let (accessed, modified) = (nanoseconds(call.f64(1)), nanoseconds(call.f64(2)));
    with_path(call, syscall, |path| file_tree::times(path, accessed, modified, links))?;
    call.undefined()
}
