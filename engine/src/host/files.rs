//! Files of the host. Paths are absolute.

use super::answer::{Answer, count, done, filled, number, numbers};
use super::raw;

/// What `stat` answers, in the order of Node's stat array.
pub(crate) type Stat = [i64; 18];

/// Whether a symbolic link at the end of a path is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// What the link leads to.
    Follow,
    /// The link itself.
    Keep,
}

impl Links {
    fn flag(self) -> i32 {
        i32::from(self == Links::Follow)
    }
}

/// What `sync` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// Content and metadata.
    All,
    /// Content.
    Data,
}

/// A directory entry: `d_type` and the name's bytes.
pub(crate) type Entry = (u8, Vec<u8>);

pub(crate) fn open(path: &str, flags: i32, mode: i32) -> Answer<i32> {
    // SAFETY: the path's bytes are valid for reads.
    number(unsafe { raw::file_open(path.as_ptr(), path.len(), flags, mode) })
}

pub(crate) fn close(file: i32) -> Answer<()> {
    // SAFETY: takes numbers only.
    done(unsafe { raw::file_close(file) })
}

/// `position` -1: where the file stands.
pub(crate) fn read(file: i32, buffer: &mut [u8], position: i64) -> Answer<usize> {
    // SAFETY: the buffer is valid for writes of its length.
    count(unsafe { raw::file_read(file, buffer.as_mut_ptr(), buffer.len(), position) })
}

/// `position` -1: where the file stands.
pub(crate) fn write(file: i32, bytes: &[u8], position: i64) -> Answer<usize> {
    // SAFETY: the bytes are valid for reads.
    count(unsafe { raw::file_write(file, bytes.as_ptr(), bytes.len(), position) })
}

pub(crate) fn stat(file: i32) -> Answer<Stat> {
    // SAFETY: the buffer holds as many numbers as a stat has.
    numbers(|buffer| unsafe { raw::file_stat(file, buffer) })
}

pub(crate) fn truncate(file: i32, size: i64) -> Answer<()> {
    // SAFETY: takes numbers only.
    done(unsafe { raw::file_truncate(file, size) })
}

pub(crate) fn sync(file: i32, what: Sync) -> Answer<()> {
    // SAFETY: takes numbers only.
    done(unsafe { raw::file_sync(file, i32::from(what == Sync::Data)) })
}

pub(crate) fn chmod(file: i32, mode: i32) -> Answer<()> {
    // SAFETY: takes numbers only.
    done(unsafe { raw::file_chmod(file, mode) })
}

pub(crate) fn chown(file: i32, uid: i32, gid: i32) -> Answer<()> {
    // SAFETY: takes numbers only.
    done(unsafe { raw::file_chown(file, uid, gid) })
}

/// Times in nanoseconds.
pub(crate) fn times(file: i32, accessed: i64, modified: i64) -> Answer<()> {
    // SAFETY: takes numbers only.
    done(unsafe { raw::file_times(file, accessed, modified) })
}

pub(crate) fn path_stat(path: &str, links: Links) -> Answer<Stat> {
    // SAFETY: the path's bytes are valid for reads; the buffer holds as many numbers as a stat has.
    numbers(|buffer| unsafe { raw::path_stat(path.as_ptr(), path.len(), links.flag(), buffer) })
}

/// Type, block size, blocks, free, available, files, free files.
pub(crate) fn path_statfs(path: &str) -> Answer<[i64; 7]> {
    // SAFETY: the path's bytes are valid for reads; the buffer holds seven numbers.
    numbers(|buffer| unsafe { raw::path_statfs(path.as_ptr(), path.len(), buffer) })
}

pub(crate) fn path_access(path: &str, mode: i32) -> Answer<()> {
    // SAFETY: the path's bytes are valid for reads.
    done(unsafe { raw::path_access(path.as_ptr(), path.len(), mode) })
}

