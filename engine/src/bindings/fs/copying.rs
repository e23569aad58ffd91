//! Copies of files and of whole trees, as `fs.copyFile` and `fs.cpSync` make them.

use super::paths::{GivenPath, on_descriptor};
use crate::bindings::Exports;
use crate::bindings::uv::{Failed, settle};
use crate::file_tree;
use crate::host::files::{Existing, Links, Stat};
use crate::host::{Answer, Failure};
use crate::js::{Call, Error, ErrorClass, Result, Value, throw_coded};

const COPYFILE_EXCL: i32 = 1;

pub(super) fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("copyFile", 3, copy_file)?;
    exports.function("cpSyncCheckPaths", 4, check_paths)?;
    exports.function("cpSyncOverrideFile", 4, override_file)?;
    exports.function("cpSyncCopyDir", 7, copy_directory)
}

fn two_paths(call: &Call<'_, '_>) -> Result<(GivenPath, GivenPath)> {
    Ok((GivenPath::of(call, 0)?, GivenPath::of(call, 1)?))
}

fn existing(mode: i32) -> Existing {
    if mode & COPYFILE_EXCL == 0 { Existing::Replace } else { Existing::Fail }
}

fn copy_file<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (source, dest) = two_paths(call)?;
    let copied = source.located().and_then(|from| file_tree::copy(&from, &dest.located()?, existing(call.i32(2))));
    settle(&call.ctx, copied, source.failed_with("copyfile", &dest))?;
    call.undefined()
}

/// (source, dest, dereference, recursive): throws where the copy could not be right, makes the directories above dest.
fn check_paths<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (source, dest) = two_paths(call)?;
    let links = if call.bool(2) { Links::Follow } else { Links::Keep };
    let syscall = if call.bool(2) { "stat" } else { "lstat" };
    let from = settle(&call.ctx, source.located(), source.failed(syscall))?;
    let to = settle(&call.ctx, file_tree::absolute(&dest.text), dest.failed(syscall))?;
    let from_stat = settle(&call.ctx, file_tree::path_stat(&from, links), source.failed(syscall))?;
    let to_stat = file_tree::path_stat(&to, links).ok();
    let refusal = refusal_of_pair(&from_stat, to_stat.as_ref(), &from, &to, call.bool(3))
        .or_else(|| refusal_of_subdirectory(&from_stat, &from, &to, links))
        .or_else(|| refusal_of_kind(&from_stat, &to));
    if let Some((code, text)) = refusal {
        return Err(throw_coded(&call.ctx, ErrorClass::Plain, code, &text));
    }
    if to_stat.is_none() {
        settle(&call.ctx, super::directories::make_above(&to), dest.failed("mkdir"))?;
    }
    call.undefined()
}

type CopyRefusal = (&'static str, String);

fn is_same(one: &Stat, other: &Stat) -> bool {
    one[7] == other[7] && one[0] == other[0]
}

fn refusal_of_pair(from_stat: &Stat, to_stat: Option<&Stat>, from: &str, to: &str, recursive: bool) -> Option<CopyRefusal> {
    let from_is_directory = file_tree::is_directory(from_stat);
    if let Some(to_stat) = to_stat {
        if is_same(from_stat, to_stat) {
            return Some(("ERR_FS_CP_EINVAL", format!("src and dest cannot be the same {to}")));
        }
        match (from_is_directory, file_tree::is_directory(to_stat)) {
            (true, false) => {
                let text = format!("Cannot overwrite non-directory {to} with directory {from}");
                return Some(("ERR_FS_CP_DIR_TO_NON_DIR", text));
            }
            (false, true) => {
                let text = format!("Cannot overwrite directory {to} with non-directory {from}");
                return Some(("ERR_FS_CP_NON_DIR_TO_DIR", text));
            }
            _ => {}
        }
    }
    (from_is_directory && !recursive)
        .then(|| ("ERR_FS_EISDIR", format!("Recursive option not enabled, cannot copy a directory: {from}/")))
}

fn refusal_of_subdirectory(from_stat: &Stat, from: &str, to: &str, links: Links) -> Option<CopyRefusal> {
    if !file_tree::is_directory(from_stat) {
        return None;
    }
    let mut above = to;
    while let Some((parent, _)) = above.rsplit_once('/') {
        let parent_stat = file_tree::path_stat(if parent.is_empty() { "/" } else { parent }, links);
        if parent == from || parent_stat.is_ok_and(|stat| is_same(&stat, from_stat)) {
            return Some(("ERR_FS_CP_EINVAL", format!("Cannot copy {from}/ to a subdirectory of self {to}")));
        }
        above = parent;
    }
    None
}

fn refusal_of_kind(from_stat: &Stat, to: &str) -> Option<CopyRefusal> {
    match from_stat[1] & 0o170_000 {
        0o140_000 => Some(("ERR_FS_CP_SOCKET", format!("Cannot copy a socket file: {to}"))),
        0o010_000 => Some(("ERR_FS_CP_FIFO_PIPE", format!("Cannot copy a FIFO pipe: {to}"))),
        _ => None,
    }
}

/// (source, dest, mode, preserve timestamps)
fn override_file<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (source, dest) = two_paths(call)?;
    let replaced = source.located().and_then(|from| {
        let to = dest.located()?;
        file_tree::unlink(&to)?;
        file_tree::copy(&from, &to, existing(call.i32(2)))?;
        if call.bool(3) { copy_times(&from, &to) } else { Ok(()) }
    });
    settle(&call.ctx, replaced, source.failed_with("cp", &dest))?;
    call.undefined()
}

