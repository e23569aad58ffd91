//! The guest's handles: small numbers for open files, sockets and the three standard streams.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;

/// What a handle stands for.
#[derive(Debug)]
pub(crate) enum Resource {
    /// One of the process's own streams; closing it leaves the descriptor alone.
    Standard(Standard),
    /// A file.
    File(OwnedFd),
    /// A non-blocking socket.
    Socket(OwnedFd),
}

/// A standard stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standard {
    Input,
    Output,
    Error,
}

impl AsFd for Resource {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Resource::Standard(Standard::Input) => rustix::stdio::stdin(),
            Resource::Standard(Standard::Output) => rustix::stdio::stdout(),
            Resource::Standard(Standard::Error) => rustix::stdio::stderr(),
            Resource::File(fd) | Resource::Socket(fd) => fd.as_fd(),
        }
    }
}

/// All handles of a process.
#[derive(Debug)]
pub(crate) struct Handles {
    slots: Vec<Option<Resource>>,
}

impl Handles {
    pub(crate) fn with_standard_streams() -> Handles {
        let streams = [Standard::Input, Standard::Output, Standard::Error];
        Handles { slots: streams.into_iter().map(|stream| Some(Resource::Standard(stream))).collect() }
    }

    /// Takes the lowest free number, as `open` does.
    pub(crate) fn insert(&mut self, resource: Resource) -> Result<i32, Errno> {
        let index = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        let handle = i32::try_from(index).map_err(|_| Errno::MFILE)?;
        match self.slots.get_mut(index) {
            Some(slot) => *slot = Some(resource),
            None => self.slots.push(Some(resource)),
        }
        Ok(handle)
    }

    pub(crate) fn get(&self, handle: i32) -> Result<&Resource, Errno> {
        let index = usize::try_from(handle).map_err(|_| Errno::BADF)?;
        self.slots.get(index).and_then(Option::as_ref).ok_or(Errno::BADF)
    }

    pub(crate) fn remove(&mut self, handle: i32) -> Result<Resource, Errno> {
        let index = usize::try_from(handle).map_err(|_| Errno::BADF)?;
        self.slots.get_mut(index).and_then(Option::take).ok_or(Errno::BADF)
    }
}
