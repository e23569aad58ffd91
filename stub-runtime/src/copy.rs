//! Copies a file, as libuv does: the kernel moves the bytes, a file is never copied over itself.

use std::os::fd::AsFd;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::capability::Access;
use crate::host::{Answer, Host, Refusal};

const STEP_BYTES: usize = 1 << 30;

pub(crate) fn path_copy(host: &mut Host, from: &str, to: &str, must_be_new: i32) -> Answer {
    let source = host.place(from, Access::Read)?.open(OFlags::RDONLY, Mode::empty())?;
    let stat = rustix::fs::fstat(&source)?;
    let mode = Mode::from_raw_mode(stat.st_mode);
    let exclusive = if must_be_new == 1 { OFlags::EXCL } else { OFlags::empty() };
    let target = host.place(to, Access::Write)?;
    let target = target.open(OFlags::WRONLY | OFlags::CREATE | exclusive, mode)?;
    let there = rustix::fs::fstat(&target)?;
    if (stat.st_dev, stat.st_ino) == (there.st_dev, there.st_ino) {
        return Ok(0);
    }
    rustix::fs::ftruncate(&target, 0)?;
    rustix::fs::fchmod(&target, mode)?;
    match copy_in_kernel(&source, &target) {
        // Across file systems of old kernels, or from /proc.
        Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => {
            copy_through_buffer(&source, &target)?;
        }
        result => result?,
    }
    Ok(0)
}

fn copy_in_kernel(source: impl AsFd, target: impl AsFd) -> Result<(), Errno> {
    let mut moved = 0;
    loop {
        let count = rustix::fs::copy_file_range(&source, None, &target, None, STEP_BYTES)?;
        moved += count;
        // Files of /proc say 0 at once: only reading tells whether they are empty.
        match (count, moved) {
            (0, 0) => return Err(Errno::INVAL),
            (0, _) => return Ok(()),
            _ => {}
        }
    }
}

fn copy_through_buffer(source: impl AsFd, target: impl AsFd) -> Result<(), Refusal> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = rustix::io::read(&source, buffer.as_mut_slice())?;
        let Some(mut left) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        while !left.is_empty() {
            let written = rustix::io::write(&target, left)?;
            left = left.get(written..).unwrap_or_default();
        }
    }
}
