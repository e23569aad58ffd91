//! Files: calls on paths go through a checked place, calls on handles to what was opened.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use edgepack_format::host_calls::STAT_BYTES;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, RawDir, StatxFlags, Timestamps, Uid};
use rustix::io::Errno;
use rustix::time::Timespec;

use crate::capability::Access;
use crate::handles::Resource;
use crate::host::{Answer, Host, Refusal, View};
use crate::memory::{fill, fill_numbers, length};
use crate::paths::{At, Place};

/// Whether a symbolic link at the end of a path is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    Follow,
    Keep,
}

impl From<i32> for Links {
    fn from(flag: i32) -> Links {
        if flag == 0 { Links::Keep } else { Links::Follow }
    }
}

/// The flags of open(2) that a guest may use; everything else is dropped.
const OPEN_FLAGS: OFlags = OFlags::ACCMODE
    .union(OFlags::CREATE)
    .union(OFlags::EXCL)
    .union(OFlags::TRUNC)
    .union(OFlags::APPEND)
    .union(OFlags::NONBLOCK)
    .union(OFlags::DSYNC)
    .union(OFlags::SYNC)
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NOATIME)
    .union(OFlags::DIRECT)
    .union(OFlags::NOCTTY);

impl Place {
    fn at(&self, links: Links) -> Result<(At, AtFlags), Refusal> {
        match links {
            Links::Follow => Ok((self.target()?, AtFlags::empty())),
            Links::Keep => Ok((self.entry()?, AtFlags::SYMLINK_NOFOLLOW)),
        }
    }
}

fn mode(bits: i32) -> Mode {
    Mode::from_raw_mode(bits.cast_unsigned() & 0o7777)
}

pub(crate) fn open(host: &mut Host, path: &str, flags: i32, mode_bits: i32) -> Answer {
    let flags = OFlags::from_bits_retain(flags.cast_unsigned()) & OPEN_FLAGS;
    let changes = flags.intersects(OFlags::CREATE | OFlags::TRUNC);
    let access = match (flags & OFlags::ACCMODE, changes) {
        (OFlags::RDONLY, false) => Access::Read,
        (OFlags::WRONLY, _) => Access::Write,
        _ => Access::ReadWrite,
    };
    let place = host.place(path, access)?;
    let mode = if flags.contains(OFlags::CREATE) { mode(mode_bits) } else { Mode::empty() };
    let fd = place.open(flags, mode)?;
    Ok(host.handles.insert(Resource::File(fd))?)
}

pub(crate) fn close(host: &mut Host, file: i32) -> Answer {
    host.forget_readiness(file);
    drop(host.handles.remove(file)?);
    Ok(0)
}

pub(crate) fn read(host: &mut Host, file: i32, buffer: &mut [u8], position: i64) -> Answer {
    let fd = host.handles.get(file)?;
    let count = match u64::try_from(position) {
        Ok(position) => rustix::io::pread(fd, buffer, position)?,
        Err(_) => rustix::io::read(fd, buffer)?,
    };
    length(count)
}

pub(crate) fn write(host: &mut Host, file: i32, bytes: &[u8], position: i64) -> Answer {
    let fd = host.handles.get(file)?;
    let count = match u64::try_from(position) {
        Ok(position) => rustix::io::pwrite(fd, bytes, position)?,
        Err(_) => rustix::io::write(fd, bytes)?,
    };
    length(count)
}

pub(crate) fn stat(host: &mut Host, file: i32, answer: &mut [u8]) -> Answer {
    let fd = host.handles.get(file)?;
    stat_at(fd.as_fd(), &PathBuf::new(), AtFlags::EMPTY_PATH, answer)
}

pub(crate) fn truncate(host: &mut Host, file: i32, size: i64) -> Answer {
    let size = u64::try_from(size).map_err(|_| Errno::INVAL)?;
    rustix::fs::ftruncate(host.handles.get(file)?, size)?;
    Ok(0)
}

pub(crate) fn sync(host: &mut Host, file: i32, data_only: i32) -> Answer {
    let fd = host.handles.get(file)?;
    if data_only == 1 {
        rustix::fs::fdatasync(fd)?
    } else {
        rustix::fs::fsync(fd)?
    }
    Ok(0)
}

pub(crate) fn chmod(host: &mut Host, file: i32, bits: i32) -> Answer {
    rustix::fs::fchmod(host.handles.get(file)?, mode(bits))?;
    Ok(0)
}

pub(crate) fn chown(host: &mut Host, file: i32, uid: i32, gid: i32) -> Answer {
    rustix::fs::fchown(host.handles.get(file)?, user(uid), group(gid))?;
    Ok(0)
}

