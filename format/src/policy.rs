//! Grants: what an app may do, the one decision whether a request is granted, and how a refusal reaches the guest.

use alloc::string::String;
use alloc::vec::Vec;

/// What is granted of one capability.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Scope {
    /// Nothing.
    #[default]
    None,
    /// The listed resources.
    Some(Vec<String>),
    /// Everything.
    All,
}

/// An app's grants, one scope per capability, with Deno's names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Hosts, `host:port`, `:port` or addresses.
    pub net: Scope,
    /// Path prefixes, absolute or relative to the launch directory.
    pub read: Scope,
    /// Path prefixes, absolute or relative to the launch directory.
    pub write: Scope,
    /// Variable names; a trailing `*` matches a prefix.
    pub env: Scope,
    /// Commands.
    pub run: Scope,
    /// `system_info` names.
    pub sys: Scope,
}

/// What can be granted, in the order of the fields of [`Grants`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// `--allow-net`
    Net,
    /// `--allow-read`
    Read,
    /// `--allow-write`
    Write,
    /// `--allow-env`
    Env,
    /// `--allow-run`
    Run,
    /// `--allow-sys`
    Sys,
}

/// Host-call results from `-DENIED` downwards say which capability was not granted, so that the guest can tell a
/// refusal of ours from the kernel's EACCES. `env_get` is the exception: a variable that is not granted is unset.
pub const DENIED: i32 = 10_000;

impl Capability {
    /// Every capability, by index.
    pub const ALL: [Capability; 6] =
        [Capability::Net, Capability::Read, Capability::Write, Capability::Env, Capability::Run, Capability::Sys];

    /// The flag that grants it, for messages.
    #[must_use]
    pub const fn flag(self) -> &'static str {
        match self {
            Capability::Net => "--allow-net",
            Capability::Read => "--allow-read",
            Capability::Write => "--allow-write",
            Capability::Env => "--allow-env",
            Capability::Run => "--allow-run",
            Capability::Sys => "--allow-sys",
        }
    }

    /// What a host call answers when this is not granted.
    #[must_use]
    pub const fn denied(self) -> i32 {
        let index = match self {
            Capability::Net => 0,
            Capability::Read => 1,
            Capability::Write => 2,
            Capability::Env => 3,
            Capability::Run => 4,
            Capability::Sys => 5,
        };
        -DENIED - index
    }

    /// The capability whose refusal a host call's result is, if it is one.
    #[must_use]
    pub fn refused_by(result: i32) -> Option<Capability> {
        Capability::ALL.into_iter().find(|capability| capability.denied() == result)
    }
}

/// What a host call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// A connection to or a listener at host and port.
    Net(&'a str, u16),
    /// The addresses of a host name; granted with any port of that host.
    Resolve(&'a str),
    /// Reading at an absolute, normalised guest path.
    Read(&'a str),
    /// Writing at an absolute, normalised guest path.
    Write(&'a str),
    /// A variable.
    Env(&'a str),
    /// A command.
    Run(&'a str),
    /// Information about the system.
    Sys(&'a str),
}

impl Grants {
    /// Everything granted (`-A`).
    #[must_use]
    pub fn all() -> Grants {
        let all = || Scope::All;
        Grants { net: all(), read: all(), write: all(), env: all(), run: all(), sys: all() }
    }

    /// Whether the request is granted. The only place where this is decided.
    #[must_use]
    pub fn allow(&self, request: Request<'_>) -> bool {
        self.granted_by(request).is_some()
    }

    /// What grants the request: the first of the shortest entries that cover it.
    #[must_use]
    pub fn granted_by(&self, request: Request<'_>) -> Option<GrantedBy<'_>> {
        match request {
            Request::Net(host, port) => self.net.covers(|entry| net_matches(entry, host, port)),
            Request::Resolve(host) => self.net.covers(|entry| host_matches(entry, host)),
            Request::Read(path) => self.read.covers(|entry| path_matches(entry, path)),
            Request::Write(path) => self.write.covers(|entry| path_matches(entry, path)),
            Request::Env(name) => self.env.covers(|entry| name_matches(entry, name)),
            Request::Run(command) => self.run.covers(|entry| entry == command),
            Request::Sys(kind) => self.sys.covers(|entry| entry == kind),
        }
    }
}

/// What grants a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantedBy<'a> {
    /// The whole capability.
    Everything,
    /// This entry.
    Entry(&'a str),
}

impl Scope {
    fn covers(&self, matches: impl Fn(&str) -> bool) -> Option<GrantedBy<'_>> {
        match self {
            Scope::None => None,
            Scope::All => Some(GrantedBy::Everything),
            Scope::Some(entries) => {
                let covering = entries.iter().filter(|entry| matches(entry));
                covering.min_by_key(|entry| entry.len()).map(|entry| GrantedBy::Entry(entry))
            }
        }
    }
}

impl Request<'_> {
    /// The capability it needs.
    #[must_use]
    pub const fn capability(&self) -> Capability {
        match self {
            Request::Net(..) | Request::Resolve(_) => Capability::Net,
            Request::Read(_) => Capability::Read,
            Request::Write(_) => Capability::Write,
            Request::Env(_) => Capability::Env,
            Request::Run(_) => Capability::Run,
            Request::Sys(_) => Capability::Sys,
        }
    }

    /// The flag that would grant it, for messages.
    #[must_use]
    pub const fn flag(&self) -> &'static str {
        self.capability().flag()
    }
}

fn name_matches(entry: &str, name: &str) -> bool {
    match entry.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => entry == name,
    }
}

/// `entry` covers `path` if it is the path or a directory above it. A relative entry is meant from the launch
/// directory, which the guest sees as `APP_ROOT`.
fn path_matches(entry: &str, path: &str) -> bool {
    let (path, entry) = if entry.starts_with('/') {
        (path, entry)
    } else {
        let Some(below) = path.strip_prefix(crate::guest::APP_ROOT) else { return false };
        (below.trim_start_matches('/'), entry.trim_start_matches("./"))
    };
    let entry = entry.trim_end_matches('/');
    if entry.is_empty() || entry == "." {
        return true;
    }
    path.strip_prefix(entry).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Entries are `host`, `host:port`, `[v6]:port` or `:port`; hosts compare without case.
fn net_matches(entry: &str, host: &str, port: u16) -> bool {
    let (entry_host, entry_port) = split_port(entry);
    let host_fits = entry_host.is_empty() || entry_host.eq_ignore_ascii_case(host);
    host_fits && entry_port.is_none_or(|wanted| wanted == port)
}

/// Whether the entry names the host, at whatever port.
fn host_matches(entry: &str, host: &str) -> bool {
    let (entry_host, _) = split_port(entry);
    entry_host.is_empty() || entry_host.eq_ignore_ascii_case(host)
}

fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some(rest) = entry.strip_prefix('[')
        && let Some((host, tail)) = rest.split_once(']')
    {
        return (host, tail.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, port.parse().ok()),
        _ => (entry, None),
    }
}
