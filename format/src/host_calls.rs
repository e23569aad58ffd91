//! The one table of host calls: what the guest may ask of a host, which capability it needs, and how the call is
//! answered while the program is sealed (run at build time).
//!
//! Conventions. Pointers and lengths are `i32` (unsigned) into linear memory. A result below zero is `-errno` with
//! Linux numbers, or at and below `-policy::DENIED` the refusal of a capability. A call that fills a buffer returns the length of the whole answer, so a too small buffer is seen
//! (nothing is written then). Texts are UTF-8; lists are texts ended by NUL each. Paths are absolute.

/// The wasm module name under which the calls are imported.
pub const MODULE: &str = "edge";

/// A wasm value type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ty {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
}

/// Which capability a call needs. Calls that name a resource are checked against the grants for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// None.
    Nothing,
    /// `--allow-read` for the path argument(s).
    Read,
    /// `--allow-write` for the path argument(s).
    Write,
    /// `--allow-read` or `--allow-write`, by the flags argument.
    Open,
    /// `--allow-net` for the address or host argument.
    Net,
    /// `--allow-env` for the name argument.
    Env,
    /// `--allow-sys` for the kind argument.
    Sys,
    /// `--allow-run`.
    Run,
}

/// How a granted call is answered while the program is sealed. A call that is not granted has the same answer at
/// build and at boot, and never reaches this column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealed {
    /// Always this result, at build and at boot.
    Constant(i64),
    /// An effect without a result: recorded, replayed in order at boot; this result is given at build.
    Deferred,
    /// Answered with this result, which boot checks as a guard.
    Assumed(i64),
    /// What the target answers, which boot checks as a guard: an image for one target is not resumed on another.
    Target,
    /// Cannot be answered before boot: the build stops here.
    Barrier,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostCall {
    /// Import name.
    pub name: &'static str,
    /// Parameter types.
    pub params: &'static [Ty],
    /// Result types: none or one.
    pub results: &'static [Ty],
    /// Capability.
    pub needs: Needs,
    /// Sealed answer.
    pub sealed: Sealed,
    /// What it does, parameters by name in order.
    pub doc: &'static str,
}

use Needs::{Env, Net, Nothing, Open, Read, Run, Sys, Write};
use Sealed::{Assumed, Barrier, Constant, Deferred, Target};
use Ty::{I32, I64};

const fn call(
    name: &'static str,
    params: &'static [Ty],
    results: &'static [Ty],
    needs: Needs,
    sealed: Sealed,
    doc: &'static str,
) -> HostCall {
    HostCall { name, params, results, needs, sealed, doc }
}

/// `stdio_kind` results, in Node's `guessHandleType` terms.
pub mod stdio_kind {
    /// A regular file or a character device that is no terminal.
    pub const FILE: i32 = 0;
    /// A FIFO or a unix socket.
    pub const PIPE: i32 = 1;
    /// A terminal.
    pub const TTY: i32 = 2;
    /// A TCP socket.
    pub const TCP: i32 = 3;
    /// Closed or anything else.
    pub const UNKNOWN: i32 = 4;
}

/// Bits of `watch`'s interest and of an event's `flags`.
pub mod ready {
    /// Can be read, or a connection waits.
    pub const READABLE: u32 = 1;
    /// Can be written, or a connect has ended.
    pub const WRITABLE: u32 = 2;
    /// The peer has closed, or an error waits (event only).
    pub const HANGUP: u32 = 4;
    /// A `resolve` request (the handle is the request) is ready (event only).
    pub const RESOLVED: u32 = 8;
    /// A signal arrived (the handle is its number; event only).
    pub const SIGNAL: u32 = 16;
}

/// Bytes of one event that `wait` writes: handle u32, flags u32, little endian.
pub const EVENT_BYTES: usize = 8;

/// Bytes of a socket address: family u16 (4 or 6; 0 none), port u16, scope u32, then 16 address bytes (IPv4 in the
/// first four), little endian but the address, which is in network order.
pub const ADDRESS_BYTES: usize = 24;

