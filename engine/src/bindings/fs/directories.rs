//! Directories: listed, made, and made under a new name.

use super::paths::{GivenPath, name, with_path};
use crate::bindings::Exports;
use crate::bindings::uv::{Failed, settle};
use crate::file_tree;
use crate::host::files::{Entry, random_suffix};
use crate::host::{Answer, Failure};
use crate::js::{Array, Call, Result, Value};

/// How often a new name for a temporary directory is tried.
const NAMES_TRIED_MAX: usize = 100;

pub(super) fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("readdir", 3, readdir)?;
    exports.helper("mkdir", 3, mkdir)?;
    exports.helper("mkdtemp", 2, mkdtemp)
}

/// (path, with types, raw): names, or names and types.
fn readdir<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let entries = with_path(call, "scandir", file_tree::list)?;
    let names = names(call, &entries, call.bool(2))?;
    if !call.bool(1) {
        return call.ret(names);
    }
    let types = Array::new(call.ctx.clone())?;
    for (index, (kind, _)) in entries.iter().enumerate() {
        types.set(index, dirent_type(*kind))?;
    }
    let both = Array::new(call.ctx.clone())?;
    both.set(0, names)?;
    both.set(1, types)?;
    call.ret(both)
}

fn names<'js>(call: &Call<'_, 'js>, entries: &[Entry], raw: bool) -> Result<Array<'js>> {
    let names = Array::new(call.ctx.clone())?;
    for (index, (_, bytes)) in entries.iter().enumerate() {
        names.set(index, name(call, bytes, raw)?)?;
    }
    Ok(names)
}

/// `UV_DIRENT_*` of a `d_type`.
pub(crate) fn dirent_type(kind: u8) -> i32 {
    match kind {
        8 => 1,
        4 => 2,
        10 => 3,
        1 => 4,
        12 => 5,
        2 => 6,
        6 => 7,
        _ => 0,
    }
}

/// (path, mode, recursive): the first directory made, if recursive and any was.
fn mkdir<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let path = GivenPath::of(call, 0)?;
    if !call.bool(2) {
        let made = file_tree::absolute(&path.text).and_then(|located| file_tree::mkdir(&located, call.i32(1)));
        settle(&call.ctx, made, path.failed("mkdir"))?;
        return call.undefined();
    }
    match settle(&call.ctx, make_all(&path.text, call.i32(1)), path.failed("mkdir"))? {
        Some(first) => call.ret(first),
        None => call.undefined(),
    }
}

/// Makes the directory and those above it that are missing; the uppermost one made, as a prefix of the path given.
fn make_all(path: &str, mode: i32) -> Answer<Option<String>> {
    let trimmed = if path.len() > 1 { path.trim_end_matches('/') } else { path };
    let mut missing = vec![trimmed];
    let mut first = None;
    while let Some(current) = missing.pop() {
        let located = file_tree::absolute(current)?;
        match file_tree::mkdir(&located, mode) {
            Ok(()) => first = first.or_else(|| Some(current.to_owned())),
            Err(Failure::NOENT) => {
                let parent = parent_of(current).ok_or(Failure::NOENT)?;
                missing.extend([current, parent]);
            }
            // Not allowed to make it, read-only, or there already: no error if it is a directory.
            Err(failure) => match file_tree::kind(&located) {
                Ok(1) => {}
                Ok(_) if missing.is_empty() && failure == Failure::EXIST => return Err(Failure::EXIST),
                Ok(_) => return Err(Failure::NOTDIR),
                Err(_) => return Err(failure),
            },
        }
    }
    Ok(first)
}

/// Makes the directory and those above it that are missing.
pub(super) fn make_with_parents(path: &str) -> Answer<()> {
    make_all(path, 0o777).map(|_| ())
}

/// Makes the directories above a path that are missing.
pub(super) fn make_above(path: &str) -> Answer<()> {
    match parent_of(path) {
        Some(parent) => make_with_parents(parent),
        None => Ok(()),
    }
}

fn parent_of(path: &str) -> Option<&str> {
    let (parent, _) = path.rsplit_once('/')?;
    let parent = parent.trim_end_matches('/');
    if parent.is_empty() { None } else { Some(parent) }
}

/// (prefix, raw)
fn mkdtemp<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let prefix = GivenPath::of(call, 0)?.text;
    let template = format!("{prefix}XXXXXX");
    let failed = Failed { syscall: "mkdtemp", path: Some(&template), ..Failed::default() };
    let made = settle(&call.ctx, make_temporary(&prefix), failed)?;
    name(call, made.as_bytes(), call.bool(1))
}

fn make_temporary(prefix: &str) -> Answer<String> {
    for _ in 0..NAMES_TRIED_MAX {
        let path = format!("{prefix}{}", random_suffix()?);
        match file_tree::mkdir(&file_tree::absolute(&path)?, 0o700) {
            Err(Failure::EXIST) => {}
            result => return result.map(|()| path),
        }
    }
    Err(Failure::EXIST)
}
