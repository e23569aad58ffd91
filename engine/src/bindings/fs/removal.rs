//! Removing directories, and trees as rm does.

use super::paths::{GivenPath, with_path};
use crate::bindings::Exports;
use crate::bindings::uv::settle;
use crate::file_tree;
use crate::host::files::Links;
use crate::host::{Answer, Failure};
use crate::js::{Call, ErrorClass, Result, Value, throw_coded};

pub(super) fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("rmdir", 1, rmdir)?;
    exports.function("rmSync", 4, rm_sync)
}

fn rmdir<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    with_path(call, "rmdir", file_tree::rmdir)?;
    call.undefined()
}

/// (path, retries, recursive, delay): nothing is retried, since nobody else works in the guest's files for long.
fn rm_sync<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let path = GivenPath::of(call, 0)?;
    let Ok(located) = file_tree::absolute(&path.text) else { return call.undefined() };
    let stat = match file_tree::path_stat(&located, Links::Keep) {
        Err(Failure::NOENT | Failure::NOTDIR) => return call.undefined(),
        answer => settle(&call.ctx, answer, path.failed("rm"))?,
    };
    if file_tree::is_directory(&stat) && !call.bool(2) {
        return Err(throw_coded(
            &call.ctx,
            ErrorClass::Plain,
            "ERR_FS_EISDIR",
            &format!("Path is a directory: {}", path.text),
        ));
    }
    settle(&call.ctx, remove_tree(&located), path.failed("rm"))?;
    call.undefined()
}

/// Removes an entry and, where it is a directory, everything beneath it.
fn remove_tree(path: &str) -> Answer<()> {
    let mut left = vec![path.to_owned()];
    while let Some(current) = left.pop() {
        if !file_tree::is_directory(&file_tree::path_stat(&current, Links::Keep)?) {
            file_tree::unlink(&current)?;
            continue;
        }
        match file_tree::rmdir(&current) {
            Err(Failure::NOTEMPTY | Failure::EXIST) => {
                let entries = file_tree::list(&current)?;
                left.push(current.clone());
                left.extend(
                    entries.into_iter().map(|(_, name)| format!("{current}/{}", String::from_utf8_lossy(&name))),
                );
            }
            result => result?,
        }
    }
    Ok(())
}
