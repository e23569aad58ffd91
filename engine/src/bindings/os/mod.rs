//! `os`: facts about the machine, each under the `--allow-sys` name that grants it.

use super::uv::{self, Failed};
use super::{Binding, Exports, process_env};
use crate::host::system::{self, Topic};
use crate::host::{Answer, Failure, process};
use crate::js::{Array, Call, IntoJs, Object, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "os", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.value("isBigEndian", false)?;
    exports.function("getHostname", 1, hostname)?;
    exports.function("getOSInformation", 1, os_information)?;
    exports.function("getLoadAvg", 1, load_average)?;
    exports.function("getUptime", 1, uptime)?;
    exports.function("getTotalMem", 0, |call| memory(call, 0))?;
    exports.function("getFreeMem", 0, |call| memory(call, 1))?;
    exports.function("getCPUs", 0, cpus)?;
    exports.function("getInterfaceAddresses", 1, interfaces)?;
    exports.function("getHomeDirectory", 1, home_directory)?;
    exports.helper("user", 1, user)?;
    exports.function("getAvailableParallelism", 0, parallelism)?;
    exports.function("getPriority", 2, priority)?;
    exports.function("setPriority", 3, set_priority)
}

/// The answer, or nothing with the error described in the object `index`; a refusal is thrown.
fn checked<'js, T>(
    call: &Call<'_, 'js>,
    answer: Answer<T>,
    topic: Topic,
    syscall: &str,
    index: usize,
) -> Result<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(failure) if failure.refused().is_some() => Err(denied(topic, syscall).throw(&call.ctx, failure)),
        Err(failure) => {
            describe(call, failure, syscall, index)?;
            Ok(None)
        }
    }
}

fn denied(topic: Topic, syscall: &str) -> Failed<'_> {
    Failed { syscall, resource: Some(topic.grant()), ..Failed::default() }
}

/// Fills the context object from which Node's library makes a `SystemError`.
fn describe(call: &Call<'_, '_>, failure: Failure, syscall: &str, index: usize) -> Result<()> {
    let Ok(context): Result<Object<'_>> = call.object(index) else { return Ok(()) };
    context.set("errno", failure.number())?;
    context.set("code", uv::name(failure.number()))?;
    context.set("message", uv::message(failure.number()))?;
    context.set("syscall", syscall)
}

fn ret_option<'js, T: IntoJs<'js>>(call: &Call<'_, 'js>, value: Option<T>) -> Result<Value<'js>> {
    match value {
        Some(value) => call.ret(value),
        None => call.undefined(),
    }
}

fn hostname<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let answer = checked(call, system::text(Topic::Hostname), Topic::Hostname, "uv_os_gethostname", 0)?;
    ret_option(call, answer)
}

/// System name, version, release, machine. Node's library asks when it is loaded, so a refusal is no error here.
fn os_information<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let fields = system::texts(Topic::Kernel).unwrap_or_default();
    let field = |index: usize, otherwise: &str| fields.get(index).cloned().unwrap_or_else(|| otherwise.to_owned());
    call.ret(vec![field(0, "Linux"), field(2, ""), field(1, ""), field(3, "")])
}

fn load_average<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let texts = uv::settle(&call.ctx, system::texts(Topic::Load), denied(Topic::Load, "uv_loadavg"))?;
    let bytes = call.bytes(0)?;
    for (slot, text) in bytes.as_mut_slice().as_chunks_mut::<8>().0.iter_mut().zip(texts) {
        *slot = text.parse::<f64>().unwrap_or(0.0).to_le_bytes();
    }
    call.undefined()
}

fn uptime<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let answer = checked(call, system::decimal(Topic::Uptime), Topic::Uptime, "uv_uptime", 0)?;
    ret_option(call, answer)
}

fn memory<'js>(call: &Call<'_, 'js>, index: usize) -> Result<Value<'js>> {
    let texts = uv::settle(&call.ctx, system::texts(Topic::Memory), denied(Topic::Memory, "uv_get_memory"))?;
    call.ret(texts.get(index).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0))
}

/// Model, then speed and five times, and so on, for all.
fn cpus<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let rows = uv::settle(&call.ctx, system::table(Topic::Cpus), denied(Topic::Cpus, "uv_cpu_info"))?;
    let flat = Array::new(call.ctx.clone())?;
    for row in rows {
        let mut fields = row.into_iter();
        flat.set(flat.len(), fields.next().unwrap_or_default())?;
        for field in fields {
            flat.set(flat.len(), field.parse::<f64>().unwrap_or(0.0))?;
        }
    }
    call.ret(flat)
}

/// Name, address, netmask, family, MAC, whether internal, scope, and so on, for all.
fn interfaces<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let syscall = "uv_interface_addresses";
    let Some(rows) = checked(call, system::table(Topic::Interfaces), Topic::Interfaces, syscall, 0)? else {
        return call.undefined();
    };
    let flat = Array::new(call.ctx.clone())?;
    for row in rows {
        let field = |index: usize| row.get(index).cloned().unwrap_or_default();
        let is_v6 = field(3) == "6";
        for text in [field(0), field(1), field(2), if is_v6 { "IPv6" } else { "IPv4" }.to_owned(), field(4)] {
            flat.set(flat.len(), text)?;
        }
        flat.set(flat.len(), field(5) == "1")?;
        flat.set(flat.len(), if is_v6 { field(6).parse().unwrap_or(0) } else { -1 })?;
    }
    call.ret(flat)
}

/// `HOME`, else the user's own.
fn home_directory<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    if let Some(home) = process_env::get("HOME") {
        return call.ret(home);
    }
    let user = checked(call, system::texts(Topic::User), Topic::User, "uv_os_homedir", 0)?;
    ret_option(call, user.and_then(|fields| fields.get(4).cloned()))
}

/// (context): name, uid, gid, shell, home.
fn user<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let user = checked(call, system::texts(Topic::User), Topic::User, "uv_os_get_passwd", 0)?;
    ret_option(call, user)
}

fn parallelism<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let failed = denied(Topic::Parallelism, "uv_available_parallelism");
    call.ret(uv::settle(&call.ctx, system::decimal(Topic::Parallelism), failed)?)
}

fn is_self(pid: i32) -> bool {
    pid == 0 || process::pid() == Ok(pid)
}

/// (pid, context): of this process only.
fn priority<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    if is_self(call.i32(0)) {
        let priority = checked(call, system::decimal(Topic::Priority), Topic::Priority, "uv_os_getpriority", 1)?;
        return ret_option(call, priority);
    }
    describe(call, Failure::SRCH, "uv_os_getpriority", 1)?;
    call.undefined()
}

/// (pid, priority, context): 0 or a negative number. An app cannot change its priority; to have it already is no change.
fn set_priority<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let failure = if is_self(call.i32(0)) { Failure::NOSYS } else { Failure::SRCH };
    if failure == Failure::NOSYS && system::decimal(Topic::Priority) == Ok(f64::from(call.i32(1))) {
        return call.ret(0);
    }
    describe(call, failure, "uv_os_setpriority", 2)?;
    call.ret(failure.number())
}