pub(crate) fn times(host: &mut Host, file: i32, accessed: i64, modified: i64) -> Answer {
    rustix::fs::futimens(host.handles.get(file)?, &timestamps(accessed, modified))?;
    Ok(0)
}

pub(crate) fn path_stat(host: &mut Host, path: &str, links: Links, answer: &mut [u8]) -> Answer {
    let (at, flags) = host.place(path, Access::Read)?.at(links)?;
    stat_at(at.directory(), &at.path, flags, answer)
}

/// By statx for the birth time; kernels before 4.11 have none.
fn stat_at(directory: BorrowedFd<'_>, path: &PathBuf, flags: AtFlags, answer: &mut [u8]) -> Answer {
    let mask = StatxFlags::BASIC_STATS | StatxFlags::BTIME;
    let stat = rustix::fs::statx(directory, path, flags, mask)?;
    let device = |major, minor| wide(rustix::fs::makedev(major, minor));
    let born = if stat.stx_mask & StatxFlags::BTIME.bits() == 0 { stat.stx_ctime } else { stat.stx_btime };
    let mut numbers = [0; STAT_BYTES / 8];
    let first = [
        device(stat.stx_dev_major, stat.stx_dev_minor),
        stat.stx_mode.into(),
        stat.stx_nlink.into(),
        stat.stx_uid.into(),
        stat.stx_gid.into(),
        device(stat.stx_rdev_major, stat.stx_rdev_minor),
        stat.stx_blksize.into(),
        wide(stat.stx_ino),
        wide(stat.stx_size),
        wide(stat.stx_blocks),
    ];
    let times = [stat.stx_atime, stat.stx_mtime, stat.stx_ctime, born];
    let times = times.into_iter().flat_map(|time| [time.tv_sec, time.tv_nsec.into()]);
    for (slot, number) in numbers.iter_mut().zip(first.into_iter().chain(times)) {
        *slot = number;
    }
    fill_numbers(answer, &numbers);
    Ok(0)
}

pub(crate) fn path_statfs(host: &mut Host, path: &str, answer: &mut [u8]) -> Answer {
    let handle = host.place(path, Access::Read)?.open(OFlags::PATH, Mode::empty())?;
    let stat = rustix::fs::fstatfs(handle)?;
    let numbers = [
        wide(stat.f_type),
        wide(stat.f_bsize),
        wide(stat.f_blocks),
        wide(stat.f_bfree),
        wide(stat.f_bavail),
        wide(stat.f_files),
        wide(stat.f_ffree),
    ];
    fill_numbers(answer, &numbers);
    Ok(0)
}

/// The kernel's numbers have another width on every target.
fn wide(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}

pub(crate) fn path_access(host: &mut Host, path: &str, wanted: i32) -> Answer {
    let wanted = rustix::fs::Access::from_bits_truncate(wanted.cast_unsigned());
    let at = host.place(path, Access::Read)?.target()?;
    rustix::fs::accessat(at.directory(), &at.path, wanted, AtFlags::empty())?;
    Ok(0)
}

pub(crate) fn path_list(host: &mut Host, path: &str, buffer: &mut [u8]) -> Answer {
    let directory = host.place(path, Access::Read)?.open(OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
    let mut space = Vec::with_capacity(32 * 1024);
    let mut entries = BTreeMap::new();
    let mut list = RawDir::new(&directory, space.spare_capacity_mut());
    while let Some(entry) = list.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            entries.insert(name.to_vec(), entry_type(entry.file_type()));
        }
    }
    let mut answer = Vec::new();
    for (name, kind) in entries {
        answer.push(kind);
        answer.extend_from_slice(&name);
        answer.push(0);
    }
    fill(buffer, &answer)
}

/// The `d_type` numbers, which Node's `UV_DIRENT_*` are mapped from in the guest.
fn entry_type(kind: rustix::fs::FileType) -> u8 {
    use rustix::fs::FileType;
    match kind {
        FileType::Fifo => 1,
        FileType::CharacterDevice => 2,
        FileType::Directory => 4,
        FileType::BlockDevice => 6,
        FileType::RegularFile => 8,
        FileType::Symlink => 10,
        FileType::Socket => 12,
        FileType::Unknown => 0,
    }
}

pub(crate) fn path_readlink(host: &mut Host, path: &str, buffer: &mut [u8]) -> Answer {
    let at = host.place(path, Access::Read)?.entry()?;
    let target = rustix::fs::readlinkat(at.directory(), &at.path, Vec::new())?;
    fill(buffer, target.to_bytes())
}

pub(crate) fn path_realpath(host: &mut Host, path: &str, buffer: &mut [u8]) -> Answer {
    let resolved = host.place(path, Access::Read)?.resolved()?;
    fill(buffer, &resolved)
}

