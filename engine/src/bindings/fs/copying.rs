//! Copies of files and of whole trees, as `fs.copyFile` and `fs.cpSync` make them.

use super::paths::{GivenPath, on_descriptor};
use crate::bindings::Exports;
use crate::bindings::uv::{Failed, settle};
use crate::file_tree;
use crate::host::files::{Existing, Links, Stat};
use crate::host::{Answer, Failure};
use crate::js::{Call, Error, ErrorClass, Object, Result, Value, new_error, throw_coded};

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
    let refusal = refusal_of_pair(&from, &to, &from_stat, to_stat.as_ref(), &source.text, &dest.text)
        .or_else(|| refusal_of_subdirectory(&from_stat, &source.text, &dest.text))
        .or_else(|| {
            let text = format!("Recursive option not enabled, cannot copy a directory: {}/", source.text);
            (file_tree::is_directory(&from_stat) && !call.bool(3)).then_some(("ERR_FS_EISDIR", text))
        })
        .or_else(|| refusal_of_kind(&from_stat, &dest.text));
    if let Some((code, text)) = refusal {
        return Err(throw_coded(&call.ctx, ErrorClass::Plain, code, &text));
    }
    if to_stat.is_none() {
        // What goes wrong here is told by the copy that follows.
        let _ = super::directories::make_above(&to);
    }
    call.undefined()
}

