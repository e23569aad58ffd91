//! `credentials`: who runs the process, and the variables that Node itself reads.

use super::uv::{Failed, settle};
use super::{Binding, Exports, process_env};
use crate::host::process::{self, Id};
use crate::host::system::{self, Topic};
use crate::host::{Answer, Failure};
use crate::js::{Call, Result, Value};

pub(crate) const BINDING: Binding = Binding { name: "credentials", init };

fn init(exports: &Exports<'_>) -> Result<()> {
    exports.value("implementsPosixCredentials", true)?;
    exports.function("safeGetenv", 1, safe_getenv)?;
    exports.function("getTempDir", 0, temporary_directory)?;
    exports.function("getuid", 0, |call| id(call, Id::User, "uid"))?;
    exports.function("geteuid", 0, |call| id(call, Id::EffectiveUser, "uid"))?;
    exports.function("getgid", 0, |call| id(call, Id::Group, "gid"))?;
    exports.function("getegid", 0, |call| id(call, Id::EffectiveGroup, "gid"))?;
    exports.function("getgroups", 0, groups)?;
    exports.function("setuid", 1, |call| keep(call, Id::User, "setuid"))?;
    exports.function("seteuid", 1, |call| keep(call, Id::EffectiveUser, "seteuid"))?;
    exports.function("setgid", 1, |call| keep(call, Id::Group, "setgid"))?;
    exports.function("setegid", 1, |call| keep(call, Id::EffectiveGroup, "setegid"))?;
    exports.function("setgroups", 1, set_groups)?;
    exports.function("initgroups", 2, init_groups)
}

fn safe_getenv<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    match process_env::get(&call.string(0)?) {
        Some(value) => call.ret(value),
        None => call.undefined(),
    }
}

fn temporary_directory<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let found =
        ["TMPDIR", "TMP", "TEMP"].into_iter().filter_map(process_env::get).find(|directory| !directory.is_empty());
    let Some(directory) = found else { return call.undefined() };
    let trimmed = if directory.len() > 1 { directory.strip_suffix('/') } else { None };
    call.ret(trimmed.unwrap_or(&directory))
}

fn id<'js>(call: &Call<'_, 'js>, which: Id, grant: &str) -> Result<Value<'js>> {
    let failed = Failed { syscall: "getuid", resource: Some(grant), ..Failed::default() };
    call.ret(settle(&call.ctx, process::id(which), failed)?)
}

/// The supplementary groups and the effective one.
fn groups<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let failed = Failed { syscall: "getgroups", resource: Some(Topic::Groups.grant()), ..Failed::default() };
    let texts = settle(&call.ctx, system::texts(Topic::Groups), failed)?;
    let mut groups: Vec<u32> = texts.iter().filter_map(|text| text.parse().ok()).collect();
    if let Ok(own) = process::id(Id::EffectiveGroup)
        && let Ok(own) = u32::try_from(own)
        && !groups.contains(&own)
    {
        groups.push(own);
    }
    call.ret(groups)
}

/// A process keeps the user that started it: its own number is fine, a name is unknown (1), others are refused.
fn keep<'js>(call: &Call<'_, 'js>, which: Id, syscall: &str) -> Result<Value<'js>> {
    if call.arg(0).is_string() {
        return call.ret(1);
    }
    if process::id(which) == Ok(call.i32(0)) {
        return call.ret(0);
    }
    refuse(call, syscall)
}

/// (groups): the place, from 1, of the first that is unknown.
fn set_groups<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let groups: Vec<Value<'js>> = call.get(0)?;
    match groups.iter().position(Value::is_string) {
        Some(index) => call.ret(i32::try_from(index + 1).unwrap_or(i32::MAX)),
        None => refuse(call, "setgroups"),
    }
}

/// (user, group): 1 if the user is unknown, 2 if the group is.
fn init_groups<'js>(call: &Call<'_, 'js>) -> Result<Value<'js>> {
    let unknown = if call.arg(1).is_string() { 2 } else { 1 };
    if call.arg(0).is_string() || unknown == 2 {
        return call.ret(unknown);
    }
    refuse(call, "initgroups")
}

fn refuse<'js>(call: &Call<'_, 'js>, syscall: &str) -> Result<Value<'js>> {
    let refused: Answer<()> = Err(Failure::PERM);
    settle(&call.ctx, refused, Failed { syscall, ..Failed::default() })?;
    call.undefined()
}