pub(crate) fn path_mkdir(host: &mut Host, path: &str, bits: i32) -> Answer {
    let at = host.place(path, Access::Write)?.entry()?;
    rustix::fs::mkdirat(at.directory(), &at.path, mode(bits))?;
    Ok(0)
}

pub(crate) fn path_rmdir(host: &mut Host, path: &str) -> Answer {
    let at = host.place(path, Access::Write)?.entry()?;
    rustix::fs::unlinkat(at.directory(), &at.path, AtFlags::REMOVEDIR)?;
    Ok(0)
}

pub(crate) fn path_unlink(host: &mut Host, path: &str) -> Answer {
    let at = host.place(path, Access::Write)?.entry()?;
    rustix::fs::unlinkat(at.directory(), &at.path, AtFlags::empty())?;
    Ok(0)
}

/// The source must be readable too: under its new name it may be.
pub(crate) fn path_rename(host: &mut Host, from: &str, to: &str) -> Answer {
    let from = host.place(from, Access::ReadWrite)?.entry()?;
    let to = host.place(to, Access::Write)?.entry_for(&from)?;
    rustix::fs::renameat(from.directory(), &from.path, to.directory(), &to.path)?;
    Ok(0)
}

/// The source must be readable too: under its new name it may be.
pub(crate) fn path_link(host: &mut Host, existing: &str, new: &str) -> Answer {
    let existing = host.place(existing, Access::ReadWrite)?.entry()?;
    let new = host.place(new, Access::Write)?.entry_for(&existing)?;
    rustix::fs::linkat(existing.directory(), &existing.path, new.directory(), &new.path, AtFlags::empty())?;
    Ok(0)
}

/// The target is a text only: following it is checked whenever it is done.
pub(crate) fn path_symlink(host: &mut Host, target: &str, new: &str) -> Answer {
    let new = host.place(new, Access::Write)?.entry_for_link()?;
    rustix::fs::symlinkat(target, new.directory(), &new.path)?;
    Ok(0)
}

pub(crate) fn path_chmod(host: &mut Host, path: &str, bits: i32) -> Answer {
    let at = host.place(path, Access::Write)?.target()?;
    rustix::fs::chmodat(at.directory(), &at.path, mode(bits), AtFlags::empty())?;
    Ok(0)
}

pub(crate) fn path_chown(host: &mut Host, path: &str, uid: i32, gid: i32, links: Links) -> Answer {
    let (at, flags) = host.place(path, Access::Write)?.at(links)?;
    rustix::fs::chownat(at.directory(), &at.path, user(uid), group(gid), flags)?;
    Ok(0)
}

pub(crate) fn path_times(host: &mut Host, path: &str, accessed: i64, modified: i64, links: Links) -> Answer {
    let (at, flags) = host.place(path, Access::Write)?.at(links)?;
    rustix::fs::utimensat(at.directory(), &at.path, &timestamps(accessed, modified), flags)?;
    Ok(0)
}

pub(crate) fn cwd_get(host: &mut Host, buffer: &mut [u8]) -> Answer {
    match host.view {
        View::Machine => fill(buffer, std::env::current_dir().map_err(errno)?.as_os_str().as_bytes()),
        View::AppRoot => fill(buffer, host.virtual_cwd.as_bytes()),
    }
}

/// In the app's view only the guest's idea of it changes: relative grants stay bound to the launch directory.
pub(crate) fn cwd_set(host: &mut Host, path: &str) -> Answer {
    let place = host.place(path, Access::Read)?;
    let directory = place.open(OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
    match host.view {
        View::Machine => rustix::process::fchdir(directory)?,
        View::AppRoot => place.guest_path().clone_into(&mut host.virtual_cwd),
    }
    Ok(0)
}

pub(crate) fn errno(error: std::io::Error) -> Refusal {
    Refusal::Errno(Errno::from_io_error(&error).unwrap_or(Errno::IO))
}

/// -1 leaves the owner as it is.
fn user(uid: i32) -> Option<Uid> {
    (uid != -1).then(|| Uid::from_raw(uid.cast_unsigned()))
}

fn group(gid: i32) -> Option<Gid> {
    (gid != -1).then(|| Gid::from_raw(gid.cast_unsigned()))
}

fn timestamps(accessed: i64, modified: i64) -> Timestamps {
    const SECOND: i64 = 1_000_000_000;
    let time = |ns: i64| Timespec { tv_sec: ns.div_euclid(SECOND), tv_nsec: ns.rem_euclid(SECOND) };
    Timestamps { last_access: time(accessed), last_modification: time(modified) }
}