/// Bytes of a `stat` answer: 18 little-endian i64: dev, mode, nlink, uid, gid, rdev, blksize, ino, size, blocks,
/// then atime, mtime, ctime, birthtime as seconds and nanoseconds: the order of Node's own stat array.
pub const STAT_BYTES: usize = 18 * 8;

/// Every host call there is.
#[rustfmt::skip]
pub const HOST_CALLS: &[HostCall] = &[
    // The program.
    call("program_args", &[I32, I32], &[I32], Nothing, Barrier, "(buf, cap) The command line as a list; the first is the executable's path."),
    call("program_exit", &[I32], &[], Nothing, Barrier, "(code) Ends the process; does not return."),
    call("program_panic", &[I32, I32], &[], Nothing, Constant(0), "(text, len) The engine met a bug of its own: prints the text and aborts."),
    call("env_get", &[I32, I32, I32, I32], &[I32], Env, Barrier, "(name, len, buf, cap) An environment variable; -ENOENT if unset or not granted."),
    call("env_names", &[I32, I32], &[I32], Nothing, Barrier, "(buf, cap) The names of the granted variables that are set, as a list; empty without a grant."),
    call("cwd_get", &[I32, I32], &[I32], Nothing, Barrier, "(buf, cap) The working directory; APP_ROOT at build and at boot unless the whole file system may be read."),
    call("cwd_set", &[I32, I32], &[I32], Read, Barrier, "(path, len) Changes the working directory."),
    call("process_id", &[I32], &[I32], Nothing, Barrier, "(which) 0 pid, 1 parent's pid."),
    call("user_id", &[I32], &[I32], Sys, Barrier, "(which) 0 uid, 1 euid, 2 gid, 3 egid."),
    call("umask", &[I32], &[I32], Sys, Barrier, "(mask or -1) The old file mode mask; sets it unless -1."),
    call("kill", &[I32, I32], &[I32], Run, Barrier, "(pid, signal) Sends a signal; to oneself it needs no grant."),
    call("signal_watch", &[I32, I32], &[I32], Nothing, Deferred, "(signal, on) Signal events of `wait`, or the default action again."),
    call("target_machine", &[], &[I32], Nothing, Target, "() ELF's number of the machine, from `targets`."),
    call("system_info", &[I32, I32, I32], &[I32], Sys, Barrier, "(kind, buf, cap) A `SystemInfo` as text."),
    call("resource_usage", &[I32], &[I32], Nothing, Barrier, "(buf) 16 i64: user us, system us, maxrss KiB, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw."),
    call("memory_usage", &[I32], &[I32], Nothing, Barrier, "(buf) 4 i64 in bytes: resident, total of the machine, available, limit (0 none)."),
    call("memory_budget", &[I32], &[I32], Nothing, Barrier, "(chunks) So much memory is wanted while the program is started; 0."),
    // Clocks and randomness.
    call("clock_realtime", &[], &[I64], Nothing, Barrier, "() Nanoseconds since 1970."),
    call("clock_monotonic", &[], &[I64], Nothing, Barrier, "() Nanoseconds since an arbitrary start."),
    call("timezone_offset", &[I64], &[I32], Nothing, Barrier, "(seconds since 1970) Seconds east of UTC at that time."),
    call("timezone_name", &[I32, I32], &[I32], Nothing, Barrier, "(buf, cap) IANA name of the time zone, UTC if unknown."),
    call("random_fill", &[I32, I32], &[I32], Nothing, Barrier, "(buf, len) Fills with randomness fit for cryptography."),
    // The loop.
    call("wait", &[I64, I32, I32], &[I32], Nothing, Barrier, "(timeout ns, -1 for ever; events, cap in events) Waits; the number of events written."),
    call("watch", &[I32, I32], &[I32], Nothing, Barrier, "(handle, interest) Which readiness of a stream `wait` reports; level triggered; 0 stops."),
    // Streams: standard ones are handles 0, 1, 2.
    call("stdio_kind", &[I32], &[I32], Nothing, Assumed(1), "(handle 0..2) A `stdio_kind`; an output that is a file passes for a pipe."),
    call("stdio_is_output", &[I32], &[I32], Nothing, Assumed(1), "(handle 1 or 2) 1 if it is a pipe, a file or a terminal: its stream can be made before it is known which."),
    call("stdio_write", &[I32, I32, I32], &[I32], Nothing, Deferred, "(handle 1 or 2, buf, len) Writes all of it, waiting if it must; the length."),
    call("stream_read", &[I32, I32, I32], &[I32], Nothing, Barrier, "(handle, buf, len) Reads what is there; 0 at the end, -EAGAIN if nothing yet."),
    call("stream_write", &[I32, I32, I32], &[I32], Nothing, Barrier, "(handle, vectors, count) Gathers from count pairs of (ptr, len); bytes written or -EAGAIN."),
    call("stream_shutdown", &[I32], &[I32], Nothing, Barrier, "(handle) No more writes."),
    call("stream_close", &[I32], &[I32], Nothing, Barrier, "(handle) Closes a socket or stops using a standard stream."),
    call("tty_size", &[I32, I32], &[I32], Nothing, Barrier, "(handle, buf) Two u32: columns, rows."),
    call("tty_mode", &[I32, I32], &[I32], Nothing, Barrier, "(handle, mode) 0 normal, 1 raw."),
    // Sockets.
    call("tcp_open", &[I32], &[I32], Nothing, Barrier, "(family 4 or 6) A non-blocking socket."),
    call("tcp_bind", &[I32, I32, I32], &[I32], Net, Barrier, "(handle, address, flags: 1 IPv6 only, 2 reuse port)"),
    call("tcp_connect", &[I32, I32], &[I32], Net, Barrier, "(handle, address) 0 or -EINPROGRESS: then wait until writable and ask `socket_error`."),
    call("unix_open", &[], &[I32], Nothing, Barrier, "() A non-blocking unix stream socket."),
    call("unix_bind", &[I32, I32, I32], &[I32], Write, Barrier, "(handle, path, len)"),
    call("unix_connect", &[I32, I32, I32], &[I32], Write, Barrier, "(handle, path, len)"),
    call("socket_listen", &[I32, I32], &[I32], Nothing, Barrier, "(handle, backlog) The bind was checked."),
    call("socket_accept", &[I32], &[I32], Nothing, Barrier, "(handle) A new handle or -EAGAIN."),
    call("socket_error", &[I32], &[I32], Nothing, Barrier, "(handle) 0 or -errno of the last connect."),
    call("socket_name", &[I32, I32, I32], &[I32], Nothing, Barrier, "(handle, 0 own 1 peer, address)"),
    call("socket_option", &[I32, I32, I32], &[I32], Nothing, Barrier, "(handle, option: 0 no delay, 1 keep alive with delay seconds, value; -1 off)"),
    call("resolve", &[I32, I32, I32, I32], &[I32], Net, Barrier, "(name, len, family 0 4 6, flags: 1 addrconfig, 2 all, 4 v4mapped) A request number; an event tells when done."),
    call("resolve_result", &[I32, I32, I32], &[I32], Nothing, Barrier, "(request, buf, cap in bytes) Addresses; -errno, or -(3000 + EAI number)."),
    // Files. Paths are checked; handles were checked when opened.
    call("file_open", &[I32, I32, I32, I32], &[I32], Open, Barrier, "(path, len, flags of open(2), mode) A file handle."),
    call("file_close", &[I32], &[I32], Nothing, Barrier, "(file)"),
    call("file_read", &[I32, I32, I32, I64], &[I32], Nothing, Barrier, "(file, buf, len, position or -1)"),
    call("file_write", &[I32, I32, I32, I64], &[I32], Nothing, Barrier, "(file, buf, len, position or -1)"),
    call("file_stat", &[I32, I32], &[I32], Nothing, Barrier, "(file, stat)"),
    call("file_truncate", &[I32, I64], &[I32], Nothing, Barrier, "(file, size)"),
    call("file_sync", &[I32, I32], &[I32], Nothing, Barrier, "(file, 1 data only)"),
    call("file_chmod", &[I32, I32], &[I32], Nothing, Barrier, "(file, mode)"),
    call("file_chown", &[I32, I32, I32], &[I32], Nothing, Barrier, "(file, uid, gid)"),
    call("file_times", &[I32, I64, I64], &[I32], Nothing, Barrier, "(file, atime ns, mtime ns)"),
    call("path_stat", &[I32, I32, I32, I32], &[I32], Read, Barrier, "(path, len, 1 follow links, stat)"),
    call("path_statfs", &[I32, I32, I32], &[I32], Read, Barrier, "(path, len, buf: 7 i64: type, bsize, blocks, bfree, bavail, files, ffree)"),
    call("path_access", &[I32, I32, I32], &[I32], Read, Barrier, "(path, len, mode)"),
    call("path_list", &[I32, I32, I32, I32], &[I32], Read, Barrier, "(path, len, buf, cap) Per entry: type byte (d_type), name, NUL; sorted by name."),
    call("path_readlink", &[I32, I32, I32, I32], &[I32], Read, Barrier, "(path, len, buf, cap)"),
    call("path_realpath", &[I32, I32, I32, I32], &[I32], Read, Barrier, "(path, len, buf, cap) In the guest's terms."),
    call("path_mkdir", &[I32, I32, I32], &[I32], Write, Barrier, "(path, len, mode)"),
    call("path_rmdir", &[I32, I32], &[I32], Write, Barrier, "(path, len)"),
    call("path_unlink", &[I32, I32], &[I32], Write, Barrier, "(path, len)"),
    call("path_rename", &[I32, I32, I32, I32], &[I32], Write, Barrier, "(from, len, to, len)"),
    call("path_link", &[I32, I32, I32, I32], &[I32], Write, Barrier, "(existing, len, new, len)"),
    call("path_symlink", &[I32, I32, I32, I32], &[I32], Write, Barrier, "(target text, len, new, len)"),
    call("path_chmod", &[I32, I32, I32], &[I32], Write, Barrier, "(path, len, mode)"),
    call("path_chown", &[I32, I32, I32, I32, I32], &[I32], Write, Barrier, "(path, len, uid, gid, 1 follow links)"),
    call("path_times", &[I32, I32, I64, I64, I32], &[I32], Write, Barrier, "(path, len, atime ns, mtime ns, 1 follow links)"),
    call("path_copy", &[I32, I32, I32, I32, I32], &[I32], Write, Barrier, "(from, len, to, len, 1 fail if there) The source needs `--allow-read` too."),
];

