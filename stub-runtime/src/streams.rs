//! Reading and writing streams without waiting: sockets, and the standard streams where they are pipes or terminals.

use std::io::IoSlice;
use std::os::fd::AsFd;

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::Shutdown;

use crate::handles::Resource;
use crate::host::{Answer, Host, Refusal};
use crate::memory::length;
use crate::stdio;

pub(crate) fn read(host: &mut Host, handle: i32, buffer: &mut [u8]) -> Answer {
    let stream = host.handles.get(handle)?;
    if let Resource::Standard(_) = stream
        && !stdio::is_ready(stream.as_fd(), PollFlags::IN)?
    {
        return Err(Refusal::Errno(Errno::AGAIN));
    }
    length(rustix::io::read(stream, buffer)?)
}

pub(crate) fn write(host: &mut Host, handle: i32, vectors: &[IoSlice<'_>]) -> Answer {
    let stream = host.handles.get(handle)?;
    if let Resource::Standard(_) = stream {
        if !stdio::is_ready(stream.as_fd(), PollFlags::OUT)? {
            return Err(Refusal::Errno(Errno::AGAIN));
        }
        let first = vectors.iter().find(|vector| !vector.is_empty());
        let first: &[u8] = first.map(|vector| &**vector).unwrap_or_default();
        let piece = first.get(..stdio::PIPE_BYTES).unwrap_or(first);
        return length(rustix::io::write(stream, piece)?);
    }
    // The kernel takes at most this many; the rest is another call's.
    let some = vectors.get(..1024).unwrap_or(vectors);
    length(rustix::io::writev(stream, some)?)
}

pub(crate) fn shutdown(host: &mut Host, handle: i32) -> Answer {
    match host.handles.get(handle)? {
        Resource::Standard(_) => {}
        stream => rustix::net::shutdown(stream, Shutdown::Write)?,
    }
    Ok(0)
}

pub(crate) fn close(host: &mut Host, handle: i32) -> Answer {
    host.forget_readiness(handle);
    drop(host.handles.remove(handle)?);
    Ok(0)
}
