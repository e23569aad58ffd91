//! `process_methods`: what the `process` object asks of the system.

mod usage;

use edgepack_format::host_calls::KILL_COMMAND;

use super::uv::{Failed, settle};
use super::{Binding, Exports};
use crate::file_tree;
use crate::host::{clock, process};
use crate::js::{Call, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "process_methods", init };

const SIGABRT: i32 = 6;

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.helper("hrtime", 1, hrtime)?;
    exports.helper("hrtimeBigInt", 1, hrtime_bigint)?;
    exports.helper("args", 0, args)?;
    exports.helper("pid", 0, pid)?;
    exports.helper("parentPid", 0, parent_pid)?;
    exports.helper("forgetDirectory", 0, forget_directory)?;
    exports.function("cwd", 0, cwd)?;
    exports.function("chdir", 1, chdir)?;
    exports.function("umask", 1, umask)?;
    exports.function("_kill", 2, kill)?;
    exports.function("_rawDebug", 1, raw_debug)?;
    exports.function("abort", 0, abort)?;
    exports.function("reallyExit", 1, really_exit)?;
    usage::init(exports)
}

/// Seconds as two 32-bit halves, then nanoseconds.
fn hrtime<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let now = u64::try_from(clock::monotonic()).unwrap_or(0);
    let (seconds, nanoseconds) = (now / 1_000_000_000, now % 1_000_000_000);
    let bytes = call.bytes(0)?;
    let words = [seconds >> 32, seconds & 0xffff_ffff, nanoseconds];
    for (slot, word) in bytes.as_mut_slice().as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *slot = u32::try_from(word).unwrap_or(0).to_le_bytes();
    }
    call.undefined()
}

fn hrtime_bigint<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let bytes = call.bytes(0)?;
    if let Some(slot) = bytes.as_mut_slice().first_chunk_mut::<8>() {
        *slot = clock::monotonic().to_le_bytes();
    }
    call.undefined()
}

fn args<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(process::args().unwrap_or_default())
}

fn pid<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(process::pid().unwrap_or(0))
}

fn parent_pid<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    call.ret(process::parent_pid().unwrap_or(0))
}

/// The working directory may be another one in the process that goes on.
fn forget_directory<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    file_tree::forget_cwd();
    call.undefined()
}

fn cwd<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let failed = Failed { syscall: "uv_cwd", ..Failed::default() };
    call.ret(settle(&call.ctx, file_tree::cwd(), failed)?)
}

fn chdir<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let path = call.string(0)?;
    let from = file_tree::cwd().unwrap_or_default();
    let failed = Failed { syscall: "chdir", path: Some(&from), dest: Some(&path), resource: Some(&path) };
    settle(&call.ctx, file_tree::absolute(&path).and_then(|path| file_tree::set_cwd(&path)), failed)?;
    call.undefined()
}

/// (new mask or undefined): the old mask.
fn umask<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let new = call.arg(0).is_number().then(|| call.i32(0) & 0o777);
    let failed = Failed { syscall: "umask", resource: Some("umask"), ..Failed::default() };
    call.ret(settle(&call.ctx, process::umask(new), failed)?)
}

/// (pid, signal): 0 or a negative number; a refusal is thrown.
fn kill<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    match process::kill(call.i32(0), call.i32(1)) {
        Ok(()) => call.ret(0),
        Err(failure) if failure.refused().is_some() => {
            let failed = Failed { syscall: "kill", resource: Some(KILL_COMMAND), ..Failed::default() };
            Err(failed.throw(&call.ctx, failure))
        }
        Err(failure) => call.ret(failure.number()),
    }
}

fn raw_debug<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    process::write_error(&format!("{}\n", call.string(0)?));
    call.undefined()
}

fn abort<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let aborted = process::pid().and_then(|pid| process::kill(pid, SIGABRT));
    if aborted.is_err() {
        process::panic("aborted");
    }
    call.undefined()
}

fn really_exit<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    process::exit(call.i32(0))
}
