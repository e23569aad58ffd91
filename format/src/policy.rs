//! Grants: what an app may do, and the one decision whether a request is granted.

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

/// What a host call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    /// A connection to or a listener at host and port.
    Net(&'a str, u16),
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
        match request {
            Request::Net(host, port) => self.net.covers(|entry| net_matches(entry, host, port)),
            Request::Read(path) => self.read.covers(|entry| path_matches(entry, path)),
            Request::Write(path) => self.write.covers(|entry| path_matches(entry, path)),
            Request::Env(name) => self.env.covers(|entry| name_matches(entry, name)),
            Request::Run(command) => self.run.covers(|entry| entry == command),
            Request::Sys(kind) => self.sys.covers(|entry| entry == kind),
        }
    }
}

impl Scope {
    fn covers(&self, matches: impl Fn(&str) -> bool) -> bool {
        match self {
            Scope::None => false,
            Scope::All => true,
            Scope::Some(entries) => entries.iter().any(|entry| matches(entry)),
        }
    }
}

impl Request<'_> {
    /// The flag that would grant it, for messages.
    #[must_use]
    pub fn flag(&self) -> &'static str {
        match self {
            Request::Net(..) => "--allow-net",
            Request::Read(_) => "--allow-read",
            Request::Write(_) => "--allow-write",
            Request::Env(_) => "--allow-env",
            Request::Run(_) => "--allow-run",
            Request::Sys(_) => "--allow-sys",
        }
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
