//! The file tree as the app sees it: its bundled files first, then the host's. Paths are absolute and normalised.

use core::cell::RefCell;

use crate::app_files::{self, Kind};
use crate::host::files::{self, Entry, Existing, Links, Stat, Sync};
use crate::host::{Answer, Failure, process};

thread_local! {
    /// The working directory, once it was asked for.
    static DIRECTORY: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The working directory.
pub(crate) fn cwd() -> Answer<String> {
    if let Some(known) = DIRECTORY.with_borrow(Clone::clone) {
        return Ok(known);
    }
    let directory = process::cwd()?;
    DIRECTORY.set(Some(directory.clone()));
    Ok(directory)
}

/// Changes the working directory. A directory of bundled files only the guest knows.
pub(crate) fn set_cwd(path: &str) -> Answer<()> {
    match app_files::kind(path) {
        Some(Kind::File) => return Err(Failure::NOTDIR),
        Some(Kind::Directory) => DIRECTORY.set(Some(path.to_owned())),
        None => {
            process::set_cwd(path)?;
            DIRECTORY.set(None);
        }
    }
    Ok(())
}

/// Forgets what may differ in another process: all but a directory that only the guest knows.
pub(crate) fn forget_cwd() {
    DIRECTORY.with_borrow_mut(|known| {
        if !known.as_deref().is_some_and(|path| app_files::kind(path) == Some(Kind::Directory)) {
            *known = None;
        }
    });
}

/// Makes a path absolute and resolves `.` and `..` in it. That it ended with a slash is lost: see `names_directory`.
pub(crate) fn absolute(path: &str) -> Answer<String> {
    if path.is_empty() {
        return Err(Failure::NOENT);
    }
    let base = if path.starts_with('/') { String::new() } else { cwd()? };
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    Ok(format!("/{}", parts.join("/")))
}

/// Whether the path as written asks for a directory.
pub(crate) fn names_directory(path: &str) -> bool {
    path.len() > 1 && (path.ends_with('/') || path.ends_with("/."))
}

/// Opens; the descriptor.
pub(crate) fn open(path: &str, flags: i32, mode: i32) -> Answer<i32> {
    match app_files::kind(path) {
        Some(_) => app_files::open(path, flags),
        None => files::open(path, flags, mode),
    }
}

/// Closes.
pub(crate) fn close(file: i32) -> Answer<()> {
    if app_files::owns(file) { app_files::close(file) } else { files::close(file) }
}

/// Reads; `position` -1: where the file stands.
pub(crate) fn read(file: i32, buffer: &mut [u8], position: i64) -> Answer<usize> {
    if app_files::owns(file) { app_files::read(file, buffer, position) } else { files::read(file, buffer, position) }
}

/// Writes; `position` -1: where the file stands. What goes to the standard streams is deferred at build.
pub(crate) fn write(file: i32, bytes: &[u8], position: i64) -> Answer<usize> {
    if app_files::owns(file) {
        app_files::refuse_write(file)?;
    }
    if (file == 1 || file == 2) && position < 0 {
        return process::stdio_write(file, bytes);
    }
    files::write(file, bytes, position)
}

/// Everything from where the file stands.
pub(crate) fn read_to_end(file: i32) -> Answer<Vec<u8>> {
    let expected = stat(file).map_or(0, |stat| usize::try_from(stat[8]).unwrap_or(0));
    let mut content = vec![0; expected.clamp(4096, 1 << 26)];
    let mut length = 0;
    loop {
        if length == content.len() {
            content.resize(length * 2, 0);
        }
        let count = read(file, content.get_mut(length..).unwrap_or_default(), -1)?;
        length += count;
        if count == 0 {
            content.truncate(length);
            return Ok(content);
        }
    }
}

/// The stat of a descriptor.
pub(crate) fn stat(file: i32) -> Answer<Stat> {
    if app_files::owns(file) { app_files::stat(&app_files::path_of(file)?) } else { files::stat(file) }
}

/// The stat of a path.
pub(crate) fn path_stat(path: &str, links: Links) -> Answer<Stat> {
    match app_files::kind(path) {
        Some(_) => app_files::stat(path),
        None => files::path_stat(path, links),
    }
}

/// What `internalModuleStat` tells: 0 a file, 1 a directory.
pub(crate) fn kind(path: &str) -> Answer<i32> {
    match app_files::kind(path) {
        Some(Kind::File) => Ok(0),
        Some(Kind::Directory) => Ok(1),
        None => Ok(i32::from(is_directory(&files::path_stat(path, Links::Follow)?))),
    }
}

/// Whether the stat is a directory's.
pub(crate) fn is_directory(stat: &Stat) -> bool {
    stat[1] & 0o170_000 == 0o040_000
}

/// Whether the stat is a symbolic link's.
pub(crate) fn is_link(stat: &Stat) -> bool {
    stat[1] & 0o170_000 == 0o120_000
}

/// Whether the stat is a regular file's.
pub(crate) fn is_file(stat: &Stat) -> bool {
    stat[1] & 0o170_000 == 0o100_000
}

/// Checks access as access(2).
pub(crate) fn access(path: &str, mode: i32) -> Answer<()> {
    const WRITE: i32 = 2;
    const EXECUTE: i32 = 1;
    match app_files::kind(path) {
        Some(_) if mode & WRITE != 0 => Err(Failure::ROFS),
        Some(Kind::File) if mode & EXECUTE != 0 => Err(Failure::ACCES),
        Some(_) => Ok(()),
        None => files::path_access(path, mode),
    }
}

/// The entries of a directory, sorted by name.
pub(crate) fn list(path: &str) -> Answer<Vec<Entry>> {
    match app_files::kind(path) {
        Some(_) => app_files::list(path),
        None => files::path_list(path),
    }
}

/// The target of a symbolic link.
pub(crate) fn readlink(path: &str) -> Answer<Vec<u8>> {
    match app_files::kind(path) {
        Some(_) => Err(Failure::INVAL),
        None => files::path_readlink(path),
    }
}

/// The path without symbolic links.
pub(crate) fn realpath(path: &str) -> Answer<Vec<u8>> {
    match app_files::kind(path) {
        Some(_) => Ok(path.as_bytes().to_vec()),
        None => files::path_realpath(path),
    }
}

/// The path, if the host may change what is there.
fn writable(path: &str) -> Answer<&str> {
    if app_files::kind(path).is_some() { Err(Failure::ROFS) } else { Ok(path) }
}

/// The descriptor, if what it stands for may be changed through it.
fn writable_file(file: i32) -> Answer<i32> {
    if app_files::owns(file) {
        app_files::path_of(file)?;
        return Err(Failure::ROFS);
    }
    Ok(file)
}

pub(crate) fn mkdir(path: &str, mode: i32) -> Answer<()> {
    if app_files::kind(path).is_some() {
        return Err(Failure::EXIST);
    }
    files::path_mkdir(path, mode)
}

pub(crate) fn rmdir(path: &str) -> Answer<()> {
    files::path_rmdir(writable(path)?)
}

pub(crate) fn unlink(path: &str) -> Answer<()> {
    files::path_unlink(writable(path)?)
}

pub(crate) fn rename(from: &str, to: &str) -> Answer<()> {
    files::path_rename(writable(from)?, writable(to)?)
}

pub(crate) fn link(existing: &str, new: &str) -> Answer<()> {
    if app_files::kind(new).is_some() {
        return Err(Failure::EXIST);
    }
    files::path_link(writable(existing)?, new)
}

pub(crate) fn symlink(target: &str, new: &str) -> Answer<()> {
    if app_files::kind(new).is_some() {
        return Err(Failure::EXIST);
    }
    files::path_symlink(target, new)
}

pub(crate) fn chmod(path: &str, mode: i32) -> Answer<()> {
    files::path_chmod(writable(path)?, mode)
}

pub(crate) fn chown(path: &str, uid: i32, gid: i32, links: Links) -> Answer<()> {
    files::path_chown(writable(path)?, uid, gid, links)
}

pub(crate) fn times(path: &str, accessed: i64, modified: i64, links: Links) -> Answer<()> {
    files::path_times(writable(path)?, accessed, modified, links)
}

pub(crate) fn statfs(path: &str) -> Answer<[i64; 7]> {
    files::path_statfs(path)
}

/// Copies a file; a bundled one is written out.
pub(crate) fn copy(from: &str, to: &str, existing: Existing) -> Answer<()> {
    const WRITE_NEW: i32 = 0o1 | 0o100;
    const EXCLUSIVE: i32 = 0o200;
    const TRUNCATE: i32 = 0o1000;
    if app_files::kind(to).is_some() {
        return Err(if existing == Existing::Fail { Failure::EXIST } else { Failure::ROFS });
    }
    if app_files::kind(from).is_none() {
        return files::path_copy(from, to, existing);
    }
    let content = app_files::content(from)?;
    let flag = if existing == Existing::Fail { EXCLUSIVE } else { TRUNCATE };
    let file = files::open(to, WRITE_NEW | flag, 0o644)?;
    let written = write_all(file, &content);
    files::close(file)?;
    written
}

/// Writes until nothing is left.
pub(crate) fn write_all(file: i32, bytes: &[u8]) -> Answer<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        let count = write(file, rest, -1)?;
        rest = rest.get(count..).unwrap_or_default();
    }
    Ok(())
}

