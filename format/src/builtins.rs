//! Which of Node's builtin modules an app may import: one list for the bundler (refuses at build) and the engine
//! (refuses at run).

/// The builtins that work, by the name without `node:`.
pub const SUPPORTED: &[&str] = &[
    "assert",
    "assert/strict",
    "async_hooks",
    "buffer",
    "console",
    "constants",
    "crypto",
    "diagnostics_channel",
    "dns",
    "dns/promises",
    "events",
    "fs",
    "fs/promises",
    "http",
    "module",
    "net",
    "os",
    "path",
    "path/posix",
    "path/win32",
    "perf_hooks",
    "process",
    "punycode",
    "querystring",
    "readline",
    "readline/promises",
    "stream",
    "stream/consumers",
    "stream/promises",
    "stream/web",
    "string_decoder",
    "sys",
    "timers",
    "timers/promises",
    "tty",
    "url",
    "util",
    "util/types",
    "v8",
    "zlib",
];

/// Node 24's other public builtins. Importing one is an error that says it is not supported yet.
pub const NOT_YET: &[&str] = &[
    "child_process",
    "cluster",
    "dgram",
    "domain",
    "http2",
    "https",
    "inspector",
    "inspector/promises",
    "repl",
    "tls",
    "trace_events",
    "vm",
    "wasi",
    "worker_threads",
];

/// Builtins that exist only under the `node:` scheme, none of them supported yet.
pub const SCHEME_ONLY_NOT_YET: &[&str] = &["sea", "sqlite", "test", "test/reporters"];

/// What a specifier is among Node's builtins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builtin<'a> {
    /// Works; the name is without `node:`.
    Supported(&'a str),
    /// A builtin of Node's that edgepack does not have yet; the name is without `node:`.
    NotYet(&'a str),
    /// Written with `node:`, but Node has no such builtin.
    Unknown(&'a str),
}

/// Classifies an import specifier; `None` if it names no builtin.
#[must_use]
pub fn classify(specifier: &str) -> Option<Builtin<'_>> {
    let (name, scheme) = match specifier.strip_prefix("node:") {
        Some(name) => (name, true),
        None => (specifier, false),
    };
    if SUPPORTED.contains(&name) {
        Some(Builtin::Supported(name))
    } else if NOT_YET.contains(&name) || (scheme && SCHEME_ONLY_NOT_YET.contains(&name)) {
        Some(Builtin::NotYet(name))
    } else if scheme {
        Some(Builtin::Unknown(name))
    } else {
        None
    }
}