type CopyRefusal = (&'static str, String);

/// Whether two paths lead to the same thing.
fn is_same(one: &str, other: &str) -> bool {
    let stat = |path: &str| file_tree::path_stat(path, Links::Follow);
    matches!((stat(one), stat(other)), (Ok(one), Ok(other)) if one[7] == other[7] && one[0] == other[0])
}

fn refusal_of_pair(
    from: &str,
    to: &str,
    from_stat: &Stat,
    to_stat: Option<&Stat>,
    source: &str,
    dest: &str,
) -> Option<CopyRefusal> {
    let to_stat = to_stat?;
    if is_same(from, to) {
        return Some(("ERR_FS_CP_EINVAL", format!("src and dest cannot be the same {dest}")));
    }
    match (file_tree::is_directory(from_stat), file_tree::is_directory(to_stat)) {
        (true, false) => {
            let text = format!("Cannot overwrite non-directory {dest} with directory {source}");
            Some(("ERR_FS_CP_DIR_TO_NON_DIR", text))
        }
        (false, true) => {
            let text = format!("Cannot overwrite directory {dest} with non-directory {source}");
            Some(("ERR_FS_CP_NON_DIR_TO_DIR", text))
        }
        _ => None,
    }
}

/// By the names as given, as node compares them: a relative name's uppermost directory is not looked at.
fn refusal_of_subdirectory(from_stat: &Stat, source: &str, dest: &str) -> Option<CopyRefusal> {
    let is_named_within = dest.strip_prefix(source).is_some_and(|rest| rest.starts_with('/'));
    let is_within = (file_tree::is_directory(from_stat) && is_named_within) || {
        let source_parent = source.rsplit_once('/').map_or("", |(parent, _)| parent);
        let above = core::iter::successors(dest.rsplit_once('/'), |(parent, _)| parent.rsplit_once('/'));
        let above =
            above.map(|(parent, _)| parent).take_while(|&parent| parent != source_parent && parent.contains('/'));
        let located = |path: &str| file_tree::absolute(path).unwrap_or_default();
        above.into_iter().any(|parent| is_same(&located(parent), &located(source)))
    };
    let text = || format!("Cannot copy {source}/ to a subdirectory of self {dest}");
    is_within.then(|| ("ERR_FS_CP_EINVAL", text()))
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
    /// In the words of C++'s library, which node copies trees with: something else is at this path.
    Exists(String),
}

impl From<Failure> for Stopped {
    fn from(failure: Failure) -> Stopped {
        Stopped::Call(failure)
    }
}

type Copied = core::result::Result<(), Stopped>;

impl Stopped {
    fn throw(self, call: &Call<'_, '_>, failed: Failed<'_>) -> Error {
        match self {
            Stopped::Call(failure) => failed.throw(&call.ctx, failure),
            Stopped::Refused((code, text)) => throw_coded(&call.ctx, ErrorClass::Plain, code, &text),
            Stopped::Exists(path) => match exists_error(call, &path) {
                Ok(error) => call.ctx.throw(error.into_value()),
                Err(error) => error,
            },
        }
    }
}

fn exists_error<'js>(call: &Call<'_, 'js>, path: &str) -> Result<Object<'js>> {
    let error = new_error(&call.ctx, ErrorClass::Plain, &format!("EEXIST, File exists '{path}'"))?;
    error.set("errno", -Failure::EXIST.number())?;
    error.set("code", "EEXIST")?;
    error.set("path", path)?;
    error.set("syscall", "cp")?;
    Ok(error)
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
    match copy_tree(&from, &to, &dest.text, how) {
        Ok(()) => call.undefined(),
        Err(stopped) => Err(stopped.throw(call, source.failed_with("cp", &dest))),
    }
}

/// Copies the entries of a directory; links stay links, even where links were to be followed, as node has it.
/// `shown` is the destination in the app's own words.
fn copy_tree(from: &str, to: &str, shown: &str, how: TreeCopy) -> Copied {
    let mut left = vec![(from.to_owned(), to.to_owned(), shown.to_owned())];
    while let Some((from, to, shown)) = left.pop() {
        super::directories::make_with_parents(&to)?;
        for (_, name) in file_tree::list(&from)? {
            let name = String::from_utf8_lossy(&name);
            let [from, to, shown] = [&from, &to, &shown].map(|directory| format!("{directory}/{name}"));
            let stat = file_tree::path_stat(&from, Links::Keep)?;
            if file_tree::is_directory(&stat) {
                left.push((from, to, shown));
            } else if file_tree::is_link(&stat) {
                copy_link(&from, &to, &shown, how)?;
            } else if file_tree::is_file(&stat) {
                copy_leaf(&from, &to, &shown, how)?;
            }
        }
    }
    Ok(())
}

fn copy_leaf(from: &str, to: &str, shown: &str, how: TreeCopy) -> Copied {
    match file_tree::copy(from, to, if how.force { Existing::Replace } else { Existing::Fail }) {
        Err(Failure::EXIST) if how.error_on_exist => {
            let text =
                format!("[ERR_FS_CP_EEXIST]: Target already exists: cp returned EEXIST ({shown} already exists)");
            return Err(Stopped::Refused(("ERR_FS_CP_EEXIST", text)));
        }
        Err(Failure::EXIST) => return Ok(()),
        result => result?,
    }
    if how.keep_times { Ok(copy_times(from, to)?) } else { Ok(()) }
}

fn copy_link(from: &str, to: &str, shown: &str, how: TreeCopy) -> Copied {
    let mut target = String::from_utf8_lossy(&file_tree::readlink(from)?).into_owned();
    if !how.verbatim_links {
        target = resolved_target(from, target)?;
        clear_link(&target, to, how)?;
    }
    match file_tree::symlink(&target, to) {
        Err(Failure::EXIST) => Err(Stopped::Exists(shown.to_owned())),
        result => Ok(result?),
    }
}

fn resolved_target(link: &str, target: String) -> Answer<String> {
    if target.starts_with('/') {
        return Ok(target);
    }
    let directory = link.rsplit_once('/').map_or("", |(directory, _)| directory);
    file_tree::absolute(&format!("{directory}/{target}"))
}

/// Removes the link that a link is to be copied over, unless one of the two targets lies in the other.
fn clear_link(target: &str, to: &str, how: TreeCopy) -> Copied {
    let Ok(old) = file_tree::readlink(to) else { return Ok(()) };
    let Ok(leads_to) = file_tree::path_stat(to, Links::Follow) else { return Ok(()) };
    let old = resolved_target(to, String::from_utf8_lossy(&old).into_owned())?;
    let is_within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_directory = file_tree::kind(target) == Ok(1);
    if !how.dereference && is_directory && is_within(&old, target) {
        let text = format!("Cannot copy {target} to a subdirectory of self {old}");
        return Err(Stopped::Refused(("ERR_FS_CP_EINVAL", text)));
    }
    if file_tree::is_directory(&leads_to) && is_within(target, &old) {
        let text = format!("cannot overwrite {old} with {target}");
        return Err(Stopped::Refused(("ERR_FS_CP_SYMLINK_TO_SUBDIRECTORY", text)));
    }
    Ok(file_tree::unlink(to)?)
}
