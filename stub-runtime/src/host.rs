//! The state behind the host calls of one process, and how a refused call is told to the guest.

use std::collections::BTreeMap;
use std::net::IpAddr;

use edgepack_format::policy::{Capability, Grants, Scope};
use rustix::io::Errno;

use crate::handles::Handles;
use crate::readiness::Readiness;
use crate::resolve::Resolver;

/// Why a host call has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The kernel's reason.
    Errno(Errno),
    /// The manifest does not grant it.
    Denied(Capability),
    /// A name was not resolved; libuv's number, above -3000 in magnitude.
    Name(i32),
    /// A pointer argument leaves linear memory: the guest traps.
    OutOfBounds,
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Refusal {
        Refusal::Errno(errno)
    }
}

impl Refusal {
    /// The host call's result.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            Refusal::Errno(errno) => -errno.raw_os_error(),
            Refusal::Denied(capability) => capability.denied(),
            Refusal::Name(number) => number,
            Refusal::OutOfBounds => -Errno::FAULT.raw_os_error(),
        }
    }
}

/// What a host call that answers with a number returns.
pub(crate) type Answer = Result<i32, Refusal>;

/// How the process was started.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// What the executable was called: the guest sees it where the kernel does not know its path.
    pub name: Vec<u8>,
    /// The arguments after it.
    pub args: Vec<Vec<u8>>,
}

/// Which file tree the guest sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// The machine's own: everything may be read.
    Machine,
    /// The launch directory appears as `APP_ROOT`, everything else at its own place.
    AppRoot,
}

/// The host of one running app.
#[derive(Debug)]
pub struct Host {
    pub(crate) launch: Launch,
    pub(crate) grants: Grants,
    pub(crate) view: View,
    /// The guest's working directory where it is not the process's own.
    pub(crate) virtual_cwd: String,
    pub(crate) handles: Handles,
    pub(crate) readiness: Readiness,
    pub(crate) resolver: Resolver,
    /// Which granted names an address was resolved from: a connection to it is granted as one to the name.
    pub(crate) resolved_names: BTreeMap<IpAddr, Vec<String>>,
    pub(crate) terminal_modes: BTreeMap<i32, rustix::termios::Termios>,
}

impl Host {
    /// A host for a process with these grants. Nothing is asked of the kernel unless everything may be read.
    #[must_use]
    pub fn new(mut grants: Grants, launch: Launch) -> Host {
        let view = if grants.read == Scope::All { View::Machine } else { View::AppRoot };
        if view == View::Machine {
            grants.write = from_launch_directory(grants.write);
        }
        crate::sys::signals::ignore_broken_pipes();
        Host {
            launch,
            grants,
            view,
            virtual_cwd: edgepack_format::guest::APP_ROOT.to_owned(),
            handles: Handles::with_standard_streams(),
            readiness: Readiness::default(),
            resolver: Resolver::default(),
            resolved_names: BTreeMap::new(),
            terminal_modes: BTreeMap::new(),
        }
    }
}

/// Relative entries under the real launch directory: in the machine's view no path starts with `APP_ROOT`.
fn from_launch_directory(scope: Scope) -> Scope {
    let Scope::Some(entries) = scope else { return scope };
    let launch_directory = std::env::current_dir().unwrap_or_default();
    let absolute = entries.into_iter().map(|entry| {
        let joined = launch_directory.join(entry.trim_start_matches("./"));
        crate::paths::normalise(&joined.to_string_lossy())
    });
    Scope::Some(absolute.collect())
}
