//! The list of host calls: from the table's flat parameters to the functions that do them.
//!
//! Each row names its parameters with a kind (`ptr`, `len`, `i32`, `i64`; pointers and lengths arrive as `usize`),
//! its result, and what to do. `format` holds the same table for every other user; a test compares the two.

use edgepack_format::host_calls::{ADDRESS_BYTES, EVENT_BYTES, STAT_BYTES};

use crate::files::Links;
use crate::host::{Host, Refusal};
use crate::memory::GuestMemory;
use crate::{clock, copy, files, program, readiness, resolve, sockets, stdio, streams, system};

/// Expands a macro over the rows. `$with` gets `(host memory)`, the names that the rows use, then the rows.
macro_rules! for_each_host_call {
    ($with:ident) => {
        $with! {
            (host memory)
            program_args(buf: ptr, cap: len) -> i32 = program::args(host, memory.output(buf, cap)?);
            program_exit(code: i32) -> none = Ok(program::exit(host, code));
            program_panic(text: ptr, len: len) -> none = Ok(program::panic(host, memory.input(text, len)?));
            env_get(name: ptr, len: len, buf: ptr, cap: len) -> i32
                = program::env_get(host, &memory.text(name, len)?, memory.output(buf, cap)?);
            env_names(buf: ptr, cap: len) -> i32 = program::env_names(host, memory.output(buf, cap)?);
            cwd_get(buf: ptr, cap: len) -> i32 = files::cwd_get(host, memory.output(buf, cap)?);
            cwd_set(path: ptr, len: len) -> i32 = files::cwd_set(host, &memory.text(path, len)?);
            process_id(which: i32) -> i32 = program::process_id(host, which);
            user_id(which: i32) -> i32 = program::user_id(host, which);
            umask(mask: i32) -> i32 = program::umask(host, mask);
            kill(pid: i32, signal: i32) -> i32 = program::kill(host, pid, signal);
            signal_watch(signal: i32, on: i32) -> i32 = readiness::signal_watch(host, signal, on);
            target_machine() -> i32 = Ok(system::target_machine());
            system_info(kind: i32, buf: ptr, cap: len) -> i32 = system::info(host, kind, memory.output(buf, cap)?);
            resource_usage(buf: ptr) -> i32 = program::resource_usage(host, memory.output(buf, 16 * 8)?);
            memory_usage(buf: ptr) -> i32 = system::memory_usage(host, memory.output(buf, 4 * 8)?);
            memory_budget(_chunks: i32) -> i32 = Ok(0);
            clock_realtime() -> i64 = Ok(clock::realtime(host));
            clock_monotonic() -> i64 = Ok(clock::monotonic(host));
            timezone_offset(seconds: i64) -> i32 = clock::timezone_offset(host, seconds);
            timezone_name(buf: ptr, cap: len) -> i32 = clock::timezone_name(host, memory.output(buf, cap)?);
            random_fill(buf: ptr, len: len) -> i32 = clock::random_fill(host, memory.output(buf, len)?);
            wait(timeout: i64, events: ptr, cap: len) -> i32
                = readiness::wait(host, timeout, memory.output(events, records(cap, EVENT_BYTES)?)?);
            watch(handle: i32, interest: i32) -> i32 = readiness::watch(host, handle, interest);
            stdio_kind(handle: i32) -> i32 = stdio::kind(host, handle);
            stdio_is_output(handle: i32) -> i32 = stdio::is_output(host, handle);
            stdio_write(handle: i32, buf: ptr, len: len) -> i32 = stdio::write(host, handle, memory.input(buf, len)?);
            stream_read(handle: i32, buf: ptr, len: len) -> i32 = streams::read(host, handle, memory.output(buf, len)?);
            stream_write(handle: i32, vectors: ptr, count: len) -> i32
                = streams::write(host, handle, &memory.vectors(vectors, count)?);
            stream_shutdown(handle: i32) -> i32 = streams::shutdown(host, handle);
            stream_close(handle: i32) -> i32 = streams::close(host, handle);
            tty_size(handle: i32, buf: ptr) -> i32 = stdio::tty_size(host, handle, memory.output(buf, 8)?);
            tty_mode(handle: i32, mode: i32) -> i32 = stdio::tty_mode(host, handle, mode);
            tcp_open(family: i32) -> i32 = sockets::tcp_open(host, family);
            tcp_bind(handle: i32, address: ptr, flags: i32) -> i32
                = sockets::tcp_bind(host, handle, memory.record(address)?, flags);
            tcp_connect(handle: i32, address: ptr) -> i32 = sockets::tcp_connect(host, handle, memory.record(address)?);
            unix_open() -> i32 = sockets::unix_open(host);
            unix_bind(handle: i32, path: ptr, len: len) -> i32
                = sockets::unix_bind(host, handle, &memory.text(path, len)?);
            unix_connect(handle: i32, path: ptr, len: len) -> i32
                = sockets::unix_connect(host, handle, &memory.text(path, len)?);
            socket_listen(handle: i32, backlog: i32) -> i32 = sockets::listen(host, handle, backlog);
            socket_accept(handle: i32) -> i32 = sockets::accept(host, handle);
            socket_error(handle: i32) -> i32 = sockets::error(host, handle);
            socket_name(handle: i32, which: i32, address: ptr) -> i32
                = sockets::name(host, handle, which, memory.output(address, ADDRESS_BYTES)?);
            socket_option(handle: i32, option: i32, value: i32) -> i32 = sockets::option(host, handle, option, value);
            resolve(name: ptr, len: len, family: i32, flags: i32) -> i32 = {
                let name = host.name(memory.text(name, len)?)?;
                resolve::start(host, name, family, flags)
            };
            resolve_result(request: i32, buf: ptr, cap: len) -> i32
                = resolve::result(host, request, memory.output(buf, cap)?);
            file_open(path: ptr, len: len, flags: i32, mode: i32) -> i32
                = files::open(host, &memory.text(path, len)?, flags, mode);
            file_close(file: i32) -> i32 = files::close(host, file);
            file_read(file: i32, buf: ptr, len: len, position: i64) -> i32
                = files::read(host, file, memory.output(buf, len)?, position);
            file_write(file: i32, buf: ptr, len: len, position: i64) -> i32
                = files::write(host, file, memory.input(buf, len)?, position);
            file_stat(file: i32, stat: ptr) -> i32 = files::stat(host, file, memory.output(stat, STAT_BYTES)?);
            file_truncate(file: i32, size: i64) -> i32 = files::truncate(host, file, size);
            file_sync(file: i32, data_only: i32) -> i32 = files::sync(host, file, data_only);
            file_chmod(file: i32, mode: i32) -> i32 = files::chmod(host, file, mode);
            file_chown(file: i32, uid: i32, gid: i32) -> i32 = files::chown(host, file, uid, gid);
            file_times(file: i32, accessed: i64, modified: i64) -> i32 = files::times(host, file, accessed, modified);
            path_stat(path: ptr, len: len, follow: i32, stat: ptr) -> i32 = files::path_stat(
                host, &memory.text(path, len)?, Links::from(follow), memory.output(stat, STAT_BYTES)?);
            path_statfs(path: ptr, len: len, buf: ptr) -> i32
                = files::path_statfs(host, &memory.text(path, len)?, memory.output(buf, 7 * 8)?);
            path_access(path: ptr, len: len, mode: i32) -> i32
                = files::path_access(host, &memory.text(path, len)?, mode);
            path_list(path: ptr, len: len, buf: ptr, cap: len) -> i32
                = files::path_list(host, &memory.text(path, len)?, memory.output(buf, cap)?);
            path_readlink(path: ptr, len: len, buf: ptr, cap: len) -> i32
                = files::path_readlink(host, &memory.text(path, len)?, memory.output(buf, cap)?);
            path_realpath(path: ptr, len: len, buf: ptr, cap: len) -> i32
                = files::path_realpath(host, &memory.text(path, len)?, memory.output(buf, cap)?);
            path_mkdir(path: ptr, len: len, mode: i32) -> i32 = files::path_mkdir(host, &memory.text(path, len)?, mode);
            path_rmdir(path: ptr, len: len) -> i32 = files::path_rmdir(host, &memory.text(path, len)?);
            path_unlink(path: ptr, len: len) -> i32 = files::path_unlink(host, &memory.text(path, len)?);
            path_rename(from: ptr, from_len: len, to: ptr, to_len: len) -> i32
                = files::path_rename(host, &memory.text(from, from_len)?, &memory.text(to, to_len)?);
            path_link(existing: ptr, existing_len: len, new: ptr, new_len: len) -> i32
                = files::path_link(host, &memory.text(existing, existing_len)?, &memory.text(new, new_len)?);
            path_symlink(target: ptr, target_len: len, new: ptr, new_len: len) -> i32
                = files::path_symlink(host, &memory.text(target, target_len)?, &memory.text(new, new_len)?);
            path_chmod(path: ptr, len: len, mode: i32) -> i32 = files::path_chmod(host, &memory.text(path, len)?, mode);
            path_chown(path: ptr, len: len, uid: i32, gid: i32, follow: i32) -> i32
                = files::path_chown(host, &memory.text(path, len)?, uid, gid, Links::from(follow));
            path_times(path: ptr, len: len, accessed: i64, modified: i64, follow: i32) -> i32
                = files::path_times(host, &memory.text(path, len)?, accessed, modified, Links::from(follow));
            path_copy(from: ptr, from_len: len, to: ptr, to_len: len, must_be_new: i32) -> i32 = copy::path_copy(
                host, &memory.text(from, from_len)?, &memory.text(to, to_len)?, must_be_new);
        }
    };
}