/// Kinds of `system_info`; the text of each.
pub mod system_info {
    /// Host name.
    pub const HOSTNAME: i32 = 0;
    /// Kernel: sysname, release, version, machine, as a list.
    pub const KERNEL: i32 = 1;
    /// Per CPU a line: model, MHz, user, nice, sys, idle, irq (ms), tab separated.
    pub const CPUS: i32 = 2;
    /// Bytes of memory: total, free, as decimal texts in a list.
    pub const MEMORY: i32 = 3;
    /// Seconds since the machine started, decimal.
    pub const UPTIME: i32 = 4;
    /// Three load averages, in a list.
    pub const LOAD: i32 = 5;
    /// Per interface address a line: name, address, netmask, 4 or 6, MAC, 1 if internal, scope id, tab separated.
    pub const INTERFACES: i32 = 6;
    /// User: name, uid, gid, shell, home, in a list.
    pub const USER: i32 = 7;
    /// Processors this process may use, decimal.
    pub const PARALLELISM: i32 = 8;
    /// Supplementary group ids, in a list.
    pub const GROUPS: i32 = 9;
    /// This process's priority, its nice value, decimal.
    pub const PRIORITY: i32 = 10;
    /// Deno's `--allow-sys` names, by kind.
    pub const NAMES: &[&str] = &[
        "hostname",
        "osRelease",
        "cpus",
        "systemMemoryInfo",
        "osUptime",
        "loadavg",
        "networkInterfaces",
        "userInfo",
        "cpus",
        "uid",
        "getPriority",
    ];
    /// The name for `user_id`, by which.
    pub const USER_ID_NAMES: &[&str] = &["uid", "uid", "gid", "gid"];
    /// The name for `umask`.
    pub const UMASK_NAME: &str = "umask";
}

/// The command name under which `kill` of another process is granted.
pub const KILL_COMMAND: &str = "kill";

/// The row of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static HostCall> {
    HOST_CALLS.iter().find(|row| row.name == name)
}