fn copy_times(from: &str, to: &str) -> Answer<()> {
    let stat = file_tree::path_stat(from, Links::Follow)?;
    let nanoseconds = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    file_tree::times(to, nanoseconds(stat[10], stat[11]), nanoseconds(stat[12], stat[13]), Links::Follow)
}

/// How a tree is copied.
#[derive(Debug, Clone, Copy)]
struct TreeCopy {
    force: bool,
    dereference: bool,
    error_on_exist: bool,
    verbatim_links: bool,
    keep_times: bool,
}

/// Why a tree was not copied.
enum Stopped {
    Call(Failure),
    Refused(CopyRefusal),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Stopped {
        Stopped::Call(failure)
    }
}

impl Stopped {
    fn throw(self, call: &Call<'_, '_>, failed: Failed<'_>) -> Error {
        match self {
            Stopped::Call(failure) => failed.throw(&call.ctx, failure),
            Stopped::Refused((code, text)) => throw_coded(&call.ctx, ErrorClass::Plain, code, &text),
        }
    }
}

/// (source, dest, force, dereference, error on exist, verbatim symlinks, preserve timestamps)
fn copy_directory<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let (source, dest) = two_paths(call)?;
    let how = TreeCopy {
        force: call.bool(2),
        dereference: call.bool(3),
        error_on_exist: call.bool(4),
        verbatim_links: call.bool(5),
        keep_times: call.bool(6),
    };
    let from = settle(&call.ctx, source.located(), on_descriptor("cp"))?;
    let to = settle(&call.ctx, file_tree::absolute(&dest.text), on_descriptor("cp"))?;
    match copy_tree(&from, &to, how) {
        Ok(()) => call.undefined(),
        Err(stopped) => Err(stopped.throw(call, source.failed_with("cp", &dest))),
    }
}

fn copy_tree(from: &str, to: &str, how: TreeCopy) -> core::result::Result<(), Stopped> {
    let mut left = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = left.pop() {
        let links = if how.dereference { Links::Follow } else { Links::Keep };
        let stat = file_tree::path_stat(&from, links)?;
        if file_tree::is_directory(&stat) {
            super::directories::make_with_parents(&to)?;
            let entries = file_tree::list(&from)?;
            left.extend(entries.into_iter().rev().map(|(_, name)| {
                let name = String::from_utf8_lossy(&name);
                (format!("{from}/{name}"), format!("{to}/{name}"))
            }));
        } else if file_tree::is_link(&stat) {
            copy_link(&from, &to, how)?;
        } else if file_tree::is_file(&stat) {
            copy_leaf(&from, &to, how)?;
        }
    }
    Ok(())
}

fn copy_leaf(from: &str, to: &str, how: TreeCopy) -> core::result::Result<(), Stopped> {
    match file_tree::copy(from, to, if how.force { Existing::Replace } else { Existing::Fail }) {
        Err(Failure::EXIST) if how.error_on_exist => {
            let text = format!("[ERR_FS_CP_EEXIST]: Target already exists: cp returned EEXIST ({to} already exists) {to}");
            return Err(Stopped::Refused(("ERR_FS_CP_EEXIST", text)));
        }
        Err(Failure::EXIST) => return Ok(()),
        result => result?,
    }
    if how.keep_times { Ok(copy_times(from, to)?) } else { Ok(()) }
}

fn copy_link(from: &str, to: &str, how: TreeCopy) -> core::result::Result<(), Stopped> {
    let target = String::from_utf8_lossy(&file_tree::readlink(from)?).into_owned();
    let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
    let target = if how.verbatim_links || target.starts_with('/') {
        target
    } else {
        file_tree::absolute(&format!("{directory}/{target}"))?
    };
    if file_tree::path_stat(to, Links::Keep).is_ok() {
        file_tree::unlink(to)?;
    }
    Ok(file_tree::symlink(&target, to)?)
}