pub(crate) fn truncate(file: i32, size: i64) -> Answer<()> {
    if app_files::owns(file) {
        app_files::path_of(file)?;
        return Err(Failure::INVAL);
    }
    files::truncate(file, size)
}

pub(crate) fn sync(file: i32, what: Sync) -> Answer<()> {
    if app_files::owns(file) {
        return app_files::path_of(file).map(|_| ());
    }
    files::sync(file, what)
}

pub(crate) fn chmod_file(file: i32, mode: i32) -> Answer<()> {
    files::chmod(writable_file(file)?, mode)
}

pub(crate) fn chown_file(file: i32, uid: i32, gid: i32) -> Answer<()> {
    files::chown(writable_file(file)?, uid, gid)
}

pub(crate) fn times_file(file: i32, accessed: i64, modified: i64) -> Answer<()> {
    files::times(writable_file(file)?, accessed, modified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_absolute_and_normal() {
        DIRECTORY.set(Some("/app/data".to_owned()));
        assert_eq!(absolute("x//./y/../z"), Ok("/app/data/x/z".to_owned()));
        assert_eq!(absolute("/../.."), Ok("/".to_owned()));
        assert_eq!(absolute("../a/"), Ok("/app/a".to_owned()));
        assert_eq!(absolute(""), Err(Failure::NOENT));
    }
}