fn records(count: usize, bytes: usize) -> Result<usize, Refusal> {
    count.checked_mul(bytes).ok_or(Refusal::OutOfBounds)
}

/// One row's names and kinds, for the comparison with `format`'s table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Import name.
    pub name: &'static str,
    /// Parameter kinds.
    pub params: &'static [&'static str],
    /// `i32`, `i64` or `none`.
    pub result: &'static str,
}

macro_rules! argument {
    (ptr, $value:expr) => {
        usize::try_from($value.cast_unsigned()).unwrap_or(usize::MAX) & 0xffff_ffff
    };
    (len, $value:expr) => {
        usize::try_from($value.cast_unsigned()).unwrap_or(usize::MAX) & 0xffff_ffff
    };
    (i32, $value:expr) => {
        low_half($value)
    };
    (i64, $value:expr) => {
        $value
    };
}

macro_rules! result_type {
    (i32) => {
        i32
    };
    (i64) => {
        i64
    };
    (none) => {
        ()
    };
}

macro_rules! widen {
    (i32, $result:expr) => {
        i64::from($result)
    };
    (i64, $result:expr) => {
        $result
    };
    (none, $result:expr) => {{
        let () = $result;
        0
    }};
}

macro_rules! functions {
    (($host:ident $memory:ident)
     $($name:ident($($param:ident: $kind:ident),*) -> $result:ident = $body:expr;)*) => {
        $(
            #[doc = concat!("The host call `", stringify!($name), "`; see the table for its parameters.")]
            #[allow(clippy::unit_arg, unused_variables, clippy::allow_attributes, reason = "one shape for all rows")]
            pub fn $name<M: GuestMemory>($host: &mut Host, $memory: &mut M, $($param: parameter_type!($kind)),*)
                -> Result<result_type!($result), Refusal> {
                $body
            }
        )*

        /// Every row of the list.
        pub const ROWS: &[Row] = &[
            $(Row { name: stringify!($name), params: &[$(stringify!($kind)),*], result: stringify!($result) }),*
        ];

        /// Does the call of that name with the wasm arguments widened to 64 bits; `None` if there is no such call
        /// or the number of arguments is wrong.
        pub fn dispatch<M: GuestMemory>(host: &mut Host, memory: &mut M, name: &str, args: &[i64])
            -> Option<Result<i64, Refusal>> {
            match name {
                $(stringify!($name) => {
                    let [$($param),*] = *args else { return None };
                    let result = $name(host, memory, $(argument!($kind, $param)),*);
                    Some(result.map(|result| widen!($result, result)))
                })*
                _ => None,
            }
        }
    };
}

macro_rules! parameter_type {
    (ptr) => {
        usize
    };
    (len) => {
        usize
    };
    (i32) => {
        i32
    };
    (i64) => {
        i64
    };
}

for_each_host_call!(functions);

/// The i32 in the lower half of a widened argument.
fn low_half(value: i64) -> i32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

#[cfg(any(feature = "boot", feature = "native"))]
pub(crate) use for_each_host_call;

#[cfg(test)]
mod tests {
    use edgepack_format::host_calls::{HOST_CALLS, Ty};

    #[test]
    fn the_list_agrees_with_the_table_in_order_names_and_types() {
        let ty = |kind: &&str| if **kind == *"i64" { Ty::I64 } else { Ty::I32 };
        let list: Vec<_> = super::ROWS
            .iter()
            .map(|row| {
                let results = Some(row.result).filter(|result| *result != "none");
                (row.name, row.params.iter().map(ty).collect(), results.iter().map(ty).collect())
            })
            .collect();
        let table: Vec<(_, Vec<Ty>, Vec<Ty>)> =
            HOST_CALLS.iter().map(|row| (row.name, row.params.to_vec(), row.results.to_vec())).collect();
        assert_eq!(list, table);
    }
}