/// The entries, sorted by name.
pub(crate) fn path_list(path: &str) -> Answer<Vec<Entry>> {
    // SAFETY: path and buffer are valid for their lengths.
    let bytes = filled(|buffer, capacity| unsafe { raw::path_list(path.as_ptr(), path.len(), buffer, capacity) })?;
    let mut entries = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some((&kind, tail)) = rest.split_first() {
        let end = tail.iter().position(|&byte| byte == 0).unwrap_or(tail.len());
        let (name, tail) = tail.split_at(end);
        entries.push((kind, name.to_vec()));
        rest = tail.get(1..).unwrap_or_default();
    }
    Ok(entries)
}

pub(crate) fn path_readlink(path: &str) -> Answer<Vec<u8>> {
    // SAFETY: path and buffer are valid for their lengths.
    filled(|buffer, capacity| unsafe { raw::path_readlink(path.as_ptr(), path.len(), buffer, capacity) })
}

pub(crate) fn path_realpath(path: &str) -> Answer<Vec<u8>> {
    // SAFETY: path and buffer are valid for their lengths.
    filled(|buffer, capacity| unsafe { raw::path_realpath(path.as_ptr(), path.len(), buffer, capacity) })
}

pub(crate) fn path_mkdir(path: &str, mode: i32) -> Answer<()> {
    // SAFETY: the path's bytes are valid for reads.
    done(unsafe { raw::path_mkdir(path.as_ptr(), path.len(), mode) })
}

pub(crate) fn path_rmdir(path: &str) -> Answer<()> {
    // SAFETY: the path's bytes are valid for reads.
    done(unsafe { raw::path_rmdir(path.as_ptr(), path.len()) })
}

pub(crate) fn path_unlink(path: &str) -> Answer<()> {
    // SAFETY: the path's bytes are valid for reads.
    done(unsafe { raw::path_unlink(path.as_ptr(), path.len()) })
}

pub(crate) fn path_rename(from: &str, to: &str) -> Answer<()> {
    // SAFETY: both paths' bytes are valid for reads.
    done(unsafe { raw::path_rename(from.as_ptr(), from.len(), to.as_ptr(), to.len()) })
}

pub(crate) fn path_link(existing: &str, new: &str) -> Answer<()> {
    // SAFETY: both paths' bytes are valid for reads.
    done(unsafe { raw::path_link(existing.as_ptr(), existing.len(), new.as_ptr(), new.len()) })
}

pub(crate) fn path_symlink(target: &str, new: &str) -> Answer<()> {
    // SAFETY: both texts' bytes are valid for reads.
    done(unsafe { raw::path_symlink(target.as_ptr(), target.len(), new.as_ptr(), new.len()) })
}

pub(crate) fn path_chmod(path: &str, mode: i32) -> Answer<()> {
    // SAFETY: the path's bytes are valid for reads.
    done(unsafe { raw::path_chmod(path.as_ptr(), path.len(), mode) })
}

pub(crate) fn path_chown(path: &str, uid: i32, gid: i32, links: Links) -> Answer<()> {
    // SAFETY: the path's bytes are valid for reads.
    done(unsafe { raw::path_chown(path.as_ptr(), path.len(), uid, gid, links.flag()) })
}

/// Times in nanoseconds.
pub(crate) fn path_times(path: &str, accessed: i64, modified: i64, links: Links) -> Answer<()> {
    // SAFETY: the path's bytes are valid for reads.
    done(unsafe { raw::path_times(path.as_ptr(), path.len(), accessed, modified, links.flag()) })
}

/// What `copy` does with a file that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Its content is replaced.
    Replace,
    /// The copy fails.
    Fail,
}

pub(crate) fn path_copy(from: &str, to: &str, existing: Existing) -> Answer<()> {
    let exclusive = i32::from(existing == Existing::Fail);
    // SAFETY: both paths' bytes are valid for reads.
    done(unsafe { raw::path_copy(from.as_ptr(), from.len(), to.as_ptr(), to.len(), exclusive) })
}

/// Six random letters and digits, as mkdtemp(3) puts behind a prefix.
pub(crate) fn random_suffix() -> Answer<String> {
    const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let mut bytes = [0; 6];
    // SAFETY: the buffer is valid for writes of its length.
    number(unsafe { raw::random_fill(bytes.as_mut_ptr(), bytes.len()) })?;
    Ok(bytes.iter().map(|&byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()])).collect())
}
